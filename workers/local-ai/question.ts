/**
 * What a question asks: its type, whom it is about, the words to look for, and the time it is limited to.
 *
 * Use: `readQuestion(text, speakers, today)`, with the lower-case names of everyone who speaks in the mapped pages.
 *
 * What must hold: pure; English and Chinese give the same shape; names of speakers are people, not search words, because who said
 * something is a matter of the page.
 */
import { analyzeWord, isStopWord } from "#shared/text/words.ts";
import { findDates } from "#shared/text/date-expressions.ts";
import type { DateExpression } from "#shared/text/date-wording.ts";
import { findChineseDates } from "#shared/text/chinese-dates.ts";
import { readChineseQuestion } from "#workers/local-ai/chinese.ts";
import { hasHan, readWords, userPerson, type Word } from "#workers/local-ai/sentences.ts";

export type QuestionType =
  | "when"
  | "who"
  | "where"
  | "why"
  | "count"
  | "amount"
  | "duration"
  | "frequency"
  | "ago"
  | "yes-no"
  | "choice"
  | "how"
  | "what"
  | "age";

export interface Term {
  readonly stem: string;
  /** How much it matters beyond its rarity: words that most questions use count little. */
  readonly weight: number;
  /** A name ("Anna"): evidence without it is about something else. */
  readonly name: boolean;
}

export interface Question {
  readonly text: string;
  readonly language: "en" | "zh";
  readonly type: QuestionType;
  /** Several answers are asked for. */
  readonly list: boolean;
  readonly terms: readonly Term[];
  /** The people it is about, most important first: a speaker's lower-case name, or `user`. */
  readonly people: readonly string[];
  /** The noun after what or which ("which city" → city), stemmed; null otherwise. */
  readonly head: string | null;
  /** What a when-question wants: a day or a vaguer unit. */
  readonly unit: "day" | "week" | "month" | "year";
  readonly dates: readonly DateExpression[];
  readonly words: readonly Word[];
  /** The alternatives of "X or Y?". */
  readonly choices: readonly string[];
}

