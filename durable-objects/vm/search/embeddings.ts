/**
 * Embeddings: an optional second look at the pages by a model's vectors, and by a reranker. Off unless the deployment names a model.
 *
 * `embedSoon` has new pages embedded in the background, some at a time; `rankPages` is the index's search, fused by reciprocal
 * ranks with the nearest pages by vector (binary sketches of all, whole vectors of the best), and reordered by the reranker.
 * What must hold: a run never waits longer than EMBED_WAIT_MS for a model, and no failure does more than leave the search as it
 * is by words; what a page said before it changed or was forgotten is in no vector. The effect on recall is not measured: no
 * such model can be reached offline.
 *
 * Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning Methods", 2009.
 */
import {
  EMBED_BATCH_PAGES,
  EMBED_CANDIDATES,
  EMBED_CHARACTERS,
  EMBED_DELAY_MS,
  EMBED_WAIT_MS,
  HEARTBEAT_MS,
  RERANK_PAGES,
} from "#shared/limits.ts";
import { errorName, logEvent } from "#shared/log.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { clearTimer, setTimer } from "#kernel/proc/alarm.ts";
import { noteFailure, noteSuccess, openUntil } from "#kernel/proc/breaker.ts";
import { counted } from "#kernel/proc/counted-reading.ts";
import { transact } from "#kernel/proc/transact.ts";
import { storedVectors, storeVector, unembedded } from "#kernel/vm/search/embedding-table.ts";
import { quantise } from "#kernel/vm/search/latent-terms.ts";
import { readPages } from "#kernel/vm/page-table.ts";
import type { SearchHit, SearchQuery } from "#kernel/vm/search/search-index.ts";
import { Sketches } from "#kernel/vm/search/sketches.ts";

const NAME = "embed";
/** Reciprocal rank fusion's constant: how little the first ranks outweigh the next. */
const FUSION = 60;

/** A cosine below this is no relation. A guess: models differ, and none could be measured. */
const LEAST_NEARNESS = 0.35;

const SKETCHES = new WeakMap<Kernel, Sketches>();

function sketchesOf(kernel: Kernel, model: string): Sketches {
  const known = SKETCHES.get(kernel);
  if (known !== undefined) return known;
  const sketches = new Sketches();
  for (const { page, vector } of storedVectors(kernel.sql, model, null)) sketches.put(page, vector);
  SKETCHES.set(kernel, sketches);
  return sketches;
}

/** After pages were written. */
export function embedSoon(kernel: Kernel): void {
  if (kernel.embedder !== null) setTimer(kernel, NAME, kernel.now() + EMBED_DELAY_MS);
}

/** The timer's work: starts, or keeps alive, this instance's one worker. */
export function ringEmbeddings(kernel: Kernel): void {
  if (kernel.embedder === null) return;
  const pause = openUntil(kernel, NAME);
  if (pause > kernel.now()) return setTimer(kernel, NAME, pause);
  setTimer(kernel, NAME, kernel.now() + HEARTBEAT_MS); // wakes the object for it again when it dies now
  if (kernel.working.has(NAME)) return;
  const work = embedAll(kernel)
    .then(() => clearTimer(kernel, NAME))
    .catch((error: unknown) => {
      noteFailure(kernel, NAME);
      logEvent("embed-failed", { error: errorName(error) });
    })
    .finally(() => kernel.working.delete(NAME));
  kernel.working.set(NAME, work);
  kernel.background(work);
}

/** Resolves when no page is being embedded any more. */
export async function embeddingsSettled(kernel: Kernel): Promise<void> {
  await kernel.working.get(NAME);
}

async function embedAll(kernel: Kernel): Promise<void> {
  const { embedder } = kernel;
  if (embedder === null) return;
  for (;;) {
    const pages = unembedded(kernel, embedder.model, EMBED_BATCH_PAGES);
    if (pages.length === 0) return;
    const vectors = await embed(
      kernel,
      embedder,
      pages.map(({ text }) => text.slice(0, EMBED_CHARACTERS)),
    );
    const sketches = sketchesOf(kernel, embedder.model);
    for (const [index, page] of pages.entries()) {
      const vector = rounded(vectors[index] ?? new Float32Array(0));
      if (transact(kernel, () => storeVector(kernel, page, embedder.model, vector))) sketches.put(page.number, vector);
    }
    noteSuccess(kernel, NAME);
  }
}

type Embedder = NonNullable<Kernel["embedder"]>;

function embed(kernel: Kernel, embedder: Embedder, texts: readonly string[]): Promise<Float32Array[]> {
  return counted(kernel, { model: embedder.model, purpose: "embed", texts }, () => embedder.embed(texts));
}

async function rerank(
  kernel: Kernel,
  embedder: Embedder,
  query: string,
  texts: readonly string[],
): Promise<number[] | null> {
  const { reranker } = embedder;
  if (reranker === null) return null;
  // A reranker reads the query with each of the texts.
  const read = texts.flatMap((text) => [query, text]);
  return counted(kernel, { model: reranker, purpose: "rerank", texts: read }, () => embedder.rerank(query, texts));
}

