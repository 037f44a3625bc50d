/**
 * Term vectors: the latent space of a process as it is used and stored, one small vector of whole numbers a term.
 *
 * Use `packTerms(terms, weights, space)` on what `buildSpace` returned, `addTerm` to sum up a page or a question, `writeTerms` and
 * `readTerms` for storage. A term's vector already holds its weight (inverse page frequency).
 * What must hold: numbers are from -127 to 127 with one scale a term; what was stored reads back the same.
 */
import { LATENT_TERMS_PER_ROW } from "#shared/limits.ts";
import { RANK } from "#kernel/vm/search/latent-space.ts";

export class TermVectors {
  readonly #places: ReadonlyMap<string, number>;
  readonly terms: readonly string[];
  readonly vectors: Int8Array;
  readonly scales: Float32Array;

  constructor(terms: readonly string[], vectors: Int8Array, scales: Float32Array) {
    this.terms = terms;
    this.vectors = vectors;
    this.scales = scales;
    this.#places = new Map(terms.map((term, place) => [term, place]));
  }

  /** An estimate: arrays exactly, 80 bytes for a term and its place in the map. */
  get bytes(): number {
    return this.vectors.length + this.scales.length * 4 + this.terms.length * 80;
  }

  placeOf(term: string): number | undefined {
    return this.#places.get(term);
  }

  /** Adds `amount` times the term's vector to the `RANK` numbers of `into` from `at` on. */
  addTerm(place: number, amount: number, into: Float32Array, at: number): void {
    const factor = amount * (this.scales[place] ?? 0);
    const from = place * RANK;
    for (let index = 0; index < RANK; index += 1)
      into[at + index] = (into[at + index] ?? 0) + factor * (this.vectors[from + index] ?? 0);
  }
}

/** Rounds the numbers of one vector to -127 … 127; answers what a unit of them is worth, 0 for a vector of nothing. */
export function quantise(from: Float32Array, at: number, into: Int8Array, to: number, length: number): number {
  let most = 0;
  for (let index = 0; index < length; index += 1) most = Math.max(most, Math.abs(from[at + index] ?? 0));
  if (most < 1e-12) {
    into.fill(0, to, to + length);
    return 0;
  }
  for (let index = 0; index < length; index += 1) into[to + index] = Math.round((127 * (from[at + index] ?? 0)) / most);
  return most / 127;
}

export function packTerms(terms: readonly string[], weights: Float32Array, space: Float32Array): TermVectors {
  const vectors = new Int8Array(terms.length * RANK);
  const scales = new Float32Array(terms.length);
  for (let place = 0; place < terms.length; place += 1)
    scales[place] = quantise(space, place * RANK, vectors, place * RANK, RANK) * (weights[place] ?? 0);
  return new TermVectors(terms, vectors, scales);
}

/** One stored row: some terms as JSON, then their scales and vectors as bytes. */
export interface StoredTerms {
  readonly terms: string;
  readonly vectors: ArrayBuffer;
}

export function writeTerms(held: TermVectors): StoredTerms[] {
  const rows: StoredTerms[] = [];
  for (let from = 0; from < held.terms.length; from += LATENT_TERMS_PER_ROW) {
    const terms = held.terms.slice(from, from + LATENT_TERMS_PER_ROW);
    const bytes = new Uint8Array(terms.length * (4 + RANK));
    const scales = held.scales.slice(from, from + terms.length);
    bytes.set(new Uint8Array(scales.buffer), 0);
    bytes.set(new Uint8Array(held.vectors.slice(from * RANK, (from + terms.length) * RANK).buffer), scales.byteLength);
    rows.push({ terms: JSON.stringify(terms), vectors: bytes.buffer });
  }
  return rows;
}

/** The vectors of some stored rows in order; null when they are not of this rank. */
export function readTerms(rows: readonly StoredTerms[]): TermVectors | null {
  const terms = rows.map((row) => JSON.parse(row.terms) as string[]);
  const count = terms.reduce((sum, some) => sum + some.length, 0);
  const vectors = new Int8Array(count * RANK);
  const scales = new Float32Array(count);
  let place = 0;
  for (const [index, row] of rows.entries()) {
    const size = terms[index]?.length ?? 0;
    if (row.vectors.byteLength !== size * (4 + RANK)) return null;
    scales.set(new Float32Array(row.vectors.slice(0, 4 * size)), place);
    vectors.set(new Int8Array(row.vectors.slice(4 * size)), place * RANK);
    place += size;
  }
  return new TermVectors(terms.flat(), vectors, scales);
}
