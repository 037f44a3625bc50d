/**
 * Schedule: chooses the model of a run's next inference and waits for a slot of it, and lets go of it after.
 *
 * A command calls no model and needs no slot, and neither does an inference that is in the journal already. Which model, and when it
 * may be asked again after a failure, is `route-run.ts`; the slot itself, with all that can happen to it, is `slot.ts`.
 */
import type { Failure } from "#shared/errors.ts";
import { RETRY_SWITCH_MS } from "#shared/limits.ts";
import { success, type Result } from "#shared/result.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { finishedStep, inferenceStep } from "#kernel/proc/journal.ts";
import type { LiveRun } from "#kernel/proc/live-run.ts";
import type { TraceData } from "#kernel/proc/trace.ts";
import type { Trouble } from "#kernel/proc/trouble.ts";
import { askedTokens } from "#kernel/sched/asked-tokens.ts";
import { UNUSED, type CallEnd } from "#kernel/sched/pool-api.ts";
import { routeRun } from "#kernel/sched/route-run.ts";
import { lingeringSlot, takeSlot, type HeldSlot, type SlotRequest } from "#kernel/sched/slot.ts";

export async function schedule(kernel: Kernel, run: LiveRun, data: TraceData): Promise<Result<HeldSlot | null>> {
  if (run.instruction.kind === "command") return success(null);
  if (run.recovered && finishedStep(kernel, run.id, inferenceStep(run.step)) !== null) {
    data["journaled"] = true;
    return success(null);
  }
  const band = run.priority;
  data["band"] = band;
  await kernel.models.ready();
  for (;;) {
    const routed = await routeRun(kernel, run, data);
    if (!routed.ok) return routed;
    const request: SlotRequest = {
      model: routed.value,
      holder: `${kernel.user}/${run.id}`,
      band,
      program: run.id,
      tokens: askedTokens(kernel, run),
      patienceMs: RETRY_SWITCH_MS,
      homes: run.homes,
      signal: run.abort.signal,
    };
    const lingering = lingeringSlot(kernel, request);
    const taken = lingering === null ? await takeSlot(kernel, request) : success(lingering);
    if (taken.ok) {
      run.lastCall = UNUSED;
      data["waitedMs"] = lingering === null ? taken.value.lease.waitedMs : 0;
      return taken;
    }
    noteRefusal(kernel, run, request.model, taken.error);
  }
}

/** No slot of a model is a trouble like any other: routing waits for the end of a pause, asks another model, or ends the run. */
function noteRefusal(kernel: Kernel, run: LiveRun, model: string, error: Failure): void {
  const paused = error.code === "model_unavailable";
  const retryAfterMs = paused && error.retryAfter !== undefined ? error.retryAfter * 1_000 : null;
  const trouble: Trouble = { model, fault: "throttled", error, retryable: paused, retryAfterMs };
  run.troubles.push(trouble);
  kernel.breakers.noteFault(trouble, kernel.now());
}

/** Lets go of the slot and tells what became of the call, without keeping the run waiting. */
export function unschedule(slot: HeldSlot | null, end: CallEnd = UNUSED): void {
  slot?.end(end);
}
