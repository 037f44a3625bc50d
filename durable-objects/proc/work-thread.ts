/**
 * Work thread: works off a thread's queue, one run after the other; threads run beside each other.
 *
 * While any run is live an alarm rings every half minute: it keeps the object from eviction, and after a crash it is what
 * wakes the object up to recover. Every way a run can end is here: answered, failed, cancelled, out of time.
 */
import { failure, type Failure } from "#shared/errors.ts";
import type { RunId, ThreadId } from "#shared/ids.ts";
import { HEARTBEAT_MS, RUN_MS } from "#shared/limits.ts";
import { errorName, logEvent } from "#shared/log.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { setTimer } from "#kernel/proc/alarm.ts";
import { emitStart, wake } from "#kernel/proc/events.ts";
import { openRun, type LiveRun } from "#kernel/proc/live-run.ts";
import { saveMessages } from "#kernel/proc/messages.ts";
import { giveUp } from "#kernel/proc/retire.ts";
import { RunFailure } from "#kernel/proc/run-failure.ts";
import { moveRun, nextQueuedRun, readRun } from "#kernel/proc/runs.ts";
import { storeTrace } from "#kernel/proc/trace.ts";
import { transact } from "#kernel/proc/transact.ts";
import { pageOut } from "#kernel/vm/page-out.ts";

export type Cycle = (kernel: Kernel, run: LiveRun) => Promise<void>;

const CANCELLED = failure("conflict", "The run was cancelled.");
const OUT_OF_TIME = failure("internal", "The run took too long.");

/** Starts working off a thread's queue unless this instance is at it. */
export function workThread(kernel: Kernel, thread: ThreadId, cycle: Cycle): void {
  if (kernel.busyThreads.has(thread)) return;
  kernel.busyThreads.add(thread);
  kernel.background(workOff(kernel, thread, cycle).finally(() => kernel.busyThreads.delete(thread)));
}

async function workOff(kernel: Kernel, thread: ThreadId, cycle: Cycle): Promise<void> {
  for (;;) {
    const row = nextQueuedRun(kernel, thread);
    if (row === null) return;
    setTimer(kernel, "heartbeat", kernel.now() + HEARTBEAT_MS);
    const run = openRun(kernel, row);
    kernel.live.set(run.id, run);
    const timer = setTimeout(() => run.abort.abort(new RunFailure(OUT_OF_TIME)), RUN_MS);
    try {
      begin(kernel, run);
      await cycle(kernel, run);
    } catch (error) {
      endAnyway(kernel, run, error);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Marks the run as this instance's and shows its first events, once. */
function begin(kernel: Kernel, run: LiveRun): void {
  transact(kernel, () => {
    moveRun(kernel, run.id, "running");
    emitStart(kernel, run);
    if (run.conversation === null && !run.recovered) {
      saveMessages(kernel, run.thread, run.id, [{ role: "user", content: run.instruction.text }]);
    }
  });
  wake(kernel, run.id);
}

/** Ends a run whatever happens: one that cannot even store its failure is closed with nothing else. */
function endAnyway(kernel: Kernel, run: LiveRun, error: unknown): void {
  try {
    end(kernel, run, error);
  } catch (broken) {
    logEvent("run-not-closed", { run: run.id, error: errorName(broken) }, "error");
    moveRun(kernel, run.id, "failed", failure("internal", "The run broke inside the kernel."));
    kernel.live.delete(run.id);
    wake(kernel, run.id);
  }
}

function end(kernel: Kernel, run: LiveRun, error: unknown): void {
  const reason = run.abort.signal.aborted ? run.abort.signal.reason : error;
  const cancelled = reason instanceof RunFailure && reason.failure === CANCELLED;
  if (!(reason instanceof RunFailure)) {
    logEvent("run-broke", { run: run.id, error: errorName(error) }, "error");
  }
  const why: Failure =
    reason instanceof RunFailure ? reason.failure : failure("internal", "The run broke inside the kernel.");
  pageOut(kernel, run); // what the person said is kept, whatever became of the answer
  giveUp(kernel, run, cancelled ? "cancelled" : "failed", why);
  storeTrace(kernel, run);
}

/** Cancels a run: a live one is aborted, a queued one never begins, an ended one stays as it is. */
export function cancelRun(kernel: Kernel, run: RunId): void {
  const live = kernel.live.get(run);
  if (live !== undefined) {
    live.abort.abort(new RunFailure(CANCELLED));
    return;
  }
  const row = readRun(kernel, run);
  if (row?.state === "queued") giveUp(kernel, openRun(kernel, row), "cancelled", CANCELLED);
}
