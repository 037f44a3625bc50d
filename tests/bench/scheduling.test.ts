/**
 * Scheduling simulator: small cases worked out by hand, and what must hold of every contender.
 */
import { describe, expect, it } from "vitest";
import { openPolicy } from "#kernel/sched/policy.ts";
import { CONTENDERS } from "#bench/scheduling-contenders.ts";
import { simulateProvider } from "#bench/scheduling-provider.ts";
import { Random } from "#bench/scheduling-random.ts";
import { simulateShards } from "#bench/scheduling-shards.ts";
import { simulate } from "#bench/scheduling-simulator.ts";
import { splitSlots } from "#bench/scheduling-split.ts";
import { BASE, idealOf, workload, workOf, type Program, type SimCall } from "#bench/scheduling-workload.ts";

function call(seconds: number): SimCall {
  return { first: 0.5, rest: seconds - 0.5, tokens: 100 };
}

function program(arrival: number, ...stages: number[][]): Program {
  return { kind: "chat", user: 0, arrival, stages: stages.map((stage) => stage.map(call)) };
}

const few = { ...BASE, seed: 3, programs: 60 };

describe("the simulator", () => {
  it("does by hand what it should: two slots, first come first served", () => {
    const programs = [program(0, [4, 2], [1]), program(1, [3]), program(1.5, [1])];
    const { stays, longestWait, end } = simulate(programs, openPolicy("fifo", { slots: 2 }), { slots: 2 });
    // 0-4 and 0-2 run; the second program waits from 1 to 2 and ends at 5; the third from 1.5 to 4; then the last stage.
    expect([...stays]).toEqual([6, 4, 3.5]);
    expect([longestWait, end]).toEqual([2.5, 6]);
  });

  it("ends a program that leaves: what runs frees its slot, what waits leaves the line", () => {
    const leaving = { ...program(0, [10, 10]), leaves: { stage: 0, after: 2 } };
    const { stays } = simulate([leaving, program(1, [1])], openPolicy("ervd", { slots: 1 }), { slots: 1 });
    expect(stays[0]).toBeNaN();
    expect(stays[1]).toBe(2);
  });

  it.each(CONTENDERS.map((contender) => [contender.name, contender] as const))(
    "holds its checks for %s",
    (_, contender) => {
      const programs = workload(few);
      const { policy, told } = contender.open(programs, 4);
      const { stays, calls } = simulate(programs, policy, { slots: 4, told });
      expect(calls).toBe(programs.flatMap(({ stages }) => stages.flat()).length);
      for (const [index, { stages }] of programs.entries()) {
        expect(stays[index]).toBeGreaterThanOrEqual(idealOf(stages) - 1e-9);
      }
    },
  );

  it("draws the same programs for a seed, at the load it says", () => {
    const [one, two] = [workload(few), workload(few)];
    expect(one).toEqual(two);
    const long = workload({ ...BASE, seed: 1, programs: 4_000 });
    const work = long.reduce((sum, { stages }) => sum + workOf(stages), 0);
    const load = work / ((long.at(-1)?.arrival ?? 1) * BASE.slots * BASE.shape.loadFactor);
    expect(load).toBeGreaterThan(0.85);
    expect(load).toBeLessThan(0.95);
  });
});

describe("shards", () => {
  it("of one are the one line", () => {
    const programs = workload(few);
    const one = simulate(programs, openPolicy("ervd", { slots: 16 }), { slots: 16 });
    const shards = simulateShards(programs, { slots: 16, shards: 1, route: "user", rebalance: null });
    for (const [index, stay] of shards.stays.entries()) expect(stay).toBeCloseTo(one.stays[index] ?? 0, 9);
  });

  it.each(["user", "second", "two"] as const)("serve every program, routed by %s", (route) => {
    for (const rebalance of [null, 5]) {
      const { stays } = simulateShards(workload(few), { slots: 16, shards: 4, route, rebalance });
      expect([...stays].filter(Number.isNaN)).toEqual([]);
    }
  });

  it("split the slots by demand, each at least one, and never more than there are", () => {
    const random = new Random(5);
    for (let turn = 0; turn < 500; turn += 1) {
      const shards = 1 + random.below(8);
      const slots = shards + random.below(64);
      // Each shard has one slot at least, so the others cannot run in it.
      let left = slots - shards;
      const demands = Array.from({ length: shards }, () => {
        const running = random.below(left + 1);
        left -= running;
        return { running, waiting: random.below(20) };
      });
      const split = splitSlots(slots, demands);
      const used = split.reduce((sum, share, index) => sum + Math.max(share, demands[index]?.running ?? 0), 0);
      expect(used).toBeLessThanOrEqual(slots);
      expect(Math.min(...split)).toBeGreaterThanOrEqual(1);
    }
  });
});

describe("a provider that throttles", () => {
  const limits = { slots: 32, reserved: 0, requestsPerMinute: null, tokensPerMinute: null };

  it.each([true, false])("answers every call in the end, whether the pool hears of it (%s) or not", (told) => {
    const programs = workload(few);
    const options = { limits, atOnce: 4, tokensPerMinute: 200_000, retryAfter: false, told };
    const { stays, throttled } = simulateProvider(programs, openPolicy("ervd", { slots: 32 }), options);
    expect([...stays].filter(Number.isNaN)).toEqual([]);
    expect(throttled).toBeGreaterThan(0);
  });
});
