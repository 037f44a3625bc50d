/**
 * Route run: which model a run's next inference asks, and when.
 *
 * `schedule.ts` calls it before it asks for a slot. An inference that came to nothing left its trouble in the run: what can pass
 * is waited out here, holding no slot, and then tried again; what cannot ends the run with the trouble's own failure.
 */
import { INFER_ATTEMPTS, RETRY_MOST_MS, RETRY_MS, RETRY_PATIENCE_MS } from "#shared/limits.ts";
import { failed, success, type Result } from "#shared/result.ts";
import type { Kernel } from "#kernel/kernel.ts";
import type { LiveRun } from "#kernel/proc/live-run.ts";
import type { TraceData } from "#kernel/proc/trace.ts";

/** The model to ask, once it may be asked. Rejects with the run's reason when the run is aborted meanwhile. */
export async function routeRun(_kernel: Kernel, run: LiveRun, data: TraceData): Promise<Result<string>> {
  data["model"] = run.model;
  const trouble = run.troubles.at(-1);
  if (trouble === undefined) return success(run.model);
  data["attempt"] = run.troubles.length + 1;
  data["fault"] = trouble.fault;
  if (!trouble.retryable || run.troubles.length >= INFER_ATTEMPTS) return failed(trouble.error);
  const waitMs = pauseBefore(run.troubles.length + 1, trouble.retryAfterMs);
  if (waitMs > RETRY_PATIENCE_MS) return failed(trouble.error);
  data["pausedMs"] = Math.round(waitMs);
  await pause(waitMs, run.abort.signal);
  return success(run.model);
}

/** Milliseconds before try number `attempt`: exponential with full jitter, and at least what the provider asked for. */
export function pauseBefore(attempt: number, retryAfterMs: number | null, random: () => number = Math.random): number {
  const most = Math.min(RETRY_MS * 2 ** Math.max(0, attempt - 2), RETRY_MOST_MS);
  return (retryAfterMs ?? 0) + random() * most;
}

/** Resolves after `ms` milliseconds; rejects with the signal's reason when it is aborted. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      signal.removeEventListener("abort", stop);
      resolve();
    };
    const timer = setTimeout(done, ms);
    function stop(): void {
      clearTimeout(timer);
      reject(signal.reason instanceof Error ? signal.reason : new Error("aborted"));
    }
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}
