/**
 * Softmax regression for the page score: fits one weight a feature on conversations with labelled evidence.
 *
 * Use `fit(examples, count)` and `recall(examples, weights, limit)`. The pages of a conversation compete for a question; the loss is
 * the mean of -log p over the evidence pages, with an L2 penalty on standardised features.
 * What must hold: the loss is convex, Newton's method finds its one minimum; nothing is written.
 */

export interface Example {
  group: string;
  category: string;
  size: number;
  columns: readonly Float32Array[];
  /** Positions of the evidence; -1 for one that names no page, which is always a miss. */
  evidence: readonly number[];
}

/** Chosen on held-out conversations: 1e-3, 1e-2, 3e-2, 1e-1 gave 83.1, 83.3, 83.8, 83.2 at R@10 for peers. */
const PENALTY = 3e-2;

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

export function scoresOf(example: Example, weights: Float64Array): Float64Array {
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
export function fit(examples: readonly Example[], count: number): Float64Array {
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

export function recall(examples: readonly Example[], weights: Float64Array, limit: number): number {
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
