/**
 * Page in: maps the pages an instruction needs into the tail of this run's prompt.
 *
 * First the body is brought between its watermarks (`evict.ts`). Then come the pages named by handle and the best of a search
 * over the process's own pages, until the tail's token budget is full (`pager/plan-tail.ts`): a page that stands in the prefix
 * or the body is pointed to, a long one is shown in part, and a page that was superseded comes behind the one that says the
 * newer thing. A question for a walk along time gets a list instead (`map-walk.ts`). Questions, the process's own answers and
 * this run's own turn are never mapped as evidence. When D1 does not answer in time, the run goes on with the resident pages,
 * and the trace and the stream say so.
 */
import { composePageHandle } from "#shared/ids.ts";
import {
  EXCERPT_TOKENS,
  PAGE_IN_WAIT_MS,
  PAGES_FOLDED,
  PAGES_MAPPED,
  TAIL_POINTERS,
  TAIL_TOKENS,
} from "#shared/limits.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { emit } from "#kernel/proc/events.ts";
import { noteTail, type LiveRun } from "#kernel/proc/live-run.ts";
import type { TraceData } from "#kernel/proc/trace.ts";
import { isCitable } from "#kernel/vm/context/body.ts";
import { prepareBody } from "#kernel/vm/pager/evict.ts";
import { rankPages } from "#kernel/vm/search/embeddings.ts";
import { enumerate } from "#kernel/vm/search/enumerate.ts";
import { fault } from "#kernel/vm/fault.ts";
import { mapWalk } from "#kernel/vm/context/map-walk.ts";
import { withoutDuplicates } from "#kernel/vm/statements/near-duplicates.ts";
import type { ResidentPage } from "#kernel/vm/page.ts";
import { pinnedItems } from "#kernel/vm/pinned/pinned.ts";
import { readPages } from "#kernel/vm/page-table.ts";
import { planTail, type TailEntry } from "#kernel/vm/pager/plan-tail.ts";
import { noteReferences } from "#kernel/vm/reference-log.ts";
import { refreshBlocks } from "#kernel/vm/pinned/shared-blocks.ts";
import { foldDerived, foldNumbers } from "#kernel/vm/sleep/fold.ts";
import { lineTokens, POINTER_TOKENS } from "#kernel/vm/context/tail.ts";
import { currentFirst } from "#kernel/vm/statements/supersede.ts";

export async function pageIn(kernel: Kernel, run: LiveRun, data: TraceData): Promise<void> {
  if (run.instruction.kind === "command") return;
  await refreshBlocks(kernel);
  const above = standing(kernel, run, data);
  const walked = enumerate(kernel.index, run.query, { now: kernel.now() }) ?? [];
  const walk = foldNumbers(kernel, walked);
  const scores = walk.length > 0 ? new Map<number, number>() : await searchFor(kernel, run);
  const ranked = walk.length > 0 ? walk : currentFirst(kernel, [...scores.keys()], run.query, kernel.now());
  const found = await bringIn(kernel, [...new Set([...run.named, ...ranked])]);
  const others = found.pages.filter((page) => page.run !== run.id);
  const pages = withoutDuplicates(others, new Set(run.named));
  const entries = walk.length > 0 ? mapWalk(run, pages) : mapTail(run, pages, scores, above);
  for (const number of [...above, ...run.tail]) run.mapped.add(number);
  noteTail(kernel, run.id, [...run.mapped]); // with what an earlier instance had mapped
  const why = (page: number): string =>
    run.named.includes(page) ? "named" : walk.length > 0 ? "walk" : scores.has(page) ? "search" : "supersedes";
  for (const { page, how, tokens } of entries) {
    noteReferences(kernel, run, "tail", [{ id: page, tokens }], how === "whole" ? why(page) : `${why(page)}, ${how}`);
  }
  Object.assign(data, {
    pages: entries.length,
    tokens: entries.reduce((sum, entry) => sum + entry.tokens, 0),
    major: found.major,
    mapped: entries.map(({ page, how, tokens }) => [composePageHandle(page), how, why(page), tokens]),
    ...(found.degraded === null ? {} : { degraded: found.degraded }),
  });
  const shown = entries.map(({ page, how, tokens }) => {
    return { handle: composePageHandle(page), tokens, score: scores.get(page) ?? null, why: why(page), how };
  });
  const degraded = found.degraded === null ? {} : { degraded: found.degraded };
  emit(kernel, run, { type: "data-page-in", data: { pages: shown, major: found.major, ...degraded } });
}

