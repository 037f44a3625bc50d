/**
 * Page vectors: where every page of an index lies in its latent space, by slot, and how near a question is.
 *
 * Use `useTerms(vectors, postings, slots)` when a space was built or loaded (places every page that is held), `place(slot, counts)` for a page
 * that comes later (folded in: nothing is rebuilt), `ask(terms)`, then `nearness(slot)`.
 * What must hold: without a space, and for a page or a question that shares no word with it, nearness is 0; a slot that was
 * cleared holds nothing of its page. A page costs `RANK` + 4 bytes.
 */
import { LATENT_SLOTS_AT_ONCE } from "#shared/limits.ts";
import { RANK } from "#kernel/vm/search/latent-space.ts";
import { quantise, type TermVectors } from "#kernel/vm/search/latent-terms.ts";
import type { Postings } from "#kernel/vm/search/postings.ts";

export class PageVectors {
  #terms: TermVectors | null = null;
  #vectors = new Int8Array(0);
  /** 1 / length of the vector, 0 for a page without one. */
  #inverse = new Float32Array(0);
  readonly #sum = new Float32Array(RANK);
  readonly #asked = new Int8Array(RANK);
  /** 1 / length of the question's vector, 0 when it has none. */
  #askedInverse = 0;

  get bytes(): number {
    return this.#vectors.length + this.#inverse.length * 4 + (this.#terms?.bytes ?? 0);
  }

  /** Whether the space has a place for a word; it has none for a word of a single page. */
  knows(term: string): boolean {
    return this.#terms?.placeOf(term) !== undefined;
  }

  get hasSpace(): boolean {
    return this.#terms !== null;
  }

  /** Goes without a space. */
  drop(): void {
    this.#terms = null;
    this.#vectors = new Int8Array(0);
    this.#inverse = new Float32Array(0);
  }

  /**
   * Takes a space in use and places every page of the postings, some between two pauses. A page that comes or goes meanwhile is
   * placed or cleared as ever; it ends early when another space is taken.
   */
  *useTerms(terms: TermVectors, postings: Postings, slots: number): Generator<undefined, void> {
    this.#terms = terms;
    this.#vectors = new Int8Array(slots * RANK);
    this.#inverse = new Float32Array(slots);
    const sums = new Float32Array(Math.min(slots, LATENT_SLOTS_AT_ONCE) * RANK);
    for (let from = 0; from < slots; from += LATENT_SLOTS_AT_ONCE) {
      const to = Math.min(slots, from + LATENT_SLOTS_AT_ONCE);
      sums.fill(0);
      for (const [place, term] of terms.terms.entries()) {
        const id = postings.find(term);
        if (id === undefined) continue;
        postings.forEachPage(id, (slot, count) => {
          if (slot >= from && slot < to) terms.addTerm(place, Math.log(1 + count), sums, (slot - from) * RANK);
        });
      }
      for (let slot = from; slot < to; slot += 1) this.#keep(slot, sums, (slot - from) * RANK);
      yield;
      if (this.#terms !== terms) return;
    }
  }

  place(slot: number, counts: ReadonlyMap<string, number>): void {
    const terms = this.#terms;
    if (terms === null) return;
    if (slot >= this.#inverse.length) this.#grow(slot + 1);
    this.#sum.fill(0);
    for (const [term, count] of counts) {
      const place = terms.placeOf(term);
      if (place !== undefined) terms.addTerm(place, Math.log(1 + count), this.#sum, 0);
    }
    this.#keep(slot, this.#sum, 0);
  }

  clear(slot: number): void {
    if (slot >= this.#inverse.length) return;
    this.#inverse[slot] = 0;
    this.#vectors.fill(0, slot * RANK, (slot + 1) * RANK);
  }

  /** Takes in a question; answers whether the space knows any of its words. */
  ask(asked: readonly string[]): boolean {
    this.#askedInverse = 0;
    this.#sum.fill(0);
    for (const term of asked) {
      const place = this.#terms?.placeOf(term);
      if (place !== undefined) this.#terms?.addTerm(place, 1, this.#sum, 0);
    }
    quantise(this.#sum, 0, this.#asked, 0, RANK);
    this.#askedInverse = inverseLength(this.#asked, 0);
    return this.#askedInverse > 0;
  }

  /** The cosine between the question and the page, -1 to 1. */
  nearness(slot: number): number {
    const scale = this.#askedInverse * (this.#inverse[slot] ?? 0);
    if (scale === 0) return 0;
    const asked = this.#asked;
    const vectors = this.#vectors;
    let sum = 0;
    for (let index = 0, at = slot * RANK; index < RANK; index += 1, at += 1)
      sum += (asked[index] ?? 0) * (vectors[at] ?? 0);
    return sum * scale;
  }

  #keep(slot: number, sums: Float32Array, at: number): void {
    quantise(sums, at, this.#vectors, slot * RANK, RANK);
    this.#inverse[slot] = inverseLength(this.#vectors, slot * RANK);
  }

  #grow(least: number): void {
    const size = Math.max(least, Math.ceil(this.#inverse.length * 1.5));
    const [vectors, inverse] = [new Int8Array(size * RANK), new Float32Array(size)];
    vectors.set(this.#vectors);
    inverse.set(this.#inverse);
    this.#vectors = vectors;
    this.#inverse = inverse;
  }
}

function inverseLength(vectors: Int8Array, from: number): number {
  let squares = 0;
  for (let at = from; at < from + RANK; at += 1) squares += (vectors[at] ?? 0) ** 2;
  return squares === 0 ? 0 : 1 / Math.sqrt(squares);
}
