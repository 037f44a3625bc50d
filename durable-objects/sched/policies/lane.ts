/**
 * Lane: the way on which a call that waited too long is served all the same, whatever the order says.
 *
 * Every call served earns it an eighth of a turn, two turns at the most. So ageing calls take an eighth of the slots and never all
 * of them: a long queue does not turn into first come, first served. What must hold: a call that is overdue while `ahead` others
 * were due before it is served within `8 * (ahead + 1) + 1` turns of the slots it may use.
 */
import { AGED_BATCH_MS, AGED_MS, LANE_TURNS } from "#shared/limits.ts";
import type { Band, Call } from "#kernel/sched/policy.ts";

const SHARE = 1 / LANE_TURNS;
const MOST = 2;
const LONGEST: Readonly<Record<Band, number>> = {
  interactive: AGED_MS / 1_000,
  normal: AGED_MS / 1_000,
  batch: AGED_BATCH_MS / 1_000,
};

/** When a call has waited for long, in seconds. */
export function dueAt(call: Call): number {
  return call.enqueuedAt + LONGEST[call.band];
}

export class Lane {
  /** Turns it may take. */
  turns = 0;

  get open(): boolean {
    return this.turns >= 1;
  }

  /** A call was served, on the lane or not. */
  served(onLane: boolean): void {
    this.turns = Math.min(MOST, this.turns - (onLane ? 1 : 0) + SHARE);
  }
}
