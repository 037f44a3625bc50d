/**
 * Common terms: the words of a question that many pages hold. They weigh little and would cost the most, so they are counted
 * only around pages that may be among the results.
 *
 * Use `clear()` before a query, `take(window, visitor, weight)` for each such word, then `settle(slot)`, which lets the visitors see
 * all pages of the slot's session, once; `weight` is what the words weigh together.
 * What must hold: the visitors see a session word by word in the order taken, so a page's sums do not depend on which page
 * settled it.
 */
import { NONE, type PageColumns, REACH } from "#kernel/vm/search/page-columns.ts";
import type { TermWindow, WindowVisitor } from "#kernel/vm/search/term-window.ts";

interface CommonTerm {
  readonly counts: Uint32Array<ArrayBuffer>;
  readonly visitor: WindowVisitor;
}

export class CommonTerms {
  readonly #pages: PageColumns;
  #terms: CommonTerm[] = [];
  /** Arrays of zeros that are free for the next word. */
  #spare: Uint32Array<ArrayBuffer>[] = [];
  #settled = new Uint8Array(0);
  weight = 0;

  constructor(pages: PageColumns) {
    this.#pages = pages;
  }

  get bytes(): number {
    return (
      this.#settled.length +
      [...this.#terms.map(({ counts }) => counts), ...this.#spare].reduce((sum, { byteLength }) => sum + byteLength, 0)
    );
  }

  clear(): void {
    for (const { counts } of this.#terms) this.#spare.push(counts.fill(0));
    this.#terms = [];
    this.weight = 0;
    if (this.#settled.length < this.#pages.used) this.#settled = new Uint8Array(this.#pages.capacity);
    else this.#settled.fill(0);
  }

  /** Takes over the counts of the term that the window has loaded. */
  take(window: TermWindow, visitor: WindowVisitor, weight: number): void {
    this.#terms.push({ counts: window.takeCounts(this.#spare.pop()), visitor });
    this.weight += weight;
  }

  isSettled(slot: number): boolean {
    return this.#terms.length === 0 || this.#settled[slot] === 1;
  }

  settle(slot: number): void {
    const head = this.#pages.headOf(slot);
    this.#pages.forEachInSession(head, (near) => (this.#settled[near] = 1));
    for (const { counts, visitor } of this.#terms) walkSession(head, this.#pages.next, counts, visitor);
  }
}

/** Walks a session from its first page with a window of counts that moves along. */
function walkSession(head: number, next: Int32Array, count: Uint32Array, visitor: WindowVisitor): void {
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
