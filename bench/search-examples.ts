/**
 * Questions as the fit and the ablations see them: every feature of every page, measured by the production index.
 *
 * Use `examplesOf(cases)` once, `choose(examples, features)` for each fit, `crossRecall` for recall by weights that never saw the
 * conversation they are measured on.
 * What must hold: a question is only ever scored by weights fitted without its conversation, except where a row says "fitted
 * on all".
 */
import { fit, recall, type Example } from "#bench/search-fit.ts";
import { indexOf, type MemoryCase } from "#bench/search-data.ts";
import { FEATURES, type FeatureName } from "#kernel/vm/search/feature-names.ts";
import { buildSpace } from "#kernel/vm/search/latent-space.ts";
import { packTerms } from "#kernel/vm/search/latent-terms.ts";
import type { SearchIndex } from "#kernel/vm/search/search-index.ts";

export interface MeasuredQuestion extends Omit<Example, "columns"> {
  readonly columns: Readonly<Record<FeatureName, Float32Array>>;
}

/** Learns the latent space of an index's pages at once, as an idle process does in slices. */
export function learnSpace(index: SearchIndex): SearchIndex {
  const sample = index.latentSample();
  const work = buildSpace(sample.rows, sample.terms.length);
  let step = work.next();
  while (step.done !== true) step = work.next();
  index.useLatent(packTerms(sample.terms, sample.weights, step.value));
  return index;
}

export function examplesOf(cases: readonly MemoryCase[]): MeasuredQuestion[] {
  return cases.flatMap((one) => {
    const index = learnSpace(indexOf(one.pages));
    return one.questions.map((question) => {
      const { pages, columns } = index.measure(question.text);
      const positionOf = new Map(pages.map((page, position) => [page, position]));
      return {
        group: one.name,
        category: question.category,
        size: pages.length,
        columns: Object.fromEntries(
          FEATURES.map((name) => [name, Float32Array.from(columns[name])]),
        ) as MeasuredQuestion["columns"],
        evidence: question.evidence.map((page) => positionOf.get(page) ?? -1),
      };
    });
  });
}

export function choose(questions: readonly MeasuredQuestion[], features: readonly FeatureName[]): Example[] {
  return questions.map((question) => ({ ...question, columns: features.map((name) => question.columns[name]) }));
}

export type Folds = readonly (readonly string[])[];

export function eachAlone(cases: readonly MemoryCase[]): Folds {
  return cases.map((one) => [one.name]);
}

/** Every other conversation: fitted on one half, measured on the other, both ways. */
export function halves(cases: readonly MemoryCase[]): Folds {
  return [0, 1].map((half) => cases.filter((_, index) => index % 2 === half).map((one) => one.name));
}

/** Five groups of conversations beside each other. */
export function fifths(cases: readonly MemoryCase[]): Folds {
  const size = Math.ceil(cases.length / 5);
  return [0, 1, 2, 3, 4]
    .map((fold) => cases.slice(fold * size, (fold + 1) * size).map((one) => one.name))
    .filter((fold) => fold.length > 0);
}

/** Wrong people are named in these on purpose; nothing is learned from them. */
export const UNTAUGHT: readonly string[] = ["adversarial"];

/** The weights of each fold, fitted on the conversations of the others. */
export function foldWeights(examples: readonly Example[], folds: Folds): ReadonlyMap<string, Float64Array> {
  const weights = new Map<string, Float64Array>();
  for (const fold of folds) {
    const taught = examples.filter((one) => !fold.includes(one.group) && !UNTAUGHT.includes(one.category));
    const fitted = fit(taught, examples[0]?.columns.length ?? 0);
    for (const group of fold) weights.set(group, fitted);
  }
  return weights;
}

/** Mean recall of the examples, each by its fold's weights. */
export function meanRecall(
  examples: readonly Example[],
  weights: ReadonlyMap<string, Float64Array>,
  limit: number,
): number {
  let sum = 0;
  for (const example of examples) sum += recall([example], weights.get(example.group) ?? new Float64Array(0), limit);
  return sum / Math.max(1, examples.length);
}

export const PEER_FEATURES: readonly FeatureName[] = FEATURES.filter((name) => !["user", "asked"].includes(name));
/** No spelling: the questions hold no typing errors. No kinds: they did not help there. */
export const ASSISTANT_FEATURES: readonly FeatureName[] = FEATURES.filter(
  (name) => !["spelling", "kind"].includes(name),
);
