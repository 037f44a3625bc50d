/**
 * Answers by the form of what the user told of themself: the object of the asked verb, the names, the work, the place, the person.
 *
 * Use: `ownAnswers(newest)` before the weighed spans are tried; empty when no form fits.
 *
 * What must hold: verbatim text of one sentence that the user wrote (talk between other people is left to the weighed spans);
 * what is listed together stays together.
 */
import { nounList } from "#workers/local-ai/noun-list.ts";
import { namedValue } from "#workers/local-ai/named-values.ts";
import { ownPlace } from "#workers/local-ai/own-place.ts";
import type { PatternAnswer } from "#workers/local-ai/patterns.ts";
import { relations, type Question } from "#workers/local-ai/question.ts";
import { kindMembers, relatedStems } from "#workers/local-ai/related-words.ts";
import type { ScoredSentence, Selection } from "#workers/local-ai/select.ts";
import { userPerson, type Sentence } from "#workers/local-ai/sentences.ts";

const sentencesRead = 5;
const longestQuote = 24;
const longestList = 5;

/** The user's own telling sentences that match nearly as well as the best. */
export function ownSentences(selection: Selection): ScoredSentence[] {
  const [top] = selection.sentences;
  if (top === undefined || top.sentence.person !== userPerson) return [];
  const telling = selection.sentences
    .slice(0, sentencesRead)
    .filter(({ sentence, fit }) => !sentence.asks && !sentence.caption && fit >= 0 && sentence.person === userPerson);
  const best = Math.max(0, ...telling.map(({ own }) => own));
  const { page } = telling.find(({ own }) => own === best)?.sentence ?? top.sentence;
  const beside = telling.filter(({ sentence, own }) => own < best * 0.8 && own > 0 && sentence.page === page);
  return [...telling.filter(({ own }) => own >= best * 0.8), ...beside];
}

export function cut(sentence: Sentence, from: number, to: number): string | null {
  const [first, last] = [sentence.words[from], sentence.words[to - 1]];
  return first === undefined || last === undefined || to <= from ? null : sentence.text.slice(first.start, last.end);
}

function stemsOfQuestion(question: Question): Set<string> {
  return new Set(question.terms.map((term) => term.stem));
}

/** What the noun list says that the question did not. */
function fresh(sentence: Sentence, from: number, to: number, asked: ReadonlySet<string>): boolean {
  return sentence.words.slice(from, to).some((word) => !word.stop && !asked.has(word.stem));
}

const verbQuestion =
  /\b(?:[Dd]o|[Dd]oes|[Dd]id|have|has|had|will|would|can|should|am|is|are|was|were)\s+(?:[Ii]|we|he|she|they|you|(?:my|our|his|her|the)\s+(?:\w+\s+)?\w+|\p{Lu}[\w'’-]+(?:\s+\p{Lu}[\w'’-]+)*)\s+(?:(?:usually|often|also|never|always|still|just|like to|want to|have to|need to|plan to|going to|planning to)\s+)*(\p{L}+)\b/u;
const lastPreposition = /\b(to|for|with|about|at|on|of|from|in|by|into)\s*(?:now|again|today|yesterday)?\W*$/i;

/** "What did I buy yesterday?": the list behind the word for buying. "What am I allergic to?": the list behind its "to". */
function objectAnswer(question: Question, scored: ScoredSentence): string | null {
  if (question.type !== "what" && question.type !== "who" && !(question.type === "where" && question.list)) return null;
  const { sentence } = scored;
  const asked = stemsOfQuestion(question);
  const preposition = lastPreposition.exec(question.text)?.[1]?.toLowerCase();
  const verb = verbQuestion.exec(question.text)?.[1];
  const stem = question.words.find((word) => word.text === verb)?.stem;
  const index = sentence.words.findIndex(
    (word) =>
      (stem !== undefined && word.stem === stem) ||
      (stem !== undefined && relatedStems(stem).has(word.stem) && !word.stop),
  );
  if (preposition !== undefined) {
    const from = sentence.words.findIndex(
      (word, place) =>
        word.lower === preposition && sentence.words.slice(0, place).some((before) => asked.has(before.stem)),
    );
    return from === -1 ? null : freshList(sentence, from + 1, asked);
  }
  if (index === -1) return null;
  if (question.type === "who") return companyAnswer(sentence, index, asked);
  const particle = /^(?:up|out|off|down|on|to|for)$/.test(sentence.words[index + 1]?.lower ?? "") ? 1 : 0;
  return freshList(sentence, index + 1 + particle, asked);
}

