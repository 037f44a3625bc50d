/**
 * From a question and the evidence to an answer with citations, or to "I don't know."
 *
 * Use: `answerQuestion(text, evidence)`; `describe(subject, evidence, language)` for "what do you know about …".
 *
 * What must hold: every citation is the handle of the page that the words before it come from; an answer that is not supported is
 * the abstention and nothing else.
 */
import { analyze } from "#shared/text/words.ts";
import { answerChinese } from "#workers/local-ai/answer-chinese.ts";
import { ageFromBirthday, ownAge } from "#workers/local-ai/birthdays.ts";
import { answerNumber } from "#workers/local-ai/answer-number.ts";
import { answerChoice, answerYesNo } from "#workers/local-ai/answer-yes-no.ts";
import { answerWhen, repeatedTime, writeWhen } from "#workers/local-ai/answer-when.ts";
import { bestSpans, type SpanAnswer } from "#workers/local-ai/answer-span.ts";
import type { Evidence } from "#workers/local-ai/evidence.ts";
import { phrases, type Language } from "#workers/local-ai/phrases.ts";
import { newestFirst } from "#workers/local-ai/newest.ts";
import {
  copulaAnswer,
  enumerationAround,
  kindAnswer,
  reasonAnswer,
  whereAnswer,
  whoAnswer,
  type PatternAnswer,
} from "#workers/local-ai/patterns.ts";
import { correctedPages } from "#workers/local-ai/corrections.ts";
import {
  namedChinese,
  ownChinese,
  ownChineseAnyway,
  tellsOfAskedChinese,
  wholeWord,
} from "#workers/local-ai/own-words-chinese.ts";
import { asksOwnName, ownAnswers, ownNameAnswer } from "#workers/local-ai/own-words.ts";
import { endsItem, nounList } from "#workers/local-ai/noun-list.ts";
import { plainQuestion } from "#workers/local-ai/politeness.ts";
import { readQuestion, type Term } from "#workers/local-ai/question.ts";
import { withoutTypos } from "#workers/local-ai/typos.ts";
import { kindMembers, relatedStems } from "#workers/local-ai/related-words.ts";
import { personOf, userPerson, type Sentence } from "#workers/local-ai/sentences.ts";
import { spanText } from "#workers/local-ai/spans.ts";
import { matchTerm, select, type ScoredSentence, type Selection } from "#workers/local-ai/select.ts";
import { selectStanding } from "#workers/local-ai/superseded.ts";
import { withoutRepeats, type Quote } from "#workers/local-ai/told.ts";
import { isSupported } from "#workers/local-ai/support.ts";

export interface Answer {
  readonly text: string;
  readonly supported: boolean;
}

export function cite(text: string, handles: readonly string[], language: Language): string {
  const marks = [...new Set(handles)].map((handle) => `[${handle}]`).join(" ");
  // A page may quote something that looks like a citation; only ours may stand in an answer.
  const quoted = text.replace(/\s*\[p[0-9a-z]*\]/gi, "").trim();
  return quoted === "" ? phrases(language).unknown : `${quoted} ${marks}${phrases(language).stop}`;
}

/** How far below the best a further item of a list may score, and how many items an answer names. */
const listMargin = 2.5;
const listLength = 5;
/** Of so many asked words one may be missing in what the user told. */
const manyTerms = 4;

function handleOf(scored: ScoredSentence): string {
  return scored.sentence.page.handle;
}

function repeats(text: string, others: readonly string[]): boolean {
  const stems = analyze(text);
  return others.some((other) => {
    const known = new Set(analyze(other));
    return stems.filter((stem) => known.has(stem)).length >= Math.min(stems.length, known.size) * 0.6;
  });
}

function answerList(selection: Selection, language: Language): string | null {
  const spans = bestSpans(selection);
  const best = spans[0];
  if (best === undefined) return null;
  const chosen: SpanAnswer[] = [];
  for (const found of spans) {
    const own = found.span.parsed.scored.sentence.person === userPerson;
    const widened = own ? found.span : enumerationAround(found.span);
    const span = { ...found, span: widened, text: own ? wholeText(found, selection) : spanText(widened) };
    const { sentence } = span.span.parsed.scored;
    if (found !== best && (span.score < best.score - listMargin || span.span.parsed.scored.fit < 0 || sentence.asks))
      continue;
    if (
      !repeats(
        span.text,
        chosen.map((other) => other.text),
      )
    )
      chosen.push(span);
    if (chosen.length === listLength) break;
  }
  chosen.sort((left, right) =>
    left.span.parsed.scored.sentence.page.at === right.span.parsed.scored.sentence.page.at
      ? 0
      : (left.span.parsed.scored.sentence.page.at ?? 0) - (right.span.parsed.scored.sentence.page.at ?? 0),
  );
  return cite(
    chosen.map((span) => span.text).join(phrases(language).separator),
    chosen.map((span) => handleOf(span.span.parsed.scored)),
    language,
  );
}

