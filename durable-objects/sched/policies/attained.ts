/**
 * Attained: PLAS and ATLAS, the program that had least so far comes first, in levels that double.
 *
 * The two policies of "Autellix" (arXiv 2502.13965): PLAS counts the seconds of all calls a program finished, ATLAS those of its
 * critical path, the longest call of every stage. Inside a level first come, first served.
 */
import type { Order } from "#kernel/sched/policies/ranked.ts";
import type { ProgramState } from "#kernel/sched/policies/roster.ts";

const FIRST_LEVEL_SECONDS = 1;
const LEVELS = 12;

export class Attained implements Order {
  readonly name: "plas" | "atlas";

  constructor(name: "plas" | "atlas") {
    this.name = name;
  }

  rank(program: ProgramState): number {
    const seconds = this.name === "plas" ? program.attained : program.critical;
    return seconds < FIRST_LEVEL_SECONDS
      ? 0
      : Math.min(LEVELS, 1 + Math.floor(Math.log2(seconds / FIRST_LEVEL_SECONDS)));
  }
}
