/**
 * How strongly one sentence bears on a question: a weighted sum of what was measured and of cues for the kind of answer.
 *
 * Use: `sentenceScore(question, measured)`; the weights are printed by `bench/extractive-fit.ts sentences`, all but `nameless` (by hand); `sentenceFeatures` names the parts for `bench/extractive-fit.ts`.
 *
 * What must hold: a place in `sentenceFeatureNames` for each value; cues are about form (a name, a number, "because"), not topics.
 */
import type { Question } from "#workers/local-ai/question.ts";
import { kindMembers } from "#workers/local-ai/related-words.ts";
import type { ScoredSentence } from "#workers/local-ai/select.ts";

export type MeasuredSentence = Omit<ScoredSentence, "score">;

const weights: readonly (readonly [string, number])[] = [
  ["own", 1.54],
  ["paged", 1.61],
  ["near", 1.93],
  ["strongest", 2.24],
  ["fit", 1.32],
  ["other-person", -0.74],
  ["pairs", 1.74],
  ["replies", 2.06],
  ["in-time", 1.38],
  ["prior", 3.65],
  ["asks", -0.91],
  ["caption", -0.5],
  ["caption-asked", -0.06],
  ["tiny", -0.17],
  ["long", 0.68],
  ["opening", 0.27],
  ["reaction", -0.44],
  ["fresh", 0.49],
  ["fresh-few", -0.53],
  ["first-person", 0.94],
  ["when-date", 1.77],
  ["when-past", -0.05],
  ["who-name", 0.37],
  ["where-place", 0.78],
  ["number", 0.44],
  ["reason", 0.07],
  ["list-comma", 0.29],
  ["how-feeling", -0.09],
  ["quoted", 0.35],
  ["nameless", -1.5],
  ["kind", 0.39],
];

export const sentenceFeatureNames: readonly string[] = weights.map(([name]) => name);

const reaction =
  /^\W*(?:wow|thanks?|that's|that is|that sounds|sounds|great|awesome|amazing|cool|congrats|congratulations|oh|yeah|yes|yep|glad|sure|absolutely|definitely|totally|nice|sorry|hey|hi|hello|bye|take care|good luck|keep|way to go|no way)\b/i;
const innerName = /(?<=[\p{Ll}\p{N},;] )\p{Lu}\p{Ll}+/u;
const relative =
  /\b(?:mom|mother|dad|father|sister|brother|friends?|wife|husband|partner|son|daughter|aunt|uncle|grand\w+|cousin|colleagues?|family|kids|teacher|neighbou?rs?|co-?workers?|boss)\b/i;
const place =
  /\b(?:in|at|to|from|near|around|through) (?:the |a |an |my |our )?\p{Lu}|\b(?:in|at|to|from|near) (?:the|a|an|my|our) \w+/u;
const numberWord =
  /\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|dozen|couple|few|several|twice|once|every|both)\b/i;
const reason =
  /\b(?:because|since|so that|'cause|cause|inspired|motivat\w+|reason|due to|that's why|made me|helps?|to (?:help|make|show|raise|learn|feel|get|give|support))\b|因为|所以|为了/i;
const feeling = /\b(?:feel\w*|felt|makes? me|was|it's|so|really|like)\b/i;

const noKind: ReadonlySet<string> = new Set();

/** Fills `vector` with the parts of the score. */
export function sentenceFeatures(question: Question, measured: MeasuredSentence, vector: Float64Array): void {
  const { sentence } = measured;
  const { text, words } = sentence;
  const type = question.type;
  const asked = new Set(question.terms.map((term) => term.stem));
  const fresh = words.reduce((count, word) => (word.stop || asked.has(word.stem) ? count : count + 1), 0);
  const kind = question.head === null ? noKind : kindMembers(question.head);
  const number = /^(?:count|amount|duration|frequency|age|ago)$/.test(type);
  const values: (number | boolean)[] = [
    measured.own,
    measured.paged,
    measured.near,
    measured.strongest,
    Math.max(0, measured.fit),
    Math.max(0, -measured.fit),
    Math.min(3, measured.pairs),
    measured.replies,
    measured.inTime,
    measured.near / (1 + sentence.page.rank / 5),
    sentence.asks,
    sentence.caption,
    sentence.caption && /\b(?:photo|picture|image|shared?|show|posted)\b/i.test(question.text),
    words.length < 4,
    Math.min(1, words.length / 25),
    sentence.index === 0,
    reaction.test(text),
    Math.min(8, fresh) / 8,
    fresh < 2,
    sentence.voice === "speaker",
    type === "when" && sentence.dates.length > 0,
    type === "when" && /\w+ed\b|\b(?:went|got|had|was|were|did|took|made|bought|came|saw|met|won|just)\b/i.test(text),
    type === "who" && (innerName.test(text) || relative.test(text)),
    type === "where" && place.test(text),
    number && numberWord.test(text),
    type === "why" && reason.test(text),
    question.list && /, | and /.test(text),
    type === "how" && feeling.test(text),
    (type === "what" || type === "who") && /["“]/.test(text),
    measured.nameless,
    kind.size > 0 && words.some((word) => word.lower.length > 2 && kind.has(word.stem)),
  ];
  for (let place = 0; place < values.length; place += 1) vector[place] = Number(values[place]);
}

const scratch = new Float64Array(weights.length);
const numbers = Float64Array.from(weights.map(([, weight]) => weight));

export function sentenceScore(question: Question, measured: MeasuredSentence): number {
  sentenceFeatures(question, measured, scratch);
  let sum = 0;
  for (let place = 0; place < numbers.length; place += 1) sum += (numbers[place] ?? 0) * (scratch[place] ?? 0);
  return sum;
}
