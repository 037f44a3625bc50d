/**
 * Policy: which waiting inference gets the next slot. Pure; bands in order, inside a band by the policy opened.
 *
 * Use `openPolicy("ervd", { slots })`, then `enqueue`, `take` while a slot is free, and `end` or `withdraw` of every call. The Pool
 * object and the simulator of `bench/scheduling.ts` use the same object. Why ERVD: `docs/decisions/0011-scheduling.md`.
 * What must hold: every call leaves once; a call that ages is served, see `policies/lane.ts`; an unknown id changes nothing.
 */
import { Attained } from "#kernel/sched/policies/attained.ts";
import { Ervd, ERVD, type ErvdSettings } from "#kernel/sched/policies/ervd.ts";
import { Fifo } from "#kernel/sched/policies/fifo.ts";
import { Lane } from "#kernel/sched/policies/lane.ts";
import { Lap } from "#kernel/sched/policies/lap.ts";
import { RankedPolicy, type Order } from "#kernel/sched/policies/ranked.ts";
import { Vtc } from "#kernel/sched/policies/vtc.ts";

export const BANDS = ["interactive", "normal", "batch"] as const;

export type Band = (typeof BANDS)[number];

/** An inference that waits, or runs. Times are seconds. */
export interface Call {
  /** Order of arrival; unique in a pool. */
  readonly id: number;
  readonly user: string;
  /** The run it belongs to, or one piece of background work. */
  readonly program: string;
  readonly band: Band;
  readonly enqueuedAt: number;
}

/** What became of a call that had a slot. */
export interface Ended {
  /** Seconds the slot was held. */
  readonly seconds: number;
  /** True when the program makes no further call. */
  readonly programOver: boolean;
  /** False when the call tells nothing of its kind: cancelled, never used, or failed. */
  readonly learn: boolean;
}

/**
 * A policy holds the line of waiting calls and says which is next. Pure: no clock, no randomness, no I/O; the simulator and the
 * Pool object use the same one. A stage of a program is over when none of its calls waits or runs.
 */
export interface Policy {
  readonly name: string;
  /** Calls in the line. */
  readonly waiting: number;
  enqueue(call: Call): void;
  /** Takes the next call of one of `bands` out of the line; null when there is none. It now runs. */
  take(now: number, bands: readonly Band[]): Call | null;
  /** A call runs that never stood in this line: it used a slot that lingered, or runs since before the pool's object restarted. */
  start(call: Call, now: number): void;
  /** A waiting call leaves the line unserved. Answers false when it did not wait. */
  withdraw(id: number): boolean;
  /** A running call ended. */
  end(id: number, ended: Ended, now: number): void;
  /** How many calls can run at once. */
  resize(slots: number): void;
  /** What it learned, as JSON, and back. */
  snapshot(): unknown;
  restore(snapshot: unknown): void;
}

export const POLICIES = ["ervd", "lap", "atlas", "plas", "vtc", "fifo"] as const;

export type PolicyName = (typeof POLICIES)[number];

export interface PolicyOptions {
  /** How many calls can run at once. */
  readonly slots: number;
  /** Serve calls that age, true unless said otherwise. Without it a call may wait for ever: for comparison only. */
  readonly lane?: boolean;
  readonly ervd?: ErvdSettings;
}

export function openPolicy(name: PolicyName, options: PolicyOptions): Policy {
  const lane = options.lane === false ? null : new Lane();
  return new RankedPolicy({ order: orderOf(name, options), bands: BANDS, slots: options.slots, lane });
}

function orderOf(name: PolicyName, { ervd = ERVD }: PolicyOptions): Order {
  switch (name) {
    case "ervd":
      return new Ervd(ervd);
    case "lap":
      return new Lap();
    case "atlas":
    case "plas":
      return new Attained(name);
    case "vtc":
      return new Vtc();
    case "fifo":
      return new Fifo();
  }
}