/** Several parts of one answer in the order in which they were told, none twice. */
function citeAll(answers: readonly PatternAnswer[], language: Language): string {
  const kept: PatternAnswer[] = [];
  for (const answer of answers) {
    const known = kept.map((other) => other.text);
    if (!repeats(answer.text, known)) kept.push(answer);
  }
  kept.sort((left, right) => (left.source.sentence.page.at ?? 0) - (right.source.sentence.page.at ?? 0));
  return cite(
    kept.map((answer) => answer.text).join(phrases(language).separator),
    kept.map((answer) => handleOf(answer.source)),
    language,
  );
}

function answerText(selection: Selection, language: Language): string | null {
  const newest = newestFirst(selection);
  if (language === "zh") {
    const own = ownChinese(newest);
    if (own !== null) return cite(own.text, [handleOf(own.source)], language);
    const answer = answerChinese(newest);
    if (answer === null || !tellsOfAskedChinese(newest, answer.source)) return null;
    return cite(wholeWord(answer.text, answer.source.sentence.text), [handleOf(answer.source)], language);
  }
  const own = ownAnswers(newest);
  if (own.length > 0) return citeAll(own, language);
  if (!tellsOfAsked(newest)) return null;
  const members = kindAnswer(newest);
  if (members.length > 0)
    return cite(
      members.map((member) => member.text).join(phrases(language).separator),
      members.map((member) => handleOf(member.source)),
      language,
    );
  const formed = whoAnswer(newest) ?? whereAnswer(newest) ?? copulaAnswer(newest) ?? reasonAnswer(newest);
  if (formed !== null) return cite(formed.text, [handleOf(formed.source)], language);
  if (newest.question.list) return answerList(newest, language);
  const span = bestSpans(newest)[0];
  if (span === undefined) return null;
  const { sentence } = span.span.parsed.scored;
  // What the user told is no place when neither a name nor a phrase of place stands in it.
  if (newest.question.type === "where" && sentence.person === userPerson && !/\p{Lu}/u.test(span.text)) return null;
  return cite(wholeText(span, newest), [handleOf(span.span.parsed.scored)], language);
}

/** A parent is no father: a name or a relation is not met by the wider kind that it belongs to. */
function holdsTerm(term: Term, sentence: Sentence): boolean {
  if (!term.name || matchTerm(term.stem, sentence) === 1) return matchTerm(term.stem, sentence) > 0;
  return [...relatedStems(term.stem)].some((other) => sentence.stems.has(other) && !kindMembers(other).has(term.stem));
}

/**
 * What the user told is short and plain: a sentence that holds not even a related word for what is asked (a colour, a father) does
 * not answer, and neither does one without a reason answer why.
 */
function tellsOfAsked(selection: Selection): boolean {
  const { question } = selection;
  const top = selection.sentences.find(({ sentence, fit }) => !sentence.asks && fit >= 0);
  if (top === undefined || top.sentence.person !== userPerson) return true;
  if (question.type === "why" && reasonAnswer(selection) === null) return false;
  const told = selection.byPage.get(top.sentence.page.handle) ?? [];
  const asked = question.terms.filter((term) => term.weight >= 1);
  const missing = asked.filter((term) => !told.some((sentence) => holdsTerm(term, sentence)));
  return missing.length <= (asked.length >= manyTerms ? 1 : 0);
}

/** "LX 1234 departs": the verb of the next part is no part of the answer. */
function withoutVerb(text: string): string {
  const words = text.split(" ");
  return words.length > 1 && endsItem.test(words.at(-1) ?? "") ? words.slice(0, -1).join(" ") : text;
}

/** A span of the user's own words with all that is listed with it, and without the preposition that a what-question leaves out. */
function wholeText({ span, text }: SpanAnswer, { question }: Selection): string {
  const { sentence } = span.parsed.scored;
  if (sentence.person !== userPerson) return text;
  const to = nounList(sentence, span.from);
  const whole =
    to > span.to ? sentence.text.slice(sentence.words[span.from]?.start, sentence.words[to - 1]?.end) : text;
  return question.type === "what" || question.type === "who"
    ? withoutVerb(whole).replace(/^(?:to|for|with|about|of|on|at|in|from|by) (?=\S)/i, "")
    : whole;
}

