/**
 * The words of a question on every page: `LEXICAL` numbers a page, beside each other in `values` at `LEXICAL × slot`.
 *
 * Use one `LexicalColumns` for an index: `measure(terms)` before pages are read, then `values` and `share` (what a value is
 * multiplied by to become a share of the question's whole weight). They hold until the next `measure`. A page's values lack the
 * words that very many pages hold until `settle(slot)`; `commonMost` is what these can add.
 * What must hold: only pages that a term touches are written, and they are in `touched`; the rest stay 0. A page's sums run by
 * term in the order asked, common ones last, so the result does not depend on the order in which pages were added. A page's numbers lie in one cache line: a term that a few
 * pages hold then costs one fetch a page, not one a number.
 *
 * To add a lexical feature: a name after `spelling` in `feature-names.ts`, one more in `LEXICAL`, and a method called from
 * `measure` that fills its place. A further text of a page gets its own `Postings` and length column beside this one's.
 *
 * BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009), with neighbouring pages as weighted fields of
 * one term frequency (BM25F).
 */
import { QUERY_TERMS } from "#shared/limits.ts";
import { clusterMates } from "#shared/text/clusters.ts";
import { CommonTerms } from "#kernel/vm/common-terms.ts";
import { PLACE } from "#kernel/vm/search/feature-names.ts";
import { noteTermsAsked } from "#kernel/vm/search/notes.ts";
import { LENGTHS, type PageColumns } from "#kernel/vm/search/page-columns.ts";
import type { Postings } from "#kernel/vm/search/postings.ts";
import { Field, inverseFrequency, TermWindow, type WindowVisitor } from "#kernel/vm/search/term-window.ts";

/** Occurrences on a neighbouring page count this much, at distance 1 and at 2. */
const NEAR = 0.4;
const FAR = 0.2;
/** What a word that no page holds would weigh. */
const UNSEEN_TERM_WEIGHT = 4;

/** Above this share of pages that hold a word, it is common. */
const COMMON_SHARE = 1 / 30;

/** Above this share of pages that were written, all are cleared. */
const DENSE_SHARE = 1 / 8;

