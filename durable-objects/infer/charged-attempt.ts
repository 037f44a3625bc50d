/**
 * Charged attempt: one call of a model for a run, with its budget set aside before it and its usage counted after it.
 *
 * `settle` counts; call it in the same step as whatever the attempt leads to is stored, so that a crash keeps both or neither. It
 * must be called once, however the attempt ended; only a rejection (the run was aborted before the call, or `say` threw) is settled
 * here.
 */
import type { TokenUsage } from "#shared/cost.ts";
import { ANSWER_TOKENS, BUDGET_MARGIN_PERCENT } from "#shared/limits.ts";
import { success, type Result } from "#shared/result.ts";
import { estimateTokens } from "#shared/tokens.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { attempt, type Attempt } from "#kernel/infer/attempt.ts";
import type { InferRequest } from "#kernel/infer/drivers/driver.ts";
import { reserveBudget, type Reservation } from "#kernel/proc/budget.ts";
import type { LiveRun } from "#kernel/proc/live-run.ts";
import type { TraceData } from "#kernel/proc/trace.ts";
import { mayBeCharged, settleCall } from "#kernel/proc/usage.ts";
import { contextTokens, sharedWithLast } from "#kernel/vm/context/context.ts";
import { changeRecord, noteUsage, pagerRecord, tokenRatio } from "#kernel/vm/pager/record.ts";

export interface Charged {
  readonly made: Attempt;
  /** Counts what the call used, notes it in `data`, and answers its tokens. */
  readonly settle: (data: TraceData) => number;
}

export async function chargedAttempt(
  kernel: Kernel,
  run: LiveRun,
  planned: InferRequest,
  signal: AbortSignal,
  say: (text: string) => void,
): Promise<Result<Charged>> {
  const reserved = await reserve(kernel, planned);
  if (!reserved.ok) return reserved;
  const reservation = reserved.value;
  // What was set aside is the most it may say.
  const request = reservation.id === null ? planned : { ...planned, maxTokens: ANSWER_TOKENS };
  const startedAt = kernel.now();
  let heard: string | null = null;
  try {
    signal.throwIfAborted();
    heard = "";
    const made = await attempt(kernel, request, signal, (text) => {
      heard += text;
      say(text);
    });
    return success({
      made,
      settle: (data) => settleUsage(kernel, run, request, made, { reservation, startedAt }, data),
    });
  } catch (error) {
    const usage = heard === null ? null : estimate(request, heard);
    settleCall(kernel, reservation, { usage, ms: kernel.now() - startedAt, run });
    throw error;
  }
}

/** Sets aside the most that the call can use. */
function reserve(kernel: Kernel, { model, messages }: InferRequest): Promise<Result<Reservation>> {
  const likely = contextTokens(messages) * tokenRatio(kernel, model);
  const inputTokens = Math.ceil((likely * BUDGET_MARGIN_PERCENT) / 100);
  return reserveBudget(kernel, { model, purpose: "run", inputTokens, maxOutputTokens: ANSWER_TOKENS });
}

/** What a call used whose model reported nothing. */
function estimate({ messages }: InferRequest, said: string): TokenUsage {
  return { inputTokens: contextTokens(messages), cachedTokens: 0, outputTokens: estimateTokens(said) };
}

/** Counts what the model reported, or the estimate when it reports nothing, and answers its tokens. */
function settleUsage(
  kernel: Kernel,
  run: LiveRun,
  request: InferRequest,
  made: Attempt,
  { reservation, startedAt }: { readonly reservation: Reservation; readonly startedAt: number },
  data: TraceData,
): number {
  const ms = kernel.now() - startedAt;
  const said = made.usage !== null || made.text !== "";
  if (made.failure !== null && !said && !mayBeCharged(made.failure.fault)) {
    settleCall(kernel, reservation, { usage: null, ms, run });
    return 0;
  }
  const estimated = contextTokens(request.messages);
  const usage = made.usage ?? estimate(request, made.text);
  const { microdollars } = settleCall(kernel, reservation, { usage, ms, run });
  const sent = sharedWithLast(kernel, run.thread, request.messages);
  noteUsage(kernel, request.model, estimated, made.usage);
  const record = pagerRecord(kernel);
  changeRecord(kernel, {
    promptTokens: record.promptTokens + usage.inputTokens,
    cachedTokens: record.cachedTokens + usage.cachedTokens,
    sentTokens: record.sentTokens + sent.tokens,
    sharedTokens: record.sharedTokens + sent.shared,
  });
  Object.assign(data, usage, {
    microdollars,
    calls: made.calls.length,
    estimatedTokens: estimated,
    sharedTokens: sent.shared,
  });
  return usage.inputTokens + usage.outputTokens;
}
