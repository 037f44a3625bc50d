/** The search index against the score as defined: same pages, same order, same numbers, whatever came and went. All text is made up. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { QUERY_TERMS } from "#shared/limits.ts";
import { FEATURES } from "#kernel/vm/search/feature-names.ts";
import { encodeSegment, loadSegment } from "#kernel/vm/search/index-segment.ts";
import { buildSpace } from "#kernel/vm/search/latent-space.ts";
import { packTerms, type TermVectors } from "#kernel/vm/search/latent-terms.ts";
import type { IndexablePage } from "#kernel/vm/search/search-entry.ts";
import { indexEntry, SearchIndex, type IndexEntry, type SearchQuery } from "#kernel/vm/search/search-index.ts";
import { referenceMeasure, referenceSearch } from "#tests/kernel/vm/search/reference-search.ts";

/** Scores nearer than this are one score: sums of the same numbers in another order. */
const NEAR = 1e-9;

function expectSame(index: SearchIndex, entries: readonly IndexEntry[], query: SearchQuery): void {
  const hits = index.search(query);
  const wanted = referenceSearch(entries, { ...query, limit: entries.length });
  expect(hits.length).toBe(Math.min(query.limit, wanted.length));
  const scores = new Map(wanted.map((hit) => [hit.page, hit.score]));
  hits.forEach((hit, rank) => {
    expect(Math.abs(hit.score - (wanted[rank]?.score ?? NaN))).toBeLessThan(NEAR);
    expect(Math.abs(hit.score - (scores.get(hit.page) ?? NaN))).toBeLessThan(NEAR);
  });
  // Where no other page scores the same, the page itself must be the same.
  hits.forEach((hit, rank) => {
    const alone = [rank - 1, rank + 1].every((near) => Math.abs(hit.score - (wanted[near]?.score ?? Infinity)) > NEAR);
    if (alone) expect(hit.page).toBe(wanted[rank]?.page);
  });
}

function fromSegments(entries: readonly IndexEntry[], parts: number): SearchIndex {
  const index = new SearchIndex();
  const size = Math.max(1, Math.ceil(entries.length / parts));
  const sorted = entries.toSorted((one, other) => one.page - other.page);
  for (let first = 0; first < sorted.length; first += size) {
    const pages = sorted.slice(first, first + size).map((entry) => ({ entry, evidence: entry.page % 3 === 0 }));
    expect(loadSegment(encodeSegment(pages), index)).toBe(pages.length);
  }
  return index;
}

const DAY = 86_400_000;
const MAY = Date.UTC(2024, 4, 20, 9);
const WORDS = [
  ..."kettle kettles goat ferry tulip rent paint painted painter house home trip travel dog pet May you? analysis".split(
    " ",
  ),
  ..."analyst yesterday where Ghent 2024 2023 京都 樱花 妹妹 猫 养了猫 花园 去年".split(" "),
];
const word = fc.constantFrom(...WORDS);
const anyPage = fc.record({
  text: fc.array(word, { maxLength: 14 }).map((words) => words.join(" ")),
  session: fc.constantFrom("1", "2", "3"),
  speaker: fc.constantFrom("Rosa", "Piet", "小梅", null),
  role: fc.constantFrom("user" as const, "assistant" as const, null),
  kind: fc.constantFrom("turn", "turn", "fact", "assistant", "document"),
  at: fc.constantFrom(null, MAY, MAY + 3 * DAY, Date.UTC(2023, 4, 4)),
  order: fc.option(fc.integer({ min: 0, max: 40 }), { nil: undefined }),
});
const anyQuestion = fc
  .tuple(
    fc.array(word, { maxLength: 6 }),
    fc.constantFrom("What about Rosa's", "When did I see", "你说", "", "last May:"),
  )
  .map(([words, head]) => `${head} ${words.join(" ")}`);
const anyFilter = fc.record(
  {
    kinds: fc.constantFrom(["fact"], ["turn", "document"], []),
    from: fc.constantFrom(MAY - DAY, MAY + DAY),
    to: fc.constantFrom(MAY, MAY + DAY),
    filter: fc.constant((page: number) => page % 2 === 0),
    now: fc.constant(Date.UTC(2025, 1, 10)),
  },
  { requiredKeys: [] },
);

function entryOf(page: number, row: Omit<IndexablePage, "page" | "order"> & { order: number | undefined }): IndexEntry {
  const { order, ...rest } = row;
  return indexEntry({ page, ...rest, ...(order === undefined ? {} : { order }) });
}

