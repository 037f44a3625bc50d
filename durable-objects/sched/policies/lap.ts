/**
 * LAP: levels of attained and outstanding work, the program that came first inside a level. Learns nothing.
 *
 * A program counts what it had, and a mean call for each that waits or runs; a user who had too much counts as that much. The
 * limits of the levels follow the mean call. Algorithm and figures: `docs/decisions/0011-scheduling.md`.
 */
import { Overuse } from "#kernel/sched/policies/overuse.ts";
import type { Order } from "#kernel/sched/policies/ranked.ts";
import type { ProgramState, Roster } from "#kernel/sched/policies/roster.ts";

/** Seconds at which a level begins, for calls of `USUAL_CALL` seconds. */
const LEVELS = [8, 64, 1_024];
const USUAL_CALL = 2.3;
const FAIR = 2;

export class Lap implements Order {
  readonly name = "lap";
  readonly #overuse = new Overuse(FAIR);
  #mean = 0;

  prepare(roster: Roster, slots: number, now: number): void {
    this.#mean = roster.mean;
    this.#overuse.prepare(roster, slots, now);
  }

  rank({ attained, waiting, running, user }: ProgramState): number {
    const work = Math.max(attained + (waiting + running) * this.#mean, this.#overuse.of(user));
    let level = 0;
    while (level < LEVELS.length && ((LEVELS[level] ?? 0) * this.#mean) / USUAL_CALL <= work) level += 1;
    return level;
  }

  tie({ arrivedAt }: ProgramState): number {
    return arrivedAt;
  }
}
