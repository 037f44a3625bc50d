/**
 * Candidate answers: every stretch of a good sentence that could be one, described by numbers.
 *
 * Use: `spansOf(selection)` lists the candidates of the best sentences; `spanFeatures` fills a vector whose places are named by
 * `featureNames`; `span-weights.ts` turns it into a score.
 *
 * What must hold: a span is verbatim text of one sentence, begins and ends at a word, does not cross strong punctuation, and never
 * starts or ends in a word that leaves a phrase open; features read closed word classes and matches only, never particular topics.
 */
import type { Question } from '#workers/local-ai/question.ts';
import { kindMembers, relatedStems } from '#workers/local-ai/related-words.ts';
import type { ScoredSentence, Selection } from '#workers/local-ai/select.ts';
import { wordClasses, type WordClass } from '#workers/local-ai/word-classes.ts';

export interface Parsed {
  readonly scored: ScoredSentence;
  readonly classes: readonly WordClass[];
  /** Per word: 1 when it is a word of the question, less when related, 0 otherwise. */
  readonly matched: readonly number[];
  /** Per word: the gap before it is punctuation: 0 none, 1 comma, 2 strong. */
  readonly breaks: readonly number[];
  readonly dated: readonly boolean[];
  readonly quoted: readonly boolean[];
}

export interface Span {
  readonly parsed: Parsed;
  /** Word indexes, end exclusive. */
  readonly from: number;
  readonly to: number;
}

const maximumWords = 16;
const sentencesRead = 7;

const openStart: ReadonlySet<WordClass> = new Set<WordClass>(['conjunction', 'interjection']);
const openEnd: ReadonlySet<WordClass> = new Set<WordClass>(['determiner', 'possessive', 'preposition', 'to', 'conjunction', 'auxiliary']);

const noKind: ReadonlySet<string> = new Set();

