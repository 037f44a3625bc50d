/**
 * Sketches: the signs of page vectors as bits, for a quick first look at all of them.
 *
 * Use `put(page, vector)`, `delete(page)`, and `nearest(vector, limit)`: the pages whose bits differ least from the vector's
 * (Hamming distance). Whoever asks rescores them by the whole vectors.
 * What must hold: a page costs a bit a dimension; a deleted page is never among the nearest.
 */
export class Sketches {
  #words = 0;
  #bits = new Int32Array(0);
  readonly #pages: number[] = [];
  readonly #slotOf = new Map<number, number>();

  get size(): number {
    return this.#slotOf.size;
  }

  has(page: number): boolean {
    return this.#slotOf.has(page);
  }

  put(page: number, vector: Int8Array): void {
    const words = Math.ceil(vector.length / 32);
    if (this.#words === 0) this.#words = words;
    if (words !== this.#words) return; // of another model; it is embedded anew
    const slot = this.#slotOf.get(page) ?? this.#pages.length;
    this.#pages[slot] = page;
    this.#slotOf.set(page, slot);
    if ((slot + 1) * words > this.#bits.length) {
      const grown = new Int32Array(Math.max(64, 2 * (slot + 1)) * words);
      grown.set(this.#bits);
      this.#bits = grown;
    }
    this.#bits.set(bitsOf(vector, words), slot * words);
  }

  /** The last page takes the place of the deleted one. */
  delete(page: number): void {
    const slot = this.#slotOf.get(page);
    const last = this.#pages.length - 1;
    if (slot === undefined) return;
    const moved = this.#pages[last] ?? page;
    this.#bits.copyWithin(slot * this.#words, last * this.#words, (last + 1) * this.#words);
    this.#bits.fill(0, last * this.#words, (last + 1) * this.#words);
    this.#pages[slot] = moved;
    this.#slotOf.set(moved, slot);
    this.#pages.pop();
    this.#slotOf.delete(page);
  }

  nearest(vector: Int8Array, limit: number): number[] {
    if (Math.ceil(vector.length / 32) !== this.#words) return [];
    const asked = bitsOf(vector, this.#words);
    const distances = new Uint16Array(this.#pages.length);
    const counts = new Uint32Array(this.#words * 32 + 1);
    for (let slot = 0; slot < distances.length; slot += 1) {
      let distance = 0;
      for (let word = 0; word < this.#words; word += 1)
        distance += ones((asked[word] ?? 0) ^ (this.#bits[slot * this.#words + word] ?? 0));
      distances[slot] = distance;
      counts[distance] = (counts[distance] ?? 0) + 1;
    }
    let most = 0;
    for (let held = counts[0] ?? 0; held < limit && most < counts.length; held += counts[most] ?? 0) most += 1;
    return this.#pages
      .map((page, slot) => ({ page, distance: distances[slot] ?? 0 }))
      .filter(({ distance }) => distance <= most)
      .sort((one, other) => one.distance - other.distance || one.page - other.page)
      .slice(0, limit)
      .map(({ page }) => page);
  }
}

function bitsOf(vector: Int8Array, words: number): Int32Array {
  const bits = new Int32Array(words);
  for (const [index, value] of vector.entries())
    if (value > 0) bits[index >>> 5] = (bits[index >>> 5] ?? 0) | (1 << (index & 31));
  return bits;
}

/** Ones in a 32-bit word, in parallel sums. */
function ones(word: number): number {
  let sum = word - ((word >>> 1) & 0x55555555);
  sum = (sum & 0x33333333) + ((sum >>> 2) & 0x33333333);
  return Math.imul((sum + (sum >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
