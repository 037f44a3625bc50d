/**
 * Terms that are spelt alike, by the three-letter pieces they share: finds a misspelt word, and words of one family that the
 * stemmer keeps apart ("analysis", "analyst"). Also pairs of characters by either character, for a question of one Chinese
 * character.
 *
 * Use `add` and `remove` with a term and its number as terms come and go, `similar(term)` and `holding(character)`.
 * What must hold: numbers are never alike (2023 is not 2022), stop words are never offered, and a removed term is gone.
 * Similarity is the Dice coefficient of the two sets of pieces, 0 to 1.
 */
import { analyzeWord, STOP_WORDS } from "#shared/text/words.ts";
import { BlockLists, grown } from "#kernel/vm/search/block-lists.ts";

export interface SimilarTerm {
  /** Number of the term. */
  readonly id: number;
  readonly similarity: number;
}

/** Below this, words that share a mere ending ("station", "nation") come in. Measured: 0.4 to 0.5 find the most, 0.65 too little. */
const LEAST_SIMILARITY = 0.5;
const SHORTEST_TERM = 3;
const SPELT = /^[\p{Ll}\p{Lo}]+$/u;
const LATIN = /[a-z0-9]/;
const STOP_TERMS: ReadonlySet<string> = new Set([...STOP_WORDS].map(analyzeWord));

function piecesOf(term: string): Set<string> {
  const padded = `_${term}_`;
  const pieces = new Set<string>();
  for (let index = 0; index + 3 <= padded.length; index += 1) pieces.add(padded.slice(index, index + 3));
  return pieces;
}

function isSpelt(term: string): boolean {
  return term.length >= SHORTEST_TERM && SPELT.test(term);
}

/** What a term is filed under: its three-letter pieces, or the characters of a pair. */
function keysOf(term: string): ReadonlySet<string> | readonly string[] {
  if (term.length === 2) {
    const [first, second] = [term.charAt(0), term.charAt(1)];
    const characters = first === second ? [first] : [first, second];
    return characters.filter((character) => !LATIN.test(character));
  }
  return !isSpelt(term) || STOP_TERMS.has(term) ? [] : piecesOf(term);
}

export class Spellings {
  readonly #lists = new Map<string, number>();
  readonly #terms = new BlockLists();
  readonly #freeLists: number[] = [];
  #nextList = 0;
  #lengthOfTerm = new Uint16Array(16);
  /** How many pieces a term shares with the one asked; all 0 between two questions. */
  #shared = new Uint8Array(16);
  #found = new Uint32Array(16);

  get bytes(): number {
    return this.#terms.bytes + this.#lengthOfTerm.length * 3 + this.#found.length * 4 + this.#lists.size * 48;
  }

  add(term: string, id: number): void {
    if (id >= this.#lengthOfTerm.length) this.#grow(id + 1);
    this.#lengthOfTerm[id] = term.length;
    for (const key of keysOf(term)) {
      let list = this.#lists.get(key);
      if (list === undefined) {
        list = this.#freeLists.pop() ?? this.#nextList++;
        this.#lists.set(key, list);
      }
      this.#terms.push(list, id);
    }
  }

  remove(term: string, id: number): void {
    for (const key of keysOf(term)) {
      const list = this.#lists.get(key);
      if (list === undefined || !this.#terms.remove(list, (held) => held === id))
        throw new Error("spellings: a term is missing from its own pieces");
      if (this.#terms.length(list) > 0) continue;
      this.#lists.delete(key);
      this.#freeLists.push(list);
    }
  }

  /** Terms at least half alike, without the term itself (`own` is its number, if it has one), in no order that means anything. */
  similar(term: string, own: number | undefined): SimilarTerm[] {
    if (!isSpelt(term)) return [];
    const pieces = piecesOf(term);
    const touched: number[] = [];
    for (const piece of pieces) {
      const count = this.#read(piece);
      for (let index = 0; index < count; index += 1) {
        const id = this.#found[index] ?? 0;
        if (this.#shared[id] === 0) touched.push(id);
        this.#shared[id] = (this.#shared[id] ?? 0) + 1;
      }
    }
    const found: SimilarTerm[] = [];
    for (const id of touched) {
      // A word of n letters has n pieces, less when one repeats.
      const similarity = (2 * (this.#shared[id] ?? 0)) / (pieces.size + (this.#lengthOfTerm[id] ?? 0));
      this.#shared[id] = 0;
      if (id !== own && similarity >= LEAST_SIMILARITY) found.push({ id, similarity });
    }
    return found;
  }

  /** Terms of two characters of which one is this. */
  holding(character: string): number[] {
    return [...this.#found.subarray(0, this.#read(character))];
  }

  #read(key: string): number {
    const list = this.#lists.get(key);
    if (list === undefined) return 0;
    const length = this.#terms.length(list);
    if (length > this.#found.length) this.#found = new Uint32Array(grown(this.#found.length, length));
    return this.#terms.copy(list, this.#found);
  }

  #grow(terms: number): void {
    const size = grown(this.#lengthOfTerm.length, terms);
    const lengths = new Uint16Array(size);
    lengths.set(this.#lengthOfTerm);
    this.#lengthOfTerm = lengths;
    this.#shared = new Uint8Array(size);
  }
}
