/**
 * An age from a date of birth: "My birthday is on 4 May 1990" and "How old am I?".
 *
 * Use: `ageFromBirthday(selection, today)`; null when an age is told elsewhere, or no date of birth with its year.
 *
 * What must hold: the date of birth is of the person asked about; full years only, counted to today.
 */
import type { NumberAnswer } from "#workers/local-ai/answer-number.ts";
import { relations } from "#workers/local-ai/question.ts";
import type { ScoredSentence, Selection } from "#workers/local-ai/select.ts";

const birth = /\b(?:birthday|born|birth)\b|生日|出生|生于/i;
const generic = /^(?:old|ag(?:e)?)$/;
const longestLife = 130;

function fullYears(from: number, today: number): number {
  const [start, end] = [new Date(from), new Date(today)];
  const before =
    end.getUTCMonth() < start.getUTCMonth() ||
    (end.getUTCMonth() === start.getUTCMonth() && end.getUTCDate() < start.getUTCDate());
  return end.getUTCFullYear() - start.getUTCFullYear() - (before ? 1 : 0);
}

/** "My sister was born …" tells nothing of the user's own age. */
function isAbout(scored: ScoredSentence, selection: Selection): boolean {
  const { question } = selection;
  if (question.language === "zh") {
    const others = /(?:妈|爸|姐|妹|哥|弟|爷|奶|儿子|女儿|朋友|老婆|丈夫|太太)/g;
    const asked: readonly string[] = question.text.match(others) ?? [];
    const told: readonly string[] = scored.sentence.text.match(others) ?? [];
    return asked.every((word) => told.includes(word)) && (asked.length > 0 || told.length === 0);
  }
  const terms = question.terms.filter((term) => !generic.test(term.stem));
  if (terms.length > 0) return terms.every((term) => scored.sentence.stems.has(term.stem));
  return (
    question.people.includes(scored.sentence.person ?? "") &&
    !scored.sentence.words.some((word) => relations.test(word.lower) || /^(?:he|she|his|her)$/.test(word.lower))
  );
}

const asksOwnAge = /\bhow old (?:am i|i am)\b/i;
const toldAge =
  /\bI(?:['’]?m| am|['’]?ve turned| (?:just |have )?turned) (?:now |already )?(\d{1,3})(?=[,.!;]|$| (?:and|now|years?|today|yesterday))/iu;

/** "I'm 41.", the newest. */
export function ownAge({ question, sentences }: Selection): NumberAnswer | null {
  if (!asksOwnAge.test(question.text)) return null;
  const told = sentences
    .filter(({ sentence }) => question.people.includes(sentence.person ?? "") && !sentence.asks)
    .sort((left, right) => (right.sentence.page.at ?? 0) - (left.sentence.page.at ?? 0));
  for (const source of told) {
    const years = toldAge.exec(source.sentence.text)?.[1];
    if (years !== undefined) return { text: `${years} years old`, sources: [source] };
  }
  return null;
}

export function ageFromBirthday(selection: Selection, today: number | null): NumberAnswer | null {
  if (selection.question.type !== "age" || today === null) return null;
  const source = selection.sentences.find(
    (scored) =>
      birth.test(scored.sentence.text) &&
      !scored.sentence.asks &&
      scored.sentence.dates.some((date) => !date.relative) &&
      isAbout(scored, selection),
  );
  const date = source?.sentence.dates.find(
    ({ relative, wording }) => !relative && wording.kind === "plain" && wording.precision === "day",
  );
  if (source === undefined || date === undefined) return null;
  const years = fullYears(date.from, today);
  if (years < 0 || years > longestLife) return null;
  return {
    text: selection.question.language === "zh" ? `${String(years)}岁` : `${String(years)} years old`,
    sources: [source],
  };
}
