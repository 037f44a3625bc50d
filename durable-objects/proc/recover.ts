/**
 * Recover: takes up the runs that an earlier instance of the object left behind.
 *
 * A live run with another boot id lost its instance: it goes back to its thread's queue at once, or, after too many tries,
 * ends as `interrupted` with the reason. Called once at boot; the queue is then worked off as usual.
 */
import { failure } from "#shared/errors.ts";
import type { RunId, ThreadId } from "#shared/ids.ts";
import { RUN_RECOVERIES } from "#shared/limits.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { openRun } from "#kernel/proc/live-run.ts";
import { giveUp } from "#kernel/proc/retire.ts";
import { countRecovery, listLiveRuns } from "#kernel/proc/runs.ts";
import { pageOut } from "#kernel/vm/page-out.ts";

/** Answers the threads that have work. */
export function recover(kernel: Kernel): ThreadId[] {
  const threads = new Set<ThreadId>();
  for (const row of listLiveRuns(kernel)) {
    if (row.boot_id === kernel.bootId) continue;
    if (row.state !== "queued" && countRecovery(kernel, row.id as RunId) > RUN_RECOVERIES) {
      const reason = failure("internal", "The run was cut off too many times. It can be resumed.");
      const run = openRun(kernel, row);
      pageOut(kernel, run); // what the person said is kept
      giveUp(kernel, run, "interrupted", reason);
      continue;
    }
    if (row.ephemeral === 1) {
      giveUp(kernel, openRun(kernel, row), "interrupted", failure("internal", "The run lost its reader."));
      continue;
    }
    threads.add(row.thread as ThreadId);
  }
  return [...threads];
}
