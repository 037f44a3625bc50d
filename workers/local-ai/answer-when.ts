/**
 * Answers to "when": a date in the best sentence, resolved against the date of its own page.
 *
 * Use: `answerWhen(selection)`; null when no page with a date speaks of it.
 *
 * What must hold: a date comes from the sentence, else from the same page, else it is the page's own date; never from the clock.
 */
import { formatDate, startOfDay, weekdayNames } from "#shared/text/dates.ts";
import { writeDate, type DateExpression } from "#shared/text/date-wording.ts";
import { findClock, findRepeated } from "#workers/local-ai/clock.ts";
import type { Question } from "#workers/local-ai/question.ts";
import { matchTerm, type ScoredSentence, type Selection } from "#workers/local-ai/select.ts";
import { userPerson } from "#workers/local-ai/sentences.ts";

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
const toldOfUser = 0.5;

/**
 * The user's own page gives its date to what it tells as done: every asked word stands in it as asked ("lives in Madrid" is no
 * move), and the question is not about what is still to come.
 */
function tellsEvent({ sentence }: ScoredSentence, question: Question): boolean {
  if (sentence.person !== userPerson) return true;
  if (
    /\b(?:is|are|will|does|do)\b(?! it (?:that|since))/i.test(question.text) ||
    /(?:生日|会议|要)/.test(question.text)
  )
    return false;
  return question.terms.every((term) => matchTerm(term.stem, sentence) >= (question.language === "zh" ? 0.7 : 1));
}

function pageDate(scored: ScoredSentence, question: Question): DatedAnswer | null {
  const at = scored.sentence.page.at;
  if (at === null || scored.near < told || !tellsEvent(scored, question)) return null;
  return {
    scored,
    relative: false,
    date: {
      from: startOfDay(at),
      wording: {
        kind: "plain",
        precision: question.unit === "month" || question.unit === "year" ? question.unit : "day",
      },
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
        ? pageDate(scored, question)
        : { scored, date: inUnit(date, question.unit), relative: date.relative };
    if (answer === null) continue;
    const score = scored.score + (own !== null ? ownDate : date !== null ? nearDate : 0);
    if (best === null || score > best.score) best = { answer, score };
  }
  return best?.answer ?? null;
}

const birthdays = /\b(?:birthday|anniversary)\b|生日|纪念日/i;

/** A day of the week as a day of the calendar: who tells of "Friday" today means one day and knows it. */
function writeDay({ from, wording }: DatedAnswer["date"], language: "en" | "zh"): string {
  if (wording.kind !== "around" || wording.unit !== "weekday") return writeDate({ from, wording }, language);
  const day = formatDate(from, "day", language);
  const weekday = new Date(from).getUTCDay();
  return language === "zh"
    ? `${day}（星期${"日一二三四五六"[weekday] ?? ""}）`
    : `${weekdayNames[weekday] ?? ""}, ${day}`;
}

/** The user's own appointments with their hour; between other people a date stays as vague as it was said. */
export function writeWhen({ date, scored }: DatedAnswer, { language, unit, text }: Question): string {
  const { sentence } = scored;
  if (sentence.person !== userPerson) return writeDate(date, language);
  const written = sentence.dates.find((found) => found.from === date.from);
  if (birthdays.test(`${text} ${sentence.text}`) && written?.relative === true && /\d/.test(written.text))
    return written.text.replace(/^(?:on|in) /i, "");
  const day = writeDay(date, language);
  const clock = unit === "day" ? findClock(sentence.text) : null;
  if (clock === null || sentence.dates.length > 1) return day;
  return language === "zh" ? `${day}${clock}` : `${day}, ${/^\d/.test(clock) ? "at " : ""}${clock}`;
}

/** "Every Tuesday at 18:00", and a time without a day: in the words of the best sentence. */
export function repeatedTime({ sentences, question }: Selection): { text: string; scored: ScoredSentence } | null {
  const [scored] = sentences;
  if (scored === undefined || scored.sentence.asks || scored.fit < 0) return null;
  if (scored.sentence.person !== userPerson && scored.sentence.page.kind !== "document") return null;
  if (scored.own < toldOfUser || /\b(?:did|was|were)\b/i.test(question.text)) return null;
  const { text } = scored.sentence;
  const [day, clock] = [findRepeated(text), findClock(text)];
  if (day === null && (clock === null || scored.sentence.dates.length > 0)) return null;
  const parts = [day, clock].filter((part): part is string => part !== null && part !== "");
  parts.sort((left, right) => text.indexOf(left) - text.indexOf(right));
  return { text: parts.join(question.language === "zh" ? "" : " "), scored };
}
