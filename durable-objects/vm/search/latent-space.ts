/**
 * Latent space: which words of a process's pages mean alike, learned from those pages alone (latent semantic analysis).
 *
 * Use `buildSpace(rows, terms)`, a generator: it works a bounded piece between two yields, so that the object can serve others in
 * between, and returns one vector a term. Rows are tf-idf weights of a page with its neighbours, of length 1.
 * What must hold: the same rows give the same space (the random start is seeded); memory is `rows × (rank + spare)` and
 * `terms × (rank + spare)` numbers of 8 bytes, whatever the process holds, because the caller samples the rows.
 *
 * Truncated singular value decomposition by a randomised range finder with power steps: Halko, Martinsson and Tropp, "Finding
 * structure with randomness", 2011, algorithms 4.4 and 5.1.
 */
import { LATENT_STEP } from "#shared/limits.ts";

export const RANK = 80;
const SPARE = 10;
const POWER_STEPS = 3;

/** One page with its neighbours: places of its terms in the vocabulary, and their weights. */
export interface SpaceRow {
  readonly terms: Int32Array;
  readonly weights: Float32Array;
}

type Work<Value = void> = Generator<undefined, Value>;

/** A repeatable source of normally distributed numbers: mulberry32 and Box-Muller. */
function normalSource(seed: number): () => number {
  let state = seed;
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** Counts multiply-adds, and says when a piece is done. */
class Meter {
  #done = 0;

  spend(operations: number): boolean {
    this.#done += operations;
    if (this.#done < LATENT_STEP) return false;
    this.#done = 0;
    return true;
  }
}

/** rows × right: one line of `width` numbers a row. */
function* multiply(rows: readonly SpaceRow[], right: Float64Array, width: number, meter: Meter): Work<Float64Array> {
  const product = new Float64Array(rows.length * width);
  for (let row = 0; row < rows.length; row += 1) {
    const { terms, weights } = rows[row] ?? { terms: [], weights: [] };
    for (let index = 0; index < terms.length; index += 1) {
      const from = (terms[index] ?? 0) * width;
      const weight = weights[index] ?? 0;
      for (let column = 0; column < width; column += 1)
        product[row * width + column] = (product[row * width + column] ?? 0) + weight * (right[from + column] ?? 0);
    }
    if (meter.spend(terms.length * width)) yield;
  }
  return product;
}

/** Transposed rows × left: one line of `width` numbers a term. */
function* multiplyTransposed(
  rows: readonly SpaceRow[],
  left: Float64Array,
  size: number,
  width: number,
  meter: Meter,
): Work<Float64Array> {
  const product = new Float64Array(size * width);
  for (let row = 0; row < rows.length; row += 1) {
    const { terms, weights } = rows[row] ?? { terms: [], weights: [] };
    for (let index = 0; index < terms.length; index += 1) {
      const to = (terms[index] ?? 0) * width;
      const weight = weights[index] ?? 0;
      for (let column = 0; column < width; column += 1)
        product[to + column] = (product[to + column] ?? 0) + weight * (left[row * width + column] ?? 0);
    }
    if (meter.spend(terms.length * width)) yield;
  }
  return product;
}

function dotOfColumns(matrix: Float64Array, width: number, one: number, other: number): number {
  let sum = 0;
  for (let at = 0; at < matrix.length; at += width) sum += (matrix[at + one] ?? 0) * (matrix[at + other] ?? 0);
  return sum;
}

/** Makes the columns orthonormal in place: Gram-Schmidt, twice; a column that depends on the others becomes 0. */
function* orthonormalise(matrix: Float64Array, width: number, meter: Meter): Work {
  const height = matrix.length / width;
  for (let column = 0; column < width; column += 1) {
    for (let round = 0; round < 2; round += 1) {
      for (let before = 0; before < column; before += 1) {
        const share = dotOfColumns(matrix, width, before, column);
        for (let at = 0; at < matrix.length; at += width)
          matrix[at + column] = (matrix[at + column] ?? 0) - share * (matrix[at + before] ?? 0);
        if (meter.spend(2 * height)) yield;
      }
    }
    const size = Math.sqrt(dotOfColumns(matrix, width, column, column));
    for (let at = 0; at < matrix.length; at += width)
      matrix[at + column] = size < 1e-10 ? 0 : (matrix[at + column] ?? 0) / size;
  }
}

/** Eigenvectors of a symmetric matrix by Jacobi's rotations, in columns; `matrix` becomes diagonal. */
function* eigenvectors(matrix: Float64Array, width: number, meter: Meter): Work<Float64Array> {
  const vectors = new Float64Array(width * width);
  for (let index = 0; index < width; index += 1) vectors[index * width + index] = 1;
  for (let sweep = 0; sweep < 24; sweep += 1) {
    let rotated = false;
    for (let one = 0; one < width; one += 1) {
      for (let other = one + 1; other < width; other += 1)
        rotated = rotate(matrix, vectors, width, one, other) || rotated;
      if (meter.spend(6 * width * width)) yield;
    }
    if (!rotated) break;
  }
  return vectors;
}

function rotate(matrix: Float64Array, vectors: Float64Array, width: number, one: number, other: number): boolean {
  const off = matrix[one * width + other] ?? 0;
  const [first, second] = [matrix[one * width + one] ?? 0, matrix[other * width + other] ?? 0];
  if (Math.abs(off) <= 1e-14 * (Math.abs(first) + Math.abs(second)) || off === 0) return false;
  const slope = (second - first) / (2 * off);
  const tangent = (slope < 0 ? -1 : 1) / (Math.abs(slope) + Math.sqrt(slope * slope + 1));
  const cosine = 1 / Math.sqrt(tangent * tangent + 1);
  const sine = tangent * cosine;
  const turn = (values: Float64Array, at: number, to: number): void => {
    const [left, right] = [values[at] ?? 0, values[to] ?? 0];
    values[at] = cosine * left - sine * right;
    values[to] = sine * left + cosine * right;
  };
  for (let index = 0; index < width; index += 1) turn(matrix, index * width + one, index * width + other);
  for (let index = 0; index < width; index += 1) turn(matrix, one * width + index, other * width + index);
  for (let index = 0; index < width; index += 1) turn(vectors, index * width + one, index * width + other);
  return true;
}

function* gramOf(matrix: Float64Array, width: number, meter: Meter): Work<Float64Array> {
  const gram = new Float64Array(width * width);
  for (let at = 0; at < matrix.length; at += width) {
    for (let one = 0; one < width; one += 1) {
      const value = matrix[at + one] ?? 0;
      if (value === 0) continue;
      for (let other = 0; other < width; other += 1)
        gram[one * width + other] = (gram[one * width + other] ?? 0) + value * (matrix[at + other] ?? 0);
    }
    if (meter.spend(width * width)) yield;
  }
  return gram;
}

/** The right singular vectors of the rows, the strongest first: `RANK` numbers a term (0 where there are fewer directions). */
export function* buildSpace(rows: readonly SpaceRow[], terms: number): Work<Float32Array> {
  const space = new Float32Array(terms * RANK);
  const width = Math.min(RANK + SPARE, terms, rows.length);
  if (width === 0) return space;
  const meter = new Meter();
  const random = normalSource(1);
  const start = Float64Array.from({ length: terms * width }, random);
  let range = yield* multiply(rows, start, width, meter);
  yield* orthonormalise(range, width, meter);
  for (let step = 0; step < POWER_STEPS; step += 1) {
    const back = yield* multiplyTransposed(rows, range, terms, width, meter);
    range = yield* multiply(rows, back, width, meter);
    yield* orthonormalise(range, width, meter);
  }
  const projected = yield* multiplyTransposed(rows, range, terms, width, meter);
  const gram = yield* gramOf(projected, width, meter);
  const turns = yield* eigenvectors(gram, width, meter);
  const strongest = Array.from({ length: width }, (_, index) => index)
    .map((index) => ({ index, strength: gram[index * width + index] ?? 0 }))
    .filter(({ strength }) => strength > 1e-9)
    .sort((one, other) => other.strength - one.strength || one.index - other.index)
    .slice(0, RANK);
  for (const [column, { index, strength }] of strongest.entries()) {
    for (let term = 0; term < terms; term += 1) {
      let sum = 0;
      for (let inner = 0; inner < width; inner += 1)
        sum += (projected[term * width + inner] ?? 0) * (turns[inner * width + index] ?? 0);
      space[term * RANK + column] = sum / Math.sqrt(strength);
    }
    if (meter.spend(terms * width)) yield;
  }
  return space;
}
