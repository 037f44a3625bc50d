/**
 * Cycle: one instruction, in order. Each stage is a file of its name, and a trace event of its name.
 *
 *     admit → refine → page-in → loop( schedule → infer → syscall → verify ) → page-out → retire
 *
 * `submit` is the part before the acknowledgement, `cycle` the part after it. A run that is cut off at any point is taken up
 * again from its journal (`proc/recover.ts`); whatever a stage throws ends the run with a reason (`proc/work-thread.ts`).
 */
import type { ExecuteRequest, RunStarted } from "#shared/abi.ts";
import { failure } from "#shared/errors.ts";
import { failed, type Result } from "#shared/result.ts";
import { infer } from "#kernel/infer/infer.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { admit } from "#kernel/proc/admit.ts";
import type { LiveRun } from "#kernel/proc/live-run.ts";
import { retire } from "#kernel/proc/retire.ts";
import { RunFailure } from "#kernel/proc/run-failure.ts";
import { stage, storeTrace } from "#kernel/proc/trace.ts";
import { refine } from "#kernel/refine/refine.ts";
import { schedule, unschedule } from "#kernel/sched/schedule.ts";
import { syscall } from "#kernel/syscall/syscall.ts";
import { Speech } from "#kernel/verify/speech.ts";
import { readReplySchema } from "#kernel/verify/structured.ts";
import { verify } from "#kernel/verify/verify.ts";
import { pageIn } from "#kernel/vm/page-in.ts";
import { pageOut } from "#kernel/vm/page-out.ts";

export function submit(kernel: Kernel, request: ExecuteRequest): Result<RunStarted> {
  if (request.reply !== undefined && readReplySchema(request.reply) === null) {
    return failed(failure("invalid_request", "`reply` is not a JSON schema that can be checked."));
  }
  return admit(kernel, request);
}

export async function cycle(kernel: Kernel, run: LiveRun): Promise<void> {
  const speech = new Speech(kernel, run);
  await stage(kernel, run, "refine", (data) => refine(kernel, run, data));
  await stage(kernel, run, "page-in", (data) => pageIn(kernel, run, data));
  for (;;) {
    const slot = RunFailure.unwrap(await stage(kernel, run, "schedule", (data) => schedule(kernel, run, data)));
    // Nothing stands between a slot and the step that lets go of it: what throws there would keep it.
    const inferred = await stage(kernel, run, "infer", (data) => {
      speech.begin();
      return infer(kernel, run, (text) => speech.say(text), data);
    }).finally(() => unschedule(slot, run.lastCall));
    const inference = RunFailure.unwrap(inferred);
    if (inference === null) continue; // this attempt came to nothing; schedule waits, or chooses another model
    const { calls } = inference;
    if (calls.length > 0) await stage(kernel, run, "syscall", (data) => syscall(kernel, run, calls, data));
    const answered = await stage(kernel, run, "verify", (data) => verify(kernel, run, speech, inference, data));
    if (answered && calls.length === 0) break;
  }
  await stage(kernel, run, "page-out", (data) => pageOut(kernel, run, data));
  await stage(kernel, run, "retire", () => retire(kernel, run));
  storeTrace(kernel, run);
}
