/**
 * Answers to yes-or-no questions and to "X or Y?", each with the sentence that says so.
 *
 * Use: `answerYesNo(selection)`, `answerChoice(selection)`; null when no sentence decides it.
 *
 * What must hold: yes needs a sentence with nearly all that was asked; a negated one gives no; related words alone decide nothing.
 */
import { analyze } from "#shared/text/words.ts";
import { wordClasses } from "#workers/local-ai/word-classes.ts";
import type { ScoredSentence, Selection } from "#workers/local-ai/select.ts";

export interface PolarAnswer {
  /** Null when the sentence speaks of a plan and the question of the past: it is quoted and left to the reader. */
  readonly positive: boolean | null;
  readonly text: string;
  readonly source: ScoredSentence;
}

const negation =
  /\b(?:not|never|no longer|don['’]?t|doesn['’]?t|didn['’]?t|haven['’]?t|hasn['’]?t|hadn['’]?t|isn['’]?t|aren['’]?t|wasn['’]?t|weren['’]?t|won['’]?t|can['’]?t|couldn['’]?t|wouldn['’]?t|stopped|quit|without|hate|no)\b|不|没|沒|未|别|从来没/i;
const pastQuestion = /^\W*(?:have|has|had|did|was|were)\b|过[吗了]/i;
const future =
  /\b(?:will|going to|gonna|plan(?:s|ning)?|next (?:week|month|year|summer|weekend)|tomorrow|hope to|want to)\b|['’]ll\b|打算|计划|明年|下个?[月周]|明天/i;
/** The least share of the question's words that the deciding sentence and its page must hold. */
const decisive = 0.6;
const longClause = 14;

/** The part of a long sentence that holds the matches: from the break before the first to the break after the last. */
export function clauseOf(scored: ScoredSentence, selection: Selection): string {
  const { words, text } = scored.sentence;
  const bare = text.replace(/[.!。！\s]+$/, "");
  if (words.length <= longClause) return bare;
  const asked = new Set(selection.question.terms.map((term) => term.stem));
  const hits = words.flatMap((word, index) => (asked.has(word.stem) ? [index] : []));
  const [first, last] = [hits[0], hits.at(-1)];
  if (first === undefined || last === undefined) return bare;
  const classes = wordClasses(words);
  const breaks = (index: number): boolean =>
    index === 0 ||
    /[,;:—–，；：]/.test(text.slice(words[index - 1]?.end ?? 0, words[index]?.start ?? 0)) ||
    (classes[index] === "conjunction" && /^(?:but|so|because|and)$/.test(words[index]?.lower ?? ""));
  let from = first;
  while (from > 0 && !breaks(from)) from -= 1;
  let to = last + 1;
  while (to < words.length && !breaks(to)) to += 1;
  if (from > 0 && classes[from] === "conjunction") from += 1;
  return text.slice(words[from]?.start ?? 0, words[to - 1]?.end ?? text.length);
}

export function answerYesNo(selection: Selection): PolarAnswer | null {
  const source = selection.sentences.find(
    (scored) => !scored.sentence.asks && !scored.sentence.caption && scored.fit >= 0 && scored.paged >= decisive,
  );
  if (source === undefined) return null;
  const text = clauseOf(source, selection);
  // "Have I never …?" and "don't I …?" ask about the same fact as without the negation.
  const planned = pastQuestion.test(selection.question.text) && future.test(source.sentence.text);
  return { positive: planned ? null : !negation.test(text), text, source };
}

export function answerChoice(selection: Selection): { readonly text: string; readonly source: ScoredSentence } | null {
  const choices = selection.question.choices.map((text) => ({ text, stems: analyze(text) }));
  for (const scored of selection.sentences) {
    const { sentence } = scored;
    if (sentence.asks || scored.fit < 0) continue;
    const named = choices.filter(({ stems }) => stems.some((stem) => sentence.stems.has(stem)));
    const [only] = named;
    if (only !== undefined && named.length === 1 && !negation.test(sentence.text))
      return { text: only.text, source: scored };
  }
  return null;
}
