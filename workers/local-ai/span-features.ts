/**
 * A candidate answer described by numbers: where it stands, how long it is, what surrounds it, what kind of words it holds.
 *
 * Use: `spanFeatures(span, selection, vector)` fills a vector of `featureNames.length` places.
 *
 * What must hold: the parts below fill their places in the order of `featureNames`; features read word classes and matches only,
 * never particular topics.
 */
import type { Question } from "#workers/local-ai/question.ts";
import { kindMembers } from "#workers/local-ai/related-words.ts";
import type { Selection } from "#workers/local-ai/select.ts";
import { noKind, type Span } from "#workers/local-ai/spans.ts";

const sentenceFeatures = ["sentence", "behind", "asks", "caption", "top"] as const;
const shapeFeatures = [
  "one",
  "two",
  "three",
  "four-five",
  "six-eight",
  "nine-twelve",
  "long",
  "whole",
  "overlap",
  "new-none",
  "new-one",
  "new-two",
  "new-more",
  "left-matched",
  "right-matched",
  "nearness",
  "clause-start",
  "clause-end",
  "commas",
  "and",
  "inner-pronoun",
  "inner-verb",
  "proper",
  "number",
  "dated",
  "quoted",
] as const;
const edgeClasses = [
  "determiner",
  "possessive",
  "preposition",
  "to",
  "conjunction",
  "pronoun",
  "auxiliary",
  "adverb",
  "number",
  "proper",
  "verb",
  "gerund",
  "noun",
] as const;
const groups = ["who", "where", "why", "how", "number", "list", "what"] as const;
const groupFeatures = ["length", "proper", "number", "first-preposition"] as const;
const headFeatures = [
  "has-head",
  "ends-head",
  "before-head",
  "after-copula",
  "after-like",
  "after-verb-match",
  "kind-of-head",
] as const;

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
  if (question.list) return "list";
  if (question.type === "who" || question.type === "where" || question.type === "why" || question.type === "how")
    return question.type;
  return /^(?:count|amount|duration|frequency|age|ago)$/.test(question.type) ? "number" : "what";
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
  quoted: boolean;
}

function countWords(span: Span): Counts {
  const { parsed, from, to } = span;
  const counts: Counts = {
    fresh: 0,
    overlap: 0,
    proper: false,
    number: false,
    dated: false,
    commas: 0,
    and: false,
    pronoun: false,
    verb: false,
    quoted: true,
  };
  for (let index = from; index < to; index += 1) {
    const word = parsed.scored.sentence.words[index];
    const kind = parsed.classes[index];
    if (word === undefined) continue;
    counts.overlap += parsed.matched[index] ?? 0;
    if (!word.stop && (parsed.matched[index] ?? 0) === 0 && kind !== "interjection") counts.fresh += 1;
    counts.proper ||= kind === "proper";
    counts.number ||= kind === "number";
    counts.dated ||= parsed.dated[index] ?? false;
    counts.quoted &&= parsed.quoted[index] ?? false;
    counts.pronoun ||= kind === "pronoun";
    counts.verb ||= kind === "auxiliary" || (kind === "verb" && index > from);
    counts.and ||= word.lower === "and";
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

const copulas = /^(?:is|was|are|were|called|named|it's|that's)$/;
const examples = /^(?:like|as|including)$/;

/** Writes values one after the other. */
class Places {
  readonly #vector: Float64Array;
  #place = 0;

  constructor(vector: Float64Array) {
    this.#vector = vector;
  }

  put(value: number | boolean): void {
    this.#vector[this.#place] = Number(value);
    this.#place += 1;
  }
}

interface Edges {
  readonly length: number;
  readonly clauseStart: boolean;
  readonly clauseEnd: boolean;
}

function edgesOf(span: Span): Edges {
  const { parsed, from, to } = span;
  return {
    length: to - from,
    clauseStart: (parsed.breaks[from] ?? 0) > 0 || parsed.classes[from - 1] === "conjunction",
    clauseEnd: to === parsed.classes.length || (parsed.breaks[to] ?? 0) > 0 || parsed.classes[to] === "conjunction",
  };
}

function putSentence(places: Places, span: Span, selection: Selection): void {
  const { scored } = span.parsed;
  places.put(scored.score);
  places.put((selection.sentences[0]?.score ?? 0) - scored.score);
  places.put(scored.sentence.asks);
  places.put(scored.sentence.caption);
  places.put(scored === selection.sentences[0]);
}

function putShape(places: Places, span: Span, counts: Counts, edges: Edges): void {
  const { length } = edges;
  places.put(length === 1);
  places.put(length === 2);
  places.put(length === 3);
  places.put(length === 4 || length === 5);
  places.put(length >= 6 && length <= 8);
  places.put(length >= 9 && length <= 12);
  places.put(length > 12);
  places.put(length === span.parsed.classes.length);
  places.put(counts.overlap / length);
  for (const fresh of [0, 1, 2]) places.put(counts.fresh === fresh);
  places.put(counts.fresh > 2);
  const [before, after] = [nearness(span, -1), nearness(span, 1)];
  places.put(before);
  places.put(after);
  places.put(Math.max(before, after));
  places.put(edges.clauseStart);
  places.put(edges.clauseEnd);
  places.put(Math.min(3, counts.commas));
  for (const flag of [
    counts.and,
    counts.pronoun,
    counts.verb,
    counts.proper,
    counts.number,
    counts.dated,
    counts.quoted,
  ])
    places.put(flag);
}

function putEdges(places: Places, span: Span): void {
  const { parsed, from, to } = span;
  for (const kind of [parsed.classes[from], parsed.classes[from - 1], parsed.classes[to]])
    for (const name of edgeClasses) places.put(kind === name);
}

function putGroups(places: Places, span: Span, question: Question, counts: Counts, edges: Edges): void {
  const own = groupOf(question);
  for (const group of groups) {
    const on = group === own;
    places.put(on ? Math.log(edges.length) : 0);
    places.put(on && counts.proper);
    places.put(on && counts.number);
    places.put(on && span.parsed.classes[span.from] === "preposition");
  }
}

function putHead(places: Places, span: Span, question: Question): void {
  const { parsed, from, to } = span;
  const { words } = parsed.scored.sentence;
  const { head } = question;
  const left = words[from - 1]?.lower ?? "";
  const verb = parsed.classes[from - 1] === "verb" || parsed.classes[from - 1] === "gerund";
  const kind = head === null ? noKind : kindMembers(head);
  let [hasHead, hasKind] = [false, false];
  for (let index = from; index < to; index += 1) {
    const word = words[index];
    if (word === undefined) continue;
    hasHead ||= word.stem === head;
    hasKind ||= word.lower.length > 2 && kind.has(word.stem);
  }
  places.put(hasHead);
  places.put(head !== null && words[to - 1]?.stem === head);
  places.put(head !== null && words[to]?.stem === head);
  places.put(copulas.test(left));
  places.put(examples.test(left));
  places.put(verb && (parsed.matched[from - 1] ?? 0) > 0);
  places.put(hasKind);
}

/** Fills `vector` (of `featureNames.length` places) with the description of one candidate. */
export function spanFeatures(span: Span, selection: Selection, vector: Float64Array): void {
  const places = new Places(vector);
  const counts = countWords(span);
  const edges = edgesOf(span);
  putSentence(places, span, selection);
  putShape(places, span, counts, edges);
  putEdges(places, span);
  putGroups(places, span, selection.question, counts, edges);
  putHead(places, span, selection.question);
}
