/**
 * Pages cut into sentences and words, with who each sentence is about.
 *
 * Use: `readSentences(page)` once for each mapped page; the selection and the answers work on the result.
 *
 * What must hold: offsets point into the sentence's own text, so every answer cut by them is verbatim; an image caption
 * (`[image: …]`) is a sentence of its own; the first person of a page belongs to its speaker, and without one to the user.
 */
import { analyzeWord, isStopWord, tokenize } from "#shared/text/words.ts";
import { findChineseDates } from "#shared/text/chinese-dates.ts";
import { findDates } from "#shared/text/date-expressions.ts";
import type { DateExpression } from "#shared/text/date-wording.ts";
import type { EvidencePage } from "#workers/local-ai/evidence.ts";

export interface Word {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly lower: string;
  readonly stem: string;
  readonly stop: boolean;
}

/** Whose doings the sentence tells: the page's speaker, the person spoken to, both, or nobody in particular. */
export type Voice = "speaker" | "addressee" | "mixed" | "neutral";

export interface Sentence {
  readonly page: EvidencePage;
  /** The person who speaks in the page, lower case; `user` for the user; null for documents. */
  readonly person: string | null;
  readonly index: number;
  readonly text: string;
  readonly words: readonly Word[];
  readonly stems: ReadonlySet<string>;
  readonly asks: boolean;
  readonly caption: boolean;
  readonly voice: Voice;
  readonly dates: readonly DateExpression[];
}

export const userPerson = "user";

const impersonalKinds: ReadonlySet<string> = new Set(["document", "tool", "summary"]);

export function hasHan(text: string): boolean {
  return /\p{Script=Han}/u.test(text);
}

export function personOf(page: EvidencePage): string | null {
  if (page.speaker !== null) return page.speaker.toLowerCase();
  if (page.role === "assistant") return "assistant";
  if (page.role === "user") return userPerson;
  return impersonalKinds.has(page.kind) ? null : userPerson;
}

const wordPattern =
  /\p{Script=Han}+|(?:(?!\p{Script=Han})[\p{L}\p{M}\p{N}])+(?:['’.&/:-](?:(?!\p{Script=Han})[\p{L}\p{M}\p{N}])+)*%?/gu;

type WordForm = Pick<Word, "lower" | "stem" | "stop">;

/** Words repeat and folding them is dear; the memory of forms is bounded and changes no result. */
const forms = new Map<string, WordForm>();
const formsKept = 10_000;

function wordForm(piece: string): WordForm {
  const known = forms.get(piece);
  if (known !== undefined) return known;
  const lower = piece.toLowerCase().replace(/’/g, "'");
  const folded = tokenize(piece)[0] ?? lower;
  // The index folds "lives" to "life"; in notes about people it is nearly always the verb.
  const base = folded === "lives" ? "live" : folded;
  const form = { lower, stem: analyzeWord(base), stop: isStopWord(base) };
  if (forms.size >= formsKept) forms.clear();
  forms.set(piece, form);
  return form;
}

/** Words with offsets. A run of Chinese characters gives its overlapping pairs, as the index does. */
export function readWords(text: string): Word[] {
  const words: Word[] = [];
  for (const match of text.matchAll(wordPattern)) {
    const [piece] = match;
    if (hasHan(piece)) pushPairs(piece, match.index, words);
    else words.push({ text: piece, start: match.index, end: match.index + piece.length, ...wordForm(piece) });
  }
  return words;
}

function pushPairs(run: string, offset: number, words: Word[]): void {
  const characters = Array.from(run);
  let start = offset;
  for (let index = 0; index < Math.max(1, characters.length - 1); index += 1) {
    const text = `${characters[index] ?? ""}${characters[index + 1] ?? ""}`;
    words.push({ text, start, end: start + text.length, lower: text, stem: text, stop: isStopWord(text) });
    start += (characters[index] ?? "").length;
  }
}

const abbreviation = /(?:\b(?:mr|mrs|ms|dr|st|prof|vs|e\.g|i\.e|etc|no|jr|sr|u\.s|a\.m|p\.m)|\b[A-Z])\.$/i;

/** A longer "sentence" (a pasted table, no punctuation) is cut at a space, which bounds every later pattern. */
const longestSentence = 600;

function cutLong(text: string): string[] {
  const parts: string[] = [];
  let rest = text;
  while (rest.length > longestSentence) {
    const space = rest.lastIndexOf(" ", longestSentence);
    const end = space > longestSentence / 2 ? space : longestSentence;
    parts.push(rest.slice(0, end));
    rest = rest.slice(end).trimStart();
  }
  return rest === "" ? parts : [...parts, rest];
}

function splitPlain(text: string): string[] {
  const parts: string[] = [];
  let held = "";
  for (const match of text.matchAll(/[^.!?。！？\n]*(?:[.!?。！？]+["'”’)」』]*|\n|$)/g)) {
    held += match[0];
    const next = text.slice(match.index + match[0].length, match.index + match[0].length + 1);
    const inside = match[0].endsWith(".") && (abbreviation.test(held.slice(-12).trim()) || /^[\p{L}\p{N}]/u.test(next));
    if (inside && next !== "") continue;
    if (held.trim() !== "") parts.push(...cutLong(held.trim()));
    held = "";
  }
  if (held.trim() !== "") parts.push(...cutLong(held.trim()));
  return parts;
}

/** Sentence texts of a page, captions apart. */
export function splitSentences(text: string): { text: string; caption: boolean }[] {
  const parts: { text: string; caption: boolean }[] = [];
  const push = (piece: string, caption: boolean): void => {
    const pieces = caption ? cutLong(piece.trim()) : splitPlain(piece);
    parts.push(...pieces.map((part) => ({ text: part, caption })));
  };
  let from = 0;
  for (const match of text.matchAll(/\[image: ([^\]]*)\]/g)) {
    push(text.slice(from, match.index), false);
    push(match[1] ?? "", true);
    from = match.index + match[0].length;
  }
  push(text.slice(from), false);
  return parts;
}

const firstPerson = /\b(?:I|I['’](?:m|ve|d|ll)|me|my|mine|myself|we|we['’](?:re|ve|d|ll)|us|our|ours)\b|[我咱俺]/;
const firstPersonLower = /\b(?:we|my|our)\b/i;
const secondPerson = /\b(?:you|your|yours|you['’](?:re|ve|d|ll)|yourself|u|ur)\b|[你您]/i;

function voiceOf(text: string, caption: boolean): Voice {
  if (caption) return "neutral";
  const first = firstPerson.test(text) || firstPersonLower.test(text);
  const second = secondPerson.test(text);
  if (first && second) return "mixed";
  if (second) return "addressee";
  return first ? "speaker" : "neutral";
}

export function readSentences(page: EvidencePage): Sentence[] {
  const person = personOf(page);
  return splitSentences(page.text).map(({ text, caption }, index) => {
    const words = readWords(text);
    return {
      page,
      person,
      index,
      text,
      words,
      stems: new Set(words.map((word) => word.stem)),
      asks: /[?？]["'”’)]*$/.test(text),
      caption,
      voice: voiceOf(text, caption),
      dates: caption ? [] : [...(hasHan(text) ? findChineseDates(text, page.at) : findDates(text, page.at))],
    };
  });
}