describe("against the score as defined", () => {
  it("is the same after any history of adding, replacing and removing", () => {
    const change = fc.record({
      page: fc.integer({ min: 1, max: 25 }),
      row: fc.option(anyPage, { nil: null, freq: 3 }),
    });
    const history = fc.array(change, { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(history, fc.boolean(), anyQuestion, anyFilter, fc.integer({ min: 1, max: 30 }), (...drawn) => {
        const [changes, told, text, filter, limit] = drawn;
        const index = new SearchIndex();
        const held = new Map<number, IndexEntry>();
        for (const { page, row } of changes) {
          const terms = told ? held.get(page)?.terms : undefined;
          if (row === null) index.remove(page, terms);
          else index.add(entryOf(page, row), terms);
          if (row === null) held.delete(page);
          else held.set(page, entryOf(page, row));
        }
        expect(index.size).toBe(held.size);
        expectSame(index, [...held.values()], { text, limit, ...filter });
        expectSame(fromSegments([...held.values()], 3), [...held.values()], { text, limit, ...filter });
      }),
      { numRuns: 300 },
    );
  });

  it("measures every feature as defined, so that weights are fitted on what is ranked by", () => {
    fc.assert(
      fc.property(fc.array(anyPage, { minLength: 1, maxLength: 20 }), anyQuestion, (rows, text) => {
        const entries = rows.map((row, page) => entryOf(page + 1, row));
        const index = new SearchIndex();
        for (const entry of entries) index.add(entry);
        const { pages, columns } = index.measure(text);
        const wanted = referenceMeasure(entries, text);
        pages.forEach((page, row) => {
          for (const name of FEATURES) {
            const [value, defined] = [columns[name][row] ?? NaN, wanted.get(page)?.[name] ?? NaN];
            expect({ page, name, near: Math.abs(value - defined) < NEAR }).toEqual({ page, name, near: true });
          }
        });
      }),
    );
  });

  it("is the same for 5,000 random pages, in English and in Chinese, while they come and go", () => {
    const random = randomSource(5_000);
    const draw = <Value>(values: readonly Value[]): Value => values[Math.floor(random() ** 2 * values.length)] as Value;
    const vocabulary = [...WORDS, ...Array.from({ length: 900 }, (_, number) => syllables(number * 37 + 5))];
    const index = new SearchIndex();
    const held = new Map<number, IndexEntry>();
    for (let page = 1; page <= 5_000; page += 1) {
      const entry = indexEntry({
        page,
        session: `s${Math.floor(page / 40)}`,
        speaker: draw(["Rosa", "Piet", null]),
        role: draw([null, "user", "assistant"]),
        kind: draw(["turn", "turn", "assistant", "fact"]),
        at: MAY + page * 3_600_000,
        text: Array.from({ length: 3 + Math.floor(random() * 20) }, () => draw(vocabulary)).join(" "),
      });
      index.add(entry);
      held.set(page, entry);
      const gone = page % 9 === 0 ? Math.ceil(random() * page) : 0;
      index.remove(gone, held.get(gone)?.terms);
      held.delete(gone);
    }
    const entries = [...held.values()];
    expect(index.size).toBe(entries.length);
    const loaded = fromSegments(entries, 7);
    for (const text of [
      "kettle goat", // held by very many pages: every session is walked
      `${syllables(37 * 700 + 5)} ${syllables(37 * 850 + 5)}`, // held by a few
      "What did Rosa say about painting the house in May 2024?",
      "我妹妹的猫去年在京都吗",
      "猫",
    ]) {
      expectSame(index, entries, { text, limit: 50 });
      expectSame(loaded, entries, { text, limit: 50 });
    }
    // With room for every page nothing is passed over; with little room nearly all pages are.
    for (const space of [null, spaceOf(index)]) {
      index.useLatent(space);
      for (const text of [
        "kettle goat house May",
        "What did Rosa say about the goat in May 2024?",
        "妹妹 2024",
        "猫 ferry",
      ]) {
        const all = index.search({ text, limit: index.size });
        for (const limit of [1, 4, 20]) expect(index.search({ text, limit })).toEqual(all.slice(0, limit));
      }
    }
  });
});

describe("limits and ties", () => {
  const twin = (page: number, order?: number): IndexEntry =>
    entryOf(page, {
      text: "the blue kettle",
      session: `${page}`,
      speaker: null,
      role: "user",
      kind: "turn",
      at: null,
      order,
    });

  it("ranks pages that score the same by their order, then by their number, whatever the limit", () => {
    const entries = [twin(9), twin(3), twin(7, 3), twin(5), twin(1, 8), twin(8)];
    const ranking = [3, 7, 5, 1, 8, 9];
    const index = new SearchIndex();
    for (const entry of entries) index.add(entry);
    for (let limit = 1; limit <= 8; limit += 1)
      expect(index.search({ text: "kettle", limit }).map((hit) => hit.page)).toEqual(ranking.slice(0, limit));
  });

  it("weighs the rarest words of a question that has too many", () => {
    const many = Array.from({ length: QUERY_TERMS + 20 }, (_, number) => syllables(number * 91 + 400));
    const entries = many.map((_, page) =>
      entryOf(page + 1, { ...rowOf(many.slice(0, page + 1).join(" ")), session: `${page}` }),
    );
    const index = new SearchIndex();
    for (const entry of entries) index.add(entry);
    expectSame(index, entries, { text: many.join(" "), limit: 100 });
  });

  it("counts a word that a page holds more often than a posting can say", () => {
    const entries = [254, 255, 256, 3_000].map((times, page) =>
      entryOf(page + 1, { ...rowOf(`${"ferry ".repeat(times)} goat`), session: `${page}` }),
    );
    const index = new SearchIndex();
    for (const entry of entries) index.add(entry);
    expectSame(index, entries, { text: "ferry", limit: 10 });
    expectSame(fromSegments(entries, 1), entries, { text: "ferry", limit: 10 });
    index.remove(4, entries[3]?.terms);
    index.add(entryOf(5, rowOf("ferry goat")));
    expectSame(index, [...entries.slice(0, 3), entryOf(5, rowOf("ferry goat"))], { text: "ferry", limit: 10 });
  });

  it("asks the filter only about pages that would be among the results", () => {
    const index = new SearchIndex();
    for (let page = 1; page <= 500; page += 1) index.add(twin(page));
    let asked = 0;
    const filter = (): boolean => {
      asked += 1;
      return true;
    };
    expect(index.search({ text: "kettle", limit: 5, filter })).toHaveLength(5);
    expect(asked).toBe(5);
  });

  it("leaves nothing of pages that are gone, with or without their terms at hand", () => {
    const index = new SearchIndex();
    for (let page = 1; page <= 300; page += 1)
      index.add(entryOf(page, rowOf(`${syllables(page * 31)} ${syllables(page * 17)} 京都 kettle`)));
    for (let page = 1; page <= 300; page += 1) index.remove(page, page % 2 === 0 ? undefined : ["not", "its", "terms"]);
    expect([index.size, index.postings.size]).toEqual([0, 0]);
    expect(index.search({ text: "kettle ketle 京都 京", limit: 5 })).toEqual([]);
  });
});

describe("with a latent space", () => {
  it("finds the page that alone holds a number, whatever the space says of the other words", () => {
    const index = new SearchIndex();
    const random = randomSource(7);
    const words = Array.from({ length: 36 }, (_, word) => syllables(1000 + word * 37));
    for (let page = 1; page <= 600; page += 1) {
      const few = Array.from({ length: 12 }, () => words[(page + 9 * Math.floor(random() * 3)) % 36] ?? "").join(" ");
      index.add(entryOf(page, { ...rowOf(`${few}${page === 300 ? " 12345" : ""}`), session: String(page) }));
    }
    index.useLatent(spaceOf(index));
    expect(index.search({ text: `${words[3] ?? ""} 12345`, limit: 3 })[0]?.page).toBe(300);
  });
});

function spaceOf(index: SearchIndex): TermVectors {
  const { terms, weights, rows } = index.latentSample();
  const work = buildSpace(rows, terms.length);
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return packTerms(terms, weights, value);
  }
}

function rowOf(text: string): Omit<IndexablePage, "page" | "order"> & { order: undefined } {
  return { text, session: "1", speaker: null, role: "user", kind: "turn", at: null, order: undefined };
}

function syllables(number: number): string {
  let [rest, made] = [number, ""];
  do {
    made += ["ba", "du", "fe", "gi", "lo", "ma", "ner", "pos", "ral", "sin", "tu"][rest % 11] ?? "";
    rest = Math.floor(rest / 11);
  } while (rest > 0);
  return made;
}

/** A repeatable pseudo-random source: mulberry32. */
function randomSource(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
