/**
 * Checksum: tells whether bytes that come again are those that came before (FNV-1a, 32 bits; http://www.isthe.com/chongo/tech/comp/fnv).
 *
 * It finds mistakes, not forgeries: a client only ever compares its own bytes with its own.
 */
const START = 0x811c9dc5;
const PRIME = 0x01000193;

export class Checksum {
  #sum: number;

  /** Goes on from a sum that was stored; 0 begins anew. */
  constructor(sum = 0) {
    this.#sum = sum === 0 ? START : sum;
  }

  add(bytes: Uint8Array): void {
    let sum = this.#sum;
    for (const byte of bytes) sum = Math.imul(sum ^ byte, PRIME);
    this.#sum = sum >>> 0;
  }

  get sum(): number {
    return this.#sum;
  }
}
