/**
 * Learned: how many stages a program of a class has left, and how long its calls take, learned from programs that ended.
 *
 * A class is how wide a program is: 1, 2 to 3, 4 to 8, or more calls at once. Nobody labels anything. Algorithm:
 * `docs/decisions/0011-scheduling.md`. What must hold: a class without history expects what the prior says, a chance of one in
 * ten to end after each stage; counts stay bounded, and the newer half of what was learned weighs the more.
 */
import { z } from "zod";
import { LEARNED_PROGRAMS } from "#shared/limits.ts";

/** Stages told apart; later ones count as the last. */
export const STAGES = 127;
const CLASSES = 4;
const ENDS_PRIOR = 0.4;
const RISK_PRIOR = 4;
const STAGE_WEIGHT = 2;
const LEAST_HAZARD = 1e-4;
const MEAN_PRIOR = 2.3;
const MEAN_WEIGHT = 2;

export function classOf(width: number): number {
  if (width <= 1) return 0;
  if (width <= 3) return 1;
  return width <= 8 ? 2 : 3;
}

const count = z.number().nonnegative().max(1e9);
const counts = z.array(count).max(STAGES + 1);
const snapshotSchema = z.array(z.object({ risk: counts, end: counts, seconds: count, calls: count })).max(CLASSES);

/** What is known of the programs of one class. */
export class ClassTable {
  /** Programs that finished their n-th stage, and those that ended with it; index 0 is empty. */
  risk = new Float64Array(STAGES + 1);
  end = new Float64Array(STAGES + 1);
  seconds = 0;
  calls = 0;
  readonly expected = new Float64Array(STAGES + 1);

  /** Stages of a program of the class, the mean. */
  usual = 0;

  constructor() {
    this.relearn();
  }

  /** Stages a program is expected to have left after `stages` of them. */
  stagesLeft(stages: number): number {
    return this.expected[Math.min(stages, STAGES)] ?? this.usual;
  }

  /** Mean seconds of a call. */
  get mean(): number {
    return (MEAN_PRIOR * MEAN_WEIGHT + this.seconds) / (MEAN_WEIGHT + this.calls);
  }

  relearn(): void {
    if (sum(this.end) > LEARNED_PROGRAMS) this.#halve();
    const often = (sum(this.end) + ENDS_PRIOR) / (sum(this.risk) + RISK_PRIOR);
    this.usual = 1 / often;
    let expected = this.usual;
    this.expected[STAGES] = expected;
    for (let stage = STAGES - 1; stage >= 0; stage -= 1) {
      const ended = (this.end[stage + 1] ?? 0) + STAGE_WEIGHT * often;
      const hazard = Math.max(LEAST_HAZARD, ended / ((this.risk[stage + 1] ?? 0) + STAGE_WEIGHT));
      expected = 1 + (1 - hazard) * expected;
      this.expected[stage] = expected;
    }
  }

  #halve(): void {
    this.risk = this.risk.map((count) => count / 2);
    this.end = this.end.map((count) => count / 2);
    this.seconds /= 2;
    this.calls /= 2;
  }
}

export class Learned {
  readonly #widest = new ClassTable();
  readonly #classes: readonly ClassTable[] = [new ClassTable(), new ClassTable(), new ClassTable(), this.#widest];

  /** What is known of programs of this width. */
  of(width: number): ClassTable {
    return this.#classes[classOf(width)] ?? this.#widest;
  }

  callEnded(width: number, seconds: number): void {
    const table = this.of(width);
    table.seconds += seconds;
    table.calls += 1;
  }

  /** A program of this width finished its n-th stage, and perhaps ended with it. */
  stageEnded(width: number, stages: number, programOver: boolean): void {
    if (stages < 1) return;
    const table = this.of(width);
    const stage = Math.min(stages, STAGES);
    table.risk[stage] = (table.risk[stage] ?? 0) + 1;
    if (!programOver) return;
    table.end[stage] = (table.end[stage] ?? 0) + 1;
    table.relearn();
  }

  snapshot(): z.infer<typeof snapshotSchema> {
    return this.#classes.map(({ risk, end, seconds, calls }) => ({ risk: [...risk], end: [...end], seconds, calls }));
  }

  /** What is no snapshot teaches nothing. */
  restore(snapshot: unknown): void {
    const read = snapshotSchema.safeParse(snapshot);
    if (!read.success) return;
    for (const [index, { risk, end, seconds, calls }] of read.data.entries()) {
      const table = this.#classes[index];
      if (table === undefined) continue;
      table.risk.set(risk);
      table.end.set(end);
      table.seconds = seconds;
      table.calls = calls;
      table.relearn();
    }
  }
}

function sum(values: Float64Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
