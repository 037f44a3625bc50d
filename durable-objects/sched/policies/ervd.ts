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
  /** A program of so many times the stages usual in its class is taken for a loop that does not end; null for none. */
  readonly loopLengths: number | null;
}

/** As `research/scheduling-policy.md` §5 has it. */
export const PLAIN_ERVD: ErvdSettings = { alpha: 0.5, nu: 4, fair: 2, loopLengths: null };
/**
 * With one thing more: a loop is put behind everything else and left to the ageing lane. By what is known of its class it would be
 * nearly done, stage after stage, and come before every large program.
 */
export const ERVD: ErvdSettings = { ...PLAIN_ERVD, loopLengths: 6 };

/** Stages expected of a loop for every stage beyond what is usual. */
const LOOP_SLOPE = 10;

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
    const known = this.#learned.of(width);
    const { loopLengths } = this.#settings;
    let left = known.stagesLeft(stages);
    if (loopLengths !== null) left = Math.max(left, LOOP_SLOPE * (stages - loopLengths * known.usual));
    return left * known.mean * width;
  }
}
