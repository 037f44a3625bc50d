/**
 * Usage: what a call of a model used, counted when it ended: in the process's own table, in the run's sums, and against the budget.
 *
 * What a provider reported counts, whatever became of the call. A call without a report counts by estimate: its prompt when the
 * provider had begun to work (`mayBeCharged`), and what it said. A call that was refused at the door counts nothing. The rows are
 * written in the same transaction as the journal's entry of the inference, so a crash counts both or neither.
 */
import { costOf, FREE, type Cost, type TokenUsage } from "#shared/cost.ts";
import { NOTHING } from "#shared/ledger-api.ts";
import { CALL_TOKENS_MOST } from "#shared/limits.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { pricedAs, type Reservation } from "#kernel/proc/budget.ts";
import { openBudget, reportSoon } from "#kernel/proc/ledger-exchange.ts";
import type { LiveRun } from "#kernel/proc/live-run.ts";
import { addCall } from "#kernel/proc/run-usage.ts";
import { saveRunUsage } from "#kernel/proc/runs.ts";
import type { ModelFault } from "#kernel/proc/trouble.ts";
import { addUsage, dropReservation } from "#kernel/proc/usage-rows.ts";

/** How a call ended. */
export interface EndedCall {
  /** Null when nothing is charged: the call never reached the model. */
  readonly usage: TokenUsage | null;
  /** Milliseconds it took. */
  readonly ms: number;
  /** The run it belongs to; null for background work. */
  readonly run: LiveRun | null;
}

/** Ends a reservation and counts what its call used. Answers what that costs. */
export function settleCall(kernel: Kernel, reservation: Reservation, { usage, ms, run }: EndedCall): Cost {
  const { id, day, amount, model, purpose } = reservation;
  const { book } = openBudget(kernel);
  if (id !== null) dropReservation(kernel, id);
  if (usage === null) {
    book.settle(day, amount, NOTHING);
    return FREE;
  }
  const counted = whole(usage);
  const { inputTokens, outputTokens } = counted;
  const cost = costOf(pricedAs(kernel, model), counted);
  const counts = { calls: 1, ...counted, ...cost, ms: Math.max(0, Math.round(ms)) };
  addUsage(kernel, { day, model, purpose }, counts);
  book.settle(day, amount, { microdollars: cost.microdollars, tokens: inputTokens + outputTokens });
  if (run !== null) {
    addCall(run.usage, model, counts);
    saveRunUsage(kernel, run.id, run.usage);
  }
  reportSoon(kernel);
  return cost;
}

/** Whether a call that ended with this fault and without a report has most likely been charged for its prompt. */
export function mayBeCharged(fault: ModelFault | null): boolean {
  switch (fault) {
    case "throttled":
    case "exhausted":
    case "down":
    case "too-large":
    case "refused":
      return false;
    case "timeout":
    case "cut":
    case "malformed":
    case "aborted":
    case null:
      return true;
  }
}

/** A provider's counts as whole numbers from 0 to CALL_TOKENS_MOST; cached tokens are part of the input. */
function whole(usage: TokenUsage): TokenUsage {
  const count = (value: number): number =>
    Number.isFinite(value) && value > 0 ? Math.min(CALL_TOKENS_MOST, Math.ceil(value)) : 0;
  const inputTokens = count(usage.inputTokens);
  return {
    inputTokens,
    cachedTokens: Math.min(inputTokens, count(usage.cachedTokens)),
    outputTokens: count(usage.outputTokens),
  };
}
