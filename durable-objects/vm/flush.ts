/**
 * Flush: the write-behind from the page table to D1.
 *
 * Changes are written together within a second (`flushSoon`), deletions at once. At most one flush runs per object. Pages stay dirty until D1 acknowledged them, so a failure, a slow database or a crash
 * delays the copy and loses nothing; the `flush` timer tries again with a growing pause. Clean bodies beyond the resident
 * budget are dropped afterwards.
 */
import {
  FLUSH_BATCH_PAGES,
  FLUSH_DELAY_MS,
  FLUSH_RETRY_MOST_MS,
  FLUSH_RETRY_MS,
  RESIDENT_TOKENS,
} from "#shared/limits.ts";
import { errorName, logEvent } from "#shared/log.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { transact } from "#kernel/proc/transact.ts";
import { clearTimer, setTimer } from "#kernel/proc/alarm.ts";
import { count } from "#kernel/proc/counters.ts";
import { readMeta, writeMeta } from "#kernel/proc/schema.ts";
import { dirtyPages, dropOldBodies, markClean } from "#kernel/vm/page-table.ts";
import { embedSoon } from "#kernel/vm/search/embeddings.ts";
import { latentSoon } from "#kernel/vm/search/latent.ts";
import { writeSwap } from "#kernel/vm/swap.ts";

/** Adding up what is resident reads the whole page table, so it is not done after every write. */
const FLUSHES_PER_SWEEP = 30;

/** Has dirty pages written within a second, together with what else becomes dirty until then. */
export function flushSoon(kernel: Kernel): void {
  setTimer(kernel, "flush", kernel.now() + FLUSH_DELAY_MS);
}

/** Starts the flusher unless it runs. Never rejects; a failure is retried by the timer. */
export function flush(kernel: Kernel): Promise<void> {
  // The timer is the promise that dirty pages reach D1, even when this instance dies now.
  setTimer(kernel, "flush", kernel.now() + FLUSH_RETRY_MS);
  kernel.flushing ??= flushAll(kernel).finally(() => {
    kernel.flushing = null;
  });
  return kernel.flushing;
}

async function flushAll(kernel: Kernel): Promise<void> {
  try {
    for (;;) {
      const pages = dirtyPages(kernel, FLUSH_BATCH_PAGES);
      if (pages.length === 0) break;
      await writeSwap(kernel, pages);
      transact(kernel, () => markClean(kernel, pages));
      count(kernel, "page-outs", pages.length);
    }
    clearTimer(kernel, "flush");
    writeMeta(kernel.sql, "flush-failures", "0");
    latentSoon(kernel);
    embedSoon(kernel);
    kernel.flushes += 1;
    if (kernel.flushes % FLUSHES_PER_SWEEP === 0) {
      const dropped = dropOldBodies(kernel, RESIDENT_TOKENS);
      if (dropped > 0) count(kernel, "evictions", dropped);
    }
  } catch (error) {
    retryLater(kernel, error);
  }
}

function retryLater(kernel: Kernel, error: unknown): void {
  const failures = Number(readMeta(kernel.sql, "flush-failures") ?? "0") + 1;
  writeMeta(kernel.sql, "flush-failures", String(failures));
  count(kernel, "flush-failures");
  const wait = Math.min(FLUSH_RETRY_MS * 2 ** Math.min(failures, 20), FLUSH_RETRY_MOST_MS);
  clearTimer(kernel, "flush");
  setTimer(kernel, "flush", kernel.now() + wait);
  logEvent("flush-failed", { failures, error: errorName(error) });
}
