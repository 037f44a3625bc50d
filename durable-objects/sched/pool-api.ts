/**
 * Pool API: what a process and the pool of a model say to each other.
 *
 * One `acquire` stands on the way of an uncontended inference; `release` is sent behind it and tells what became of the call, so
 * that the pool learns (policy), paces (rate limits) and counts (usage).
 */
import type { ModelFault } from "#kernel/proc/trouble.ts";
import type { Band } from "#kernel/sched/policy.ts";

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

/** Instead of a lease: the call would have to wait here. */
export interface Elsewhere {
  /** Calls that run or wait here, per slot. */
  readonly elsewhere: number;
}

/** How a call ended, as the pool needs to know it. */
export type CallOutcome =
  | "answered"
  /** The provider said that it is asked too much: 429, 3040. */
  | "throttled"
  /** The provider broke: 5xx, timeout, cut stream. */
  | "failed"
  /** Ended by its run. */
  | "cancelled"
  /** The slot was never used. */
  | "unused";

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

/** How a call ended, as whoever made it knows; `unschedule` makes the pool's report of it. */
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
