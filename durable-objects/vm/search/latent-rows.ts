/**
 * Latent rows: the sample of an index's pages that its latent space is learned from.
 *
 * Use `sampleRows(pages, postings)`: a vocabulary, the weight of each of its terms, and one row a sampled page, its words
 * together with its neighbours' (0.4 of those beside it, 0.2 of the next).
 * What must hold: at most LATENT_ROWS rows and LATENT_TERMS terms, whatever the index holds; stop words and words of one sampled
 * page only are left out.
 */
import { LATENT_ROWS, LATENT_TERMS } from "#shared/limits.ts";
import { analyzeWord, STOP_WORDS } from "#shared/text/words.ts";
import type { SpaceRow } from "#kernel/vm/search/latent-space.ts";
import { NONE, type PageColumns } from "#kernel/vm/search/page-columns.ts";
import type { Postings } from "#kernel/vm/search/postings.ts";
import { inverseFrequency } from "#kernel/vm/search/term-window.ts";

export interface LatentSample {
  readonly terms: readonly string[];
  readonly weights: Float32Array;
  readonly rows: readonly SpaceRow[];
}

const STOP_TERMS: ReadonlySet<string> = new Set([...STOP_WORDS].map(analyzeWord));
const NEIGHBOURS = [1, 0.4, 0.2] as const;
/** Pages taken one after another, so that neighbours are in the sample too. */
const RUN = 16;

/** Slots of runs of pages, evenly over all pages. */
function sampleSlots(pages: PageColumns): Int32Array {
  const held: number[] = [];
  for (let slot = 0; slot < pages.used; slot += 1) if (pages.has(slot)) held.push(slot);
  if (held.length <= LATENT_ROWS) return Int32Array.from(held);
  const runs = Math.floor(LATENT_ROWS / RUN);
  return Int32Array.from({ length: runs * RUN }, (_, index) => {
    const run = Math.floor(index / RUN);
    return held[Math.floor((run * (held.length - RUN)) / Math.max(1, runs - 1)) + (index % RUN)] ?? 0;
  });
}

export function sampleRows(pages: PageColumns, postings: Postings): LatentSample {
  const slots = sampleSlots(pages);
  const rowOf = new Int32Array(pages.used).fill(NONE);
  slots.forEach((slot, row) => (rowOf[slot] = row));
  const found: { term: string; rows: number[]; counts: number[] }[] = [];
  postings.forEachTerm((term, id) => {
    if (STOP_TERMS.has(term) || !/^[\p{L}\p{N}]/u.test(term)) return;
    const rows: number[] = [];
    const counts: number[] = [];
    postings.forEachPage(id, (slot, count) => {
      const row = rowOf[slot] ?? NONE;
      if (row === NONE) return;
      rows.push(row);
      counts.push(count);
    });
    if (rows.length > 1) found.push({ term, rows, counts });
  });
  found.sort((one, other) => other.rows.length - one.rows.length || (one.term < other.term ? -1 : 1));
  const kept = found.slice(0, LATENT_TERMS);
  const weights = Float32Array.from(kept, ({ rows }) => inverseFrequency(slots.length, rows.length));
  const bags: Map<number, number>[] = Array.from(slots, () => new Map<number, number>());
  kept.forEach(({ rows, counts }, place) => rows.forEach((row, index) => bags[row]?.set(place, counts[index] ?? 0)));
  const rows = Array.from(slots, (slot) => rowAround(slot, pages, rowOf, bags, weights));
  return { terms: kept.map(({ term }) => term), weights, rows };
}

function rowAround(
  slot: number,
  pages: PageColumns,
  rowOf: Int32Array,
  bags: readonly ReadonlyMap<number, number>[],
  weights: Float32Array,
): SpaceRow {
  const sums = new Map<number, number>();
  const take = (near: number, part: number): void => {
    if (near === NONE) return;
    for (const [place, count] of bags[rowOf[near] ?? NONE] ?? [])
      sums.set(place, (sums.get(place) ?? 0) + part * count);
  };
  let [before, after] = [slot, slot];
  take(slot, NEIGHBOURS[0]);
  for (const part of NEIGHBOURS.slice(1)) {
    before = before === NONE ? NONE : (pages.previous[before] ?? NONE);
    after = after === NONE ? NONE : (pages.next[after] ?? NONE);
    take(before, part);
    take(after, part);
  }
  const places = [...sums.keys()].sort((one, other) => one - other);
  const values = Float32Array.from(places, (place) => Math.log(1 + (sums.get(place) ?? 0)) * (weights[place] ?? 0));
  let squares = 0;
  for (const value of values) squares += value * value;
  const length = Math.sqrt(squares) || 1;
  return { terms: Int32Array.from(places), weights: values.map((value) => value / length) };
}
