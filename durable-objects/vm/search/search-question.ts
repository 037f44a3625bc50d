/**
 * What a query asks for, read once before any page is looked at: its terms, who is named, whether it asks when or where, and
 * the date it speaks of.
 *
 * Use `readQuestion(text, speakers, now)`; `speakers` are the speaker names of the indexed pages.
 * What must hold: pure and total. A speaker counts as named only when exactly one is, because a bonus for two names is a bonus
 * for everybody.
 */
import { foldText, queryTerms, tokenize } from "#shared/text/words.ts";
import { readDateHint, type DateHint } from "#kernel/vm/search/search-dates.ts";

export interface Question {
  terms: readonly string[];
  /** The one speaker named, as labelled on the pages. */
  speaker: string | null;
  /** Speaks of the asker: "my", "我". */
  firstPerson: boolean;
  /** Asks for what the assistant said: "you recommended", "你建议". */
  addressesAssistant: boolean;
  asksWhen: boolean;
  asksWhere: boolean;
  date: DateHint | null;
}

const FIRST_PERSON = /\b(?:i|my|me|we|our|mine|us|i'm|i've|i'd)\b|[我咱俺]/;
const ASSISTANT =
  /\b(?:did you|you (?:said|say|told|tell|suggest\w*|recommend\w*|gave|give|explain\w*|mention\w*|list\w*|propos\w*|advis\w*|provid\w*|help\w*)|your (?:advice|suggestion|recommendation|answer|explanation|plan|list))\b|你(?:说|建议|推荐|告诉|给)/;
const WHEN =
  /\bwhen\b|\bhow long\b|\b(?:what|which|the|exact) (?:date|month|year|day|week|time)\b|什么时候|何时|哪[天年]|哪个月|几[月号点]|多久|哪一[天年]|什麼時候/;
const WHERE =
  /\b(?:where|who|which|whose|name|names|named|called|city|country|place|book|band|artist|town|state|author|song|movie|game)\b|哪里|哪儿|什么地方|谁|哪[个家座本]|名字|叫什么|哪裡|誰/;

/** Scripts whose words are not set apart, so that a name is looked for as a piece of the text. */
const UNSPACED = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}]/u;

/** True when the query holds the first word of the speaker's label. */
function isNamed(speaker: string, folded: string, asked: ReadonlySet<string>): boolean {
  const label = tokenize(speaker);
  const first = label[0];
  if (first === undefined) return false;
  return UNSPACED.test(first) ? folded.includes(foldText(speaker)) : asked.has(first);
}

export function readQuestion(text: string, speakers: readonly string[], now?: number): Question {
  const folded = foldText(text);
  const asked = new Set(tokenize(text));
  const named = speakers.filter((speaker) => isNamed(speaker, folded, asked));
  return {
    terms: queryTerms(text, speakers),
    speaker: named.length === 1 ? (named[0] ?? null) : null,
    firstPerson: FIRST_PERSON.test(folded),
    addressesAssistant: ASSISTANT.test(folded),
    asksWhen: WHEN.test(folded),
    asksWhere: WHERE.test(folded),
    date: readDateHint(text, now),
  };
}
