/**
 * The noun phrase that starts at a word, with everything that is listed with it: "milk, eggs and bread", "Tom and Ada".
 *
 * Use: `nounList(sentence, from)` gives the word index behind it; `from` itself when no noun phrase starts there.
 *
 * What must hold: dates are no part of it, and neither is a clause that "and" begins ("and my number is …", "and works as …").
 */
import { findRepeated } from "#workers/local-ai/clock.ts";
import type { Sentence } from "#workers/local-ai/sentences.ts";
import { wordClasses, type WordClass } from "#workers/local-ai/word-classes.ts";

const inside: ReadonlySet<WordClass> = new Set<WordClass>([
  "noun",
  "proper",
  "gerund",
  "number",
  "determiner",
  "possessive",
]);
const opensClause: ReadonlySet<WordClass> = new Set<WordClass>(["auxiliary", "pronoun", "verb"]);
/** Third persons that look like plural nouns: what follows "and" is then a clause. */
export const endsItem =
  /^(?:lives?|works?|drives?|stud(?:y|ies)|teach(?:es)?|wants?|needs?|likes?|loves?|hates?|speaks?|owns?|goes|comes?|has|is|are|was|moved|runs?|gets?|makes?|plays?|sings?|costs?|starts?|ends?|then|also|now|today|yesterday|tomorrow|tonight|later|again|there|here|next|last|near|leaves|departs|arrives|opens|closes|takes|says|means)$/;
const titles = /^(?:mr|mrs|ms|dr|prof|st)$/;
const longestItem = 7;
const closedEnd: ReadonlySet<WordClass> = new Set<WordClass>(["noun", "proper", "gerund", "number", "verb"]);

function gapBefore(sentence: Sentence, index: number): string {
  return sentence.text.slice(sentence.words[index - 1]?.end ?? 0, sentence.words[index]?.start ?? 0);
}

function isDated(sentence: Sentence, index: number): boolean {
  const word = sentence.words[index];
  if (word === undefined) return false;
  const repeated = findRepeated(sentence.text);
  const at = repeated === null ? -1 : sentence.text.indexOf(repeated);
  if (repeated !== null && word.start >= at && word.start < at + repeated.length) return true;
  return sentence.dates.some((date) => word.start < date.end && date.start < word.end);
}

/** One item: words of a noun phrase without a break, "of" between two of them included. */
function itemEnd(sentence: Sentence, classes: readonly WordClass[], from: number): number {
  const { words } = sentence;
  let to = from;
  while (to < words.length && to - from < longestItem) {
    const kind = classes[to];
    const titled = titles.test(words[to - 1]?.lower ?? "") && gapBefore(sentence, to) === ". ";
    const joined = to === from || titled || /^[\s'"“”’#&/-]*$/.test(gapBefore(sentence, to));
    if (kind === undefined || !joined || isDated(sentence, to)) break;
    const of = words[to]?.lower === "of" && to > from && inside.has(classes[to + 1] ?? "adverb");
    // "two baked potatoes", "very old books": described inside the phrase.
    const described =
      (kind === "verb" || kind === "adverb") &&
      inside.has(classes[to + 1] ?? "adverb") &&
      gapBefore(sentence, to + 1) === " ";
    if (to > from && endsItem.test(words[to]?.lower ?? "")) break;
    if (!inside.has(kind) && !of && !described) break;
    to += 1;
  }
  while (to > from && !closedEnd.has(classes[to - 1] ?? "adverb")) to -= 1;
  return to;
}

/** Where the next item starts when "," or "and" stands at a word; null when the list ends here. */
function nextItem(sentence: Sentence, at: number): number | null {
  const word = sentence.words[at];
  if (word === undefined) return null;
  const gap = gapBefore(sentence, at);
  if (!/^\s*,?\s*$/.test(gap)) return /^\s*[,、&+/]\s*$/.test(gap) ? at : null;
  if (/^(?:and|or|plus)$/.test(word.lower)) return at + 1;
  return gap.includes(",") ? at : null;
}

export function nounList(sentence: Sentence, from: number): number {
  const classes = wordClasses(sentence.words);
  let to = itemEnd(sentence, classes, from);
  if (to === from) return from;
  const proper = classes[to - 1] === "proper";
  for (;;) {
    const start = nextItem(sentence, to);
    if (start === null) return to;
    const first = sentence.words[start];
    if (first === undefined || (endsItem.test(first.lower) && classes[start] !== "proper")) return to;
    const end = itemEnd(sentence, classes, start);
    const behind = classes[end];
    const clause = behind !== undefined && opensClause.has(behind) && gapBefore(sentence, end).trim() === "";
    if (end === start || clause) return to;
    // After names only names go on; a bare word is the verb of what comes next.
    if (proper && end === start + 1 && classes[start] !== "proper") return to;
    to = end;
  }
}
