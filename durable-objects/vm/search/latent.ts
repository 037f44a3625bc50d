/**
 * Latent: learns the latent space of the process's pages when it is idle, and again when they have become many more.
 *
 * `latentSoon` sets the timer `latent` after pages were written; its work, `ringLatent`, begins when no run is live and nothing waits
 * to be written. New pages are folded into the space as they come; without a space pages are found by their words alone.
 * What must hold: the work gives way after every bounded piece and never holds a run up; a space is taken in use only when no
 * page changed or went while it was learned; an object that dies in mid-work begins anew.
 */
import { HEARTBEAT_MS, LATENT_GROWTH_PERCENT, LATENT_IDLE_MS, LATENT_PAGES } from "#shared/limits.ts";
import { errorName, logEvent } from "#shared/log.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { clearTimer, setTimer } from "#kernel/proc/alarm.ts";
import { liveRuns } from "#kernel/proc/runs.ts";
import { transact } from "#kernel/proc/transact.ts";
import { buildSpace } from "#kernel/vm/search/latent-space.ts";
import { storedPages, storedSpace, storeSpace } from "#kernel/vm/search/latent-table.ts";
import { packTerms, type TermVectors } from "#kernel/vm/search/latent-terms.ts";

const NAME = "latent";

/** Whether the pages have no space though there are enough, or have outgrown it. */
export function needsRebuild(kernel: Kernel): boolean {
  const pages = kernel.index.size;
  if (pages < LATENT_PAGES) return false;
  const learned = storedPages(kernel.sql);
  return learned === 0 || pages * 100 >= learned * (100 + LATENT_GROWTH_PERCENT);
}

/** Whether there is a space that the pages of this instance are not placed in: it woke with too many to place at once. */
function needsPlacing(kernel: Kernel): boolean {
  return !kernel.index.hasLatent && storedPages(kernel.sql) > 0;
}

function needsWork(kernel: Kernel): boolean {
  return needsRebuild(kernel) || needsPlacing(kernel);
}

/** After pages were written. Costs nothing while the index is not loaded: whoever writes a page loads it. */
export function latentSoon(kernel: Kernel): void {
  if (!kernel.index.isLoaded || !needsWork(kernel)) return;
  setTimer(kernel, NAME, kernel.now() + LATENT_IDLE_MS);
}

/** The timer's work: starts, or keeps alive, this instance's one rebuild. */
export function ringLatent(kernel: Kernel): void {
  if (!kernel.working.has(NAME)) {
    if (!needsWork(kernel)) return;
    if (isBusy(kernel)) return setTimer(kernel, NAME, kernel.now() + LATENT_IDLE_MS);
  }
  setTimer(kernel, NAME, kernel.now() + HEARTBEAT_MS); // wakes the object for it again when it dies now
  if (!kernel.working.has(NAME)) kernel.background(work(kernel));
}

/** Resolves when no space is being learned any more. */
export async function latentSettled(kernel: Kernel): Promise<void> {
  await kernel.working.get(NAME);
}

function isBusy(kernel: Kernel): boolean {
  return liveRuns(kernel, null) > 0 || kernel.flushing !== null;
}

function work(kernel: Kernel): Promise<void> {
  const running = rebuild(kernel)
    .catch((error: unknown) => logEvent("latent-broke", { error: errorName(error) }, "error"))
    .finally(() => {
      kernel.working.delete(NAME);
      clearTimer(kernel, NAME);
      latentSoon(kernel);
    });
  kernel.working.set(NAME, running);
  return running;
}

async function rebuild(kernel: Kernel): Promise<void> {
  const stored = needsRebuild(kernel) ? null : storedSpace(kernel.sql);
  const terms = stored ?? (await learn(kernel));
  if (terms === null) return;
  for (const placed of kernel.index.placeLatent(terms)) await pause(placed);
}

/** Runs and requests go first. */
function pause(_done: undefined): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** Learns and stores a space; null when a page changed or went meanwhile. */
async function learn(kernel: Kernel): Promise<TermVectors | null> {
  const { changes } = kernel.index;
  const sample = kernel.index.latentSample();
  const pieces = buildSpace(sample.rows, sample.terms.length);
  let piece = pieces.next();
  while (piece.done !== true) {
    await pause(piece.value);
    if (kernel.index.changes !== changes) return null;
    piece = pieces.next();
  }
  if (kernel.index.changes !== changes) return null;
  const terms = packTerms(sample.terms, sample.weights, piece.value);
  transact(kernel, () => storeSpace(kernel, terms, kernel.index.size));
  return terms;
}
