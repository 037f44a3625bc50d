/**
 * Statements: when two texts say the same, word for word but for what carries no meaning.
 *
 * Use `statementKeys(text, when)`: two texts with the same `whole` key say the same; a text whose whole key is among the `parts` of
 * another is one of its sentences. `holdsStatement` asks less: whether one says all that the other says. A key is the sentence without case, punctuation, articles, the present copula, courtesies and
 * "remember that", with contractions and small numbers written out, a time clause before a comma moved to the end, "the user" as "I",
 * and with the days that "yesterday" or a told event speaks of.
 *
 * What must hold: a changed number, name, negation, date or any other telling word changes the key (tested with random changes);
 * similarity of bags or shingles is not asked, because in a long text "cats chase dogs" is as similar to "dogs chase cats" as
 * the same text is. Pure; cost linear in the text.
 */
import { findChineseDates } from "#shared/text/chinese-dates.ts";
import { findDates } from "#shared/text/date-expressions.ts";
import { startOfDay } from "#shared/text/dates.ts";
import { foldText } from "#shared/text/words.ts";

export interface SaidAt {
  /** Wall time in UTC milliseconds, or null. */
  readonly at: number | null;
  /** The date was given with the text, not taken from the clock: another date is another thing. */
  readonly dated: boolean;
}

export interface StatementKeys {
  readonly whole: string;
  /** Keys of the sentences of a short text that stand for themselves; empty when the text is one sentence. */
  readonly parts: readonly string[];
}

/** Texts of more sentences are compared as a whole only. */
const PARTS = 8;
/** A sentence of fewer words ("Lee.") may be the end of an abbreviation and stands for nothing alone. */
const PART_WORDS = 2;

