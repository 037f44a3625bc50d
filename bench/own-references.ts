/**
 * Own references: the reference log of a process, replayed offline under other policies than its own.
 *
 * Use `replayOwn(rows, budget)`: rows of `GET /v1/processes/:p/references` in their order. Pure and deterministic.
 *
 * The model. Every thread has its own body. What a run wanted are the pages it cited, read or named, as far as they are older
 * than the run; they are wanted at its first call. Its messages enter the body when it closes. A wanted page that is not in the
 * body is a fault and enters it, so that all policies pay for the same misses; the tail is left out, because it is chosen anew
 * for every body. `recorded` is what really happened: the body as the log tells it, and the tail beside it.
 */
import { belady, clock, fifo, Production, sieve, type Policy, type Resident } from "#bench/pager-policies.ts";
import { futureOf, replay, type ReplayEvent } from "#bench/pager-replay.ts";
import type { PagerPrices } from "#kernel/vm/pager/policy.ts";
import type { PageReference } from "#shared/references.ts";

/** A row of the log, however its ids were read. */
export interface LoggedRun {
  readonly run: string;
  readonly thread: string;
  readonly at: string;
  readonly references: readonly LoggedReference[];
}

type LoggedReference = Omit<PageReference, "page"> & { readonly page: string | null };

export interface Budget {
  /** Tokens in front of the body. */
  readonly prefix: number;
  readonly low: number;
  readonly high: number;
  readonly prices: PagerPrices;
}

export interface OwnRow {
  readonly policy: string;
  /** Percent of the wanted pages that were in the body; the mean over runs that wanted any. Null when none did. */
  readonly residency: number | null;
  /** Input-token equivalents of a call. */
  readonly cost: number;
  /** Percent of the prompt's tokens that a provider can have cached. */
  readonly hits: number;
  readonly evictions: number;
  readonly faults: number;
  /** Percent of Belady's residency that is missing; null without one. */
  readonly gap: number | null;
}

export interface OwnReplay {
  readonly runs: number;
  readonly threads: number;
  readonly calls: number;
  readonly wanted: number;
  readonly rows: readonly OwnRow[];
  /** Percent of the wanted pages that were in body, tail or prefix as it happened, before they were read back. */
  readonly coverage: number | null;
}

const WANTED = new Set<PageReference["how"]>(["cited", "read", "fault"]);

function idOf(reference: LoggedReference): number {
  return reference.page === null ? -(reference.message ?? 0) : Number.parseInt(reference.page.slice(1), 36);
}

function frameOf(reference: LoggedReference): Resident {
  return { id: idOf(reference), tokens: reference.tokens };
}

/** Each frame once, in order. */
function framesOf(references: readonly LoggedReference[]): Resident[] {
  return [...new Map(references.map((reference) => [idOf(reference), frameOf(reference)])).values()];
}

/** The pages a run wanted and did not itself bring along. */
function wantedBy(run: LoggedRun): Resident[] {
  const own = new Set(framesOf(run.references.filter(({ how }) => how === "body")).map(({ id }) => id));
  const used = run.references.filter(
    ({ how, why }) => WANTED.has(how) || (how === "tail" && why?.startsWith("named") === true),
  );
  return framesOf(used).filter(({ id }) => !own.has(id));
}

/** A thread's runs as a stream of events. `moment` is the place of the run in the thread. */
export function eventsOf(runs: readonly LoggedRun[]): ReplayEvent[] {
  return runs.flatMap((run, moment): ReplayEvent[] => {
    const inferences = Math.max(1, ...run.references.map(({ step }) => step));
    const entered = framesOf(run.references.filter(({ how }) => how === "body"));
    return [
      { kind: "wanted", moment, frames: wantedBy(run) },
      ...Array.from({ length: inferences - 1 }, (): ReplayEvent => ({ kind: "call" })),
      ...entered.map((frame): ReplayEvent => ({ kind: "enter", frame })),
    ];
  });
}

function byThread(rows: readonly LoggedRun[]): LoggedRun[][] {
  const threads = new Map<string, LoggedRun[]>();
  for (const row of rows) threads.set(row.thread, [...(threads.get(row.thread) ?? []), row]);
  return [...threads.values()];
}

/** What left the body as it happened: the evictions the log tells of, at the run they are told of. */
function recorded(runs: readonly LoggedRun[], events: readonly ReplayEvent[]): Policy {
  let now = 0;
  const leaving = new Map<number, number[]>();
  for (const [time, event] of events.entries()) {
    if (event.kind !== "wanted") continue;
    const gone = runs[event.moment]?.references.filter(({ how }) => how === "evicted") ?? [];
    leaving.set(time, gone.map(idOf));
  }
  return {
    at: (time) => {
      now = time;
    },
    enter() {},
    use() {},
    evict: () => leaving.get(now) ?? [],
  };
}

interface Totals {
  readonly residencies: number[];
  readonly coverages: number[];
  calls: number;
  wanted: number;
  cost: number;
  tokens: number;
  cached: number;
  evictions: number;
  faults: number;
}

