/**
 * Fits the weights of the page score (`durable-objects/vm/search/search-weights.ts`) on conversations with labelled evidence.
 *
 * Use `node lab/fit-search-weights.ts`: prints recall on conversations held out of the fit, then the weights fitted on all, with
 * a latent space and without.
 * What must hold: it writes nothing; a person copies the weights. The held-out numbers are the ones to believe; `bench/search.ts`
 * writes them down.
 */
import { beamCases, dataFolder, locomoCases, type MemoryCase } from "#bench/search-data.ts";
import {
  ASSISTANT_FEATURES,
  choose,
  eachAlone,
  examplesOf,
  fifths,
  foldWeights,
  halves,
  meanRecall,
  PEER_FEATURES,
  UNTAUGHT,
  type Folds,
  type MeasuredQuestion,
} from "#bench/search-examples.ts";
import { fit, recall } from "#bench/search-fit.ts";
import type { FeatureName } from "#kernel/vm/search/feature-names.ts";

function report(
  name: string,
  questions: readonly MeasuredQuestion[],
  features: readonly FeatureName[],
  folds: Readonly<Record<string, Folds>>,
): void {
  const examples = choose(questions, features).filter((one) => !UNTAUGHT.includes(one.category));
  for (const [how, groups] of Object.entries(folds)) {
    const weights = foldWeights(examples, groups);
    const [five, ten] = [5, 10].map((limit) => meanRecall(examples, weights, limit).toFixed(1));
    console.log(`${name}, held out by ${how}: R@5 ${five}, R@10 ${ten}`);
  }
  const weights = fit(examples, features.length);
  console.log(`${name}, fitted on all: R@10 ${recall(examples, weights, 10).toFixed(1)}`);
  const rounded = features.map((feature, index) => [feature, Number((weights[index] ?? 0).toFixed(2))]);
  console.log(JSON.stringify(Object.fromEntries(rounded)));
}

function fitKind(
  name: string,
  cases: readonly MemoryCase[],
  features: readonly FeatureName[],
  folds: Readonly<Record<string, Folds>>,
): void {
  if (cases.length === 0) {
    console.log(`${name}: no data, skipped`);
    return;
  }
  const questions = examplesOf(cases);
  report(name, questions, features, folds);
  const words = features.filter((feature) => feature !== "latent");
  report(`${name}, by words`, questions, words, folds);
}

const locomo = locomoCases(dataFolder());
fitKind("peer", locomo, PEER_FEATURES, { halves: halves(locomo), conversation: eachAlone(locomo) });
const beam = beamCases(dataFolder());
fitKind("assistant", beam, ASSISTANT_FEATURES, { halves: halves(beam), fifths: fifths(beam) });
