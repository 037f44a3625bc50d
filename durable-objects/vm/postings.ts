/**
 * Which pages hold which term, how often: the inverted index of one process, in memory.
 *
 * Use `add(slot, terms)`, `remove(slot)`, and `find(term)` for a term's postings. A slot is a small number that the caller gives
 * a page and may give again after `remove`.
 * What must hold: after `remove` no term of the page is left unless another page holds it, so forgetting a page forgets its
 * words. Adding or removing a page touches only its own terms. The order within postings carries no meaning.
 */

import { Spellings, type SimilarTerm } from "#kernel/vm/spellings.ts";

export interface TermPostings {
  /** Parallel: the slot at an index holds the term as often as the count at that index says. */
  readonly slots: number[];
  readonly counts: number[];
}

export class Postings {
  readonly #byTerm = new Map<string, TermPostings>();
  readonly #spellings = new Spellings();
  readonly #termsOfSlot = new Map<number, readonly string[]>();

  add(slot: number, terms: readonly string[]): void {
    const counts = new Map<string, number>();
    for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + 1);
    for (const [term, count] of counts) {
      let postings = this.#byTerm.get(term);
      if (postings === undefined) {
        postings = { slots: [], counts: [] };
        this.#byTerm.set(term, postings);
        this.#spellings.add(term);
      }
      postings.slots.push(slot);
      postings.counts.push(count);
    }
    this.#termsOfSlot.set(slot, [...counts.keys()]);
  }

  remove(slot: number): void {
    for (const term of this.#termsOfSlot.get(slot) ?? []) {
      const postings = this.#byTerm.get(term);
      const index = postings === undefined ? -1 : postings.slots.indexOf(slot);
      if (postings === undefined || index < 0)
        throw new Error("postings: a page is missing from the postings of its own term");
      const lastSlot = postings.slots.pop();
      const lastCount = postings.counts.pop();
      if (lastSlot === undefined || lastCount === undefined) throw new Error("postings: empty postings were kept");
      if (index < postings.slots.length) {
        postings.slots[index] = lastSlot;
        postings.counts[index] = lastCount;
      }
      if (postings.slots.length > 0) continue;
      this.#byTerm.delete(term);
      this.#spellings.remove(term);
    }
    this.#termsOfSlot.delete(slot);
  }

  find(term: string): TermPostings | undefined {
    return this.#byTerm.get(term);
  }

  /** Every term there is; used only where a query cannot name its terms, such as one Chinese character. */
  terms(): IterableIterator<string> {
    return this.#byTerm.keys();
  }

  /** Held terms spelt like this one, without it. */
  similar(term: string): SimilarTerm[] {
    return this.#spellings.similar(term);
  }

  get size(): number {
    return this.#byTerm.size;
  }
}
