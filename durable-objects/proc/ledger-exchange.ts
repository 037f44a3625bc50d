/**
 * Ledger exchange: the process tells its user's ledger what it used, and hears what it may use.
 *
 * `exchange` makes one, or waits for the one under way; there is at most one at a time. `reportSoon` has usage reported within
 * seconds; the timer's work (`ringUsage`) also gives back what a process that rests kept for calls it did not make. Nothing is lost
 * when the ledger is out of reach: rows stay unreported, and the timer tries again.
 */
import { dayOf, dayStart } from "#shared/days.ts";
import { failure } from "#shared/errors.ts";
import { exchangedSchema, type Amount, type Exchange, type Exchanged, type Refusal } from "#shared/ledger-api.ts";
import {
  BUDGET_IDLE_MS,
  BUDGET_WAIT_MS,
  LEDGER_ATTEMPTS,
  LEDGER_DAYS,
  LEDGER_ROWS,
  USAGE_DELAY_MS,
  USAGE_KEPT_DAYS,
} from "#shared/limits.ts";
import { errorName, logEvent } from "#shared/log.ts";
import { failed, success, type Result } from "#shared/result.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { setTimer } from "#kernel/proc/alarm.ts";
import { BudgetBook } from "#kernel/proc/budget-book.ts";
import { readMeta, writeMeta } from "#kernel/proc/schema.ts";
import { transact } from "#kernel/proc/transact.ts";
import { dropReported, noteReported, openReservations, unreported, usedOn } from "#kernel/proc/usage-rows.ts";

const TIMER = "usage";
const OUT_OF_REACH = failure("overloaded", "The ledger does not answer.", 1);
/** The time within which an answer may come; one that comes later is void. */
class TooLate extends Error {}

/** The process's budget as this instance keeps it. A cache: the tables and the ledger are the authority. */
export interface Budget {
  book: BudgetBook;
  /** When the last call began or ended. */
  lastUse: number;
  exchanging: Promise<Result<Refusal | null>> | null;
}

/** The budget of today. With a new day a new book begins, which knows of no ceiling. */
export function openBudget(kernel: Kernel): Budget {
  const day = dayOf(kernel.now());
  const budget = kernel.budget;
  if (budget !== null && budget.book.day === day) return budget;
  const start = { day, used: usedOn(kernel, day), reserved: openReservations(kernel, day) };
  const book = new BudgetBook(start, budget?.book ?? null);
  dropReported(kernel, day - USAGE_KEPT_DAYS);
  if (budget !== null) {
    budget.book = book;
    return budget;
  }
  kernel.budget = { book, lastUse: kernel.now(), exchanging: null };
  return kernel.budget;
}

/** Has what was used reported within some seconds, together with what is used until then. */
export function reportSoon(kernel: Kernel): void {
  setTimer(kernel, TIMER, kernel.now() + USAGE_DELAY_MS);
}

/**
 * Reports, and asks for enough to use `want` more when that is given: answers the limit that is in the way, or null. While another
 * exchange is under way it only waits for that one.
 */
export function exchange(kernel: Kernel, want: Amount | null): Promise<Result<Refusal | null>> {
  const budget = openBudget(kernel);
  budget.exchanging ??= converse(kernel, budget, want).finally(() => {
    budget.exchanging = null;
  });
  return budget.exchanging;
}

async function converse(kernel: Kernel, budget: Budget, want: Amount | null): Promise<Result<Refusal | null>> {
  for (let attempt = 1; attempt <= LEDGER_ATTEMPTS;) {
    const rows = unreported(kernel, LEDGER_ROWS);
    const more = rows.length === LEDGER_ROWS;
    const { book } = budget;
    const ask = makeExchange(kernel, book, rows, more ? null : want);
    try {
      const asked = kernel.env.LEDGER.getByName(kernel.user).exchange(ask);
      const answer = await inTime(Promise.resolve(asked));
      if (!answer.ok && answer.error.code !== "conflict") return answer;
      if (!answer.ok) {
        attempt += 1;
        continue;
      }
      const exchanged = exchangedSchema.parse(answer.value);
      transact(kernel, () => noteReported(kernel, rows));
      if (more) continue;
      if (budget.book === book) takeAnswer(kernel, book, exchanged, want !== null);
      return success(exchanged.refusal);
    } catch (error) {
      logEvent("ledger-unreachable", { attempt, error: errorName(error) });
      if (error instanceof TooLate) break;
      attempt += 1;
    }
  }
  return failed(OUT_OF_REACH);
}

function takeAnswer(kernel: Kernel, book: BudgetBook, answer: Exchanged, wanted: boolean): void {
  const gaveBack = book.take(answer, kernel.now());
  // A crash now would leave what was granted with the ledger as used: the timer gives it back.
  if (gaveBack || (wanted && book.limited)) reportSoon(kernel);
  noteLimited(kernel, book.limited);
}

function makeExchange(kernel: Kernel, book: BudgetBook, rows: Exchange["rows"], want: Amount | null): Exchange {
  const statement = book.statement();
  return {
    caller: { user: kernel.user, process: kernel.process, shard: kernel.shard },
    born: readMeta(kernel.sql, "created") ?? "0",
    seq: nextSeq(kernel),
    rows,
    complete: rows.length < LEDGER_ROWS,
    want,
    ...statement,
    unsettled: statement.unsettled.slice(0, LEDGER_DAYS),
  };
}

/** Above every earlier one, also after the object's storage was set back to an earlier state. */
function nextSeq(kernel: Kernel): number {
  const seq = Math.max(Number(readMeta(kernel.sql, "ledger-seq") ?? "0") + 1, kernel.now());
  writeMeta(kernel.sql, "ledger-seq", String(seq));
  return seq;
}

async function inTime(work: Promise<Result<Exchanged>>): Promise<Result<Exchanged>> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new TooLate()), BUDGET_WAIT_MS);
  work.catch(() => undefined);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Whether a limit was known last, or nothing: a new instance then asks before it admits a run. */
export function mayBeLimited(kernel: Kernel): boolean {
  return (kernel.env.DEFAULT_QUOTA ?? "") !== "" || readMeta(kernel.sql, "limited") !== "0";
}

function noteLimited(kernel: Kernel, limited: boolean): void {
  const told = limited ? "1" : "0";
  if (readMeta(kernel.sql, "limited") !== told) writeMeta(kernel.sql, "limited", told);
}

/** The timer's work. A failure is a throw: the timer tries again, with a growing pause. */
export async function ringUsage(kernel: Kernel): Promise<void> {
  const budget = openBudget(kernel);
  const now = kernel.now();
  const idle = now - budget.lastUse >= BUDGET_IDLE_MS;
  if (idle) budget.book.giveBack();
  const answered = await exchange(kernel, null);
  if (!answered.ok) throw new Error(answered.error.detail);
  const { book } = openBudget(kernel);
  const { spare, inUse } = book;
  if (!book.limited) return;
  if (spare.microdollars > 0 || spare.tokens > 0) return setTimer(kernel, TIMER, budget.lastUse + BUDGET_IDLE_MS);
  const used = usedOn(kernel, book.day);
  const open = inUse.microdollars > used.microdollars || inUse.tokens > used.tokens;
  // What a dead call set aside is free when its day is over.
  if (open) setTimer(kernel, TIMER, dayStart(book.day + 1) + USAGE_DELAY_MS);
}
