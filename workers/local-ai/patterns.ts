/**
 * Answers that the form of a sentence gives away: "the password is …", "because …", "A, B and C".
 *
 * Use: `copulaAnswer`, `reasonAnswer` for one sentence, `enumerationAround` to widen a span to the whole list it is in.
 *
 * What must hold: verbatim text of the sentence; null when the form does not fit, so that the span scorer decides.
 */
import { relations, type Question } from "#workers/local-ai/question.ts";
import { kindMembers, relatedStems } from "#workers/local-ai/related-words.ts";
import type { ScoredSentence, Selection } from "#workers/local-ai/select.ts";
import type { Parsed, Span } from "#workers/local-ai/spans.ts";
import { wordClasses } from "#workers/local-ai/word-classes.ts";

export interface PatternAnswer {
  readonly text: string;
  readonly source: ScoredSentence;
}

const copularQuestion =
  /^\W*(?:what(?:'s| is| are| was| were)|who(?:'s| is| are| was| were)|which (?:is|are))\b(?!.*\b(?:doing|planning|going|trying|like)\b)/i;
const copula =
  /\b(?:is called|are called|was called|is named|are named|named|called|is|are|was|were|['’]s name is)\b|[:=]/gi;
const sentencesRead = 4;
const itemWords = 5;

function askedHits(question: Question, scored: ScoredSentence, before: number): number {
  const asked = new Set(question.terms.map((term) => term.stem));
  const hits = new Set(
    scored.sentence.words.filter((word) => word.end <= before && asked.has(word.stem)).map((word) => word.stem),
  );
  return hits.size / Math.max(1, asked.size);
}

function untilBreak(text: string, list: boolean): string {
  const cut = (
    list
      ? /[.;!?。]|,? (?:but|because|which|so|when|since|who)\b/
      : /(?<!\b(?:Dr|Mr|Mrs|Ms|Prof|St))[.,;!?。](?:\s|$)|,? (?:but|because|which|so|when|since|who|and (?:my|our|his|her|their|the) (?:\w+ ){1,3}(?:is|are)|and (?:I|he|she|it|we|they))\b/
  ).exec(text);
  return (cut === null ? text : text.slice(0, cut.index)).trim().replace(/^["“]|["”]$/g, "");
}

/** "What is the wifi password?" from "The wifi password of the cabin is …": what stands after the copula, asked words before it. */
export function copulaAnswer(selection: Selection): PatternAnswer | null {
  const { question } = selection;
  if (question.language !== "en" || !copularQuestion.test(question.text) || question.terms.length === 0) return null;
  const top = Math.max(...selection.sentences.slice(0, sentencesRead).map((scored) => scored.own));
  for (const scored of selection.sentences.slice(0, sentencesRead)) {
    const { sentence } = scored;
    if (sentence.asks || sentence.caption || scored.fit < 0 || scored.own < Math.max(0.6, top * 0.9)) continue;
    for (const match of sentence.text.matchAll(copula)) {
      const start = match.index + match[0].length;
      const rest = untilBreak(sentence.text.slice(start), question.list);
      const asked = new Set(question.terms.map((term) => term.stem));
      const fresh = sentence.words.some(
        (word) => word.start >= start && word.end <= start + rest.length + 2 && !word.stop && !asked.has(word.stem),
      );
      if (fresh && rest.split(" ").length <= 12 && askedHits(question, scored, match.index) >= 0.6)
        return { text: rest, source: scored };
    }
  }
  return null;
}

const reasons = [
  /\b(?:because|'cause|since)(?: of)? ([^.;!?]+)/i,
  /\b(?:so that|in order to|so I can|so we can) ([^.;!?]+)/i,
  /\bthat(?:['’]s| is| was) why ([^.;!?]+)/i,
];

/** The clause after "because" of the best sentence, or of the one beside it on the same page. */
export function reasonAnswer(selection: Selection): PatternAnswer | null {
  const [top] = selection.sentences;
  if (top === undefined || selection.question.type !== "why" || selection.question.language !== "en") return null;
  for (const scored of selection.sentences.slice(0, sentencesRead)) {
    if (scored.sentence.asks || scored.fit < 0 || scored.paged < top.paged * 0.8) continue;
    for (const pattern of reasons) {
      const match = pattern.exec(scored.sentence.text);
      if (match !== null && !pattern.source.includes("why"))
        return { text: match[0].replace(/^since /i, "").trim(), source: scored };
    }
  }
  return null;
}

/** "Who is Ann's husband?" from "her husband Luis": the name right behind or before the asked relation. */
export function whoAnswer(selection: Selection): PatternAnswer | null {
  const { question } = selection;
  if (question.language !== "en" || (question.type !== "who" && !/\bname\b|\bcalled\b/i.test(question.text)))
    return null;
  for (const scored of selection.sentences.slice(0, 2)) {
    if (scored.sentence.asks || scored.fit < 0) continue;
    const { words, text } = scored.sentence;
    for (const [index, word] of words.entries()) {
      if (!relations.test(word.lower) || !question.terms.some((term) => term.stem === word.stem)) continue;
      const behind = /^(?:,? (?:is |is called |called |named |, )?)(\p{Lu}[\p{L}'’-]*(?: \p{Lu}[\p{L}'’-]*)*)/u.exec(
        text.slice(words[index]?.end ?? 0),
      )?.[1];
      const name =
        behind ??
        /(\p{Lu}[\p{L}'’-]*(?: \p{Lu}[\p{L}'’-]*)*), (?:my|his|her|their|our) $/u.exec(
          text.slice(0, words[index]?.start ?? 0).slice(-80),
        )?.[1];
      if (name !== undefined && !question.words.some((asked) => asked.text.startsWith(name)))
        return { text: name.replace(/['’]s$/, ""), source: scored };
    }
  }
  return null;
}

const placeWord = /^(?:in|at|to|from|near|on)$/;
const phraseWords = 6;
/** A loosely matching sentence is left to the span scorer. */
const wellMatched = 0.5;

/** "Where does Ann live?" from "lives in Oslo with …": the phrase after the preposition that follows an asked word. */
export function whereAnswer(selection: Selection): PatternAnswer | null {
  const { question } = selection;
  const [source] = selection.sentences;
  if (question.language !== "en" || question.type !== "where" || question.list) return null;
  if (source === undefined || source.sentence.asks || source.fit < 0 || source.own < wellMatched) return null;
  const asked = new Set(question.terms.flatMap((term) => [term.stem, ...relatedStems(term.stem)]));
  const { words, text } = source.sentence;
  for (const [index, word] of words.entries()) {
    if (!asked.has(word.stem)) continue;
    const step = words.slice(index + 1, index + 5).findIndex((next) => placeWord.test(next.lower));
    if (step === -1) continue;
    const from = index + step + 2;
    const to = phraseEnd(source, from);
    const phrase = words.slice(from, to);
    const [first, last] = [phrase[0], phrase.at(-1)];
    if (first === undefined || last === undefined || phrase.every((entry) => entry.stop || asked.has(entry.stem)))
      continue;
    return { text: text.slice(first.start, last.end), source };
  }
  return null;
}

/** The end of the noun phrase that starts at a word; the start itself when a date or nothing of the kind stands there. */
function phraseEnd(source: ScoredSentence, from: number): number {
  const { words, text, dates } = source.sentence;
  const classes = wordClasses(words);
  let to = from;
  while (to < words.length && to - from < phraseWords && phraseClasses.has(classes[to] ?? "")) {
    const word = words[to];
    const gap = text.slice(words[to - 1]?.end ?? 0, word?.start ?? 0);
    if (word === undefined || (to > from && /[,;:()]/.test(gap))) break;
    if (dates.some((date) => word.start < date.end && date.start < word.end)) break;
    to += 1;
  }
  return to;
}

/** "What colour …?" is answered by a colour: members of the asked kind in the sentences that match as well as the best. */
export function kindAnswer(selection: Selection): readonly PatternAnswer[] {
  const { question } = selection;
  const kind = question.head === null ? null : kindMembers(question.head);
  if (kind === null || kind.size === 0 || question.type !== "what") return [];
  const telling = selection.sentences
    .slice(0, question.list ? 8 : 3)
    .filter((scored) => !scored.sentence.asks && scored.fit >= 0);
  const top = Math.max(0, ...telling.map((scored) => scored.own));
  const found = new Map<string, PatternAnswer>();
  for (const scored of telling) {
    if (scored.own < top * 0.7) continue;
    for (const word of scored.sentence.words) {
      if (
        word.lower.length > 2 &&
        kind.has(word.stem) &&
        !found.has(word.stem) &&
        !question.terms.some((term) => term.stem === word.stem)
      )
        found.set(word.stem, { text: word.text, source: scored });
    }
    if (!question.list && found.size > 0) break;
  }
  return [...found.values()].slice(0, question.list ? 5 : 1);
}

const phraseClasses = new Set<string>(["noun", "proper", "determiner", "possessive", "number"]);
const insideItem = new Set(["noun", "proper", "gerund", "number", "determiner", "possessive"]);

function separatorAt(parsed: Parsed, index: number): boolean {
  return parsed.breaks[index] === 1 || /^(?:and|or)$/.test(parsed.scored.sentence.words[index]?.lower ?? "");
}

/** "Alien, Brazil and Paprika" around any part of it; the span itself when it is in no list. */
export function enumerationAround(span: Span): Span {
  const { parsed } = span;
  const { words } = parsed.scored.sentence;
  let from = span.from;
  let to = span.to;
  for (let start = from; start > 0 && from - start < itemWords; start -= 1) {
    const kind = parsed.classes[start - 1] ?? "";
    const comma = parsed.breaks[start] === 1;
    if (comma || kind === "conjunction") {
      const edge = kind === "conjunction" ? start - 1 : start;
      let item = edge;
      while (
        item > 0 &&
        edge - item < itemWords &&
        insideItem.has(parsed.classes[item - 1] ?? "") &&
        parsed.breaks[item] !== 1 &&
        parsed.breaks[item] !== 2
      )
        item -= 1;
      if (item === edge || (kind === "conjunction" && !/^(?:and|or)$/.test(words[start - 1]?.lower ?? ""))) break;
      from = item;
      start = item + 1;
    } else if (!insideItem.has(kind) || parsed.breaks[start] === 2) break;
  }
  while (to < words.length && separatorAt(parsed, to) && parsed.breaks[to] !== 2) {
    let item = /^(?:and|or)$/.test(words[to]?.lower ?? "") ? to + 1 : to;
    const first = item;
    while (
      item < words.length &&
      item - first < itemWords &&
      insideItem.has(parsed.classes[item] ?? "") &&
      (item === first || parsed.breaks[item] === 0)
    )
      item += 1;
    if (item === first || parsed.classes[item] === "auxiliary" || parsed.classes[item] === "verb") break;
    to = item;
  }
  return { parsed, from, to };
}
