/**
 * ERVD: expected remaining virtual deadline. A call is due at its arrival plus a share of the work its program still has.
 *
 * What a program still has is learned from the programs like it that ended, see `learned.ts`; a user who had too much counts as
 * having that much left, see `overuse.ts`. So a call is passed only by calls that came within `alpha` times its work after it.
 * Algorithm and figures: `docs/decisions/0011-scheduling.md`.
 */
import { Learned } from "#kernel/sched/policies/learned.ts";
import { Overuse } from "#kernel/sched/policies/overuse.ts";
import type { Order } from "#kernel/sched/policies/ranked.ts";
import type { ProgramState, Roster } from "#kernel/sched/policies/roster.ts";
import type { Call } from "#kernel/sched/policy.ts";

export interface ErvdSettings {
  /** Share of the remaining work that a call is put back by. */
  readonly alpha: number;
  /** Weight of overuse against remaining work. */
  readonly nu: number;
  /** Fair shares a user may have before it counts. */
  readonly fair: number;
}

export const ERVD: ErvdSettings = { alpha: 0.5, nu: 4, fair: 2 };

export class Ervd implements Order {
  readonly name = "ervd";
  readonly #settings: ErvdSettings;
  readonly #learned = new Learned();
  readonly #overuse: Overuse;

  constructor(settings: ErvdSettings = ERVD) {
    this.#settings = settings;
    this.#overuse = new Overuse(settings.fair);
  }

  prepare(roster: Roster, slots: number, now: number): void {
    this.#overuse.prepare(roster, slots, now);
  }

  rank(program: ProgramState, oldest: Call): number {
    const { alpha, nu } = this.#settings;
    return oldest.enqueuedAt + alpha * Math.max(this.#remaining(program), nu * this.#overuse.of(program.user));
  }

  callEnded({ width }: ProgramState, seconds: number): void {
    this.#learned.callEnded(width, seconds);
  }

  stageEnded({ width, stages }: ProgramState, programOver: boolean): void {
    this.#learned.stageEnded(width, stages, programOver);
  }

  snapshot(): unknown {
    return this.#learned.snapshot();
  }

  restore(snapshot: unknown): void {
    this.#learned.restore(snapshot);
  }

  /** Seconds of service the program is expected to take still. */
  #remaining({ width, stages }: ProgramState): number {
    return this.#learned.stagesLeft(width, stages) * this.#learned.meanSeconds(width) * width;
  }
}
