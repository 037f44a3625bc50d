/**
 * Fits the weights of the page score (`durable-objects/vm/search-weights.ts`) on conversations with labelled evidence.
 *
 * Use `node lab/fit-search-weights.ts`: prints recall on conversations held out of the fit, then the weights fitted on all.
 * What must hold: it writes nothing; a person copies the weights. The held-out numbers are the ones to believe.
 *
 * Method: softmax regression. The pages of a conversation compete for a question; the loss is the mean of -log p over the evidence pages,
 * with an L2 penalty on standardised features. The loss is convex: Newton's method finds its one minimum.
 */
import { beamCases, dataFolder, indexOf, locomoCases, type MemoryCase } from "#bench/memory-search-data.ts";
import { FEATURES, type FeatureName } from "#kernel/vm/feature-names.ts";
import type { Weights } from "#kernel/vm/search-weights.ts";

interface Example {
  group: string;
  category: string;
  size: number;
  columns: Float32Array[];
  evidence: number[];
}

/** Chosen on held-out conversations: 1e-3, 1e-2, 3e-2, 1e-1 gave 83.1, 83.3, 83.8, 83.2 at R@10 for peers. */
const PENALTY = 3e-2;

function examplesOf(
  cases: readonly MemoryCase[],
  features: readonly FeatureName[],
  skip: readonly string[],
): Example[] {
  return cases.flatMap((one) => {
    const index = indexOf(one.pages);
    return one.questions
      .filter((question) => !skip.includes(question.category))
      .map((question) => {
        const { pages, columns } = index.measure(question.text);
        const positionOf = new Map(pages.map((page, position) => [page, position]));
        return {
          group: one.name,
          category: question.category,
          size: pages.length,
          columns: features.map((name) => Float32Array.from(columns[name])),
          evidence: question.evidence.map((page) => positionOf.get(page) ?? -1),
        };
      });
  });
}

/** Spread of a feature over all pages of all questions: what its weight is scaled by while fitting. */
function spreads(examples: readonly Example[], count: number): Float64Array {
  const spread = new Float64Array(count);
  for (let feature = 0; feature < count; feature += 1) {
    let [sum, squares, rows] = [0, 0, 0];
    for (const example of examples) {
      for (const value of example.columns[feature] ?? []) {
        sum += value;
        squares += value * value;
        rows += 1;
      }
    }
    spread[feature] = Math.sqrt(Math.max(squares / rows - (sum / rows) ** 2, 1e-12)) || 1;
    if ((spread[feature] ?? 0) < 1e-5) spread[feature] = 1;
  }
  return spread;
}

function scoresOf(example: Example, weights: Float64Array): Float64Array {
  const scores = new Float64Array(example.size);
  example.columns.forEach((column, feature) => {
    const weight = weights[feature] ?? 0;
    if (weight === 0) return;
    for (let row = 0; row < example.size; row += 1) scores[row] = (scores[row] ?? 0) + weight * (column[row] ?? 0);
  });
  return scores;
}

/** Loss, slope and curvature of a set of examples at some weights. Curvature is row by row, `count` × `count`. */
interface Surface {
  loss: number;
  slope: Float64Array;
  curvature: Float64Array;
}

function addQuestion(example: Example, weights: Float64Array, surface: Surface): void {
  const evidence = example.evidence.filter((row) => row >= 0);
  if (evidence.length === 0) return;
  const count = weights.length;
  const scores = scoresOf(example, weights);
  const top = scores.reduce((most, score) => Math.max(most, score), -Infinity);
  let total = 0;
  for (const score of scores) total += Math.exp(score - top);
  const mean = new Float64Array(count);
  const row = new Float64Array(count);
  for (let index = 0; index < example.size; index += 1) {
    const chance = Math.exp((scores[index] ?? 0) - top) / total;
    if (chance < 1e-7) continue;
    for (let feature = 0; feature < count; feature += 1) {
      row[feature] = example.columns[feature]?.[index] ?? 0;
      mean[feature] = (mean[feature] ?? 0) + chance * (row[feature] ?? 0);
    }
    addOuter(surface.curvature, row, chance);
  }
  addOuter(surface.curvature, mean, -1);
  for (const index of evidence) {
    surface.loss += (Math.log(total) + top - (scores[index] ?? 0)) / evidence.length;
    for (let feature = 0; feature < count; feature += 1) {
      surface.slope[feature] =
        (surface.slope[feature] ?? 0) +
        ((mean[feature] ?? 0) - (example.columns[feature]?.[index] ?? 0)) / evidence.length;
    }
  }
}

function addOuter(into: Float64Array, row: Float64Array, factor: number): void {
  const count = row.length;
  for (let one = 0; one < count; one += 1) {
    const part = factor * (row[one] ?? 0);
    if (part === 0) continue;
    for (let other = 0; other < count; other += 1)
      into[one * count + other] = (into[one * count + other] ?? 0) + part * (row[other] ?? 0);
  }
}

function surfaceAt(examples: readonly Example[], weights: Float64Array, spread: Float64Array): Surface {
  const count = weights.length;
  const surface: Surface = { loss: 0, slope: new Float64Array(count), curvature: new Float64Array(count * count) };
  for (const example of examples) addQuestion(example, weights, surface);
  for (let feature = 0; feature < count; feature += 1) {
    const penalty = PENALTY * examples.length * (spread[feature] ?? 1) ** 2;
    const weight = weights[feature] ?? 0;
    surface.loss += (penalty * weight * weight) / 2;
    surface.slope[feature] = (surface.slope[feature] ?? 0) + penalty * weight;
    surface.curvature[feature * count + feature] = (surface.curvature[feature * count + feature] ?? 0) + penalty;
  }
  return surface;
}

