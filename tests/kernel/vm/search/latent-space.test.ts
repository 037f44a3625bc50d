/** The latent space: which pages lie near a question without sharing its words. All sentences are invented. */
import { describe, expect, it } from "vitest";
import { buildSpace, RANK, type SpaceRow } from "#kernel/vm/search/latent-space.ts";
import { packTerms, readTerms, TermVectors, writeTerms } from "#kernel/vm/search/latent-terms.ts";
import { indexEntry, SearchIndex } from "#kernel/vm/search/search-index.ts";
import { LATENT_ROWS, LATENT_STEP, LATENT_TERMS_PER_ROW } from "#shared/limits.ts";

function finish<Value>(work: Generator<undefined, Value>): { value: Value; pauses: number } {
  let pauses = 0;
  for (let step = work.next(); ; step = work.next()) {
    if (step.done === true) return { value: step.value, pauses };
    pauses += 1;
  }
}

function learn(index: SearchIndex): TermVectors {
  const sample = index.latentSample();
  return packTerms(sample.terms, sample.weights, finish(buildSpace(sample.rows, sample.terms.length)).value);
}

function add(index: SearchIndex, page: number, text: string): void {
  index.add(indexEntry({ page, session: `s${page}`, speaker: null, role: "user", kind: "turn", at: null, text }));
}

const TOPICS = 40;

/** Three of the five words that people use for one topic; which three depends on the page. */
function wordsOf(topic: number, page: number): string {
  const words = ["keel", "mast", "sail", "oars", "bows"].map((word) => `${word}${topic}`);
  return [0, 1, 2].map((index) => words[(page + index) % 5]).join(" ");
}

/** Pages on forty topics, eight of each: page `topic * 8 + n`. */
function library(): SearchIndex {
  const index = new SearchIndex();
  for (let topic = 0; topic < TOPICS; topic += 1)
    for (let page = 0; page < 8; page += 1) add(index, topic * 8 + page, wordsOf(topic, page));
  return index;
}

function nearness(index: SearchIndex, text: string, page: number): number {
  const { pages, columns } = index.measure(text);
  return columns.latent[pages.indexOf(page)] ?? 0;
}

describe("nearness", () => {
  it("is 0 without a space", () => {
    expect(nearness(library(), "keel0", 1)).toBe(0);
  });

  it("brings a question to pages of its topic that do not hold its word", () => {
    const index = library();
    index.useLatent(learn(index));
    const withoutWord = 1; // mast0 sail0 oars0
    expect(nearness(index, "keel0", withoutWord)).toBeGreaterThan(0.2);
    expect(Math.abs(nearness(index, "keel1", withoutWord))).toBeLessThan(0.1);
    expect(nearness(index, "keel1", 9)).toBeGreaterThan(0.2);
  });

  it("folds a later page in as the rebuilt space would place it, and forgets a removed one", () => {
    const index = library();
    const space = learn(index);
    index.useLatent(space);
    add(index, 5000, "mast3 sail3 oars3");
    const folded = nearness(index, "keel3", 5000);
    expect(folded).toBeGreaterThan(0.2);
    index.useLatent(space);
    expect(nearness(index, "keel3", 5000)).toBeCloseTo(folded, 5);
    index.remove(5000);
    add(index, 5001, "unseen words only"); // takes the free slot
    expect(nearness(index, "keel3", 5001)).toBe(0);
  });

  it("never drops a page that the nearness would lift among the results", () => {
    const index = library();
    index.useLatent(learn(index));
    const all = index.search({ text: "keel2 and oars7", limit: 1000 });
    expect(all.length).toBeGreaterThan(8);
    for (const limit of [1, 3, 7, 12])
      expect(index.search({ text: "keel2 and oars7", limit })).toEqual(all.slice(0, limit));
  });
});

describe("building", () => {
  it("gives the same space from the same pages, in pauses", () => {
    const sample = library().latentSample();
    const one = finish(buildSpace(sample.rows, sample.terms.length)).value;
    const other = finish(buildSpace(sample.rows, sample.terms.length)).value;
    expect(one).toEqual(other);
  });

  it("pauses as often as its work is long", () => {
    const rows: SpaceRow[] = Array.from({ length: 600 }, (_, row) => ({
      terms: Int32Array.from({ length: 20 }, (__, index) => (row * 7 + index * 31) % 900),
      weights: new Float32Array(20).fill(0.22),
    }));
    const { pauses } = finish(buildSpace(rows, 900));
    expect(pauses).toBeGreaterThan((600 * 20 * RANK * 8) / LATENT_STEP);
  });

  it("takes nothing, one page and pages without common words", () => {
    expect(finish(buildSpace([], 0)).value.length).toBe(0);
    const index = new SearchIndex();
    add(index, 1, "one lonely page");
    expect(learn(index).terms).toEqual([]);
  });

  it("samples at most LATENT_ROWS pages, with their neighbours", () => {
    const index = new SearchIndex();
    for (let page = 0; page < LATENT_ROWS + 40; page += 1)
      add(index, page, page % 2 === 0 ? "keel mast" : "dough oven");
    const sample = index.latentSample();
    expect(sample.rows.length).toBe(LATENT_ROWS);
    expect([...sample.terms].sort()).toEqual(["dough", "keel", "mast", "oven"]);
  });
});

describe("storing", () => {
  it("reads back what was written, in rows of LATENT_TERMS_PER_ROW terms", () => {
    const count = LATENT_TERMS_PER_ROW + 1;
    const terms = Array.from({ length: count }, (_, place) => `t${place}`);
    const vectors = Int8Array.from({ length: count * RANK }, (_, index) => (index % 255) - 127);
    const held = new TermVectors(
      terms,
      vectors,
      Float32Array.from(terms, (_, place) => place / 7),
    );
    const rows = writeTerms(held);
    expect(rows.length).toBe(2);
    const read = readTerms(rows);
    expect(read?.terms).toEqual(held.terms);
    expect(read?.vectors).toEqual(held.vectors);
    expect(read?.scales).toEqual(held.scales);
  });

  it("refuses rows of another rank", () => {
    expect(readTerms([{ terms: '["keel"]', vectors: new ArrayBuffer(9) }])).toBeNull();
  });
});
