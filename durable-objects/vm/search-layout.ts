/**
 * The pages of a process laid out for scoring: sessions one after another, each in order, with what does not depend on the query
 * worked out once.
 *
 * Use `layOut(sessions)` after pages were added or removed, and keep the result until the next change. A position is an index
 * into it; neighbours of a page are the positions beside it within its session.
 * What must hold: only numbers of this layout are shared between pages; nothing is written back to an entry, so a change to one page never rewrites
 * another.
 */
import type { IndexEntry } from "#kernel/vm/search-entry.ts";

export interface HeldPage {
  slot: number;
  entry: Omit<IndexEntry, "terms">;
  length: number;
}

export interface Layout {
  size: number;
  pages: HeldPage[];
  /** Position of a slot. */
  positionOfSlot: Int32Array;
  /** First position of the session, and one past its last. */
  start: Int32Array;
  end: Int32Array;
  /** Words of the page, of the page with its neighbours at 1, at 2 and at 4. */
  length: Float64Array;
  lengthWithin1: Float64Array;
  lengthWithin2: Float64Array;
  lengthWithin4: Float64Array;
  averageLength: number;
  averageWithin1: number;
  averageWithin2: number;
  averageWithin4: number;
}

function windowSums(length: Float64Array, start: Int32Array, end: Int32Array, reach: number): Float64Array {
  const sums = new Float64Array(length.length);
  for (let position = 0; position < length.length; position += 1) {
    const from = Math.max(start[position] ?? 0, position - reach);
    const to = Math.min((end[position] ?? 0) - 1, position + reach);
    let sum = 0;
    for (let near = from; near <= to; near += 1) sum += length[near] ?? 0;
    sums[position] = sum;
  }
  return sums;
}

function average(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return values.length === 0 || sum === 0 ? 1 : sum / values.length;
}

/** `sessions`: the pages of each session, in order. `slots`: one more than the highest slot in use. */
export function layOut(sessions: Iterable<readonly HeldPage[]>, slots: number): Layout {
  const pages: HeldPage[] = [];
  const bounds: number[] = [];
  for (const session of sessions) {
    const first = pages.length;
    for (const page of session) pages.push(page);
    for (let index = first; index < pages.length; index += 1) bounds.push(first, pages.length);
  }
  const size = pages.length;
  const positionOfSlot = new Int32Array(slots).fill(-1);
  const start = new Int32Array(size);
  const end = new Int32Array(size);
  const length = new Float64Array(size);
  pages.forEach((page, position) => {
    positionOfSlot[page.slot] = position;
    start[position] = bounds[2 * position] ?? 0;
    end[position] = bounds[2 * position + 1] ?? 0;
    length[position] = page.length;
  });
  const lengthWithin1 = windowSums(length, start, end, 1);
  const lengthWithin2 = windowSums(length, start, end, 2);
  const lengthWithin4 = windowSums(length, start, end, 4);
  return {
    size,
    pages,
    positionOfSlot,
    start,
    end,
    length,
    lengthWithin1,
    lengthWithin2,
    lengthWithin4,
    averageLength: average(length),
    averageWithin1: average(lengthWithin1),
    averageWithin2: average(lengthWithin2),
    averageWithin4: average(lengthWithin4),
  };
}
