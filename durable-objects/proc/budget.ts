/**
 * Budget: whether a call of a model may be made at all, asked before it is made.
 *
 * `reserveBudget` sets aside the most that the call can use and stores that, so that a crash counts it as used; `settleCall`
 * (`usage.ts`) ends it. A process whose user nothing limits writes nothing here and waits for nobody: what it knows of the quotas is
 * trusted for QUOTA_TRUST_MS and asked for again behind the calls; after a longer pause the first call waits for the ledger once.
 * `refuseOverBudget` is the same question before a run is admitted, asked of the least that the run must use.
 */
import type { ExecuteRequest } from "#shared/abi.ts";
import { dollars, mostItCanCost, type Priced } from "#shared/cost.ts";
import { dayOf } from "#shared/days.ts";
import { failure, type Failure } from "#shared/errors.ts";
import { NOTHING, type Amount, type Refusal } from "#shared/ledger-api.ts";
import { ANSWER_TOKENS, BUDGET_IDLE_MS, QUOTA_REFRESH_MS, QUOTA_TRUST_MS, RUNS_LIVE } from "#shared/limits.ts";
import { failed, success, type Result } from "#shared/result.ts";
import { estimateTokens } from "#shared/tokens.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { exchange, mayBeLimited, openBudget, type Budget } from "#kernel/proc/ledger-exchange.ts";
import { findRunByKey } from "#kernel/proc/runs.ts";
import { storeReservation } from "#kernel/proc/usage-rows.ts";

/** A call that is about to be made. */
export interface PlannedCall {
  readonly model: string;
  /** `run`, or the name of the background work. */
  readonly purpose: string;
  /** The most it may use. */
  readonly inputTokens: number;
  readonly maxOutputTokens: number;
}

/** The right to make one call; `settleCall` takes it back. */
export interface Reservation {
  /** Null when nothing limits the user: then nothing is set aside. */
  readonly id: number | null;
  /** The day its usage counts for. */
  readonly day: number;
  readonly amount: Amount;
  readonly model: string;
  readonly purpose: string;
}

/** Sets aside what a call may use. Fails with `quota_exceeded` when a limit is in the way. */
export async function reserveBudget(kernel: Kernel, call: PlannedCall): Promise<Result<Reservation>> {
  const { model, purpose } = call;
  await kernel.models.ready();
  const want = mostOf(kernel, call);
  for (let attempt = 0; attempt <= RUNS_LIVE; attempt += 1) {
    const budget = openBudget(kernel);
    const asked = await knowLimits(kernel, budget);
    if (asked !== null) return failed(asked);
    const { book } = openBudget(kernel);
    budget.lastUse = kernel.now();
    if (book.answeredAt !== null && !book.limited)
      return success({ id: null, day: book.day, amount: NOTHING, model, purpose });
    if (book.fits(want)) {
      book.reserve(want);
      return success({ id: storeReservation(kernel, book.day, want), day: book.day, amount: want, model, purpose });
    }
    const refused = await askFor(kernel, budget, want);
    if (refused !== null) return failed(refused);
  }
  return failed(failure("overloaded", "Too many calls wait for the budget.", 1));
}

/** What can still be used today, by unit; null for one that nothing limits, as far as is known. */
export function budgetLeft(kernel: Kernel): { readonly microdollars: number | null; readonly tokens: number | null } {
  const { book } = openBudget(kernel);
  return book.limited ? book.obtainable : { microdollars: null, tokens: null };
}

/** The failure with which a run is not admitted, or null. A request that was admitted before is never refused. */
export async function refuseOverBudget(kernel: Kernel, request: ExecuteRequest): Promise<Failure | null> {
  if (request.instruction.kind === "command") return null;
  const budget = openBudget(kernel);
  const asking = knowLimits(kernel, budget);
  const mayLimit = budget.book.answeredAt === null ? mayBeLimited(kernel) : budget.book.limited;
  if (!mayLimit) {
    // Most likely nothing limits it: the answer comes while the prompt is made.
    kernel.background(
      asking.then(
        () => undefined,
        () => undefined,
      ),
    );
    return null;
  }
  const asked = await asking;
  if (asked !== null) return asked;
  const { book } = openBudget(kernel);
  if (!book.limited || findRunByKey(kernel, request.idempotencyKey) !== null) return null;
  const want = leastOf(kernel, request);
  return book.fits(want) ? null : await askFor(kernel, budget, want);
}

/** Sees to it that what is known of the limits is fresh enough; the failure when the ledger is needed and does not answer. */
async function knowLimits(kernel: Kernel, budget: Budget): Promise<Failure | null> {
  const { answeredAt } = budget.book;
  const age = answeredAt === null ? Infinity : kernel.now() - answeredAt;
  if (age < QUOTA_REFRESH_MS) return null;
  const asked = exchange(kernel, null);
  if (age < QUOTA_TRUST_MS) {
    kernel.background(asked.catch(() => undefined));
    return null;
  }
  const answered = await asked;
  return answered.ok ? null : answered.error;
}

/** Asks the ledger for more, after whoever is asking it; the failure when a limit is in the way. */
async function askFor(kernel: Kernel, budget: Budget, want: Amount): Promise<Failure | null> {
  if (budget.exchanging !== null) {
    await budget.exchanging;
    return null; // it may have brought enough; the caller looks again
  }
  const answered = await exchange(kernel, want);
  if (!answered.ok) return answered.error;
  return answered.value === null ? null : quotaFailure(answered.value, want, kernel.now());
}

function mostOf(kernel: Kernel, { model, inputTokens, maxOutputTokens }: PlannedCall): Amount {
  const { microdollars } = mostItCanCost(pricedAs(kernel, model), inputTokens, maxOutputTokens);
  return { microdollars, tokens: Math.ceil(inputTokens) + maxOutputTokens };
}

/** The least a run must be able to use: its own words as the prompt, and an answer; of the cheapest model unless it names one. */
function leastOf(kernel: Kernel, { instruction, model }: ExecuteRequest): Amount {
  const input = estimateTokens(instruction.text);
  const microdollars =
    model === undefined ? 0 : mostItCanCost(pricedAs(kernel, model), input, ANSWER_TOKENS).microdollars;
  return { microdollars, tokens: input + ANSWER_TOKENS };
}

/** What a model's price is read from. */
export function pricedAs(kernel: Kernel, model: string): Priced {
  return kernel.models.card(model);
}

/** A limit in a sentence: which, how large, how far taken, and when it begins anew. */
export function quotaFailure(refusal: Refusal, want: Amount, now: number): Failure {
  const { process, period, unit, size, taken, resetsAt, mayPass } = refusal;
  const show = (amount: number): string => (unit === "tokens" ? `${amount} tokens` : dollars(amount));
  const whose = process === null ? "" : ` of the process ${process}`;
  const which = `The ${period === "day" ? "daily" : "monthly"} quota${whose} of ${show(size)}`;
  const state = `${show(taken)} are used or set aside, and this call may need ${show(want[unit])}`;
  const reset = new Date(resetsAt).toISOString();
  const wait = mayPass ? BUDGET_IDLE_MS : resetsAt - now;
  const end = mayPass ? "Calls that end give back what they do not use; " : "";
  const detail = `${which} does not allow this: ${state}. ${end}${end === "" ? "It" : "it"} begins anew at ${reset}.`;
  return failure("quota_exceeded", detail, Math.max(1, Math.ceil(wait / 1000)));
}

/** The day it is, for what is used without a reservation. */
export function today(kernel: Kernel): number {
  return dayOf(kernel.now());
}