/** Solves curvature × step = slope by elimination; the penalty keeps the matrix positive. */
function solve(curvature: Float64Array, slope: Float64Array): Float64Array {
  const count = slope.length;
  const matrix = Float64Array.from(curvature);
  const step = Float64Array.from(slope);
  for (let pivot = 0; pivot < count; pivot += 1) {
    const head = matrix[pivot * count + pivot] ?? 1;
    for (let row = pivot + 1; row < count; row += 1) {
      const factor = (matrix[row * count + pivot] ?? 0) / head;
      for (let column = pivot; column < count; column += 1) {
        matrix[row * count + column] =
          (matrix[row * count + column] ?? 0) - factor * (matrix[pivot * count + column] ?? 0);
      }
      step[row] = (step[row] ?? 0) - factor * (step[pivot] ?? 0);
    }
  }
  for (let row = count - 1; row >= 0; row -= 1) {
    let value = step[row] ?? 0;
    for (let column = row + 1; column < count; column += 1)
      value -= (matrix[row * count + column] ?? 0) * (step[column] ?? 0);
    step[row] = value / (matrix[row * count + row] ?? 1);
  }
  return step;
}

/** Newton's method with halving; the loss is convex, so about ten steps reach its one minimum. */
function fit(examples: readonly Example[], count: number): Float64Array {
  const spread = spreads(examples, count);
  let weights = new Float64Array(count);
  let surface = surfaceAt(examples, weights, spread);
  for (let round = 0; round < 20; round += 1) {
    const step = solve(surface.curvature, surface.slope);
    let size = 1;
    let next = weights;
    let after = surface;
    do {
      next = weights.map((weight, feature) => weight - size * (step[feature] ?? 0));
      after = surfaceAt(examples, next, spread);
      size /= 2;
    } while (after.loss > surface.loss && size > 1e-3);
    const gain = surface.loss - after.loss;
    if (gain <= 0) break;
    [weights, surface] = [next, after];
    if (gain < 1e-6 * examples.length) break;
  }
  return weights;
}

function recall(examples: readonly Example[], weights: Float64Array, limit: number): number {
  let sum = 0;
  for (const example of examples) {
    if (example.evidence.length === 0) {
      sum += 1;
      continue;
    }
    const scores = scoresOf(example, weights);
    const ranked = [...scores.keys()].sort((one, other) => (scores[other] ?? 0) - (scores[one] ?? 0) || one - other);
    const top = new Set(ranked.slice(0, limit));
    sum += example.evidence.filter((row) => top.has(row)).length / example.evidence.length;
  }
  return examples.length === 0 ? 0 : (100 * sum) / examples.length;
}

function report(name: string, examples: readonly Example[], weights: Float64Array): void {
  const parts = [`all ${[5, 10, 25].map((limit) => recall(examples, weights, limit).toFixed(1)).join("/")}`];
  for (const category of [...new Set(examples.map((example) => example.category))].sort()) {
    const some = examples.filter((example) => example.category === category);
    parts.push(`${category} ${recall(some, weights, 10).toFixed(1)}`);
  }
  console.log(`${name} (${examples.length} questions) R@5/10/25, then R@10: ${parts.join(", ")}`);
}

function asWeights(features: readonly FeatureName[], weights: Float64Array): Weights {
  return Object.fromEntries(features.map((name, index) => [name, Number((weights[index] ?? 0).toFixed(2))]));
}

/** Each group held out once by a rest-fit, so that every question is scored by weights that never saw its conversation. */
function crossValidate(
  name: string,
  examples: readonly Example[],
  folds: readonly (readonly string[])[],
  count: number,
): void {
  let [sum10, sum5] = [0, 0];
  for (const fold of folds) {
    const held = examples.filter((example) => fold.includes(example.group));
    const weights = fit(
      examples.filter((example) => !fold.includes(example.group)),
      count,
    );
    report(`${name}, held out ${fold.join(" ")}`, held, weights);
    sum10 += recall(held, weights, 10) * held.length;
    sum5 += recall(held, weights, 5) * held.length;
  }
  console.log(
    `${name}, every question by weights that never saw its conversation: R@5 ${(sum5 / examples.length).toFixed(1)}, R@10 ${(sum10 / examples.length).toFixed(1)}`,
  );
}

const PEER: readonly FeatureName[] = FEATURES.filter((name) => !["user", "asked"].includes(name));
const ASSISTANT: readonly FeatureName[] = FEATURES.filter((name) => name !== "spelling");

function fitKind(
  name: string,
  cases: readonly MemoryCase[],
  features: readonly FeatureName[],
  skip: readonly string[],
  folds: readonly (readonly string[])[],
): void {
  if (cases.length === 0) {
    console.log(`${name}: no data, skipped`);
    return;
  }
  const examples = examplesOf(cases, features, skip);
  crossValidate(name, examples, folds, features.length);
  const weights = fit(examples, features.length);
  report(`${name}, fitted on all`, examples, weights);
  console.log(JSON.stringify(asWeights(features, weights)));
}

const locomo = locomoCases(dataFolder());
fitKind(
  "peer",
  locomo,
  PEER,
  ["adversarial"],
  locomo.map((one) => [one.name]),
);
const beam = beamCases(dataFolder());
const half = Math.ceil(beam.length / 5);
const beamFolds = [0, 1, 2, 3, 4]
  .map((fold) => beam.slice(fold * half, (fold + 1) * half).map((one) => one.name))
  .filter((fold) => fold.length > 0);
fitKind("assistant", beam, ASSISTANT, [], beamFolds);
