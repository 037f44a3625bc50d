/**
 * Pool API: what a process and the pool of a model say to each other.
 *
 * One `acquire` stands on the way of an uncontended inference; `release` is sent behind it and tells what became of the call, so
 * that the pool learns (policy), paces (rate limits) and counts (usage).
 */
import { z } from "zod";
import { LINGER_CALLS } from "#shared/limits.ts";
import type { ModelFault } from "#kernel/proc/trouble.ts";
import { BANDS, type Band } from "#kernel/sched/policy.ts";

/** One call that asks for a slot. */
export interface SlotAsk {
  /** `<user>/<run>` or `<user>/<process>/<purpose>`: who holds the slot. */
  readonly holder: string;
  readonly band: Band;
  readonly user: string;
  /** The program the call belongs to: a run, or one piece of background work. */
  readonly program: string;
  /** Tokens the call may take of the provider's rate limit: its prompt and the most it may answer. */
  readonly tokens: number;
  /** Milliseconds it would wait because the provider asked for a pause; a longer one is answered at once, with its time. */
  readonly patienceMs?: number;
  /** Unique per ask, so that a wait can be withdrawn. */
  readonly ticket: string;
}

const askSchema = z.object({
  ...{ holder: z.string(), band: z.enum(BANDS), user: z.string(), program: z.string(), ticket: z.string() },
  ...{ tokens: z.number().nonnegative(), patienceMs: z.number().optional() },
});

/** Reads what came over RPC: a process of another version may ask while a deployment goes on. */
export function isSlotAsk(ask: unknown): ask is SlotAsk {
  return askSchema.safeParse(ask).success;
}

/** Instead of a lease: the call would have to wait here. */
export interface Elsewhere {
  /** Calls that run or wait here, per slot. */
  readonly elsewhere: number;
}

/** How a call ended, as the pool needs to know it. */
export type CallOutcome = (typeof OUTCOMES)[number];

const OUTCOMES = [
  "answered",
  /** The provider said that it is asked too much: 429, 3040. */
  "throttled",
  /** The provider broke: 5xx, timeout, cut stream. */
  "failed",
  /** Ended by its run. */
  "cancelled",
  /** The slot was never used. */
  "unused",
] as const;

export interface CallReport {
  readonly user: string;
  readonly program: string;
  readonly outcome: CallOutcome;
  /** Seconds the slot was in use. */
  readonly seconds: number;
  /** Tokens the provider counted, or the estimate. */
  readonly tokens: number;
  /** Milliseconds the provider asked to wait. */
  readonly retryAfterMs: number | null;
  /** True when the program makes no further call. */
  readonly programOver: boolean;
}

const reportSchema = z.object({
  ...{ user: z.string(), program: z.string(), outcome: z.enum(OUTCOMES), programOver: z.boolean() },
  ...{ seconds: z.number(), tokens: z.number(), retryAfterMs: z.number().nullable() },
});

/** The reports that came over RPC; what is none tells nothing, and the slot is given back all the same. */
export function readReports(reports: unknown): CallReport[] {
  const list: unknown[] = Array.isArray(reports) ? reports : [];
  return list.slice(0, LINGER_CALLS).filter(isReport);
}

function isReport(report: unknown): report is CallReport {
  return reportSchema.safeParse(report).success;
}

/** How a call ended, as whoever made it knows; `slot.ts` makes the pool's report of it. */
export type CallEnd = Pick<CallReport, "outcome" | "tokens" | "retryAfterMs" | "programOver">;

/** A slot that no model was asked with. */
export const UNUSED: CallEnd = { outcome: "unused", tokens: 0, retryAfterMs: null, programOver: false };

/** What the pool is to make of a fault, null for one that no other try can help: a request that was refused tells nothing of how much the provider can take. */
export function outcomeOf(fault: ModelFault | null): CallOutcome {
  switch (fault) {
    case "throttled":
      return "throttled";
    case "down":
    case "timeout":
    case "cut":
    case "malformed":
      return "failed";
    case "exhausted":
    case "too-large":
    case "refused":
    case "aborted":
    case null:
      return "cancelled";
  }
}
