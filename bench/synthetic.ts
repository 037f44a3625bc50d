/**
 * Synthetic pages and questions: made-up words, frequent ones far more frequent, as in language, for figures of time and size.
 *
 * Use `randomSource(seed)`, then `syntheticPage(page, random)` and `syntheticQuestion(random)`; the same seed gives the same text.
 * Frequent words are asked for as often as they are said and there are no stop words: harder than questions of people.
 */
import type { IndexablePage } from "#kernel/vm/search/search-entry.ts";

const VOCABULARY = 20_000;

/** A repeatable pseudo-random source: mulberry32. */
export function randomSource(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const SYLLABLES = ["", "n", "r", "s", "l"].flatMap((end) =>
  "bdfgklmnprstvz".split("").flatMap((start) => "aeiou".split("").map((vowel) => `${start}${vowel}${end}`)),
);

/** Made-up words of two or more syllables, frequent ones far more frequent, as in language. */
function syntheticText(random: () => number, length: number): string {
  return Array.from({ length }, () => {
    let rank = Math.floor(VOCABULARY ** random()) * 7919 + 350;
    let word = "";
    do {
      word += SYLLABLES[rank % SYLLABLES.length] ?? "";
      rank = Math.floor(rank / SYLLABLES.length);
    } while (rank > 0);
    return word;
  }).join(" ");
}

/** A page of 15 to 54 words in a session of 25, an hour after the one before. */
export function syntheticPage(page: number, random: () => number): IndexablePage {
  return {
    page,
    session: `s${Math.floor(page / 25)}`,
    speaker: page % 2 === 0 ? "Ines" : "Tomas",
    role: null,
    kind: "turn",
    at: Date.UTC(2024, 0, 1) + page * 3_600_000,
    text: syntheticText(random, 15 + Math.floor(random() * 40)),
  };
}

export function syntheticQuestion(random: () => number): string {
  return `What did Ines say about ${syntheticText(random, 6)} in June 2024?`;
}