type Make = (runs: readonly LoggedRun[], events: readonly ReplayEvent[]) => Policy;

/** `asRecorded`: wanted pages do not enter the body, because what a read brought is a message of its own. */
function total(threads: readonly LoggedRun[][], budget: Budget, make: Make, asRecorded = false): Totals {
  const sums: Totals = {
    ...{ residencies: [], coverages: [] },
    ...{ calls: 0, wanted: 0, cost: 0, tokens: 0, cached: 0, evictions: 0, faults: 0 },
  };
  for (const runs of threads) {
    const events = eventsOf(runs);
    const { prefix, prices } = budget;
    const tail = asRecorded ? { tail: (moment: number) => tailOf(runs[moment]), faultsEnter: false } : {};
    const outcome = replay(events, make(runs, events), { prefix, ...prices, ...tail });
    for (const { moment, residency, coverage } of outcome.moments) {
      if (wantedIn(events, moment) === 0) continue;
      sums.residencies.push(residency);
      sums.coverages.push(coverage);
    }
    for (const name of ["calls", "wanted", "cost", "tokens", "cached", "evictions", "faults"] as const)
      sums[name] += outcome[name];
  }
  return sums;
}

function wantedIn(events: readonly ReplayEvent[], moment: number): number {
  const event = events.find((one) => one.kind === "wanted" && one.moment === moment);
  return event?.kind === "wanted" ? event.frames.length : 0;
}

function tailOf(run: LoggedRun | undefined): { ids: Set<number>; tokens: number } {
  const fetched = framesOf(run?.references.filter(({ how }) => how === "tail" || how === "pinned") ?? []);
  const paid = framesOf(run?.references.filter(({ how }) => how === "tail") ?? []);
  return { ids: new Set(fetched.map(({ id }) => id)), tokens: paid.reduce((sum, { tokens }) => sum + tokens, 0) };
}

function percentOf(values: readonly number[]): number | null {
  return values.length === 0 ? null : (100 * values.reduce((sum, value) => sum + value, 0)) / values.length;
}

export function replayOwn(rows: readonly LoggedRun[], budget: Budget): OwnReplay {
  const threads = byThread(rows);
  const marks = { low: budget.low, high: budget.high };
  const own = (): Policy =>
    new Production({
      ...{ prices: budget.prices, low: budget.low, ceiling: budget.high, growth: 200 },
      ...{ lowest: budget.low / 2, highest: 0.8 * budget.high },
    });
  const policies: readonly (readonly [string, Make])[] = [
    ["its own policy", own],
    ["FIFO", () => fifo(marks)],
    ["CLOCK", () => clock(marks)],
    ["SIEVE", () => sieve(marks)],
    ["Belady (bound)", (_runs, events) => belady(marks, futureOf(events))],
  ];
  const happened = total(threads, budget, recorded, true);
  const totals = policies.map(([name, make]) => [name, total(threads, budget, make)] as const);
  const best = percentOf(totals.at(-1)?.[1].residencies ?? []);
  return {
    runs: rows.length,
    threads: threads.length,
    calls: happened.calls,
    wanted: happened.wanted,
    coverage: percentOf(happened.coverages),
    rows: [["as recorded, with its tail", happened] as const, ...totals].map(([policy, sums]) =>
      rowOf(policy, sums, best),
    ),
  };
}

function rowOf(policy: string, sums: Totals, best: number | null): OwnRow {
  const residency = percentOf(sums.residencies);
  const gap = residency === null || best === null || best === 0 ? null : (100 * (best - residency)) / best;
  return {
    policy,
    residency,
    cost: sums.cost / Math.max(1, sums.calls),
    hits: (100 * sums.cached) / Math.max(1, sums.tokens),
    evictions: sums.evictions,
    faults: sums.faults,
    gap,
  };
}

function cell(value: number | null, digits = 1): string {
  return (value === null ? "–" : value.toFixed(digits)).padStart(11);
}

/** The replay as a table for a terminal. */
export function renderOwn(own: OwnReplay, budget: Budget): string {
  const heads = ["residency %", "gap %", "cost/call", "hits %", "evictions", "faults"];
  const lines = [
    `${own.runs} runs of ${own.threads} threads, ${own.calls} calls, ${own.wanted} pages wanted; body ${budget.low} to ${budget.high} tokens`,
    `${"".padEnd(28)}${heads.map((head) => head.padStart(12)).join("")}`,
    ...own.rows.map(({ policy, residency, gap, cost, hits, evictions, faults }) => {
      const cells = [cell(residency), cell(gap), cell(cost, 0), cell(hits), cell(evictions, 0), cell(faults, 0)];
      return `${policy.padEnd(28)}${cells.map((text) => ` ${text}`).join("")}`;
    }),
    own.wanted === 0
      ? "No page was cited, read or named yet, so nothing could be kept for it."
      : `As it happened, body, tail and prefix together held ${cell(own.coverage).trim()} % of what was wanted.`,
    "Belady looks into the future and sees sizes: a bound for pages of one size, a heuristic for these.",
  ];
  return `${lines.join("\n")}\n`;
}