function rounded(vector: Float32Array): Int8Array {
  const whole = new Int8Array(vector.length);
  quantise(vector, 0, whole, 0, vector.length);
  return whole;
}

/** Ranked pages, best first. Without a model, or when it does not answer in time, the index's own. */
export async function rankPages(kernel: Kernel, query: SearchQuery): Promise<SearchHit[]> {
  const hits = kernel.index.search({
    ...query,
    limit: Math.max(query.limit, kernel.embedder === null ? 0 : RERANK_PAGES),
  });
  if (kernel.embedder === null || openUntil(kernel, NAME) > kernel.now()) return hits.slice(0, query.limit);
  try {
    const better = improve(kernel, query, hits);
    better.catch(() => undefined); // one that comes too late is of no use, and no failure
    const ranked = await within(better, EMBED_WAIT_MS);
    if (ranked !== null) return ranked.slice(0, query.limit);
    logEvent("embed-slow", {});
  } catch (error) {
    noteFailure(kernel, NAME);
    logEvent("embed-failed", { error: errorName(error) });
  }
  return hits.slice(0, query.limit);
}

async function within<Value>(work: Promise<Value>, ms: number): Promise<Value | null> {
  const { promise, resolve } = Promise.withResolvers<null>();
  const timer = setTimeout(() => resolve(null), ms);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}

async function improve(kernel: Kernel, query: SearchQuery, hits: readonly SearchHit[]): Promise<readonly SearchHit[]> {
  const { embedder } = kernel;
  if (embedder === null) return hits;
  const [asked] = await embed(kernel, embedder, [query.text]);
  const near = asked === undefined ? [] : nearest(kernel, embedder.model, rounded(asked), query);
  const fused = fuse(hits, near).slice(0, RERANK_PAGES);
  const texts = new Map(
    readPages(
      kernel,
      fused.map(({ page }) => page),
    ).map((page) => [page.number, page.text]),
  );
  const shown = fused.filter(({ page }) => typeof texts.get(page) === "string");
  if (shown.length < 2) return fused;
  const scores = await rerank(
    kernel,
    embedder,
    query.text,
    shown.map(({ page }) => (texts.get(page) ?? "").slice(0, EMBED_CHARACTERS)),
  );
  if (scores === null) return fused;
  const places = new Map(shown.map(({ page }, index) => [page, scores[index] ?? -Infinity]));
  const place = ({ page }: SearchHit): number => places.get(page) ?? -Infinity;
  return inOrder(
    hits,
    fused.toSorted((one, other) => place(other) - place(one)).map(({ page }) => page),
  );
}

/** The nearest pages by their whole vectors, of those whose sketches are nearest. A page without a row any more is dropped. */
function nearest(kernel: Kernel, model: string, asked: Int8Array, query: SearchQuery): number[] {
  const sketches = sketchesOf(kernel, model);
  const candidates = sketches.nearest(asked, EMBED_CANDIDATES);
  const scores = new Map<number, number>();
  for (const { page, vector } of storedVectors(kernel.sql, model, candidates)) scores.set(page, cosine(asked, vector));
  for (const page of candidates) if (!scores.has(page)) sketches.delete(page);
  const wanted = kernel.index.wanted(query);
  return [...scores]
    .filter(([page, score]) => score >= LEAST_NEARNESS && wanted(page))
    .sort((one, other) => other[1] - one[1] || one[0] - other[0])
    .map(([page]) => page);
}

function cosine(one: Int8Array, other: Int8Array): number {
  let [sum, first, second] = [0, 0, 0];
  for (let index = 0; index < one.length; index += 1) {
    const [left, right] = [one[index] ?? 0, other[index] ?? 0];
    sum += left * right;
    first += left * left;
    second += right * right;
  }
  return first === 0 || second === 0 ? 0 : sum / Math.sqrt(first * second);
}

/** The pages in this order, with the index's scores from the best down, for those who compare scores. */
function inOrder(hits: readonly SearchHit[], pages: readonly number[]): SearchHit[] {
  const least = hits.at(-1)?.score ?? 1;
  return pages.map((page, rank) => ({ page, score: hits[rank]?.score ?? least }));
}

/** Reciprocal rank fusion. */
function fuse(hits: readonly SearchHit[], near: readonly number[]): SearchHit[] {
  const share = new Map<number, number>();
  hits.forEach(({ page }, rank) => share.set(page, 1 / (FUSION + rank + 1)));
  near.forEach((page, rank) => share.set(page, (share.get(page) ?? 0) + 1 / (FUSION + rank + 1)));
  const ranked = [...share].sort((one, other) => other[1] - one[1] || one[0] - other[0]);
  return inOrder(
    hits,
    ranked.map(([page]) => page),
  );
}
