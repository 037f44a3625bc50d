/**
 * Terms that are spelt alike, by the three-letter pieces they share: finds a misspelt word, and words of one family that the
 * stemmer keeps apart ("analysis", "analyst").
 *
 * Use `add` and `remove` as terms come and go, and `similar(term)`.
 * What must hold: numbers are never alike (2023 is not 2022), stop words are never offered, and a removed term is gone.
 * Similarity is the Dice coefficient of the two sets of pieces, 0 to 1.
 */
import { analyzeWord, STOP_WORDS } from "#shared/text/words.ts";

export interface SimilarTerm {
  term: string;
  similarity: number;
}

/** Below this, words that share a mere ending ("station", "nation") come in. Measured: 0.4 to 0.5 find the most, 0.65 too little. */
const LEAST_SIMILARITY = 0.5;
const SHORTEST_TERM = 3;
const SPELT = /^[\p{Ll}\p{Lo}]+$/u;
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

export class Spellings {
  readonly #termsOfPiece = new Map<string, string[]>();

  add(term: string): void {
    if (!isSpelt(term) || STOP_TERMS.has(term)) return;
    for (const piece of piecesOf(term)) {
      const terms = this.#termsOfPiece.get(piece);
      if (terms === undefined) this.#termsOfPiece.set(piece, [term]);
      else terms.push(term);
    }
  }

  remove(term: string): void {
    if (!isSpelt(term) || STOP_TERMS.has(term)) return;
    for (const piece of piecesOf(term)) {
      const terms = this.#termsOfPiece.get(piece);
      const index = terms === undefined ? -1 : terms.indexOf(term);
      if (terms === undefined || index < 0) throw new Error("spellings: a term is missing from its own pieces");
      terms.splice(index, 1);
      if (terms.length === 0) this.#termsOfPiece.delete(piece);
    }
  }

  /** Terms at least half alike, without the term itself, in no order that means anything. */
  similar(term: string): SimilarTerm[] {
    if (!isSpelt(term)) return [];
    const pieces = piecesOf(term);
    const shared = new Map<string, number>();
    for (const piece of pieces) {
      for (const other of this.#termsOfPiece.get(piece) ?? []) shared.set(other, (shared.get(other) ?? 0) + 1);
    }
    const found: SimilarTerm[] = [];
    for (const [other, count] of shared) {
      if (other === term) continue;
      // A word of n letters has n pieces, less when one repeats.
      const similarity = (2 * count) / (pieces.size + other.length);
      if (similarity >= LEAST_SIMILARITY) found.push({ term: other, similarity });
    }
    return found;
  }
}
