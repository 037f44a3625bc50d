/**
 * Answers to "when": a date in the best sentence, resolved against the date of its own page.
 *
 * Use: `answerWhen(selection)`; null when no page with a date speaks of it.
 *
 * What must hold: a date comes from the sentence, else from the same page, else it is the page's own date; never from the clock.
 */
import { startOfDay } from "#shared/text/dates.ts";
import { writeDate, type DateExpression } from "#shared/text/date-wording.ts";
import type { Question } from "#workers/local-ai/question.ts";
import type { ScoredSentence, Selection } from "#workers/local-ai/select.ts";

export interface DatedAnswer {
  readonly scored: ScoredSentence;
  readonly date: Pick<DateExpression, "from" | "wording">;
  readonly relative: boolean;
}

const sentencesRead = 8;
/** A date in the sentence itself, or elsewhere on its page, is worth a little match. */
const ownDate = 0.3;
/** Without a written date, the page's own date answers only when page and neighbours tell most of what was asked. */
const told = 0.75;
const nearDate = 0.2;

function pageDate(scored: ScoredSentence, unit: Question["unit"]): DatedAnswer | null {
  const at = scored.sentence.page.at;
  if (at === null || scored.near < told) return null;
  return {
    scored,
    relative: false,
    date: {
      from: startOfDay(at),
      wording: { kind: "plain", precision: unit === "month" || unit === "year" ? unit : "day" },
    },
  };
}

/** "What month" wants no day, and "what year" no month. */
function inUnit(date: DateExpression, unit: Question["unit"]): Pick<DateExpression, "from" | "wording"> {
  if (unit !== "month" && unit !== "year") return date;
  if (date.wording.kind === "plain" && (date.wording.precision === "year" || date.wording.precision === unit))
    return date;
  return { from: date.from, wording: { kind: "plain", precision: unit } };
}

const futureQuestion =
  /\b(?:will|going to|plan(?:s|ned|ning)? (?:to|on)|next|upcoming|is \w+ \w+ing)\b|打算|计划|将要|会去/i;

function pick(dates: readonly DateExpression[], question: Question, at: number | null): DateExpression | null {
  const future = futureQuestion.test(question.text);
  const fitting = dates.filter((date) => at === null || (future ? date.to > at : date.from <= at));
  return fitting[0] ?? dates[0] ?? null;
}

export function answerWhen(selection: Selection): DatedAnswer | null {
  const { question } = selection;
  let best: { answer: DatedAnswer; score: number } | null = null;
  for (const scored of selection.sentences.slice(0, sentencesRead)) {
    const { sentence } = scored;
    const own = pick(sentence.dates, question, sentence.page.at);
    const others = selection.byPage.get(sentence.page.handle)?.flatMap((other) => other.dates) ?? [];
    const date = own ?? pick(others, question, sentence.page.at);
    const answer =
      date === null
        ? pageDate(scored, question.unit)
        : { scored, date: inUnit(date, question.unit), relative: date.relative };
    if (answer === null) continue;
    const score = scored.score + (own !== null ? ownDate : date !== null ? nearDate : 0);
    if (best === null || score > best.score) best = { answer, score };
  }
  return best?.answer ?? null;
}

export function writeWhen(answer: DatedAnswer, language: "en" | "zh"): string {
  return writeDate(answer.date, language);
}
