/**
 * Infer: one call of a model, from the run's context to a text or system calls.
 *
 * The call is journaled: after a crash a finished one is not made again, its stored text is said once more; one that was cut
 * off is made again. Text goes to `say` as it arrives; the caller decides what a reader sees of it. One pass is one attempt: when
 * it came to nothing the run notes the trouble and the answer is null; `sched/route-run.ts` decides what comes next.
 */
import { failure } from "#shared/errors.ts";
import { RUN_STEPS } from "#shared/limits.ts";
import { failed, success, type Result } from "#shared/result.ts";
import type { Kernel } from "#kernel/kernel.ts";
import type { AttemptFailure } from "#kernel/infer/attempt.ts";
import { interpretCommand } from "#kernel/infer/command.ts";
import type { InferRequest } from "#kernel/infer/drivers/driver.ts";
import { hedge } from "#kernel/infer/hedge.ts";
import type { Inference } from "#kernel/infer/inference.ts";
import { makeRequest } from "#kernel/infer/make-request.ts";
import { finishedStep, finishStep, inferenceStep } from "#kernel/proc/journal.ts";
import type { LiveRun } from "#kernel/proc/live-run.ts";
import type { TraceData } from "#kernel/proc/trace.ts";
import { outcomeOf, UNUSED } from "#kernel/sched/pool-api.ts";
import { relieve } from "#kernel/vm/pager/relieve.ts";

/** The inference, or null when this attempt came to nothing and the run says why. */
export async function infer(
  kernel: Kernel,
  run: LiveRun,
  say: (text: string) => void,
  data: TraceData,
): Promise<Result<Inference | null>> {
  run.lastCall = UNUSED;
  if (run.instruction.kind === "command") return success(interpretCommand(run, run.instruction.call, say));
  if (run.step >= RUN_STEPS) return failed(failure("internal", "The model asked for too many steps."));
  const name = inferenceStep(run.step);
  run.step += 1;
  const known = finishedStep(kernel, run.id, name);
  if (known !== null) {
    const inference = known.result as Inference;
    say(inference.text);
    return success(inference);
  }
  const request = makeRequest(kernel, run);
  data["model"] = run.model;
  data["messages"] = request.messages.length;
  if (run.reply !== null) data["reply"] = request.reply === null ? "words" : "json mode";
  run.lastCall = { ...UNUSED, outcome: "cancelled", programOver: true };
  const charged = await hedge(kernel, run, request, say, data);
  if (!charged.ok) {
    run.lastCall = UNUSED; // the budget does not allow it, so there was none
    return charged;
  }
  const { made } = charged.value;
  const tokens = charged.value.settle(data);
  run.lastCall = { ...run.lastCall, tokens };
  run.abort.signal.throwIfAborted();
  if (made.failure !== null) return giveWay(kernel, run, request, { tokens, failure: made.failure }, data);
  const inference: Inference = { text: made.text, calls: made.calls };
  finishStep(kernel, run.id, name, inference);
  run.troubles.length = 0;
  kernel.breakers.noteAnswer(run.model);
  run.lastCall = { outcome: "answered", tokens, retryAfterMs: null, programOver: made.calls.length === 0 };
  return success(inference);
}

/** Notes what went wrong, for routing. The step did not happen: the next attempt is of the same one. */
function giveWay(
  kernel: Kernel,
  run: LiveRun,
  request: InferRequest,
  { failure: { error, fault, retryable, retryAfterMs }, tokens }: { failure: AttemptFailure; tokens: number },
  data: TraceData,
): Result<null> {
  run.step -= 1;
  data["fault"] = fault ?? error.code;
  run.lastCall = { outcome: outcomeOf(fault), tokens, retryAfterMs, programOver: fault === null };
  if (fault === null) return failed(error);
  const relieved = fault === "too-large" && !hadTooLarge(run) && relieve(kernel, run);
  if (relieved) data["relieved"] = true;
  // A model that cannot answer in JSON mode may still be told in words what to write.
  const unmoded = request.reply !== null && (fault === "refused" || fault === "malformed");
  if (unmoded) run.withoutJsonMode.add(run.model);
  const trouble = { model: run.model, fault, error, retryable: retryable || relieved || unmoded, retryAfterMs };
  run.troubles.push(trouble);
  kernel.breakers.noteFault(trouble, kernel.now());
  return success(null);
}

function hadTooLarge(run: LiveRun): boolean {
  return run.troubles.some(({ fault, model }) => fault === "too-large" && model === run.model);
}
