/**
 * Which sentences of the mapped pages bear on a question, and how strongly.
 *
 * Use: `select(question, pages)` gives every sentence scored, best first, with the parts of the score that the answers and the
 * support decision read.
 *
 * What must hold: pure arithmetic over words; a sentence by or about another person than the question asks about is marked, not
 * dropped, because "only another person said so" is a reason to abstain.
 */
import { matchChinese } from "#workers/local-ai/chinese.ts";
import type { EvidencePage } from "#workers/local-ai/evidence.ts";
import type { Question } from "#workers/local-ai/question.ts";
import { relatedStems } from "#workers/local-ai/related-words.ts";
import { sentenceScore } from "#workers/local-ai/sentence-score.ts";
import { hasHan, readSentences, type Sentence } from "#workers/local-ai/sentences.ts";

export interface ScoredSentence {
  readonly sentence: Sentence;
  /** Share of the question's weighted words that stand in the sentence itself, 0 to 1. */
  readonly own: number;
  /** The same, with the words of the rest of its page counted less. */
  readonly paged: number;
  /** The same, with the words of the neighbouring pages counted still less. */
  readonly near: number;
  /** 1: about a person asked about; 0: not known; -1: about somebody else. */
  readonly fit: number;
  /** Pairs of neighbouring question words that also stand together here. */
  readonly pairs: number;
  /** A sentence of the page before it asks much the same as the question. */
  readonly replies: number;
  /** 1 when the page's date lies in the time the question is limited to, -1 when outside, 0 without a limit. */
  readonly inTime: number;
  /** How well the rarest question word that the page has stands in this sentence, 0 to 1 of all question words' weight. */
  readonly strongest: number;
  /** Share of the question's names that stand neither in the page nor beside it. */
  readonly nameless: number;
  readonly score: number;
}

export interface Selection {
  readonly question: Question;
  readonly sentences: readonly ScoredSentence[];
  /** The weight of each question word, by stem. */
  readonly weights: ReadonlyMap<string, number>;
  /** Sentences of one page, by handle. */
  readonly byPage: ReadonlyMap<string, readonly Sentence[]>;
}

const relatedShare = 0.55;
const pageShare = 0.65;
const nearShare = 0.45;

function handleNumber(handle: string): number {
  return Number.parseInt(handle.slice(1), 36);
}

/** 1 for the word itself, less for a related one, 0 otherwise. */
export function matchStem(stem: string, stems: ReadonlySet<string>): number {
  if (stems.has(stem)) return 1;
  for (const other of relatedStems(stem)) if (stems.has(other)) return relatedShare;
  if (stem.length < 6) return 0;
  const prefix = stem.slice(0, 5);
  for (const other of stems) if (other.startsWith(prefix)) return relatedShare;
  return 0;
}

/** As `matchStem`; Chinese terms are looked for as text, because one character of a question may be part of any pair. */
export function matchTerm(stem: string, sentence: Sentence): number {
  return hasHan(stem) ? matchChinese(stem, sentence.text) : matchStem(stem, sentence.stems);
}

interface PageMatch {
  readonly page: EvidencePage;
  readonly sentences: readonly Sentence[];
  /** For each question word, its best match in the page. */
  readonly matches: readonly number[];
  readonly perSentence: readonly (readonly number[])[];
}

function matchPages(question: Question, pages: readonly EvidencePage[]): PageMatch[] {
  return pages.map((page) => {
    const sentences = readSentences(page);
    const perSentence = sentences.map((sentence) => question.terms.map((term) => matchTerm(term.stem, sentence)));
    const matches = question.terms.map((_term, index) =>
      perSentence.reduce((best, row) => Math.max(best, row[index] ?? 0), 0),
    );
    return { page, sentences, matches, perSentence };
  });
}

function termWeights(question: Question, pages: readonly PageMatch[]): number[] {
  return question.terms.map((term, index) => {
    const frequency = pages.filter((page) => (page.matches[index] ?? 0) >= 1).length;
    return term.weight * (1 + 0.6 * Math.log((pages.length + 1) / (frequency + 1)));
  });
}

const relativeSubject =
  /^(?:(?:yesterday|today|so|and|btw|last \w+),? )?(?:my|our) (?:\w+ )?(?:mother|mom|mum|father|dad|sister|brother|wife|husband|partner|girlfriend|boyfriend|boss|son|daughter|cousin|aunt|uncle|grandmother|grandfather|grandma|grandpa|neighbou?r|friend|colleague|roommate)\b(?! (?:\w+ )?and I\b)|^(?:昨天|今天)?我的?(?:妈妈|爸爸|姐姐|妹妹|哥哥|弟弟|朋友|老板|同事|老师|太太|妻子|丈夫|女儿|儿子|奶奶|爷爷)/i;

function fitOf(question: Question, sentence: Sentence): number {
  const fit = speakerFit(question, sentence);
  // "My sister lives in …" says nothing of where the speaker lives.
  return fit > 0 &&
    !question.terms.some((term) => term.name) &&
    /\b(?:I|do|does|did|am)\b|我/.test(question.text) &&
    relativeSubject.test(sentence.text)
    ? -0.4
    : fit;
}

