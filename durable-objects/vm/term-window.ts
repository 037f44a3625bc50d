/**
 * One query term over the whole layout: how often each page and its neighbours hold it, and the BM25 arithmetic on such counts.
 *
 * Use one `TermWindow` a query: `load(terms, …)`, then read `count`, `at(position, distance)` and `touched`, then load the next.
 * What must hold: counts are whole numbers and sums run in a fixed order, so the same pages give the same floating-point result
 * whatever order they were added in.
 */
import type { Layout } from "#kernel/vm/search-layout.ts";
import type { Postings } from "#kernel/vm/postings.ts";

export interface Field {
  column: Float64Array;
  k1: number;
  b: number;
  length: Float64Array;
  average: number;
}

export function saturate(count: number, field: Field, position: number): number {
  const norm = 1 - field.b + (field.b * (field.length[position] ?? 0)) / field.average;
  return (count * (field.k1 + 1)) / (count + field.k1 * norm);
}

export function inverseFrequency(size: number, frequency: number): number {
  return Math.log(1 + (size - frequency + 0.5) / (frequency + 0.5));
}

/** Counts of one term by position, cleared between terms; `touched` lists the positions whose window holds the term. */
export class TermWindow {
  readonly count: Float64Array;
  readonly touched: number[] = [];
  readonly #stamp: Int32Array;
  readonly #layout: Layout;
  readonly #held: number[] = [];
  #round = 0;

  constructor(layout: Layout) {
    this.#layout = layout;
    this.count = new Float64Array(layout.size);
    this.#stamp = new Int32Array(layout.size);
  }

  /** Loads the postings of some terms as if they were one; returns how many pages hold any. */
  load(terms: readonly string[], postings: Postings, reach: number): number {
    for (const position of this.#held) this.count[position] = 0;
    this.#held.length = 0;
    this.touched.length = 0;
    this.#round += 1;
    for (const term of terms) {
      const found = postings.find(term);
      if (found === undefined) continue;
      for (let index = 0; index < found.slots.length; index += 1) {
        const position = this.#layout.positionOfSlot[found.slots[index] ?? 0] ?? 0;
        if (this.count[position] === 0) this.#held.push(position);
        this.count[position] = (this.count[position] ?? 0) + (found.counts[index] ?? 0);
      }
    }
    for (const position of this.#held) this.#touch(position, reach);
    return this.#held.length;
  }

  #touch(position: number, reach: number): void {
    const from = Math.max(this.#layout.start[position] ?? 0, position - reach);
    const to = Math.min((this.#layout.end[position] ?? 0) - 1, position + reach);
    for (let near = from; near <= to; near += 1) {
      if (this.#stamp[near] === this.#round) continue;
      this.#stamp[near] = this.#round;
      this.touched.push(near);
    }
  }

  /** Occurrences at exactly this distance, before and after, in the same session. */
  at(position: number, distance: number): number {
    const before = position - distance;
    const after = position + distance;
    return (
      (before >= (this.#layout.start[position] ?? 0) ? (this.count[before] ?? 0) : 0) +
      (after < (this.#layout.end[position] ?? 0) ? (this.count[after] ?? 0) : 0)
    );
  }
}

/** One Chinese character as a term stands for every pair that holds it, since pages are indexed by pairs. */
export function membersOf(term: string, postings: Postings): string[] {
  if (term.length !== 1 || /[a-z0-9]/.test(term)) return [term];
  const members = [term];
  for (const known of postings.terms()) if (known.length === 2 && known.includes(term)) members.push(known);
  return members;
}
