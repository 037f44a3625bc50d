/**
 * The best few of many scored pages, without sorting the rest: a heap whose root is the worst one kept.
 *
 * Use `new TopHits(limit, pages)`, `admits(score, slot)` before anything dear is asked of a page, `add(score, slot)`, and
 * `ranked()` at the end: best first, equal scores by place in their order, then by page number.
 */
import type { PageColumns } from "#kernel/vm/search/page-columns.ts";

export class TopHits {
  readonly #limit: number;
  readonly #pages: PageColumns;
  readonly #scores: number[] = [];
  readonly #slots: number[] = [];

  constructor(limit: number, pages: PageColumns) {
    this.#limit = limit;
    this.#pages = pages;
  }

  /** A page that scores less is not among the best. */
  get least(): number {
    return this.#slots.length < this.#limit ? -Infinity : (this.#scores[0] ?? 0);
  }

  admits(score: number, slot: number): boolean {
    if (this.#slots.length < this.#limit) return true;
    const worst = this.#scores[0] ?? 0;
    return score > worst || (score === worst && this.#isWorse(0, score, slot));
  }

  add(score: number, slot: number): void {
    if (!this.admits(score, slot)) return;
    if (this.#slots.length < this.#limit) this.#raise(score, slot);
    else this.#sink(score, slot);
  }

  ranked(): { readonly score: number; readonly slot: number }[] {
    const hits = this.#slots.map((slot, index) => ({ slot, score: this.#scores[index] ?? 0 }));
    return hits.sort((one, other) => other.score - one.score || this.#pages.comparePlaces(one.slot, other.slot));
  }

  /** Whether the hit at `index` ranks below this one. */
  #isWorse(index: number, score: number, slot: number): boolean {
    const held = this.#scores[index] ?? 0;
    return held === score ? this.#pages.comparePlaces(this.#slots[index] ?? 0, slot) > 0 : held < score;
  }

  #put(index: number, score: number, slot: number): void {
    this.#scores[index] = score;
    this.#slots[index] = slot;
  }

  /** Adds at the end and moves up past better ones. */
  #raise(score: number, slot: number): void {
    let index = this.#slots.length;
    this.#put(index, score, slot);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (this.#isWorse(parent, score, slot)) break;
      this.#put(index, this.#scores[parent] ?? 0, this.#slots[parent] ?? 0);
      index = parent;
    }
    this.#put(index, score, slot);
  }

  /** Takes the root's place and moves down past worse ones. */
  #sink(score: number, slot: number): void {
    const size = this.#slots.length;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= size) break;
      const right = child + 1;
      if (right < size && this.#isWorse(right, this.#scores[child] ?? 0, this.#slots[child] ?? 0)) child = right;
      if (!this.#isWorse(child, score, slot)) break;
      this.#put(index, this.#scores[child] ?? 0, this.#slots[child] ?? 0);
      index = child;
    }
    this.#put(index, score, slot);
  }
}