function speakerFit(question: Question, sentence: Sentence): number {
  if (question.people.length === 0 || sentence.person === null) return 0;
  const speaks = question.people.includes(sentence.person);
  const named = question.people.some((person) =>
    sentence.words.some((word) => word.lower.replace(/'s$/, "") === person),
  );
  if (sentence.caption) return speaks ? 0.5 : -0.5;
  if (named) return speaks ? 1 : 0.6;
  if (sentence.voice === "addressee") return speaks ? -0.5 : 0.5;
  if (sentence.voice === "mixed") return speaks ? 0.6 : 0;
  if (sentence.voice === "neutral") return speaks ? 0.8 : -0.7;
  return speaks ? 1 : -1;
}

function timeFit(question: Question, page: EvidencePage, sentence: Sentence): number {
  const limit = question.dates[0];
  if (limit === undefined) return 0;
  if (page.heldIn !== undefined) return 1;
  const slack = 10 * 86_400_000;
  if (sentence.dates.some((date) => date.from < limit.to && limit.from < date.to)) return 1;
  if (page.at === null) return 0;
  if (page.at >= limit.from - 86_400_000 && page.at < limit.to + slack) return 1;
  return -1;
}

function wordPairs(question: Question, sentence: Sentence): number {
  let pairs = 0;
  for (let index = 1; index < question.words.length; index += 1) {
    const [first, second] = [question.words[index - 1], question.words[index]];
    if (first === undefined || second === undefined || second.stop || !sentence.stems.has(second.stem)) continue;
    const at = sentence.words.findIndex((word) => word.stem === second.stem);
    const before = sentence.words[at - 1];
    if (before !== undefined && before.stem === first.stem) pairs += first.stop ? 0.5 : 1;
  }
  return pairs;
}

const shares = { own: 1, page: pageShare, near: nearShare };

function coverage(
  weights: readonly number[],
  total: number,
  rows: readonly (readonly [readonly number[], number])[],
): number {
  let sum = 0;
  for (let index = 0; index < weights.length; index += 1) {
    let best = 0;
    for (const [row, share] of rows) best = Math.max(best, (row[index] ?? 0) * share);
    sum += best * (weights[index] ?? 0);
  }
  return total === 0 ? 0 : sum / total;
}

function questionReply(
  before: PageMatch | undefined,
  person: string | null,
  weights: readonly number[],
  total: number,
): number {
  if (before === undefined || before.sentences[0]?.person === person) return 0;
  return before.sentences.reduce(
    (best, sentence, index) =>
      sentence.asks ? Math.max(best, coverage(weights, total, [[before.perSentence[index] ?? [], 1]])) : best,
    0,
  );
}

/** The heaviest question word that stands in the sentence, as a share of the heaviest of all. */
function strongest(entry: PageMatch, index: number, weights: readonly number[]): number {
  let [best, top] = [0, 0];
  for (let place = 0; place < weights.length; place += 1) {
    top = Math.max(top, weights[place] ?? 0);
    best = Math.max(best, (weights[place] ?? 0) * (entry.perSentence[index]?.[place] ?? 0));
  }
  return top === 0 ? 0 : best / top;
}

function missingNames(question: Question, around: readonly (PageMatch | undefined)[]): number {
  const names = question.terms.flatMap((term, index) => (term.name ? [index] : []));
  const missing = names.filter((index) => !around.some((entry) => (entry?.matches[index] ?? 0) >= 1));
  return names.length === 0 ? 0 : missing.length / names.length;
}

export function select(question: Question, pages: readonly EvidencePage[]): Selection {
  const matched = matchPages(question, pages);
  const byNumber = new Map(matched.map((entry) => [handleNumber(entry.page.handle), entry]));
  const weights = termWeights(question, matched);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const scored = matched.flatMap((entry) => {
    const number = handleNumber(entry.page.handle);
    const before = byNumber.get(number - 1);
    const around: [readonly number[], number][] = [
      [before?.matches ?? [], shares.near],
      [byNumber.get(number + 1)?.matches ?? [], shares.near * 0.6],
    ];
    const replies = questionReply(before, entry.sentences[0]?.person ?? null, weights, total);
    const nameless = missingNames(question, [entry, before, byNumber.get(number + 1)]);
    return entry.sentences.map((sentence, index): ScoredSentence => {
      const row: [readonly number[], number] = [entry.perSentence[index] ?? [], 1];
      const own = coverage(weights, total, [row]);
      const paged = coverage(weights, total, [row, [entry.matches, shares.page]]);
      const near = coverage(weights, total, [row, [entry.matches, shares.page], ...around]);
      const fit = fitOf(question, sentence);
      const pairs = wordPairs(question, sentence);
      const inTime = timeFit(question, entry.page, sentence);
      const measured = {
        sentence,
        own,
        paged,
        near,
        fit,
        pairs,
        replies,
        inTime,
        strongest: strongest(entry, index, weights),
        nameless,
      };
      return { ...measured, score: sentenceScore(question, measured) };
    });
  });
  scored.sort(
    (left, right) =>
      right.score - left.score ||
      left.sentence.page.rank - right.sentence.page.rank ||
      left.sentence.index - right.sentence.index,
  );
  return {
    question,
    sentences: scored,
    weights: new Map(question.terms.map((term, index) => [term.stem, weights[index] ?? 0])),
    byPage: new Map(matched.map((entry) => [entry.page.handle, entry.sentences])),
  };
}
