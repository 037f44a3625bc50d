/**
 * Candidate answers: every stretch of a good sentence that could be one.
 *
 * Use: `spansOf(selection)` lists the candidates of the best sentences; `span-features.ts` describes them by numbers and
 * `span-weights.ts` weighs those.
 *
 * What must hold: a span is verbatim text of one sentence, begins and ends at a word, does not cross strong punctuation, never
 * starts or ends in a word that leaves a phrase open, and says something that the question did not.
 */
import type { Question } from "#workers/local-ai/question.ts";
import { kindMembers, relatedStems } from "#workers/local-ai/related-words.ts";
import type { ScoredSentence, Selection } from "#workers/local-ai/select.ts";
import { wordClasses, type WordClass } from "#workers/local-ai/word-classes.ts";

export interface Parsed {
  readonly scored: ScoredSentence;
  readonly classes: readonly WordClass[];
  /** Per word: 1 when it is a word of the question, less when related, 0 otherwise. */
  readonly matched: readonly number[];
  /** Per word: the gap before it is punctuation: 0 none, 1 comma, 2 strong. */
  readonly breaks: readonly number[];
  readonly dated: readonly boolean[];
  readonly quoted: readonly boolean[];
  /** Per word: the name of somebody who speaks in the pages. Addressing them by name answers nothing. */
  readonly speaker: readonly boolean[];
}

export interface Span {
  readonly parsed: Parsed;
  /** Word indexes, end exclusive. */
  readonly from: number;
  readonly to: number;
}

const maximumWords = 16;
const sentencesRead = 7;

const openStart: ReadonlySet<WordClass> = new Set<WordClass>(["conjunction", "interjection"]);
const openEnd: ReadonlySet<WordClass> = new Set<WordClass>([
  "determiner",
  "possessive",
  "preposition",
  "to",
  "conjunction",
  "auxiliary",
]);

export const noKind: ReadonlySet<string> = new Set();

function parse(scored: ScoredSentence, question: Question, people: ReadonlySet<string>): Parsed {
  const { words, text, dates } = scored.sentence;
  const asked = new Set(question.terms.map((term) => term.stem));
  const kind = question.head === null ? noKind : kindMembers(question.head);
  const near = new Set(
    question.terms.flatMap((term) => [...relatedStems(term.stem)]).filter((stem) => !kind.has(stem)),
  );
  const breaks = words.map((word, index) => {
    const gap = text.slice(words[index - 1]?.end ?? 0, word.start);
    return index === 0 ? 2 : /[;:—–()"“”!?.…]|\s-\s/.test(gap) ? 2 : /,/.test(gap) ? 1 : 0;
  });
  let open = false;
  const quoted = words.map((word, index) => {
    const marks = (text.slice(words[index - 1]?.end ?? 0, word.start).match(/["“”]/g) ?? []).length;
    if (marks % 2 === 1) open = !open;
    return open;
  });
  return {
    scored,
    classes: wordClasses(words),
    matched: words.map((word) => (asked.has(word.stem) ? 1 : near.has(word.stem) ? 0.5 : 0)),
    breaks,
    dated: words.map((word) => dates.some((date) => word.start < date.end && date.start < word.end)),
    quoted,
    speaker: words.map((word) => people.has(word.lower)),
  };
}

/** Words that hang on what stands before them: a span that starts with one reads as cut off. */
const danglingStart =
  /^(?:up|off|out|back|down|over|as|so|too|also|just|even|though|than|that|which|then|well|of|ago|else|etc|re|s|t|by the way|btw|lol|haha)$/;
const emptyWords =
  /^(?:really|very|lot|lots|thing|things|stuff|just|always|also|recently|yesterday|today|last|week|month|year|got|getting|get|went|going|go|definitely|totally|actually|super|started|been)$/;
const placeQuestion = /^(?:where|why|how|duration|frequency|when)$/;

function opens(parsed: Parsed, from: number, type: Question["type"]): boolean {
  const kind = parsed.classes[from];
  const word = parsed.scored.sentence.words[from];
  if (kind === undefined || word === undefined) return false;
  if (from > 0 && (openStart.has(kind) || danglingStart.test(word.lower))) return false;
  if (kind === "preposition" && from > 0 && !placeQuestion.test(type)) return false;
  return !joined(parsed, from);
}

/** The boundary before this word lies inside a name ("New | York") or a quoted title. */
function joined(parsed: Parsed, index: number): boolean {
  if (index === 0 || index >= parsed.classes.length || (parsed.breaks[index] ?? 0) > 0) return false;
  if (parsed.quoted[index] === true && parsed.quoted[index - 1] === true) return true;
  return (
    parsed.classes[index] === "proper" &&
    (parsed.classes[index - 1] === "proper" ||
      (index === 1 &&
        /^\p{Lu}/u.test(parsed.scored.sentence.words[0]?.text ?? "") &&
        parsed.scored.sentence.words[0]?.stop === false))
  );
}

function closes(parsed: Parsed, to: number): boolean {
  const kind = parsed.classes[to - 1];
  const word = parsed.scored.sentence.words[to - 1];
  if (kind === undefined || word === undefined || openEnd.has(kind) || joined(parsed, to)) return false;
  return !word.stop || kind === "pronoun" || kind === "number" || kind === "adverb" || kind === "verb";
}

/** What only repeats the question is no answer to it. */
function adds(parsed: Parsed, from: number, to: number): boolean {
  const { words } = parsed.scored.sentence;
  for (let index = from; index < to; index += 1) {
    const kind = parsed.classes[index];
    if (
      parsed.speaker[index] !== true &&
      (parsed.matched[index] ?? 0) === 0 &&
      (words[index]?.stop === false || kind === "number") &&
      kind !== "interjection" &&
      !emptyWords.test(words[index]?.lower ?? "")
    )
      return true;
  }
  return false;
}

function spansOfSentence(parsed: Parsed, type: Question["type"], into: Span[]): void {
  const { words } = parsed.scored.sentence;
  for (let from = 0; from < words.length; from += 1) {
    if (!opens(parsed, from, type)) continue;
    for (let to = from + 1; to <= Math.min(words.length, from + maximumWords); to += 1) {
      if (to > from + 1 && parsed.breaks[to - 1] === 2) break;
      if (!closes(parsed, to)) continue;
      const alone =
        to === from + 1 &&
        (words[from]?.stop === true || parsed.classes[from] === "interjection" || parsed.classes[from] === "adverb");
      if (alone && parsed.classes[from] !== "number") continue;
      if (adds(parsed, from, to)) into.push({ parsed, from, to });
    }
  }
  if (words.length > maximumWords) into.push({ parsed, from: 0, to: words.length });
}

export function spansOf(selection: Selection): Span[] {
  const spans: Span[] = [];
  const people = new Set(selection.sentences.flatMap(({ sentence }) => sentence.person ?? []));
  for (const scored of selection.sentences.slice(0, sentencesRead))
    spansOfSentence(parse(scored, selection.question, people), selection.question.type, spans);
  return spans;
}

export function spanText(span: Span): string {
  const { words, text } = span.parsed.scored.sentence;
  return text.slice(words[span.from]?.start ?? 0, words[span.to - 1]?.end ?? 0);
}