const REQUEST =
  /^\W*(?:(?:please|pls|ok|hey)\W+)*(?:(?:remember|note|keep in mind|don['’]t forget|save|store)(?: this| it)?(?:\s*[:,]\s*| that | also )|(?:note|fyi|for the record|reminder|memo)\s*[:,]\s*)/i;
const CHINESE_REQUEST =
  /^\s*(?:请|帮我|麻烦|你)*(?:记住|记得|记下来?|记一下|别忘了|备注|提醒一下)(?:一下|了)?\s*[:：，,]?\s*/;
const CLAUSE = /^(?:on|in|at|since|until|after|before|when|if|during|every|this|next|last|tomorrow|today|yesterday)\b/;
const PRONOUN = /\b(?:he|she|it|they|him|his|her|hers|its|them|their|this|these|those|there|then)\b|[他她它这那]/i;
const DROPPED = new Set(["a", "an", "the", "am", "is", "are", "that", "please"]);
const CHINESE_DROPPED = /[的呢啊呀哦嘛吧请]/g;
const NUMBERS = "zero one two three four five six seven eight nine ten eleven twelve".split(" ");
const SPELLINGS: Readonly<Record<string, string>> = {
  favourite: "favorite",
  colour: "color",
  grey: "gray",
  flavour: "flavor",
  neighbour: "neighbor",
  centre: "center",
  mum: "mom",
};
/** In order: a signed number, a word with what stands inside it, one Chinese character, any other sign. */
const TOKEN =
  /(?<![\p{L}\p{N}])[-+]\d[\d.,:/-]*|(?:(?!\p{Script=Han})[\p{L}\p{M}\p{N}_])+(?:[.'@/:,&-](?:(?!\p{Script=Han})[\p{L}\p{M}\p{N}_])+)*|\p{Script=Han}|[^\s\p{L}\p{N}]/gu;
const SILENT = /^[.,;:!?"'“”()[\]{}…—–\-•*_`。，；：！？、（）【】《》「」『』·]$/u;
const PAST =
  /\b(?:was|were|did|had|went|came|met|took|made|got|bought|saw|ate|ran|left|lost|won|gave|told|said|felt|began|drove|flew|read|wrote|spoke|paid|sold|broke|fell|slept|found|heard|sent|taught|(?<!(?:\b(?:is|are|am|be|get|gets)|['’](?:s|m|re)) )(?!need|hundred|indeed|shed|speed|seed)\p{L}{2,}ed)\b|[了过]/iu;
const YEAR = /(?:19|20)\d\d/;

function sentencesOf(text: string): string[] {
  return text.split(/(?<=[.!?])\s+|(?<=[。！？])|\n+/u).filter((sentence) => /[\p{L}\p{N}]/u.test(sentence));
}

/** "On Friday, I meet Ann" and "I meet Ann on Friday" are one. */
function clauseLast(sentence: string): string {
  const [first, second, ...more] = sentence.split(/[,，]\s*/);
  if (first === undefined || second === undefined || more.length > 0 || !CLAUSE.test(first)) return sentence;
  return `${second.replace(/[.!?\s]+$/, "")} ${first}`;
}

/** "The user lives in Rome" and "the user's cat" as the user would say them. */
function inFirstPerson(sentence: string): string {
  return sentence.replace(/^(?:the )?user's\b/, "my").replace(/^(?:the )?user (\p{L}+)/u, (_, verb: string) => {
    const plain: Readonly<Record<string, string>> = { has: "have", does: "do", is: "am", goes: "go" };
    return `i ${plain[verb] ?? verb.replace(/(?<=[^s])s$/, "")}`;
  });
}

function expand(folded: string): string {
  return folded
    .replace(/\bcan't\b/g, "can not")
    .replace(/\bwon't\b/g, "will not")
    .replace(/\b(\p{L}+)n't\b/gu, "$1 not")
    .replace(/\bcannot\b/g, "can not")
    .replace(/\b(i|you|we|they|he|she|it|that|there|what|who)'(?:m|re|s)\b/g, "$1")
    .replace(/'ve\b/g, " have")
    .replace(/'ll\b/g, " will")
    .replace(/'d\b/g, " would")
    .replace(/(?<=\d),(?=\d{3}\b)/g, "");
}

function wordsOf(sentence: string): string[] {
  const plain = clauseLast(inFirstPerson(expand(foldText(sentence)))).replace(CHINESE_DROPPED, "");
  return [...plain.matchAll(TOKEN)].flatMap(([token]) => {
    if (SILENT.test(token) || DROPPED.has(token)) return [];
    const number = NUMBERS.indexOf(token);
    return number === -1 ? (SPELLINGS[token] ?? token) : String(number);
  });
}

/** The days a sentence speaks of, when its words alone do not say them. */
function daysOf(sentence: string, { at, dated }: SaidAt): string {
  if (at === null) return "";
  if (dated) return `@${startOfDay(at)}`;
  const han = /\p{Script=Han}/u.test(sentence);
  const dates = han ? findChineseDates(sentence, at) : findDates(sentence, at);
  const relative = dates.filter((date) => date.relative);
  if (relative.length > 0) return relative.map((date) => `@${date.from}-${date.to}`).join("");
  // The same told again on another day may have happened again.
  return PAST.test(sentence) && dates.length === 0 && !YEAR.test(sentence) ? `@${startOfDay(at)}` : "";
}

function keyOf(sentence: string, said: SaidAt): string {
  const asks = /[?？]["'”’」』)）\s]*$/u.test(sentence) ? "?" : "";
  return [...wordsOf(sentence), asks, daysOf(sentence.normalize("NFKC"), said)].filter((word) => word !== "").join(" ");
}

/** What takes back or narrows what stands beside it. */
const NARROWING =
  /^(?:not|no|never|without|if|unless|until|less|than|but|except|only|almost|hardly|maybe|should|would|could|used|[?不没未无非若吗])$/;

/** Fewer words stand in many sentences. */
const HELD_WORDS = 3;

/** Whether the words of `part` all stand in `whole`, in order, and what stands between them takes nothing back. For keys. */
export function holdsStatement(whole: string, part: string): boolean {
  // Most pairs of texts differ in this already; all pairs of a prompt's pages are asked about.
  if (part.length > whole.length || !whole.includes(part.slice(part.lastIndexOf(" ") + 1))) return false;
  const wanted = part.split(" ");
  if (wanted.length < HELD_WORDS) return whole === part;
  let found = 0;
  const between: string[] = [];
  for (const word of whole.split(/[ \n]/)) {
    if (word === wanted[found]) found += 1;
    else between.push(word);
  }
  return found === wanted.length && between.length <= wanted.length && !between.some((word) => NARROWING.test(word));
}

/** What a text is asked for ("Remember that …") is no part of what it says. */
export function withoutRequest(text: string): string {
  const plain = text.replace(REQUEST, "").replace(CHINESE_REQUEST, "");
  return /[\p{L}\p{N}]/u.test(plain) ? plain : text;
}

export function statementKeys(text: string, said: SaidAt): StatementKeys {
  const sentences = sentencesOf(withoutRequest(text.trim()));
  const keys = sentences.map((sentence) => keyOf(sentence, said));
  const alone = sentences.length > 1 && sentences.length <= PARTS;
  return {
    whole: keys.length === 0 ? text.trim() : keys.join("\n"),
    parts: alone
      ? keys.filter((key, index) => key.split(" ").length >= PART_WORDS && !PRONOUN.test(sentences[index] ?? ""))
      : [],
  };
}