function answerSupported(selection: Selection, evidence: Evidence, language: Language): string | null {
  const words = phrases(language);
  switch (selection.question.type) {
    case "when": {
      const repeated = repeatedTime(selection);
      if (repeated !== null) return cite(repeated.text, [handleOf(repeated.scored)], language);
      const when = answerWhen(newestFirst(selection));
      return when === null ? null : cite(writeWhen(when, selection.question), [handleOf(when.scored)], language);
    }
    case "yes-no": {
      const polar = answerYesNo(newestFirst(selection));
      return polar === null
        ? null
        : cite(
            `${polar.positive === null ? "" : `${polar.positive ? words.yes : /没/.test(polar.text) ? words.notYet : words.no}${words.colon}`}${polar.text}`,
            [handleOf(polar.source)],
            language,
          );
    }
    case "choice": {
      const choice = answerChoice(newestFirst(selection));
      return choice === null ? answerText(selection, language) : cite(choice.text, [handleOf(choice.source)], language);
    }
    case "count":
    case "amount":
    case "duration":
    case "frequency":
    case "age":
    case "ago": {
      const named = language === "zh" ? namedChinese(newestFirst(selection)) : null;
      if (named !== null) return cite(named.text, [handleOf(named.source)], language);
      const number = answerNumber(newestFirst(selection), evidence.today);
      if (
        number === null &&
        (language === "en" || selection.question.type === "age") &&
        selection.sentences[0]?.sentence.person === userPerson
      )
        return null;
      return number === null
        ? answerText(selection, language)
        : cite(number.text, number.sources.map(handleOf), language);
    }
    default:
      return answerText(selection, language);
  }
}

/** Questions whose answer shares no word with them: "what is my name?" and "I'm Ravi", "how old am I?" and a birthday. */
function answerAnyway(selection: Selection, evidence: Evidence, language: Language): string | null {
  const name = ownNameAnswer(selection) ?? ownChineseAnyway(selection);
  if (name !== null) return cite(name.text, [handleOf(name.source)], language);
  const age = ageFromBirthday(selection, evidence.today) ?? ownAge(selection);
  return age === null ? null : cite(age.text, age.sources.map(handleOf), language);
}

/** Nobody else's name answers "what is my name?". */
function namesNobody({ question, sentences }: Selection): boolean {
  return asksOwnName.test(question.text) && sentences[0]?.sentence.person === userPerson;
}

export function answerQuestion(text: string, evidence: Evidence): Answer {
  const speakers = new Set(
    evidence.pages
      .flatMap((page) => personOf(page) ?? [])
      .filter((person) => person !== userPerson && person !== "assistant"),
  );
  const pages = correctedPages(evidence.pages);
  const question = readQuestion(withoutTypos(plainQuestion(text), pages, speakers), speakers, evidence.today);
  const selection = selectStanding(question, pages);
  const language = question.language;
  const answer =
    answerAnyway(selection, evidence, language) ??
    (isSupported(selection) && !namesNobody(selection) ? answerSupported(selection, evidence, language) : null);
  return answer === null
    ? {
        text:
          question.people.length === 0 && !question.terms.some((term) => term.name)
            ? phrases(language).unknownInGeneral
            : phrases(language).unknown,
        supported: false,
      }
    : { text: answer, supported: true };
}

/** The sentences that say most about a subject, each with its source. */
export function describe(subject: string, evidence: Evidence, language: Language): string {
  const speakers = new Set(
    evidence.pages.flatMap((page) => personOf(page) ?? []).filter((person) => person !== "assistant"),
  );
  const question = readQuestion(subject, speakers, evidence.today);
  const selection = select(question, evidence.pages);
  const chosen = selection.sentences
    .filter(
      (scored) =>
        !scored.sentence.asks &&
        !scored.sentence.caption &&
        (question.terms.length === 0 ? scored.fit > 0.5 : scored.own > 0.58),
    )
    .slice(0, 4);
  if (chosen.length === 0) return phrases(language).unknown;
  return listQuotes(
    withoutRepeats(chosen.map(({ sentence }) => ({ text: sentence.text, page: sentence.page }))),
    language,
  );
}

/** One quote stands alone; several stand in a list that says what it is. */
export function listQuotes(quotes: readonly Quote[], language: Language): string {
  const lines = quotes.map(({ text, page }) => cite(text.replace(/[.!。！\s]+$/, ""), [page.handle], language));
  return lines.length === 1
    ? (lines[0] ?? "")
    : [phrases(language).quotes, ...lines.map((line) => `- ${line}`)].join("\n");
}
