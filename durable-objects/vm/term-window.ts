/**
 * One query term over all pages: how often each page and its neighbours hold it, and the BM25 arithmetic on such counts.
 *
 * Use one `TermWindow` for an index: `prepare()` before a query, then for each term `load(ids, postings)` and one of the walks
 * (`each`, `eachNear`, `eachWindow`), which visit only pages that the term can touch.
 * What must hold: counts are whole numbers and a walk visits a page once, so the same pages give the same floating-point result
 * whatever order they were added in. The arrays are kept between queries and never shrink.
 */
import { grown } from "#kernel/vm/block-lists.ts";
import { NONE, REACH, type PageColumns } from "#kernel/vm/page-columns.ts";
import type { Postings } from "#kernel/vm/postings.ts";

/** BM25 of one field: how fast counts saturate, how much length weighs, the mean length. */
export class Field {
  readonly #gain: number;
  readonly #base: number;
  readonly #slope: number;

  constructor(k1: number, b: number, average: number) {
    this.#gain = k1 + 1;
    this.#base = k1 * (1 - b);
    this.#slope = (k1 * b) / average;
  }

  /** count (k1 + 1) / (count + k1 (1 - b + b length / average)) */
  saturate(count: number, length: number): number {
    return (count * this.#gain) / (count + this.#base + this.#slope * length);
  }
}

export function inverseFrequency(size: number, frequency: number): number {
  return Math.log(1 + (size - frequency + 0.5) / (frequency + 0.5));
}

/** Above this share of pages that hold a term, walking every session is quicker than looking around each of them. */
const DENSE_SHARE = 1 / 12;

/** A method rather than a function, so that the one class that has it is compiled into the walks. */
export interface WindowVisitor {
  /** `own` occurrences on the page; at exactly distance 1; at exactly 2; on the page and all within reach, above 0. */
  visit(slot: number, own: number, at1: number, at2: number, wide: number): void;
}

export class TermWindow {
  readonly #pages: PageColumns;
  /** Occurrences of the loaded terms by slot; all 0 but at `#held`. */
  #count = new Uint32Array(0);
  #held = new Uint32Array(0);
  #holders = 0;
  #touched = new Uint32Array(0);
  #stamp = new Uint32Array(0);
  #round = 0;

  constructor(pages: PageColumns) {
    this.#pages = pages;
  }

  get bytes(): number {
    return this.#count.length * 16;
  }

  prepare(): void {
    if (this.#count.length >= this.#pages.used) return;
    const size = grown(this.#count.length, this.#pages.used);
    this.#count = new Uint32Array(size);
    this.#held = new Uint32Array(size);
    this.#touched = new Uint32Array(size);
    this.#stamp = new Uint32Array(size);
    this.#holders = 0;
    this.#round = 0;
  }

  /** Loads the postings of some terms as if they were one; answers how many pages hold any. */
  load(ids: readonly number[], postings: Postings): number {
    for (let index = 0; index < this.#holders; index += 1) this.#count[this.#held[index] ?? 0] = 0;
    this.#holders = 0;
    for (const id of ids) this.#holders = postings.addInto(id, this.#count, this.#held, this.#holders);
    return this.#holders;
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
    const touched = this.#touch(1);
    const { previous, next } = this.#pages;
    for (let index = 0; index < touched; index += 1) {
      const slot = this.#touched[index] ?? 0;
      visit(slot, this.#count[slot] ?? 0, this.#at(previous[slot] ?? NONE) + this.#at(next[slot] ?? NONE));
    }
  }

  /** Visits the pages within reach of one that holds the term. */
  eachWindow(visitor: WindowVisitor): void {
    if (this.#holders > this.#pages.used * DENSE_SHARE) this.#walkSessions(visitor);
    else this.#walkTouched(visitor);
  }

  #at(slot: number): number {
    return slot === NONE ? 0 : (this.#count[slot] ?? 0);
  }

  #walkTouched(visitor: WindowVisitor): void {
    const touched = this.#touch(REACH);
    const list = this.#touched;
    const count = this.#count;
    const { previous, next } = this.#pages;
    for (let index = 0; index < touched; index += 1) {
      const slot = list[index] ?? 0;
      const own = count[slot] ?? 0;
      let before = slot;
      let after = slot;
      let wide = own;
      let at1 = 0;
      let at2 = 0;
      for (let distance = 1; distance <= REACH; distance += 1) {
        let both = 0;
        if (before !== NONE) before = previous[before] ?? NONE;
        if (before !== NONE) both = count[before] ?? 0;
        if (after !== NONE) after = next[after] ?? NONE;
        if (after !== NONE) both += count[after] ?? 0;
        wide += both;
        if (distance === 1) at1 = both;
        else if (distance === 2) at2 = both;
      }
      visitor.visit(slot, own, at1, at2, wide);
    }
  }

  /** Walks every session from its first page with a window of counts that moves along. */
  #walkSessions(visitor: WindowVisitor): void {
    const { previous, used } = this.#pages;
    for (let slot = 0; slot < used; slot += 1) if (previous[slot] === NONE) this.#walkSession(slot, visitor);
  }

  #walkSession(head: number, visitor: WindowVisitor): void {
    const count = this.#count;
    const { next } = this.#pages;
    let [before4, before3, before2, before1, own, after1, after2, after3, after4] = [0, 0, 0, 0, 0, 0, 0, 0, 0];
    let slot = NONE;
    let ahead = head;
    // The window moves on first and visits then: the page at its middle is REACH steps behind the one it reads.
    for (let lead = REACH; ; lead -= 1) {
      before4 = before3;
      before3 = before2;
      before2 = before1;
      before1 = own;
      own = after1;
      after1 = after2;
      after2 = after3;
      after3 = after4;
      after4 = 0;
      if (ahead !== NONE) {
        after4 = count[ahead] ?? 0;
        ahead = next[ahead] ?? NONE;
      }
      if (lead > 0) continue;
      slot = lead === 0 ? head : (next[slot] ?? NONE);
      if (slot === NONE) return;
      const wide = before4 + before3 + before2 + before1 + own + after1 + after2 + after3 + after4;
      if (wide > 0) visitor.visit(slot, own, before1 + after1, before2 + after2, wide);
    }
  }

  /** Lists every page within `reach` of a holder once; answers how many. */
  #touch(reach: number): number {
    const { previous, next } = this.#pages;
    this.#round += 1;
    let touched = 0;
    for (let index = 0; index < this.#holders; index += 1) {
      const slot = this.#held[index] ?? 0;
      let near = slot;
      let steps = reach + 1;
      for (let back = 0; back < reach && previous[near] !== NONE; back += 1) {
        near = previous[near] ?? NONE;
        steps += 1;
      }
      for (; steps > 0 && near !== NONE; steps -= 1) {
        if (this.#stamp[near] !== this.#round) {
          this.#stamp[near] = this.#round;
          this.#touched[touched++] = near;
        }
        near = next[near] ?? NONE;
      }
    }
    return touched;
  }
}
