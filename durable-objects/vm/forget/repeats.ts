/**
 * Repeats: whether a stored text carries the words of a forgotten page, and what stands in its place.
 */
import { tokenize } from "#shared/text/words.ts";

export const FORGOTTEN = "[forgotten]";

/** Words in a row that count as repeating. */
const SPAN = 4;

/** Whether `said` repeats `most` words of `text` in a row (all of them when it has fewer). */
export function repeats(said: string, text: string, most: number = SPAN): boolean {
  const words = tokenize(text);
  const stored = ` ${tokenize(said).join(" ")} `;
  const span = Math.min(most, words.length);
  for (let start = 0; span > 0 && start + span <= words.length; start += 1) {
    if (stored.includes(` ${words.slice(start, start + span).join(" ")} `)) return true;
  }
  return false;
}
