/**
 * Where something is, from what the user told: "in the blue drawer", "on level 3 next to the elevator", "in room 12".
 *
 * Use: `ownPlace(question, scored)`; null when no phrase of place stands in the sentence.
 *
 * What must hold: a date or a time of the day is no place; the phrase is verbatim and kept with what it hangs on.
 */
import { findClock } from "#workers/local-ai/clock.ts";
import { nounList } from "#workers/local-ai/noun-list.ts";
import type { Question } from "#workers/local-ai/question.ts";
import { relatedStems } from "#workers/local-ai/related-words.ts";
import type { ScoredSentence } from "#workers/local-ai/select.ts";
import type { Sentence } from "#workers/local-ai/sentences.ts";

const places =
  /^(?:in|at|on|to|into|inside|near|under|behind|beside|above|below|outside|opposite|next|between|by|from|around)$/;
/** The position says part of the answer; "in" and "at" do not. */
const telling = /^(?:inside|near|under|behind|beside|above|below|outside|opposite|next|between|by|around)$/;
const continues = /^(?:of|in|on|at|near|under|behind|beside|next|by|above|below|opposite|between)$/;

function isTime(sentence: Sentence, index: number): boolean {
  const word = sentence.words[index];
  if (word === undefined) return true;
  if (sentence.dates.some((date) => word.start < date.end && date.start < word.end)) return true;
  const clock = findClock(sentence.text);
  const at = clock === null ? -1 : sentence.text.indexOf(clock);
  return clock !== null && word.start >= at && word.start < at + clock.length;
}

function phraseEnd(sentence: Sentence, preposition: number): number {
  const { words } = sentence;
  let start = preposition + 1;
  if (words[preposition]?.lower === "next" && words[start]?.lower === "to") start += 1;
  if (isTime(sentence, start)) return preposition;
  const to = nounList(sentence, start);
  if (to === start) return preposition;
  const next = words[to];
  const gap = sentence.text.slice(words[to - 1]?.end ?? 0, next?.start ?? 0);
  if (next === undefined || gap !== " " || !continues.test(next.lower)) return to;
  const further = phraseEnd(sentence, to);
  return further > to ? further : to;
}

export function ownPlace(question: Question, scored: ScoredSentence): string | null {
  const { sentence } = scored;
  const { words, text } = sentence;
  const asked = new Set(question.terms.flatMap((term) => [term.stem, ...relatedStems(term.stem)]));
  const firstAsked = words.findIndex((word) => asked.has(word.stem));
  const wantsOrigin = /\bfrom\b/i.test(question.text);
  if (firstAsked === -1 && question.terms.length > 0) return null;
  for (let index = firstAsked + 1; index < words.length; index += 1) {
    const word = words[index];
    if (word === undefined || !places.test(word.lower) || isTime(sentence, index)) continue;
    if ((word.lower === "from") !== wantsOrigin && (word.lower === "from" || wantsOrigin)) continue;
    const to = phraseEnd(sentence, index);
    const from = telling.test(word.lower) ? index : index + 1;
    const [first, last] = [words[from], words[to - 1]];
    if (to <= index || first === undefined || last === undefined) continue;
    if (words.slice(from, to).every((entry) => entry.stop || asked.has(entry.stem))) continue;
    return text.slice(first.start, last.end);
  }
  return null;
}
