/**
 * Tally: what a pool did today (UTC), for the view. Pure.
 */
import type { CallReport } from "#kernel/sched/pool-api.ts";

export interface Day {
  /** `YYYY-MM-DD`, UTC. */
  readonly day: string;
  /** Calls that were reported, those of a lingering slot included. */
  calls: number;
  tokens: number;
  throttled: number;
  failed: number;
  /** Asks that were answered with a slot, and with `overloaded`. */
  granted: number;
  refused: number;
  /** Milliseconds all granted asks waited together. */
  waitedMs: number;
}

export class Tally {
  #day: Day;

  constructor(now: number, stored: Day | null = null) {
    this.#day = stored ?? fresh(dayOf(now));
  }

  today(now: number): Day {
    const day = dayOf(now);
    if (this.#day.day !== day) this.#day = fresh(day);
    return this.#day;
  }

  granted(waitedMs: number, now: number): void {
    const today = this.today(now);
    today.granted += 1;
    today.waitedMs += waitedMs;
  }

  refused(now: number): void {
    this.today(now).refused += 1;
  }

  reported(report: CallReport, now: number): void {
    if (report.outcome === "unused") return;
    const today = this.today(now);
    today.calls += 1;
    today.tokens += report.tokens;
    if (report.outcome === "throttled") today.throttled += 1;
    if (report.outcome === "failed") today.failed += 1;
  }
}

function fresh(day: string): Day {
  return { day, calls: 0, tokens: 0, throttled: 0, failed: 0, granted: 0, refused: 0, waitedMs: 0 };
}

function dayOf(now: number): string {
  return new Date(now).toISOString().slice(0, 10);
}
