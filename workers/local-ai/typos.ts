/**
 * Typing errors in a question: a word that no page holds is read as the one word of the pages that is spelt nearly so.
 *
 * Use: `withoutTypos(text, pages, speakers)` before the question is read.
 *
 * What must hold: only the user's own pages are looked at; a word that a page holds, a name, a number and a short word stay as they
 * are; the first letter is taken to be right; when two words of the pages are as near, nothing is changed.
 */
import { isStopWord } from "#shared/text/words.ts";
import type { EvidencePage } from "#workers/local-ai/evidence.ts";
import { relatedStems } from "#workers/local-ai/related-words.ts";
import { personOf, readWords, userPerson } from "#workers/local-ai/sentences.ts";

const shortest = 5;
const longest = 20;

/** Typing steps between two words (a letter more, less, other, or two swapped), counted up to `most`. */
function distance(left: string, right: string, most: number): number {
  if (Math.abs(left.length - right.length) > most) return most + 1;
  let [before, last] = [[] as number[], Array.from({ length: right.length + 1 }, (_value, index) => index)];
  for (let row = 1; row <= left.length; row += 1) {
    const next = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const same = left[row - 1] === right[column - 1];
      let best = Math.min(
        (last[column] ?? 0) + 1,
        (next[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + Number(!same),
      );
      const swapped =
        row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      if (swapped) best = Math.min(best, (before[column - 2] ?? 0) + 1);
      next.push(best);
    }
    [before, last] = [last, next];
  }
  return last[right.length] ?? most + 1;
}

const questionWords = ["what", "where", "when", "which", "who", "how"];
const otherWords =
  /^(?:was|were|wear|want|hat|hen|then|that|there|here|show|now|wow|war|way|why|hot|has|had|have|her|hey|he|we|went|will|whose|whole|white|while|with|would|wish|wet|won|how's|hoe|hit|whether|howe|chat|hi)$/;

/** "wher is", "waht is": the first word, when it is one step from a question word and no word of its own. */
function withQuestionWord(text: string): string {
  return text.replace(/^\W*(\p{Script=Latin}{3,6})(?= )/u, (written) => {
    const lower = written.trim().toLowerCase();
    if (questionWords.includes(lower) || otherWords.test(lower) || !/^[wh]/.test(lower)) return written;
    return questionWords.find((word) => distance(lower, word, 1) === 1) ?? written;
  });
}

/** Two letters swapped in a short word: kye. */
function swapped(word: string, known: ReadonlySet<string>): string | null {
  for (let index = 0; index + 1 < word.length; index += 1) {
    const other = word.slice(0, index) + (word[index + 1] ?? "") + (word[index] ?? "") + word.slice(index + 2);
    if (other !== word && known.has(other)) return other;
  }
  return null;
}

function nearest(word: string, known: ReadonlySet<string>): string | null {
  if (word.length < shortest) return swapped(word, known);
  const most = word.length >= 8 ? 2 : 1;
  let found: string[] = [];
  let least = most;
  for (const other of known) {
    if (other.length < shortest - 1 || other[0] !== word[0]) continue;
    const steps = distance(word, other, most);
    if (steps > least) continue;
    if (steps < least) found = [];
    least = steps;
    found.push(other);
  }
  return found.length === 1 ? (found[0] ?? null) : null;
}

export function withoutTypos(text: string, pages: readonly EvidencePage[], speakers: ReadonlySet<string>): string {
  const own = pages.filter((page) => personOf(page) === userPerson);
  if (own.length === 0) return text;
  const words = own.flatMap((page) => readWords(page.text));
  const stems = new Set(words.map((word) => word.stem));
  const known = new Set(words.filter((word) => /^\p{Script=Latin}+$/u.test(word.lower)).map((word) => word.lower));
  return withQuestionWord(text).replace(/(?<![\p{L}\p{N}@./:-])\p{Script=Latin}+(?![\p{L}\p{N}@/:-])/gu, (written) => {
    const [word] = readWords(written);
    const lower = written.toLowerCase();
    if (word === undefined || lower.length < 3 || lower.length > longest || word.stop || isStopWord(lower))
      return written;
    if (stems.has(word.stem) || speakers.has(lower) || [...relatedStems(word.stem)].some((stem) => stems.has(stem)))
      return written;
    return nearest(lower, known) ?? written;
  });
}
