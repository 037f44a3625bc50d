/**
 * The words of a question on every page: one column a lexical feature, by slot.
 *
 * Use one `LexicalColumns` for an index: `measure(question)` before pages are read, then the columns and `share` (what a value
 * is multiplied by to become a share of the question's whole weight). They hold until the next `measure`.
 * What must hold: only pages that a term touches are written, the rest stay 0; a page's sums run by term in the order asked, so
 * the result does not depend on the order in which pages were added.
 *
 * To add a lexical feature: a column here, zeroed in `#clear`, filled by a method called from `measure`, and a line in
 * `search-features.ts` that reads it. A further text of a page gets its own `Postings` and length column beside this one's.
 *
 * BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009), with neighbouring pages as weighted fields of
 * one term frequency (BM25F).
 */
import { QUERY_TERMS } from "#shared/limits.ts";
import { clusterMates } from "#shared/text/clusters.ts";
import type { PageColumns } from "#kernel/vm/page-columns.ts";
import type { Postings } from "#kernel/vm/postings.ts";
import { Field, inverseFrequency, TermWindow } from "#kernel/vm/term-window.ts";

/** Occurrences on a neighbouring page count this much, at distance 1 and at 2. */
const NEAR = 0.4;
const FAR = 0.2;
/** What a word that no page holds would weigh. */
const UNSEEN_TERM_WEIGHT = 4;

interface Fields {
  readonly own: Field;
  readonly near1: Field;
  readonly near2: Field;
  readonly window4: Field;
}

export class LexicalColumns {
  readonly #pages: PageColumns;
  readonly #postings: Postings;
  readonly #window: TermWindow;
  /** BM25 of the page alone; with neighbours at 1; and 2; plain sum within 4. */
  own = new Float64Array(0);
  near1 = new Float64Array(0);
  near2 = new Float64Array(0);
  window4 = new Float64Array(0);
  /** The question's weight that the page itself holds. */
  coverage = new Float64Array(0);
  mates = new Float64Array(0);
  spelling = new Float64Array(0);
  /** The best-spelt match of one asked word; all 0 between two words. */
  #best = new Float64Array(0);
  share = 0;

  constructor(pages: PageColumns, postings: Postings) {
    this.#pages = pages;
    this.#postings = postings;
    this.#window = new TermWindow(pages);
  }

  get bytes(): number {
    return this.own.length * 64 + this.#window.bytes;
  }

  measure(terms: readonly string[]): void {
    this.#clear();
    this.#window.prepare();
    const fields = this.#fields();
    const weights = this.#measureTerms(terms, fields);
    this.#measureMates(weights, fields.near1);
    this.#measureSpelling(weights, fields.own);
    let whole = 0;
    for (const weight of weights.values()) whole += weight;
    this.share = whole > 0 ? 1 / whole : 1;
  }

  #clear(): void {
    const { used, capacity } = this.#pages;
    if (this.own.length < used) {
      for (const name of ["own", "near1", "near2", "window4", "coverage", "mates", "spelling"] as const)
        this[name] = new Float64Array(capacity);
      this.#best = new Float64Array(capacity);
      return;
    }
    for (const column of [this.own, this.near1, this.near2, this.window4, this.coverage, this.mates, this.spelling])
      column.fill(0, 0, used);
  }

  #fields(): Fields {
    const pages = this.#pages;
    const [words1 = 0, words2 = 0, words4 = 0] = pages.wordsWithin;
    return {
      own: new Field(1.2, 0.75, pages.length, pages.average(pages.words)),
      near1: new Field(0.9, 0.75, pages.within1, pages.average(words1)),
      near2: new Field(0.9, 0.75, pages.within2, pages.average(words2)),
      window4: new Field(1.2, 0.5, pages.within4, pages.average(words4)),
    };
  }

  /** Fills the columns of the question's own terms; answers the weight of each. */
  #measureTerms(terms: readonly string[], fields: Fields): Map<string, number> {
    const weights = new Map<string, number>();
    const { own, near1, near2, window4, coverage } = this;
    for (const term of askedTerms(terms, this.#postings)) {
      const holders = this.#window.load(this.#postings.members(term), this.#postings);
      const weight = inverseFrequency(this.#pages.size, holders);
      weights.set(term, weight);
      this.#window.eachWindow((slot, count, at1, at2, wide) => {
        if (count > 0) {
          own[slot] = (own[slot] ?? 0) + weight * fields.own.saturate(count, slot);
          coverage[slot] = (coverage[slot] ?? 0) + weight;
        }
        const within1 = count + NEAR * at1;
        if (within1 > 0) near1[slot] = (near1[slot] ?? 0) + weight * fields.near1.saturate(within1, slot);
        const within2 = within1 + FAR * at2;
        if (within2 > 0) near2[slot] = (near2[slot] ?? 0) + weight * fields.near2.saturate(within2, slot);
        window4[slot] = (window4[slot] ?? 0) + weight * fields.window4.saturate(wide, slot);
      });
    }
    return weights;
  }

  /** Related words lend a page part of the asked word's weight, less when the word has many of them. */
  #measureMates(weights: ReadonlyMap<string, number>, field: Field): void {
    const lent = new Map<string, number>();
    for (const [term, weight] of weights) {
      const mates = clusterMates(term);
      const asked = this.#postings.has(term) ? weight : UNSEEN_TERM_WEIGHT;
      const part = asked / Math.sqrt(Math.max(3, mates.length)) / 6;
      for (const mate of mates) if (!weights.has(mate)) lent.set(mate, Math.max(part, lent.get(mate) ?? 0));
    }
    const { mates } = this;
    for (const [mate, part] of lent) {
      const id = this.#postings.find(mate);
      if (id === undefined) continue;
      const weight = part * inverseFrequency(this.#pages.size, this.#window.load([id], this.#postings));
      this.#window.eachNear((slot, own, at1) => {
        mates[slot] = (mates[slot] ?? 0) + weight * field.saturate(own + NEAR * at1, slot);
      });
    }
  }

  /** The best-spelt match of each asked word on a page; the asked word itself is counted elsewhere. */
  #measureSpelling(weights: ReadonlyMap<string, number>, field: Field): void {
    const best = this.#best;
    const { spelling } = this;
    for (const [term, weight] of weights) {
      const asked = this.#postings.has(term) ? weight : UNSEEN_TERM_WEIGHT;
      const touched: number[] = [];
      for (const { id, similarity } of this.#postings.similar(term)) {
        if (weights.has(this.#postings.termOf(id))) continue;
        this.#window.load([id], this.#postings);
        this.#window.each((slot, count) => {
          const value = similarity * field.saturate(count, slot);
          const before = best[slot] ?? 0;
          if (before === 0) touched.push(slot);
          if (value > before) best[slot] = value;
        });
      }
      for (const slot of touched) {
        spelling[slot] = (spelling[slot] ?? 0) + asked * (best[slot] ?? 0);
        best[slot] = 0;
      }
    }
  }
}

/** At most QUERY_TERMS of the terms, the rarest held ones; of terms as rare as each other, those asked first. */
function askedTerms(terms: readonly string[], postings: Postings): readonly string[] {
  if (terms.length <= QUERY_TERMS) return terms;
  return terms
    .map((term) => ({ term, pages: postings.frequency(term) }))
    .filter(({ pages }) => pages > 0)
    .sort((one, other) => one.pages - other.pages)
    .slice(0, QUERY_TERMS)
    .map(({ term }) => term);
}
