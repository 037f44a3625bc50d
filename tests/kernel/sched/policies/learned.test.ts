/**
 * Learned: what programs of a class have left, worked out by hand, and bounded counts in which the newer half weighs the more.
 */
import { describe, expect, it } from "vitest";
import { LEARNED_CALLS, LEARNED_PROGRAMS } from "#shared/limits.ts";
import { classOf, Learned, STAGES } from "#kernel/sched/policies/learned.ts";
import { Roster } from "#kernel/sched/policies/roster.ts";

/** Programs one wide that end with stage `stages`. */
function teach(learned: Learned, programs: number, stages: number): void {
  for (let program = 0; program < programs; program += 1) {
    for (let stage = 1; stage <= stages; stage += 1) learned.stageEnded(1, stage, stage === stages);
  }
}

describe("what was learned of a class", () => {
  it("tells the classes by their width", () => {
    expect([1, 2, 3, 4, 8, 9, 100].map(classOf)).toEqual([0, 1, 1, 2, 2, 3, 3]);
  });

  it("expects ten stages and calls of 2.3 s when nothing is known", () => {
    const known = new Learned().of(1);
    expect(known.stagesLeft(0)).toBeCloseTo(10);
    expect(known.stagesLeft(10_000)).toBeCloseTo(10);
    expect(known.mean).toBeCloseTo(2.3);
  });

  it("knows when programs end, and keeps classes apart", () => {
    const learned = new Learned();
    teach(learned, 500, 5);
    expect(learned.of(1).stagesLeft(0)).toBeCloseTo(5, 1);
    expect(learned.of(1).stagesLeft(4)).toBeCloseTo(1, 1);
    expect(learned.of(1).usual).toBeCloseTo(5, 1);
    expect(learned.of(8).stagesLeft(0)).toBeCloseTo(10);
  });

  it("counts stages beyond the last as the last", () => {
    const learned = new Learned();
    learned.stageEnded(1, STAGES + 500, true);
    expect(learned.snapshot()[0]?.end[STAGES]).toBe(1);
  });

  it("halves what it knows after LEARNED_PROGRAMS, so that the newer half weighs the more", () => {
    const learned = new Learned();
    teach(learned, LEARNED_PROGRAMS, 2);
    expect(learned.snapshot()[0]?.end[2]).toBe(LEARNED_PROGRAMS);
    teach(learned, 1, 2);
    expect(learned.snapshot()[0]?.end[2]).toBe((LEARNED_PROGRAMS + 1) / 2);
  });

  it("halves the calls behind the mean after LEARNED_CALLS", () => {
    const roster = new Roster();
    const program = roster.enqueued("run", "ada", 0);
    const end = (): void => {
      roster.enqueued("run", "ada", 0);
      roster.taken(program, 0);
      roster.ended(program, { charged: 0, seconds: 1, learn: true, over: false }, 0);
    };
    while (roster.learned.calls < LEARNED_CALLS) end();
    end();
    expect(roster.learned.calls).toBe(LEARNED_CALLS / 2 + 1);
  });
});