/** "Who did I meet?": a name behind the verb, or behind "with". */
function companyAnswer(sentence: Sentence, verb: number, asked: ReadonlySet<string>): string | null {
  if (/^\p{Lu}/u.test(sentence.words[verb + 1]?.text ?? "")) return freshList(sentence, verb + 1, asked);
  const company = sentence.words.findIndex((word, place) => place > verb && word.lower === "with");
  return company === -1 ? null : freshList(sentence, company + 1, asked);
}

function freshList(sentence: Sentence, from: number, asked: ReadonlySet<string>): string | null {
  // "What did I finish reading?": the asked words themselves are no answer.
  while (asked.has(sentence.words[from]?.stem ?? "") && sentence.words[from]?.lower.endsWith("ing") === true) from += 1;
  const to = nounList(sentence, from);
  return fresh(sentence, from, to, asked) ? cut(sentence, from, to) : null;
}

const asksName = /\bnames?\b|\b(?:called|named)\b/i;
const naming = /\b(?:called|named|names? (?:is|are)|['’]s name is)\s+(?=[\p{L}\p{N}"“])/giu;

/** "My son Ben is 7 and my daughter Lily is 4": the names right behind what is asked about, or behind its kinds. */
function introducedNames(question: Question, sentence: Sentence): string | null {
  const asked = new Set(
    question.terms.flatMap((term) => (/^(?:name|call)$/.test(term.stem) ? [] : [term.stem, ...kindMembers(term.stem)])),
  );
  const names = sentence.words.flatMap((word, index) => {
    const behind = sentence.text.slice(word.end).trimStart();
    if (!asked.has(word.stem) || !/^,? ?\p{Lu}/u.test(behind)) return [];
    return cut(sentence, index + 1, nounList(sentence, index + 1)) ?? [];
  });
  return names.length === 0 ? null : names.join(", ");
}

/** "What are my cats called?": the list behind "named", when what is asked about stands before it. */
function namesAnswer(question: Question, scored: ScoredSentence): string | null {
  if (!asksName.test(question.text)) return null;
  const { sentence } = scored;
  const asked = question.terms.filter((term) => !/^(?:name|call)$/.test(term.stem));
  for (const match of asked.length === 0 ? [] : sentence.text.matchAll(naming)) {
    const end = match.index + match[0].length;
    const from = sentence.words.findIndex((word) => word.start >= end);
    const clause = sentence.text.slice(0, match.index).search(/[^,;.]*$/);
    const before = new Set(
      sentence.words.filter((word) => word.start >= clause && word.start < match.index).map((word) => word.stem),
    );
    const known = asked.filter(
      (term) => before.has(term.stem) || (!term.name && relatedStems(term.stem).size > 0),
    ).length;
    if (from === -1 || known < asked.length) continue;
    const to = nounList(sentence, from);
    const names = to > from ? cut(sentence, from, to) : null;
    // "Mimi and a brother named Oleg": what has an article or an owner is no further name.
    if (names !== null)
      return /^\p{Lu}/u.test(names) ? names.replace(/(?:,| and)+ (?:an?|my|our|two|three|the) .*$/, "") : names;
  }
  return asked.length === 0 ? null : introducedNames(question, sentence);
}

export const asksOwnName =
  /\bwhat(?:['’]?s| is| was) my (?:full |first |last |own )?name\b|\bwho am i\W*$|\bwhat am i called\b|\bdo you know my name\b|\bmy name\W*$/i;
const ownName =
  /\b(?:[Mm][Yy] (?:full )?(?:name|NAME)(?:['’]s| is| IS)|[Cc]all me|[Ii](?:['’]?m| am) called|I go by|[Tt]his is)\s+(\p{Lu}[\p{L}'’-]*(?:\s\p{Lu}[\p{L}'’-]*)*)/u;
const greeted = /^(?:hi|hello|hey)[!,. ]+(?:there[!,. ]+)?i(?:['’]?m| am) (\p{L}{2,})\b/iu;
/** Without capitals only "my name is" says that a name follows. */
const lowerName = /\b(?:my (?:full )?name(?:['’]?s| is)|call me)\s+(\p{L}[\p{L}'’-]*)/iu;
const introduced =
  /^(?:(?:[Hh]i|[Hh]ello|[Hh]ey)\b[\p{L}\s]*[!,.]*\s*)?(?:I['’]?m|I am)\s+(\p{Lu}\p{Ll}[\p{L}'’-]*(?:\s\p{Lu}[\p{L}'’-]*)*)(?=[,.!;]|\s(?:and|from)\b|$)/u;

/** The newest sentence in which the user says who they are. Read without regard to the match: "I'm Ravi" holds no asked word. */
export function ownNameAnswer(selection: Selection): PatternAnswer | null {
  if (!asksOwnName.test(selection.question.text)) return null;
  const told = selection.sentences
    .filter(({ sentence }) => sentence.person === userPerson && !sentence.asks)
    .sort((left, right) => (right.sentence.page.at ?? 0) - (left.sentence.page.at ?? 0));
  for (const pattern of [ownName, introduced, greeted, lowerName]) {
    for (const source of told) {
      const name = pattern.exec(source.sentence.text)?.[1];
      if (name !== undefined) return { text: name, source };
    }
  }
  return null;
}

const asksWork =
  /\bwhat (?:do|does) .{1,40}? do(?: for (?:a |his |her |my )?(?:living|work|job))?\W*$|\b(?:job|profession|occupation)\W*$|\bwhat (?:do|does) .{1,30} work as\b/i;
const work =
  /\b(?:works? (?:full[- ]time |part[- ]time )?(?:as|for|at|in)|working as|worked as|jobs? (?:is|as)|profession is|(?:I['’]m|I am|is|was) (?=an? \p{L}*(?:er|or|ist|ian|ant|ent|nurse|chef|pilot|cook|judge|clerk|student|vet|doctor|plumber|coach|guide)\b))/giu;
/** What is said to be over, before the words that name it. */
const over = /\b(?:no longer|not|never|used to|stopped|quit|gave up)\W*$|n['’]t\W*$/i;

function workAnswer(question: Question, scored: ScoredSentence): string | null {
  if (!asksWork.test(question.text)) return null;
  const { sentence } = scored;
  const past = /\b(?:was|were|did|used|before|former\w*|previous\w*)\b/i.test(question.text);
  const match = [...sentence.text.matchAll(work)].find(
    ({ index }) => past || !over.test(sentence.text.slice(0, index)),
  );
  if (match === undefined) return null;
  const from = sentence.words.findIndex((word) => word.start >= match.index + match[0].length);
  const to = nounList(sentence, from);
  return from === -1 || to === from ? null : cut(sentence, from, to);
}

const whoIs =
  /^\W*who(?:['’]?s| is| are| was)\s+(?!(?:my|the|your|our|i|it|this|that|his|her)\b)([\p{L}'’.-]+(?: [\p{L}'’-]+)?)\W*$/iu;

/** "Who is Anna?": the clause that says what she is to the user. */
function personAnswer(question: Question, scored: ScoredSentence): string | null {
  const { text, words } = scored.sentence;
  if (question.type !== "who") return null;
  const name = whoIs.exec(question.text)?.[1]?.trim();
  if (name !== undefined) {
    if (!text.toLowerCase().includes(name.toLowerCase())) return null;
    const bare = text.replace(/[.!\s]+$/, "");
    if (words.length <= longestQuote) return bare;
    const at = bare.toLowerCase().indexOf(name.toLowerCase());
    const start = bare.slice(0, at).search(/[^,;]*$/);
    return (
      bare
        .slice(start)
        .split(/[,;](?:\s|$)/)[0]
        ?.trim() ?? null
    );
  }
  const relation = words.find(
    (word) => relations.test(word.lower) && question.terms.some((term) => term.stem === word.stem),
  );
  const before = relation === undefined ? "" : text.slice(0, relation.start);
  return /(\p{Lu}[\p{L}'’-]*(?: \p{Lu}[\p{L}'’-]*)*) (?:is|was) (?:my|our) (?:\p{L}+ )?$/u.exec(before)?.[1] ?? null;
}

function formedAnswer(question: Question, scored: ScoredSentence): string | null {
  return (
    namedValue(question, scored) ??
    workAnswer(question, scored) ??
    personAnswer(question, scored) ??
    namesAnswer(question, scored) ??
    (question.type === "where" ? ownPlace(question, scored) : objectAnswer(question, scored))
  );
}

/** Of all that names somebody, what says who they are comes first: "my partner Jonas", "Jonas is my boss". */
function introductions({ question, sentences }: Selection): ScoredSentence[] {
  const name = whoIs.exec(question.text)?.[1]?.trim();
  if (name === undefined) return [];
  const known = new RegExp(
    `\\b(?:my|our|[\\p{L}]+['’]s) (?:\\p{L}+ ){1,2}(?:is |is called |called |named )?${name}\\b(?!['’]s)|\\b${name},? (?:is |was )?(?:my|our|a|an|the|[\\p{L}]+['’]s) `,
    "iu",
  );
  return sentences.filter(
    ({ sentence }) => sentence.person === userPerson && !sentence.asks && known.test(sentence.text),
  );
}

/** One answer; for a list one from each sentence that has one. */
export function ownAnswers(selection: Selection): readonly PatternAnswer[] {
  const { question } = selection;
  const found: PatternAnswer[] = [];
  if (question.language !== "en") return found;
  for (const scored of [...introductions(selection), ...ownSentences(selection)]) {
    const text = formedAnswer(question, scored);
    if (text !== null) found.push({ text, source: scored });
    if (found.length === (question.list ? longestList : 1)) break;
  }
  return found;
}
