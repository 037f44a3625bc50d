/**
 * Evict: keeps a thread's body between its watermarks.
 *
 * `planBody` says, without writing, what of the mapped messages leaves before the next call; `prepareBody` does it, in one
 * transaction: the messages are unmapped into a range with its summary page, the stub and the rest of the prefix are frozen
 * anew, and the pager's record is stored. Nothing is deleted. Messages of live runs stay.
 */
import { MODEL_TOOLS } from "#shared/calls.ts";
import { composePageHandle, type ThreadId } from "#shared/ids.ts";
import {
  BODY_GROWTH_TOKENS,
  BODY_HIGHEST_TOKENS,
  BODY_LOW_TOKENS,
  BODY_LOWEST_TOKENS,
  RANGE_MESSAGES,
  STUB_TOKENS,
  TAIL_TOKENS,
} from "#shared/limits.ts";
import { estimateTokens } from "#shared/tokens.ts";
import type { Kernel } from "#kernel/kernel.ts";
import type { LiveRun } from "#kernel/proc/live-run.ts";
import { settleFrames, threadBody, type StoredMessage } from "#kernel/proc/messages.ts";
import { listLiveRuns } from "#kernel/proc/runs.ts";
import { trace, type TraceData } from "#kernel/proc/trace.ts";
import { transact } from "#kernel/proc/transact.ts";
import { framesOf } from "#kernel/vm/context/body.ts";
import type { FrozenBody } from "#kernel/vm/pager/evictions.ts";
import { Pager, type PagerState, type PagerStep } from "#kernel/vm/pager/policy.ts";
import { pricesOf } from "#kernel/vm/pager/prices.ts";
import { rememberWindow, windowOf } from "#kernel/vm/pager/window.ts";
import { changeRecord, pagerRecord, savePagerRecord, tokenRatio } from "#kernel/vm/pager/record.ts";
import { freezePrefix, frozenPrefix } from "#kernel/vm/context/prefix.ts";
import { PREAMBLE } from "#kernel/vm/context/preamble.ts";
import { frameOf, noteReferences } from "#kernel/vm/reference-log.ts";
import { makeRange } from "#kernel/vm/summary/summary-range.ts";

/** Estimated tokens of what is the same in every prompt. */
export const FIXED_TOKENS = estimateTokens(PREAMBLE) + estimateTokens(JSON.stringify(MODEL_TOOLS));

export interface BodyPlan {
  readonly messages: readonly StoredMessage[];
  readonly step: PagerStep;
  /** Tokens of the model, by its calibration. */
  readonly tokens: number;
  readonly ceiling: number;
}

/** Tokens that a body may have in a prompt of this model; `own` are the estimated ones of the run itself. */
export function bodyCeiling(kernel: Kernel, model: string, body: FrozenBody, own: number): number {
  const fixed = FIXED_TOKENS + estimateTokens(body.pinned) + STUB_TOKENS + TAIL_TOKENS + own;
  return Math.max(1, Math.floor(windowOf(kernel, model) - fixed * tokenRatio(kernel, model)));
}

/** Estimated tokens of what a run itself brings into its prompt. */
export function ownTokens(run: LiveRun): number {
  const shape = run.reply === null ? "" : JSON.stringify(run.reply);
  return [run.instruction.text, shape, ...run.messages.map((message) => message.content)].reduce(
    (sum, text) => sum + estimateTokens(text),
    0,
  );
}

/** What of a thread's body leaves before the next call of `model`. */
export function planBody(
  kernel: Kernel,
  messages: readonly StoredMessage[],
  body: FrozenBody,
  of: { readonly model: string; readonly own: number },
): BodyPlan {
  const ratio = tokenRatio(kernel, of.model);
  const ceiling = bodyCeiling(kernel, of.model, body, of.own);
  const pager = new Pager({
    prices: pricesOf(kernel, of.model),
    low: BODY_LOW_TOKENS,
    lowest: BODY_LOWEST_TOKENS,
    highest: BODY_HIGHEST_TOKENS,
    ceiling,
    growth: BODY_GROWTH_TOKENS,
  });
  const tokens = framesOf(messages, ratio, new Set()).reduce((sum, frame) => sum + frame.tokens, 0);
  const { low, growth, samples, calls, faultCost, quiet } = pagerRecord(kernel);
  // Growth is learned when runs end (`pager/settle.ts`), so the size is no news here.
  const state: PagerState = { low, growth, samples, calls, faultCost, quiet, size: tokens, passed: body.passed };
  const marks = pager.watermarks(state);
  const live = tokens > marks.high ? new Set(listLiveRuns(kernel).map((run) => run.id)) : new Set<string>();
  return { messages, tokens, ceiling, step: pager.step(framesOf(messages, ratio, live), state, { calls: 0 }) };
}

/** The body of a run's prompts. Call it before the first one: a batch eviction happens here or not at all. */
export function prepareBody(kernel: Kernel, run: LiveRun, data: TraceData): readonly StoredMessage[] {
  if (run.conversation !== null) return [];
  const messages = threadBody(kernel, run.thread, run.id);
  const body = frozenPrefix(kernel, run.thread);
  const plan = planBody(kernel, messages, body, { model: run.model, own: ownTokens(run) });
  run.pressure = pressureOf(plan);
  rememberWindow(kernel, run.model);
  if (plan.step.evict.length === 0) return messages;
  const gone = new Set(plan.step.evict);
  const leaving = messages.filter((message) => gone.has(message.id));
  transact(kernel, () => evictBatch(kernel, run.thread, leaving, plan));
  noteReferences(kernel, run, "evicted", leaving.map(frameOf), "high watermark");
  const { low, high, state } = plan.step;
  trace(kernel, run, "evict", {
    low,
    high,
    growth: Math.round(state.growth),
    before: plan.tokens,
    after: state.size,
    pages: leaving.flatMap(({ page }) => (page === null ? [] : composePageHandle(page))),
    spared: plan.step.weakened.length,
  });
  data["evicted"] = leaving.length;
  return messages.filter((message) => !gone.has(message.id));
}

function evictBatch(kernel: Kernel, thread: ThreadId, leaving: readonly StoredMessage[], { step }: BodyPlan): void {
  for (let start = 0; start < leaving.length;) {
    const end = endOfRange(leaving, start);
    makeRange(kernel, thread, leaving.slice(start, end));
    start = end;
  }
  settleFrames(kernel, thread, step);
  freezePrefix(kernel, thread, step.state.passed);
  const record = pagerRecord(kernel);
  const { low, calls, faultCost, quiet } = step.state;
  changeRecord(kernel, {
    ...{ low, calls, faultCost, quiet },
    batches: record.batches + 1,
    evictedMessages: record.evictedMessages + leaving.length,
    pins: record.pins + step.weakened.length,
  });
  savePagerRecord(kernel);
}

/** Where a range that begins here ends: with a turn, and not far beyond RANGE_MESSAGES. */
function endOfRange(leaving: readonly StoredMessage[], start: number): number {
  let end = Math.min(start + RANGE_MESSAGES, leaving.length);
  while (end < leaving.length && leaving[end]?.role !== "user") end += 1;
  return end;
}

export type Pressure = "low" | "moderate" | "high";

/** How full the body is, in steps so coarse that they seldom change. */
export function pressureOf({ step, tokens }: BodyPlan): Pressure {
  const full = (step.evict.length === 0 ? tokens : step.state.size) / Math.max(1, step.high);
  if (full < 0.5) return "low";
  return full < 0.85 ? "moderate" : "high";
}