/** Numbers of a page in `values`: the lexical places of `PLACE`, and one that is used while spellings are measured. */
export const LEXICAL = 8;
const {
  own: OWN,
  near1: NEAR1,
  near2: NEAR2,
  window4: WINDOW4,
  coverage: COVERAGE,
  mates: MATES,
  spelling: SPELLING,
} = PLACE;
/** The best-spelt match of one asked word; 0 between two words. */
const BEST = 7;

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
  readonly #common: CommonTerms;
  readonly touched = new Touched();
  values = new Float64Array(0);
  /** Weight of the rarest asked kind that the page names, by slot; empty when the question asks by no kind. */
  kinds = new Float64Array(0);
  /** The greatest of `kinds`. */
  kindMost = 0;
  share = 0;

  constructor(pages: PageColumns, postings: Postings) {
    this.#pages = pages;
    this.#postings = postings;
    this.#window = new TermWindow(pages);
    this.#common = new CommonTerms(pages);
  }

  get bytes(): number {
    return (this.values.length + this.kinds.length) * 8 + this.#window.bytes + this.#common.bytes + this.touched.bytes;
  }

  /** The weight of each asked word that was measured last. */
  weights: ReadonlyMap<string, number> = new Map();

  measure(terms: readonly string[]): void {
    const { used, capacity } = this.#pages;
    this.touched.clear(this.values);
    if (this.values.length < used * LEXICAL) {
      this.values = new Float64Array(capacity * LEXICAL);
      this.touched.grow(capacity);
    }
    this.#window.prepare();
    this.#common.clear();
    const fields = this.#fields();
    const weights = this.#measureTerms(terms, fields);
    this.weights = weights;
    this.#measureMates(weights, fields.near1);
    this.#measureSpelling(weights, fields.own);
    let whole = 0;
    for (const weight of weights.values()) whole += weight;
    this.share = whole > 0 ? 1 / whole : 1;
    this.#measureKinds(noteTermsAsked(terms));
  }

  holds(term: string): boolean {
    return this.#postings.find(term) !== undefined;
  }

  /** What the common words can add to a page's share of each feature, at the most. */
  get commonMost(): Readonly<Record<"own" | "near1" | "near2" | "window4" | "coverage", number>> {
    const { own, near1, near2, window4 } = this.#fields();
    const part = this.#common.weight * this.share;
    return {
      own: own.gain * part,
      near1: near1.gain * part,
      near2: near2.gain * part,
      window4: window4.gain * part,
      coverage: part,
    };
  }

  isSettled(slot: number): boolean {
    return this.#common.isSettled(slot);
  }

  /** Adds the common words to all pages of the slot's session. */
  settle(slot: number): void {
    this.#common.settle(slot);
  }

  /** Notes are terms that no text holds, so they have postings like any other. */
  #measureKinds(notes: readonly string[]): void {
    const asked = notes.flatMap((note) => this.#postings.find(note) ?? []);
    this.kindMost = 0;
    if (asked.length === 0) {
      this.kinds = new Float64Array(0);
      return;
    }
    const kinds = this.kinds.length < this.#pages.used ? new Float64Array(this.#pages.capacity) : this.kinds.fill(0);
    this.kinds = kinds;
    for (const id of asked) {
      const weight = Math.log(1 + this.#pages.size / (this.#postings.holders(id) + 0.5));
      this.kindMost = Math.max(this.kindMost, weight);
      this.#postings.forEachPage(id, (slot) => {
        if ((kinds[slot] ?? 0) < weight) kinds[slot] = weight;
      });
    }
  }

  #fields(): Fields {
    const pages = this.#pages;
    const [words = 0, words1 = 0, words2 = 0, words4 = 0] = pages.words;
    return {
      own: new Field(1.2, 0.75, pages.average(words)),
      near1: new Field(0.9, 0.75, pages.average(words1)),
      near2: new Field(0.9, 0.75, pages.average(words2)),
      window4: new Field(1.2, 0.5, pages.average(words4)),
    };
  }

  /** Fills the places of the question's own terms; answers the weight of each. */
  #measureTerms(terms: readonly string[], fields: Fields): Map<string, number> {
    const weights = new Map<string, number>();
    for (const term of askedTerms(terms, this.#postings)) {
      const holders = this.#window.load(this.#postings.members(term), this.#postings);
      const weight = inverseFrequency(this.#pages.size, holders);
      weights.set(term, weight);
      const credit = new TermCredit(weight, fields, this.values, this.#pages.lengths, this.touched);
      if (holders > this.#pages.size * COMMON_SHARE) this.#common.take(this.#window, credit, weight);
      else this.#window.eachWindow(credit);
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
    const { values } = this;
    const { lengths } = this.#pages;
    for (const [mate, part] of lent) {
      const id = this.#postings.find(mate);
      if (id === undefined) continue;
      const weight = part * inverseFrequency(this.#pages.size, this.#window.load([id], this.#postings));
      this.#window.eachNear((slot, own, at1) => {
        const place = slot * LEXICAL + MATES;
        const length = lengths[slot * LENGTHS + 1] ?? 0;
        this.touched.note(slot);
        values[place] = (values[place] ?? 0) + weight * field.saturate(own + NEAR * at1, length);
      });
    }
  }

  /** The best-spelt match of each asked word on a page; the asked word itself is counted elsewhere. */
  #measureSpelling(weights: ReadonlyMap<string, number>, field: Field): void {
    const { values } = this;
    const { lengths } = this.#pages;
    for (const [term, weight] of weights) {
      const asked = this.#postings.has(term) ? weight : UNSEEN_TERM_WEIGHT;
      const touched: number[] = [];
      for (const { id, similarity } of this.#postings.similar(term)) {
        if (weights.has(this.#postings.termOf(id))) continue;
        this.#window.load([id], this.#postings);
        this.#window.each((slot, count) => {
          const place = slot * LEXICAL + BEST;
          const value = similarity * field.saturate(count, lengths[slot * LENGTHS] ?? 0);
          const before = values[place] ?? 0;
          if (before === 0) touched.push(slot);
          if (value > before) values[place] = value;
        });
      }
      for (const slot of touched) {
        this.touched.note(slot);
        const base = slot * LEXICAL;
        values[base + SPELLING] = (values[base + SPELLING] ?? 0) + asked * (values[base + BEST] ?? 0);
        values[base + BEST] = 0;
      }
    }
  }
}

/** The pages whose values are not all 0. */
export class Touched {
  is = new Uint8Array(0);
  slots = new Uint32Array(0);
  count = 0;

  get bytes(): number {
    return this.is.length * 5;
  }

  note(slot: number): void {
    if (this.is[slot] === 1) return;
    this.is[slot] = 1;
    this.slots[this.count] = slot;
    this.count += 1;
  }

  clear(values: Float64Array): void {
    this.is.fill(0);
    // Nearly all at once, or one by one: whichever is quicker.
    if (this.count > this.is.length * DENSE_SHARE) values.fill(0);
    else
      for (let index = 0; index < this.count; index += 1) {
        const base = (this.slots[index] ?? 0) * LEXICAL;
        for (let place = 0; place < LEXICAL; place += 1) values[base + place] = 0;
      }
    this.count = 0;
  }

  /** Makes room when there are none. */
  grow(slots: number): void {
    this.is = new Uint8Array(slots);
    this.slots = new Uint32Array(slots);
  }
}

/** What one term gives the pages that its walk visits. */
class TermCredit implements WindowVisitor {
  readonly #values: Float64Array;
  readonly #lengths: Uint32Array;
  readonly #touched: Touched;
  readonly #weight: number;
  readonly #own: Field;
  readonly #near1: Field;
  readonly #near2: Field;
  readonly #window4: Field;

  constructor(
    weight: number,
    { own, near1, near2, window4 }: Fields,
    values: Float64Array,
    lengths: Uint32Array,
    touched: Touched,
  ) {
    this.#touched = touched;
    this.#weight = weight;
    this.#own = own;
    this.#near1 = near1;
    this.#near2 = near2;
    this.#window4 = window4;
    this.#values = values;
    this.#lengths = lengths;
  }

  visit(slot: number, own: number, at1: number, at2: number, wide: number): void {
    const values = this.#values;
    const lengths = this.#lengths;
    const weight = this.#weight;
    const base = slot * LEXICAL;
    const length = slot * LENGTHS;
    this.#touched.note(slot);
    const within1 = own + NEAR * at1;
    const within2 = within1 + FAR * at2;
    values[base + WINDOW4] =
      (values[base + WINDOW4] ?? 0) + weight * this.#window4.saturate(wide, lengths[length + 3] ?? 0);
    if (within2 === 0) return;
    values[base + NEAR2] =
      (values[base + NEAR2] ?? 0) + weight * this.#near2.saturate(within2, lengths[length + 2] ?? 0);
    if (within1 === 0) return;
    values[base + NEAR1] =
      (values[base + NEAR1] ?? 0) + weight * this.#near1.saturate(within1, lengths[length + 1] ?? 0);
    if (own === 0) return;
    values[base + OWN] = (values[base + OWN] ?? 0) + weight * this.#own.saturate(own, lengths[length] ?? 0);
    values[base + COVERAGE] = (values[base + COVERAGE] ?? 0) + weight;
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