/** The best pages for the run's query and their scores. */
async function searchFor(kernel: Kernel, run: LiveRun): Promise<ReadonlyMap<number, number>> {
  const hits = await rankPages(kernel, {
    text: run.query,
    limit: PAGES_MAPPED + PAGES_FOLDED,
    now: kernel.now(),
    filter: (page) => kernel.index.isEvidence(page),
  });
  return new Map(foldDerived(kernel, hits, PAGES_MAPPED).map((hit) => [hit.page, hit.score]));
}

/** Pages that stand in the prompt whatever is asked: the citable ones of the body, and the pinned ones. */
function standing(kernel: Kernel, run: LiveRun, data: TraceData): ReadonlySet<number> {
  const body = prepareBody(kernel, run, data).flatMap((message) => (isCitable(message) ? message.page : []));
  const pinned = pinnedItems(kernel).flatMap(({ shown, page, tokens }) =>
    shown && page !== null ? { id: page, tokens } : [],
  );
  noteReferences(kernel, run, "pinned", pinned);
  return new Set([...body, ...pinned.map(({ id }) => id)]);
}

interface Found {
  readonly pages: readonly ResidentPage[];
  readonly major: number;
  readonly degraded: string | null;
}

/** A D1 that is slow is waited for a while; what it brings after that is at hand for the next run. */
async function bringIn(kernel: Kernel, wanted: readonly number[]): Promise<Found> {
  const faulting = fault(kernel, wanted);
  kernel.background(faulting);
  const found = await within(faulting, PAGE_IN_WAIT_MS);
  if (found?.ok === true) return { pages: found.value.pages, major: found.value.major, degraded: null };
  const resident = readPages(kernel, wanted).filter((page): page is ResidentPage => page.text !== null);
  return { pages: resident, major: 0, degraded: found === null ? "slow" : found.error.code };
}

/** The value, or null when it is not there in time. */
async function within<Value>(work: Promise<Value>, ms: number): Promise<Value | null> {
  const { promise, resolve } = Promise.withResolvers<null>();
  const timer = setTimeout(() => resolve(null), ms);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** A page that was put before one that the search found is worth as much as that. */
function firstScore(pages: readonly ResidentPage[], scores: ReadonlyMap<number, number>): number {
  for (const { number } of pages) {
    const score = scores.get(number);
    if (score !== undefined) return score;
  }
  return 0;
}

/** Fills the run's tail from candidates, best first. */
function mapTail(
  run: LiveRun,
  pages: readonly ResidentPage[],
  scores: ReadonlyMap<number, number>,
  above: ReadonlySet<number>,
): TailEntry[] {
  const candidates = pages.map((page, place) => ({
    page: page.number,
    score: scores.get(page.number) ?? firstScore(pages.slice(place), scores),
    ...lineTokens(page),
    named: run.named.includes(page.number),
    above: above.has(page.number),
  }));
  const entries = planTail(candidates, {
    tokens: TAIL_TOKENS,
    excerpt: EXCERPT_TOKENS,
    pointer: POINTER_TOKENS,
    pointers: TAIL_POINTERS,
  });
  run.tail = entries.map((entry) => entry.page);
  run.above = new Set(entries.flatMap((entry) => (entry.how === "pointer" ? entry.page : [])));
  const frames = new Map(candidates.map(({ page, frame }) => [page, frame]));
  run.cuts = new Map(
    entries.flatMap(({ page, how, tokens }) =>
      how === "excerpt" ? [[page, tokens - (frames.get(page) ?? 0)] as const] : [],
    ),
  );
  return entries;
}
