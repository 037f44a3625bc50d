/**
 * Fits the weights of the extractive engine's sentence and span scores on LoCoMo conversations and prints them.
 *
 * Use: `node bench/extractive-fit.ts sentences 2,4,6,8 [0]` (or `spans`): fit on the first list, report expected F1 on the second. Paste the printed
 * numbers into `workers/local-ai/sentence-score.ts` or `span-weights.ts`. Conversation 0 is never fitted on: it is the one to look at last.
 *
 * What must hold: the features are general (word classes, matches, places), so only these few dozen numbers come from the data.
 * The objective is the expected F1 of a soft choice among the candidates, with a quadratic penalty on the weights.
 */
import { readConversation, type LocomoQuestion } from "#bench/locomo-data.ts";
import { mapPages } from "#bench/extractive-answers.ts";
import { answerTokens, tokenF1 } from "#bench/locomo-score.ts";
import { readEvidence } from "#workers/local-ai/evidence.ts";
import { personOf, userPerson } from "#workers/local-ai/sentences.ts";
import { readQuestion } from "#workers/local-ai/question.ts";
import { select, type Selection } from "#workers/local-ai/select.ts";
import { sentenceFeatureNames, sentenceFeatures } from "#workers/local-ai/sentence-score.ts";
import { featureNames, spanFeatures } from "#workers/local-ai/span-features.ts";
import { spansOf, spanText } from "#workers/local-ai/spans.ts";

interface Example {
  readonly features: Float32Array;
  readonly scores: Float32Array;
}

const mode = process.argv[2] === "sentences" ? "sentences" : "spans";
const names = mode === "sentences" ? sentenceFeatureNames : featureNames;
const places = names.length;
const candidatesKept = 260;

interface Candidates {
  readonly fill: ((vector: Float64Array) => void)[];
  readonly scores: number[];
}

function goldParts(question: LocomoQuestion): string[] {
  const answer = question.answer ?? "";
  return question.category === 1
    ? answer.split(",")
    : [question.category === 3 ? (answer.split(";")[0] ?? "") : answer];
}

/** A sentence is as good as the best share of the answer's words in it, more so when its page is cited as evidence. */
function sentenceCandidates(question: LocomoQuestion, selection: Selection): Candidates {
  const parts = goldParts(question).map((part) => answerTokens(part));
  const scores = selection.sentences.map(({ sentence }) => {
    const cited = question.evidence.includes(sentence.page.source ?? "");
    if (selection.question.type === "when") return cited ? (sentence.dates.length > 0 ? 1 : 0.6) : 0;
    const words = new Set(answerTokens(sentence.text));
    const recall = Math.max(
      ...parts.map((part) => part.filter((token) => words.has(token)).length / Math.max(1, part.length)),
    );
    return (cited ? 0.3 : 0) + (cited ? 0.7 : 0.4) * recall;
  });
  return {
    scores,
    fill: selection.sentences.map((scored) => (vector) => sentenceFeatures(selection.question, scored, vector)),
  };
}

function spanCandidates(question: LocomoQuestion, selection: Selection): Candidates {
  if (/^(?:when|yes-no|ago)$/.test(selection.question.type)) return { scores: [], fill: [] };
  const parts = goldParts(question);
  const all = spansOf(selection).map((span) => ({
    span,
    score: Math.max(...parts.map((part) => tokenF1(spanText(span), part))),
  }));
  const rest = all.filter((entry) => entry.score <= 0.3);
  const kept = [
    ...all.filter((entry) => entry.score > 0.3),
    ...rest.filter((_entry, index) => index % Math.ceil(rest.length / candidatesKept) === 0),
  ];
  return {
    scores: kept.map((entry) => entry.score),
    fill: kept.map(
      ({ span }) =>
        (vector) =>
          spanFeatures(span, selection, vector),
    ),
  };
}

/** One example for each cited sentence that holds the answer: which part of it to say. */
function withinSentences(question: LocomoQuestion, selection: Selection): Candidates[] {
  if (/^(?:when|yes-no|ago)$/.test(selection.question.type)) return [];
  const parts = goldParts(question);
  const cited = selection.sentences.filter((scored) => question.evidence.includes(scored.sentence.page.source ?? ""));
  return cited.flatMap((scored) => {
    const spans = spansOf({ ...selection, sentences: [scored] }).map((span) => ({
      span,
      score: Math.max(...parts.map((part) => tokenF1(spanText(span), part))),
    }));
    if (Math.max(0, ...spans.map((entry) => entry.score)) < 0.35) return [];
    return [
      {
        scores: spans.map((entry) => entry.score),
        fill: spans.map(
          ({ span }) =>
            (vector: Float64Array) =>
              spanFeatures(span, selection, vector),
        ),
      },
    ];
  });
}

