/**
 * One query term over all pages: how often each page and its neighbours hold it, and the BM25 arithmetic on such counts.
 *
 * Use one `TermWindow` for an index: `prepare()` before a query, then for each term `load(ids, postings)` and one of the walks
 * (`each`, `eachNear`, `eachWindow`), which visit only pages that the term can touch; or `takeCounts`, to walk them later.
 * What must hold: counts are whole numbers and a walk visits a page once, so the same pages give the same floating-point result
 * whatever order they were added in. The arrays are kept between queries and never shrink.
 */
import { grown } from "#kernel/vm/search/block-lists.ts";
import { NONE, REACH, type PageColumns } from "#kernel/vm/search/page-columns.ts";
import type { Postings } from "#kernel/vm/search/postings.ts";

/** BM25 of one field: how fast counts saturate, how much length weighs, the mean length. */
export class Field {
  /** What `saturate` stays below. */
  readonly gain: number;
  readonly #base: number;
  readonly #slope: number;

  constructor(k1: number, b: number, average: number) {
    this.gain = k1 + 1;
    this.#base = k1 * (1 - b);
    this.#slope = (k1 * b) / average;
  }

  /** count (k1 + 1) / (count + k1 (1 - b + b length / average)) */
  saturate(count: number, length: number): number {
    return (count * this.gain) / (count + this.#base + this.#slope * length);
  }
}

export function inverseFrequency(size: number, frequency: number): number {
  return Math.log(1 + (size - frequency + 0.5) / (frequency + 0.5));
}

/** A method rather than a function, so that the one class that has it is compiled into the walks. */
export interface WindowVisitor {
  /** `own` occurrences on the page; at exactly distance 1; at exactly 2; on the page and all within reach, above 0. */
  visit(slot: number, own: number, at1: number, at2: number, wide: number): void;
}

/** Numbers of a page in `#around`: at distance 0, 1 and 2, and this one, of all within reach. */
const WIDE = 3;
const AROUND = 4;

export class TermWindow {
  readonly #pages: PageColumns;
  /** Occurrences of the loaded terms by slot; all 0 but at `#held`. */
  #count = new Uint32Array(0);
  #held = new Uint32Array(0);
  #holders = 0;
  /** AROUND numbers a page, all 0 between two walks. */
  #around = new Uint32Array(0);
  #touched = new Uint32Array(0);

  constructor(pages: PageColumns) {
    this.#pages = pages;
  }

  get bytes(): number {
    return this.#count.length * (3 + AROUND) * 4;
  }

  prepare(): void {
    if (this.#count.length >= this.#pages.used) return;
    const size = grown(this.#count.length, this.#pages.used);
    this.#count = new Uint32Array(size);
    this.#held = new Uint32Array(size);
    this.#around = new Uint32Array(size * AROUND);
    this.#touched = new Uint32Array(size);
    this.#holders = 0;
  }

  /** Loads the postings of some terms as if they were one; answers how many pages hold any. */
  load(ids: readonly number[], postings: Postings): number {
    for (let index = 0; index < this.#holders; index += 1) this.#count[this.#held[index] ?? 0] = 0;
    this.#holders = 0;
    for (const id of ids) this.#holders = postings.addInto(id, this.#count, this.#held, this.#holders);
    return this.#holders;
  }

  /** Hands over the loaded counts by slot, for another array (of zeros) or a new one. */
  takeCounts(other: Uint32Array<ArrayBuffer> | undefined): Uint32Array<ArrayBuffer> {
    const counts = this.#count;
    this.#count = other !== undefined && other.length === counts.length ? other : new Uint32Array(counts.length);
    this.#holders = 0;
    return counts;
  }

  /** Visits the pages that hold the term. */
  each(visit: (slot: number, own: number) => void): void {
    for (let index = 0; index < this.#holders; index += 1) {
      const slot = this.#held[index] ?? 0;
      visit(slot, this.#count[slot] ?? 0);
    }
  }

  /** Visits the pages that hold the term or stand beside one that does. */
  eachNear(visit: (slot: number, own: number, at1: number) => void): void {
    const touched = this.#spread(1);
    const around = this.#around;
    for (let index = 0; index < touched; index += 1) {
      const slot = this.#touched[index] ?? 0;
      const base = slot * AROUND;
      visit(slot, around[base] ?? 0, around[base + 1] ?? 0);
      around[base] = around[base + 1] = around[base + WIDE] = 0;
    }
  }

  /** Visits the pages within reach of one that holds the term. */
  eachWindow(visitor: WindowVisitor): void {
    const touched = this.#spread(REACH);
    const around = this.#around;
    for (let index = 0; index < touched; index += 1) {
      const slot = this.#touched[index] ?? 0;
      const base = slot * AROUND;
      visitor.visit(slot, around[base] ?? 0, around[base + 1] ?? 0, around[base + 2] ?? 0, around[base + WIDE] ?? 0);
      around[base] = around[base + 1] = around[base + 2] = around[base + WIDE] = 0;
    }
  }

  /** Every holder gives its count to the pages around it, which are listed once; answers how many. */
  #spread(reach: number): number {
    const { previous, next } = this.#pages;
    let touched = 0;
    for (let index = 0; index < this.#holders; index += 1) {
      const slot = this.#held[index] ?? 0;
      const count = this.#count[slot] ?? 0;
      touched = this.#give(slot, 0, count, touched);
      let before = previous[slot] ?? NONE;
      for (let distance = 1; distance <= reach && before !== NONE; distance += 1) {
        touched = this.#give(before, distance, count, touched);
        before = previous[before] ?? NONE;
      }
      let after = next[slot] ?? NONE;
      for (let distance = 1; distance <= reach && after !== NONE; distance += 1) {
        touched = this.#give(after, distance, count, touched);
        after = next[after] ?? NONE;
      }
    }
    return touched;
  }

  #give(slot: number, distance: number, count: number, touched: number): number {
    const around = this.#around;
    const base = slot * AROUND;
    const wide = around[base + WIDE] ?? 0;
    around[base + WIDE] = wide + count;
    if (distance < WIDE) around[base + distance] = (around[base + distance] ?? 0) + count;
    if (wide > 0) return touched;
    this.#touched[touched] = slot;
    return touched + 1;
  }
}
