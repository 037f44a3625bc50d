/**
 * Which pages hold which term, how often: the inverted index of one text field of one process, in memory.
 *
 * Use `add(slot, terms)`, `remove(slot, terms)`, `frequency(term)`, and `addInto(id, …)` for a term's postings. A slot is a small
 * number that the caller gives a page and may give again after `remove`.
 * What must hold: after `remove` no term of the page is left unless another page holds it, so forgetting a page forgets its
 * words. Adding or removing a page touches only its own terms. The order within postings carries no meaning. A posting is one
 * 32-bit number (24 bits of slot, 8 of count; larger counts are kept aside), so 100,000 pages of chat are some 15 MB.
 */
import { BlockLists, grown } from "#kernel/vm/search/block-lists.ts";
import { Spellings, type SimilarTerm } from "#kernel/vm/search/spellings.ts";

const COUNT_BITS = 8;
/** A count at or above this is in `#large`. */
const LARGE_COUNT = 255;
export const MOST_SLOTS = 1 << (32 - COUNT_BITS);

export function countTerms(terms: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + 1);
  return counts;
}

export class Postings {
  readonly #ids = new Map<string, number>();
  readonly #terms: string[] = [];
  readonly #freeIds: number[] = [];
  readonly #lists = new BlockLists();
  readonly #large = new Map<number, number>();
  readonly #spellings = new Spellings();
  #buffer = new Uint32Array(16);
  /** Different terms of each page, to know when none is left. */
  #termsOfSlot = new Uint32Array(16);

  get size(): number {
    return this.#ids.size;
  }

  /** An estimate: arrays exactly, 80 bytes for a term and its place in the map. */
  get bytes(): number {
    return (
      this.#lists.bytes +
      this.#spellings.bytes +
      (this.#buffer.length + this.#termsOfSlot.length) * 4 +
      this.#ids.size * 80
    );
  }

  /** Adds a page's terms; answers how often it holds each. */
  add(slot: number, terms: readonly string[]): Map<string, number> {
    const counts = countTerms(terms);
    for (const [term, count] of counts) this.addCount(this.idOf(term), slot, count);
    return counts;
  }

  /** The number of a term, a new one if it is not held; a posting must follow. For loading many pages at once. */
  idOf(term: string): number {
    const known = this.#ids.get(term);
    if (known !== undefined) return known;
    const id = this.#freeIds.pop() ?? this.#terms.length;
    this.#terms[id] = term;
    this.#ids.set(term, id);
    this.#spellings.add(term, id);
    return id;
  }

  addCount(id: number, slot: number, count: number): void {
    if (slot >= MOST_SLOTS) throw new Error("postings: more pages than a posting can name");
    this.#lists.push(id, (slot << COUNT_BITS) | Math.min(count, LARGE_COUNT));
    if (slot >= this.#termsOfSlot.length) {
      const more = new Uint32Array(grown(this.#termsOfSlot.length, slot + 1));
      more.set(this.#termsOfSlot);
      this.#termsOfSlot = more;
    }
    this.#termsOfSlot[slot] = (this.#termsOfSlot[slot] ?? 0) + 1;
    if (count >= LARGE_COUNT) this.#large.set(id * MOST_SLOTS + slot, count);
  }

  /**
   * Takes a page out. `terms` are the terms it was added with: without them, or when they are not all of them, every term is
   * looked through, so that nothing of the page stays.
   */
  remove(slot: number, terms: readonly string[] = []): void {
    for (const term of new Set(terms)) this.#removeFrom(this.#ids.get(term), slot);
    for (let id = 0; (this.#termsOfSlot[slot] ?? 0) > 0 && id < this.#terms.length; id += 1) this.#removeFrom(id, slot);
  }

  #removeFrom(id: number | undefined, slot: number): boolean {
    if (id === undefined || this.#lists.length(id) === 0) return false;
    if (!this.#lists.remove(id, (posting) => posting >>> COUNT_BITS === slot)) return false;
    this.#large.delete(id * MOST_SLOTS + slot);
    this.#termsOfSlot[slot] = (this.#termsOfSlot[slot] ?? 1) - 1;
    if (this.#lists.length(id) > 0) return true;
    const term = this.#terms[id] ?? "";
    this.#ids.delete(term);
    this.#terms[id] = "";
    this.#freeIds.push(id);
    this.#spellings.remove(term, id);
    return true;
  }

  /** Every term there is with its number. */
  forEachTerm(visit: (term: string, id: number) => void): void {
    for (const [term, id] of this.#ids) visit(term, id);
  }

  /** Pages that hold the term of this number. */
  holders(id: number): number {
    return this.#lists.length(id);
  }

  has(term: string): boolean {
    return this.#ids.has(term);
  }

  /** Pages that hold the term. */
  frequency(term: string): number {
    const id = this.#ids.get(term);
    return id === undefined ? 0 : this.#lists.length(id);
  }

  find(term: string): number | undefined {
    return this.#ids.get(term);
  }

  termOf(id: number): string {
    return this.#terms[id] ?? "";
  }

  /**
   * Adds how often each page holds a term to `count`, by slot, and lists the pages that had none before in `held` from index
   * `from` on; answers the index after the last.
   */
  addInto(id: number, count: Uint32Array, held: Uint32Array, from: number): number {
    const length = this.#lists.length(id);
    if (length > this.#buffer.length) this.#buffer = new Uint32Array(grown(this.#buffer.length, length));
    const buffer = this.#buffer;
    this.#lists.copy(id, buffer);
    let next = from;
    for (let index = 0; index < length; index += 1) {
      const posting = buffer[index] ?? 0;
      const slot = posting >>> COUNT_BITS;
      let more = posting & LARGE_COUNT;
      if (more === LARGE_COUNT) more = this.#large.get(id * MOST_SLOTS + slot) ?? more;
      const before = count[slot] ?? 0;
      if (before === 0) held[next++] = slot;
      count[slot] = before + more;
    }
    return next;
  }

  /** Visits the pages that hold a term, in no order, with how often each does. */
  forEachPage(id: number, visit: (slot: number, count: number) => void): void {
    const length = this.#lists.length(id);
    const buffer = new Uint32Array(length);
    this.#lists.copy(id, buffer);
    for (const posting of buffer) {
      const slot = posting >>> COUNT_BITS;
      const count = posting & LARGE_COUNT;
      visit(slot, count === LARGE_COUNT ? (this.#large.get(id * MOST_SLOTS + slot) ?? count) : count);
    }
  }

  /** One Chinese character as a question's term stands for every pair that holds it, since pages are indexed by pairs. */
  members(term: string): number[] {
    const own = this.#ids.get(term);
    const members = own === undefined ? [] : [own];
    if (term.length !== 1 || /[a-z0-9]/.test(term)) return members;
    return [...members, ...this.#spellings.holding(term)];
  }

  /** Held terms spelt like this one, without it. */
  similar(term: string): SimilarTerm[] {
    return this.#spellings.similar(term, this.#ids.get(term));
  }
}