function examples(numbers: readonly number[], within = false): Example[] {
  const vector = new Float64Array(places);
  return numbers.flatMap((number) => {
    const conversation = readConversation(number);
    if (conversation === null) return [];
    return mapPages(conversation).flatMap(({ question, messages }): Example[] => {
      if (question.category === 5 || question.answer === null) return [];
      const evidence = readEvidence(messages);
      const speakers = new Set(
        evidence.pages.flatMap((page) => personOf(page) ?? []).filter((person) => person !== userPerson),
      );
      const selection = select(readQuestion(question.question, speakers, evidence.today), evidence.pages);
      const sets =
        mode === "sentences"
          ? [sentenceCandidates(question, selection)]
          : within
            ? withinSentences(question, selection)
            : [spanCandidates(question, selection)];
      return sets.flatMap(({ scores, fill }) => {
        if (!scores.some((score) => score > 0)) return [];
        const features = new Float32Array(scores.length * places);
        fill.forEach((write, index) => {
          write(vector);
          features.set(vector, index * places);
        });
        return [{ features, scores: Float32Array.from(scores) }];
      });
    });
  });
}

function chances(example: Example, weights: Float64Array): Float64Array {
  const count = example.scores.length;
  const values = new Float64Array(count);
  let top = Number.NEGATIVE_INFINITY;
  for (let row = 0; row < count; row += 1) {
    let sum = 0;
    for (let place = 0; place < places; place += 1)
      sum += (weights[place] ?? 0) * (example.features[row * places + place] ?? 0);
    values[row] = sum;
    if (sum > top) top = sum;
  }
  let total = 0;
  for (let row = 0; row < count; row += 1) {
    values[row] = Math.exp((values[row] ?? 0) - top);
    total += values[row] ?? 0;
  }
  return values.map((value) => value / total);
}

function chosenF1(list: readonly Example[], weights: Float64Array): number {
  const scores = list.map((example) => {
    const chance = chances(example, weights);
    let best = 0;
    for (let row = 1; row < chance.length; row += 1) if ((chance[row] ?? 0) > (chance[best] ?? 0)) best = row;
    return example.scores[best] ?? 0;
  });
  return scores.reduce((sum, score) => sum + score, 0) / Math.max(1, scores.length);
}

function fit(list: readonly Example[], rounds: number, penalty: number): Float64Array {
  const weights = new Float64Array(places);
  const [first, second] = [new Float64Array(places), new Float64Array(places)];
  for (let round = 1; round <= rounds; round += 1) {
    const gradient = weights.map((weight) => -penalty * weight);
    for (const example of list) {
      const chance = chances(example, weights);
      let expected = 0;
      for (let row = 0; row < chance.length; row += 1) expected += (chance[row] ?? 0) * (example.scores[row] ?? 0);
      for (let row = 0; row < chance.length; row += 1) {
        const push = ((chance[row] ?? 0) * ((example.scores[row] ?? 0) - expected)) / list.length;
        if (push === 0) continue;
        for (let place = 0; place < places; place += 1)
          gradient[place] = (gradient[place] ?? 0) + push * (example.features[row * places + place] ?? 0);
      }
    }
    for (let place = 0; place < places; place += 1) {
      const slope = gradient[place] ?? 0;
      first[place] = 0.9 * (first[place] ?? 0) + 0.1 * slope;
      second[place] = 0.99 * (second[place] ?? 0) + 0.01 * slope * slope;
      weights[place] = (weights[place] ?? 0) + (0.08 * (first[place] ?? 0)) / (Math.sqrt(second[place] ?? 0) + 1e-6);
    }
  }
  return weights;
}

function main(): void {
  const lists = process.argv.slice(3).map((list) => list.split(",").map(Number));
  const training = examples(lists[0] ?? [2, 4, 6, 8], mode === "spans" && process.env.WITHIN !== undefined);
  const held = lists[1] === undefined ? [] : examples(lists[1]);
  const oracle = (list: readonly Example[]): string =>
    (list.reduce((sum, example) => sum + Math.max(...example.scores), 0) / Math.max(1, list.length)).toFixed(3);
  console.log(
    `${String(training.length)} examples, best possible ${oracle(training)}; held out ${String(held.length)}, ${oracle(held)}`,
  );
  const weights = fit(training, Number(process.env.ROUNDS ?? "120"), Number(process.env.PENALTY ?? "0.002"));
  console.log(
    `chosen: fitted ${chosenF1(training, weights).toFixed(3)}, held out ${chosenF1(held, weights).toFixed(3)}`,
  );
  if (mode === "spans" && process.env.WITHIN !== undefined) {
    // Within one sentence the sentence's own score says nothing: how much it counts between sentences is tried apart.
    const behind = featureNames.indexOf("behind");
    const tried = [0.2, 0.5, 1, 2, 4].map((factor) => {
      weights[behind] = -factor;
      return `behind -${String(factor)}: ${chosenF1(held, weights).toFixed(3)}`;
    });
    console.log(tried.join("  "));
    weights[behind] = -Number(process.env.BEHIND ?? "1");
  }
  if (process.env.PRINT === undefined) return;
  console.log(
    `{ ${names.flatMap((name, place) => (Math.abs(weights[place] ?? 0) < 0.03 ? [] : [`${/\W/.test(name) ? `'${name}'` : name}: ${String(Number((weights[place] ?? 0).toFixed(2)))}`])).join(", ")} }`,
  );
}

main();