const types: readonly (readonly [QuestionType, RegExp])[] = [
  [
    "ago",
    /\bhow long ago\b|\bhow (?:many|much) (?:days|weeks|months|years|time) ago\b|\bhow (?:long|many \w+) (?:has it been|is it) since\b/i,
  ],
  ["age", /\bhow old\b/i],
  [
    "duration",
    /\bhow long\b|\bfor how (?:long|many (?:days|weeks|months|years))\b|\bhow many (?:days|weeks|months|years|hours|minutes) (?:has|have|did|does|do|was|is|passed)\b/i,
  ],
  ["frequency", /\bhow (?:often|frequently|regularly)\b/i],
  ["count", /\bhow many\b|\bnumber of times\b/i],
  ["amount", /\bhow much\b|\bhow (?:far|tall|big|large|heavy|high|fast)\b/i],
  [
    "when",
    /^\W*(?:(?:and|so|but|since|until|by|around|on|in|at|for) )*when\b|\bwhen (?:did|was|were|is|are|will|does|do|has|have|had)\b|\b(?:what|which) (?:date|day|month|year|week|time)\b|\bwhich (?:\w+ )?(?:year|month|day|week)\b/i,
  ],
  [
    "why",
    /^\W*why\b|\bwhy (?:did|was|is|does|do|has|are|were)\b|\bwhat (?:(?:was|were|is|are) (?:the |\w+['’]s |his |her |their )?(?:\w+ )?(?:reasons?|motivations?)|(?:motivat|inspir|prompt|spark|caus)\w+|made)\b|\bfor what reason\b/i,
  ],
  ["who", /\b(?:who|whom|whose|which (?:person|people|friend|friends|family member))\b|\bwith whom\b/i],
  [
    "where",
    /\bwhere\b|\b(?:which|what) (?:\w+ )?(?:city|cities|country|countries|places?|states?|towns?|locations?)\b/i,
  ],
  ["how", /\bhow\b/i],
  ["what", /\b(?:what|which)\b/i],
];

const yesNoStart =
  /^\W*(?:(?:so|and|but|ok|okay|hey|please|well)[, ]+)*(?:is|are|was|were|am|do|does|did|has|have|had|can|could|will|would|should|isn't|aren't|wasn't|don't|doesn't|didn't|hasn't|haven't|won't)\b/i;
const interrogative = /\b(?:what|which|who|whom|whose|where|when|why|how)\b/i;

/** Words that say what kind of question it is more than what it is about. */
const genericWords = new Set(
  `type types kind kind sort name names called recent recently plan plans planning planned feel feels felt think thinks thought describe described
  activity activities event events thing things way ways place places new get got gotten one two first last during after before like likes love enjoy
  take took use used make made want wanted going go went participate participated attend share shared show showed give gave receive received ask
  discuss discussed time times year month week day date currently according conversation main specific particular certain several different various
  else also both together ever considered consider likely might would could usually often long old much many feeling thoughts opinion someone people person
  what's who's where's experience experiences start started begin began decide decided come came find found see saw photo picture image
  happen happened talk talked call find tell remember know please yes no show list give now still already`
    .split(/\s+/)
    .map((word) => analyzeWord(word)),
);

const genericWeight = 0.35;

function questionType(text: string, choices: readonly string[]): QuestionType {
  const polar =
    yesNoStart.test(text) &&
    !(
      interrogative.test(text) && /^\W*(?:can|could|do|would|will) you\b|^\W*do I\b.*\b(?:know|remember)\b/i.test(text)
    );
  if (polar) return choices.length > 1 ? "choice" : "yes-no";
  return (
    types.find(([, pattern]) => pattern.test(text))?.[0] ??
    (/\?\s*$/.test(text) && interrogative.test(text) === false ? "what" : "what")
  );
}

function readChoices(text: string): string[] {
  const match = /\b(?:the |a |an )?([\w'-]+(?: [\w'-]+)?) or (?:the |a |an )?([\w'-]+(?: [\w'-]+)?)\s*\??$/i.exec(
    text.trim(),
  );
  if (match === null) return [];
  const right = (match[2] ?? "").trim();
  // "Is my bike red or blue": the left one is as many words as the right one.
  return [(match[1] ?? "").split(" ").slice(-right.split(" ").length).join(" "), right];
}

function nameMatches(word: string, person: string): boolean {
  return word === person || person.split(" ").includes(word);
}

function bareName(lower: string): string {
  return lower.replace(/'s?$/, "");
}

/** Speakers in order of mention, and the user for "I" and "my". */
export function peopleIn(text: string, words: readonly Word[], speakers: ReadonlySet<string>): string[] {
  const people: string[] = [];
  for (const word of words) {
    const lower = bareName(word.lower);
    const named = lower.length > 1 ? [...speakers].find((speaker) => nameMatches(lower, speaker)) : undefined;
    const person = named ?? (/^(?:i|my|me|mine|we|our|us|myself)$/.test(lower) ? userPerson : undefined);
    if (person !== undefined && !people.includes(person)) people.push(person);
  }
  // "Do you remember where I…", "tell me about Ann": the user is only the asker when a speaker is named.
  const named = people.filter((person) => person !== userPerson);
  return named.length > 0 && /\b(?:tell|show|remind|give) me\b|\bdo I know\b/i.test(text) ? named : people;
}

const headPattern =
  /\b(?:what|which)(?: (?:are|is|was|were) (?:some of )?(?:the|his|her|their|my|[\w']+'s))?(?: (?:types?|kinds?|sorts?|names?|pieces?|forms?|genres?|styles?|items?) of)? ((?:[\w'-]+ ){0,3}?[\w'-]+) (?:did|does|do|has|have|had|is|are|was|were|will|would|can|could|might|should|that|in|at|for|from|on|to|of)\b/i;

const copularHead =
  /^\W*(?:what|who)(?:'s| is| are| was| were) (?:my|your|his|her|their|our|the|\w+'s) ((?:[\w'-]+ ){0,3}?[\w'-]+)(?= (?:of|in|at|on|for|with|called|named)\b|\s*\?*$)/i;

function headNoun(text: string): string | null {
  const match = copularHead.exec(text) ?? headPattern.exec(text);
  const words = (match?.[1] ?? "").split(" ").filter((word) => word !== "");
  const noun = words.at(-1)?.toLowerCase();
  if (noun === undefined || isStopWord(noun) || /^(?:did|does|do|has|have)$/.test(noun)) return null;
  return noun;
}

function asksForList(text: string, head: string | null, type: QuestionType): boolean {
  if (type === "when" || type === "yes-no" || type === "count" || type === "duration") return false;
  if (
    /\b(?:list|all (?:the|of)|what are|which are|what were|name (?:all|the|some)|what else|who are|who else)\b/i.test(
      text,
    )
  )
    return true;
  const plural =
    /\b(?:what|which|whose)\b(?: (?:types?|kinds?|sorts?) of)? (?:\w+ )?\w{3,}(?<!s)s\b(?! (?:the|a|an|name|favou?rite)\b)/i.test(
      text,
    );
  if (head !== null && /[^su]s$/.test(head) && plural) return true;
  return (
    /\b(?:has|have) \S+ (?:\w+ )?\w+(?:ed|en|ade|one|een|ung|ught|et|ead|un)\b/i.test(text) &&
    /^(?:what|where|which|who)\b/i.test(text.trim())
  );
}

function readUnit(text: string): "day" | "week" | "month" | "year" {
  const unit = /\b(?:what|which) (?:\w+ )?(year|month|week)\b/i.exec(text)?.[1]?.toLowerCase();
  return unit === "year" || unit === "month" || unit === "week" ? unit : "day";
}

/** A relative is as good as a name: what is known of a sister says nothing of a brother. */
export const relations =
  /^(?:mother|mom|mum|father|dad|sister|brother|wife|husband|partner|girlfriend|boyfriend|boss|son|daughter|cousin|aunt|uncle|grandmother|grandfather|grandma|grandpa|neighbou?r|dog|cat|roommate|fiancee?|nephew|niece)(?:'?s)?$/;

function contentTerms(words: readonly Word[], dates: readonly DateExpression[], speakers: ReadonlySet<string>): Term[] {
  const terms = new Map<string, Term>();
  for (const word of words) {
    if (word.stop || terms.has(word.stem) || dates.some((date) => word.start < date.end && date.start < word.end))
      continue;
    const lower = bareName(word.lower);
    if ([...speakers].some((speaker) => nameMatches(lower, speaker))) continue;
    terms.set(word.stem, {
      stem: word.stem,
      weight: genericWords.has(word.stem) ? genericWeight : 1,
      name: relations.test(word.lower) || (word !== words[0] && /^\p{Lu}\p{Ll}/u.test(word.text)),
    });
  }
  return [...terms.values()];
}

export function readQuestion(text: string, speakers: ReadonlySet<string>, today: number | null): Question {
  if (hasHan(text)) return readChineseQuestion(text, speakers, findChineseDates(text, today));
  const words = readWords(text);
  const dates = findDates(text, today).filter(
    (date) => !date.relative || !/^(?:by|of|for|from|after|before|around)\b/i.test(date.text),
  );
  const choices = readChoices(text);
  const type = questionType(text, choices);
  const head = type === "what" || type === "where" || type === "who" ? headNoun(text) : null;
  return {
    text,
    language: "en",
    type,
    list: asksForList(text, head, type),
    terms: contentTerms(words, dates, speakers),
    people: peopleIn(text, words, speakers),
    head: head === null ? null : analyzeWord(head),
    unit: readUnit(text),
    dates,
    words,
    choices: type === "choice" ? choices : [],
  };
}
