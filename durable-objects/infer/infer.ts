/**
 * Infer: one call of a model, from the run's context to a text or system calls.
 *
 * The call is journaled: after a crash a finished one is not made again, its stored text is said once more; one that was cut
 * off is made again. Text goes to `say` as it arrives; the caller decides what a reader sees of it. A failure that can pass
 * is tried again as long as nothing was said.
 */
import { MODEL_TOOLS, type SystemCall } from "#shared/calls.ts";
import { failure, type Failure } from "#shared/errors.ts";
import { INFER_ATTEMPTS, OUTPUT_CHARACTERS, RUN_STEPS } from "#shared/limits.ts";
import { failed, success, type Result } from "#shared/result.ts";
import { estimateTokens } from "#shared/tokens.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { interpretCommand } from "#kernel/infer/command.ts";
import type { InferEvent, InferRequest, InferUsage } from "#kernel/infer/drivers/driver.ts";
import type { Inference } from "#kernel/infer/inference.ts";
import { finishedStep, finishStep } from "#kernel/proc/journal.ts";
import type { LiveRun } from "#kernel/proc/live-run.ts";
import type { TraceData } from "#kernel/proc/trace.ts";
import { assembleContext, contextTokens, sharedWithLast } from "#kernel/vm/context/context.ts";
import { relieve } from "#kernel/vm/pager/relieve.ts";
import { changeRecord, noteUsage, pagerRecord } from "#kernel/vm/pager/record.ts";

const BACKOFF_MS = 250;

export async function infer(
  kernel: Kernel,
  run: LiveRun,
  say: (text: string) => void,
  data: TraceData,
): Promise<Result<Inference>> {
  if (run.instruction.kind === "command") return success(interpretCommand(run, run.instruction.call, say));
  const name = `infer ${run.step}`;
  if (run.step >= RUN_STEPS) return failed(failure("internal", "The model asked for too many steps."));
  run.step += 1;
  const known = finishedStep(kernel, run.id, name);
  if (known !== null) {
    const inference = known.result as Inference;
    say(inference.text);
    return success(inference);
  }
  let request = makeRequest(kernel, run);
  let relieved = false;
  data["model"] = run.model;
  data["messages"] = request.messages.length;
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await attemptInference(kernel, run, request, say);
    if (outcome.error === null) {
      settleUsage(kernel, run, request, outcome, data);
      const inference: Inference = { text: outcome.text, calls: outcome.calls };
      finishStep(kernel, run.id, name, inference);
      return success(inference);
    }
    if (outcome.error.code === "payload_too_large" && outcome.text === "" && !relieved && relieve(kernel, run)) {
      relieved = true;
      data["relieved"] = true;
      request = makeRequest(kernel, run);
      continue;
    }
    if (!outcome.retryable || outcome.text !== "" || attempt === INFER_ATTEMPTS) return failed(outcome.error);
    data["attempts"] = attempt + 1;
    await new Promise((resolve) => setTimeout(resolve, BACKOFF_MS * 2 ** attempt * (0.5 + Math.random())));
    run.abort.signal.throwIfAborted();
  }
}

function makeRequest(kernel: Kernel, run: LiveRun): InferRequest {
  return {
    model: run.model,
    messages: assembleContext(kernel, run),
    tools: MODEL_TOOLS,
    reply: run.reply,
    affinity: `${kernel.user}/${kernel.process}`,
  };
}

interface Outcome {
  text: string;
  calls: readonly SystemCall[];
  usage: InferUsage | null;
  error: Failure | null;
  retryable: boolean;
}

async function attemptInference(
  kernel: Kernel,
  run: LiveRun,
  request: InferRequest,
  say: (text: string) => void,
): Promise<Outcome> {
  const outcome: Outcome = { text: "", calls: [], usage: null, error: null, retryable: false };
  for await (const event of kernel.driver.infer(request, run.abort.signal)) {
    collect(outcome, event, say);
    if (outcome.text.length > OUTPUT_CHARACTERS) {
      outcome.error = failure("internal", "The model's answer is too long.");
      break;
    }
  }
  run.abort.signal.throwIfAborted();
  return outcome.error === null ? refuseUnusable(outcome) : outcome;
}

/** An answer of nothing, or calls too large to store, are failures of the model; the first may pass. */
function refuseUnusable(outcome: Outcome): Outcome {
  if (outcome.text.trim() === "" && outcome.calls.length === 0) {
    return { ...outcome, error: failure("model_unavailable", "The model gave no answer.", 1), retryable: true };
  }
  if (JSON.stringify(outcome.calls).length > OUTPUT_CHARACTERS) {
    return { ...outcome, error: failure("internal", "The model's system calls are too long.") };
  }
  return outcome;
}

function collect(outcome: Outcome, event: InferEvent, say: (text: string) => void): void {
  switch (event.type) {
    case "text":
      outcome.text += event.text;
      say(event.text);
      break;
    case "calls":
      outcome.calls = event.calls;
      break;
    case "usage":
      outcome.usage = event.usage;
      break;
    case "error":
      outcome.error = event.error;
      outcome.retryable = event.retryable;
      break;
  }
}

/** Adds the model's own usage, or the estimate when it reports none. */
function settleUsage(kernel: Kernel, run: LiveRun, request: InferRequest, outcome: Outcome, data: TraceData): void {
  const estimated = contextTokens(request.messages);
  const usage = outcome.usage ?? {
    inputTokens: estimated,
    cachedTokens: 0,
    outputTokens: estimateTokens(outcome.text),
  };
  run.usage.inputTokens += usage.inputTokens;
  run.usage.cachedTokens += usage.cachedTokens;
  run.usage.outputTokens += usage.outputTokens;
  const sent = sharedWithLast(kernel, run.thread, request.messages);
  noteUsage(kernel, run.model, estimated, outcome.usage);
  const record = pagerRecord(kernel);
  changeRecord(kernel, {
    promptTokens: record.promptTokens + usage.inputTokens,
    cachedTokens: record.cachedTokens + usage.cachedTokens,
    sentTokens: record.sentTokens + sent.tokens,
    sharedTokens: record.sharedTokens + sent.shared,
  });
  Object.assign(data, usage, { calls: outcome.calls.length, estimatedTokens: estimated, sharedTokens: sent.shared });
}