function parse(scored: ScoredSentence, question: Question): Parsed {
  const { words, text, dates } = scored.sentence;
  const asked = new Set(question.terms.map((term) => term.stem));
  const kind = question.head === null ? noKind : kindMembers(question.head);
  const near = new Set(question.terms.flatMap((term) => [...relatedStems(term.stem)]).filter((stem) => !kind.has(stem)));
  const breaks = words.map((word, index) => {
    const gap = text.slice(words[index - 1]?.end ?? 0, word.start);
    return index === 0 ? 2 : /[;:—–()"“”!?.…]|\s-\s/.test(gap) ? 2 : /,/.test(gap) ? 1 : 0;
  });
  let open = false;
  const quoted = words.map((word, index) => {
    const marks = (text.slice(words[index - 1]?.end ?? 0, word.start).match(/["“”]/g) ?? []).length;
    if (marks % 2 === 1) open = !open;
    return open;
  });
  return {
    scored,
    classes: wordClasses(words),
    matched: words.map((word) => (asked.has(word.stem) ? 1 : near.has(word.stem) ? 0.5 : 0)),
    breaks,
    dated: words.map((word) => dates.some((date) => word.start < date.end && date.start < word.end)),
    quoted,
  };
}

/** Words that hang on what stands before them: a span that starts with one reads as cut off. */
const danglingStart = /^(?:up|off|out|back|down|over|as|so|too|also|just|even|though|than|that|which|then|well|of|ago|else|etc|re|s|t|by the way|btw|lol|haha)$/;
const placeQuestion = /^(?:where|why|how|duration|frequency|when)$/;

function opens(parsed: Parsed, from: number, type: Question['type']): boolean {
  const kind = parsed.classes[from];
  const word = parsed.scored.sentence.words[from];
  if (kind === undefined || word === undefined) return false;
  if (from > 0 && (openStart.has(kind) || danglingStart.test(word.lower))) return false;
  if (kind === 'preposition' && from > 0 && !placeQuestion.test(type)) return false;
  return !joined(parsed, from);
}

/** The boundary before this word lies inside a name ("New | York") or a quoted title. */
function joined(parsed: Parsed, index: number): boolean {
  if (index === 0 || index >= parsed.classes.length || (parsed.breaks[index] ?? 0) > 0) return false;
  if (parsed.quoted[index] === true && parsed.quoted[index - 1] === true) return true;
  return parsed.classes[index] === 'proper' && (parsed.classes[index - 1] === 'proper' || (index === 1 && /^\p{Lu}/u.test(parsed.scored.sentence.words[0]?.text ?? '') && parsed.scored.sentence.words[0]?.stop === false));
}

function closes(parsed: Parsed, to: number): boolean {
  const kind = parsed.classes[to - 1];
  const word = parsed.scored.sentence.words[to - 1];
  if (kind === undefined || word === undefined || openEnd.has(kind) || joined(parsed, to)) return false;
  return !word.stop || kind === 'pronoun' || kind === 'number' || kind === 'adverb' || kind === 'verb';
}

function spansOfSentence(parsed: Parsed, type: Question['type'], into: Span[]): void {
  const { words } = parsed.scored.sentence;
  for (let from = 0; from < words.length; from += 1) {
    if (!opens(parsed, from, type)) continue;
    for (let to = from + 1; to <= Math.min(words.length, from + maximumWords); to += 1) {
      if (to > from + 1 && parsed.breaks[to - 1] === 2) break;
      if (!closes(parsed, to)) continue;
      const alone = to === from + 1 && (words[from]?.stop === true || parsed.classes[from] === 'interjection' || parsed.classes[from] === 'adverb');
      if (!alone || parsed.classes[from] === 'number') into.push({ parsed, from, to });
    }
  }
  if (words.length > maximumWords) into.push({ parsed, from: 0, to: words.length });
}

export function spansOf(selection: Selection): Span[] {
  const spans: Span[] = [];
  for (const scored of selection.sentences.slice(0, sentencesRead)) spansOfSentence(parse(scored, selection.question), selection.question.type, spans);
  return spans;
}

export function spanText(span: Span): string {
  const { words, text } = span.parsed.scored.sentence;
  return text.slice(words[span.from]?.start ?? 0, words[span.to - 1]?.end ?? 0);
}

const sentenceFeatures = ['sentence', 'behind', 'asks', 'caption', 'top'] as const;
const shapeFeatures = [
  'one', 'two', 'three', 'four-five', 'six-eight', 'nine-twelve', 'long', 'whole', 'overlap', 'new-none', 'new-one', 'new-two', 'new-more',
  'left-matched', 'right-matched', 'nearness', 'clause-start', 'clause-end', 'commas', 'and', 'inner-pronoun', 'inner-verb', 'proper', 'number', 'dated', 'quoted',
] as const;
const edgeClasses = ['determiner', 'possessive', 'preposition', 'to', 'conjunction', 'pronoun', 'auxiliary', 'adverb', 'number', 'proper', 'verb', 'gerund', 'noun'] as const;
const groups = ['who', 'where', 'why', 'how', 'number', 'list', 'what'] as const;
const groupFeatures = ['length', 'proper', 'number', 'left-preposition', 'first-preposition', 'left-reason', 'clause', 'gerund', 'capital-only'] as const;
const headFeatures = ['has-head', 'ends-head', 'before-head', 'after-copula', 'after-like', 'after-verb-match', 'kind-of-head'] as const;

export const featureNames: readonly string[] = [
  ...sentenceFeatures,
  ...shapeFeatures,
  ...edgeClasses.map((name) => `first-${name}`),
  ...edgeClasses.map((name) => `left-${name}`),
  ...edgeClasses.map((name) => `right-${name}`),
  ...groups.flatMap((group) => groupFeatures.map((name) => `${group}-${name}`)),
  ...headFeatures,
];

function groupOf(question: Question): (typeof groups)[number] {
  if (question.list) return 'list';
  if (question.type === 'who' || question.type === 'where' || question.type === 'why' || question.type === 'how') return question.type;
  return /^(?:count|amount|duration|frequency|age|ago)$/.test(question.type) ? 'number' : 'what';
}

interface Counts {
  fresh: number;
  overlap: number;
  proper: boolean;
  number: boolean;
  dated: boolean;
  commas: number;
  and: boolean;
  pronoun: boolean;
  verb: boolean;
  capitals: boolean;
  quoted: boolean;
}

function countWords(span: Span): Counts {
  const { parsed, from, to } = span;
  const counts: Counts = { fresh: 0, overlap: 0, proper: false, number: false, dated: false, commas: 0, and: false, pronoun: false, verb: false, capitals: true, quoted: true };
  for (let index = from; index < to; index += 1) {
    const word = parsed.scored.sentence.words[index];
    const kind = parsed.classes[index];
    if (word === undefined) continue;
    counts.overlap += parsed.matched[index] ?? 0;
    if (!word.stop && (parsed.matched[index] ?? 0) === 0 && kind !== 'interjection') counts.fresh += 1;
    counts.proper ||= kind === 'proper';
    counts.capitals &&= kind === 'proper';
    counts.number ||= kind === 'number';
    counts.dated ||= parsed.dated[index] ?? false;
    counts.quoted &&= parsed.quoted[index] ?? false;
    counts.pronoun ||= kind === 'pronoun';
    counts.verb ||= kind === 'auxiliary' || (kind === 'verb' && index > from);
    counts.and ||= word.lower === 'and';
    if (index > from && parsed.breaks[index] === 1) counts.commas += 1;
  }
  return counts;
}

function nearness(span: Span, step: -1 | 1): number {
  const start = step === -1 ? span.from - 1 : span.to;
  for (let distance = 1; distance <= 8; distance += 1) {
    const match = span.parsed.matched[start + step * (distance - 1)];
    if (match === undefined) return 0;
    if (match > 0) return match / distance;
  }
  return 0;
}

const reasonWords = /^(?:because|since|to|for|so|as|cause|by|after)$/;

/** Fills `vector` (of `featureNames.length` places) with the description of one candidate. */
export function spanFeatures(span: Span, selection: Selection, vector: Float64Array): void {
  const { question } = selection;
  const { parsed, from, to } = span;
  const { scored } = parsed;
  const { words } = scored.sentence;
  const length = to - from;
  const counts = countWords(span);
  const [left, right, first] = [parsed.classes[from - 1], parsed.classes[to], parsed.classes[from]];
  const [before, after] = [nearness(span, -1), nearness(span, 1)];
  const clauseStart = (parsed.breaks[from] ?? 0) > 0 || left === 'conjunction';
  const clauseEnd = to === words.length || (parsed.breaks[to] ?? 0) > 0 || right === 'conjunction';
  let place = 0;
  const put = (value: number | boolean): void => {
    vector[place] = Number(value);
    place += 1;
  };
  put(scored.score);
  put((selection.sentences[0]?.score ?? 0) - scored.score);
  put(scored.sentence.asks);
  put(scored.sentence.caption);
  put(scored === selection.sentences[0]);
  for (const hit of [length === 1, length === 2, length === 3, length === 4 || length === 5, length >= 6 && length <= 8, length >= 9 && length <= 12, length > 12, length === words.length]) put(hit);
  put(counts.overlap / length);
  for (const hit of [counts.fresh === 0, counts.fresh === 1, counts.fresh === 2, counts.fresh > 2]) put(hit);
  put(before);
  put(after);
  put(Math.max(before, after));
  for (const value of [clauseStart, clauseEnd, Math.min(3, counts.commas), counts.and, counts.pronoun, counts.verb, counts.proper, counts.number, counts.dated, counts.quoted]) put(value);
  for (const name of edgeClasses) put(first === name);
  for (const name of edgeClasses) put(left === name && from > 0);
  for (const name of edgeClasses) put(right === name);
  const own = groupOf(question);
  const reason = reasonWords.test(words[from - 1]?.lower ?? '') || reasonWords.test(words[from]?.lower ?? '');
  for (const group of groups) {
    const on = group === own ? 1 : 0;
    for (const value of [Math.log(length), counts.proper, counts.number, left === 'preposition', first === 'preposition', reason, clauseStart && clauseEnd, first === 'gerund', counts.capitals]) put(on * Number(value));
  }
  const head = question.head;
  put(head !== null && words.slice(from, to).some((word) => word.stem === head));
  put(head !== null && words[to - 1]?.stem === head);
  put(head !== null && words[to]?.stem === head);
  put(/^(?:is|was|are|were|called|named|it's|that's)$/.test(words[from - 1]?.lower ?? ''));
  put(/^(?:like|as|including)$/.test(words[from - 1]?.lower ?? ''));
  put((left === 'verb' || left === 'gerund') && (parsed.matched[from - 1] ?? 0) > 0);
  const kind = head === null ? noKind : kindMembers(head);
  put(kind.size > 0 && words.slice(from, to).some((word) => word.lower.length > 2 && kind.has(word.stem)));
}
