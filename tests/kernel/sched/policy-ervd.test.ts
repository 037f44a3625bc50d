/**
 * ERVD: what it takes is what the text of the research takes, whatever comes, and whatever it has learned.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ERVD, PLAIN_ERVD, type ErvdSettings } from "#kernel/sched/policies/ervd.ts";
import { BANDS, openPolicy, type Policy } from "#kernel/sched/policy.ts";
import { actions, drive, type Action } from "#tests/kernel/sched/policy-driver.ts";
import { Checked } from "#tests/kernel/sched/policy-reference.ts";

describe("ERVD as the research writes it", () => {
  it("takes what a plain reference takes: random calls of all bands, ends, failures and withdrawals", () => {
    fc.assert(
      fc.property(actions, fc.integer({ min: 1, max: 6 }), (steps, slots) => {
        drive(new Checked(openPolicy("ervd", { slots, ervd: PLAIN_ERVD }), slots), steps, slots);
      }),
      { numRuns: 200 },
    );
  });

  it("takes the same with programs of many widths, a crowded line and one greedy user", () => {
    const slots = 3;
    const steps: Action[] = Array.from({ length: 500 }, (_, index) => ({
      at: Math.floor(index / 4) * 2,
      user: index % 3 === 0 ? 0 : index % 7,
      program: Math.floor(index / 16) % 9,
      band: index % 11 === 0 ? "batch" : "normal",
      seconds: 1 + ((index * 7) % 5),
      over: index % 29 === 0,
      learn: index % 13 !== 0,
      patience: 50 + (index % 400),
    }));
    const served = drive(new Checked(openPolicy("ervd", { slots, ervd: PLAIN_ERVD }), slots), steps, slots);
    expect(served.length).toBeGreaterThan(200);
  });
});

describe("ERVD as it is used", () => {
  const ended = (programOver: boolean) => ({ seconds: 2, programOver, learn: true });

  /** Runs programs of `stages` calls of two seconds each, one after the other. */
  function teach(policy: Policy, programs: number, stages: number): number {
    let now = 0;
    for (let index = 0; index < programs * stages; index += 1) {
      const program = `taught ${Math.floor(index / stages)}`;
      policy.enqueue({ id: index, user: "ada", program, band: "normal", enqueuedAt: now });
      expect(policy.take(now, BANDS)?.id).toBe(index);
      now += 2;
      policy.end(index, ended(index % stages === stages - 1), now);
    }
    return now;
  }

  /** After a loop of `stages` calls: whether its next call goes before a later one of a program eight wide. */
  function loopGoesFirst(settings: ErvdSettings, stages: number): boolean {
    const policy = openPolicy("ervd", { slots: 64, ervd: settings });
    let now = teach(policy, 20, 5);
    for (let stage = 0; stage < stages; stage += 1) {
      policy.enqueue({ id: 1_000 + stage, user: "bob", program: "loop", band: "normal", enqueuedAt: now });
      policy.take(now, BANDS);
      now += 2;
      policy.end(1_000 + stage, ended(false), now);
    }
    policy.enqueue({ id: 9_000, user: "bob", program: "loop", band: "normal", enqueuedAt: now });
    for (let id = 9_001; id < 9_009; id += 1) {
      policy.enqueue({ id, user: "eve", program: "wide", band: "normal", enqueuedAt: now });
    }
    return policy.take(now, BANDS)?.id === 9_000;
  }

  it("puts a program that goes on and on behind a large one, which the plain form does not", () => {
    expect(loopGoesFirst(ERVD, 10)).toBe(true);
    expect(loopGoesFirst(PLAIN_ERVD, 120)).toBe(true);
    expect(loopGoesFirst(ERVD, 120)).toBe(false);
  });

  it("learns without labels which programs are nearly done", () => {
    const policy = openPolicy("ervd", { slots: 64 });
    const now = teach(policy, 20, 5);
    const come = (id: number, program: string, at: number): void =>
      policy.enqueue({ id, user: program, program, band: "normal", enqueuedAt: at });
    for (let stage = 0; stage < 4; stage += 1) {
      come(5_000 + stage, "nearly done", now);
      policy.take(now, BANDS);
      policy.end(5_000 + stage, ended(false), now + 2);
    }
    come(6_000, "new", now + 2);
    come(6_001, "nearly done", now + 3);
    expect(policy.take(now + 3, BANDS)?.id).toBe(6_001);
  });
});
