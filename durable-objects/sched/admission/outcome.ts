/**
 * Outcome: what an admission answers to whatever happens, what of it survives a restart, and how long it lets a call wait.
 */
import { z } from "zod";
import type { Failure } from "#shared/errors.ts";
import { AGED_BATCH_MS, AGED_MS, POOL_WAIT_BATCH_MS, POOL_WAIT_MS } from "#shared/limits.ts";
import type { PaceState } from "#kernel/sched/admission/pace.ts";
import type { Day } from "#kernel/sched/admission/tally.ts";
import type { Lease, LeaseEntry } from "#kernel/sched/lease.ts";
import type { Band } from "#kernel/sched/policy.ts";
import type { CallReport } from "#kernel/sched/pool-api.ts";

/** What follows from something that happened, to be carried out in any order. */
export interface Outcome {
  readonly granted: { readonly entry: LeaseEntry; readonly lease: Lease }[];
  readonly refused: { readonly ticket: string; readonly error: Failure }[];
  /** Leases that are held no more. */
  readonly closed: string[];
}

/** What survives a restart, besides the leases. JSON. */
export interface AdmissionState {
  readonly policy: { readonly name: string; readonly learned: unknown };
  readonly pace: PaceState;
  readonly requests: number | null;
  readonly tokens: number | null;
  readonly today: Day;
}

const count = z.number();

const stateSchema: z.ZodType<AdmissionState> = z.object({
  policy: z.object({ name: z.string(), learned: z.unknown() }),
  pace: z.object({ limit: count, most: count, pausedUntil: count }),
  requests: count.nullable(),
  tokens: count.nullable(),
  today: z.object({
    ...{ day: z.string(), calls: count, tokens: count, throttled: count, failed: count },
    ...{ granted: count, refused: count, waitedMs: count },
  }),
});

/** Reads what an earlier instance stored; null for what is no state. */
export function readState(stored: unknown): AdmissionState | null {
  return stateSchema.safeParse(stored).data ?? null;
}

/** Milliseconds a call waits at the most. */
export function waitMost(band: Band): number {
  return band === "batch" ? POOL_WAIT_BATCH_MS : POOL_WAIT_MS;
}

/** Milliseconds after which the reserve no longer keeps a call out. */
export function agedAfter(band: Band): number {
  return band === "batch" ? AGED_BATCH_MS : AGED_MS;
}

/** A report whose numbers can be counted with, whatever was sent. */
export function sound(report: CallReport): CallReport {
  return {
    ...report,
    seconds: positive(report.seconds),
    tokens: positive(report.tokens),
    retryAfterMs: report.retryAfterMs === null ? null : positive(report.retryAfterMs),
  };
}

function positive(value: number): number {
  return Number.isFinite(value) ? Math.max(0, value) : 0;
}
