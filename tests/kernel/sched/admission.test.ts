/**
 * Admission: whatever happens in whatever order, no slot leaks, none is given twice, nobody waits for nothing and nobody for ever.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AGED_BATCH_MS, AGED_MS, LANE_TURNS, LEASE_MS, POOL_QUEUE } from "#shared/limits.ts";
import { Admission } from "#kernel/sched/admission/admission.ts";
import { agedAfter, waitMost, type Outcome } from "#kernel/sched/admission/outcome.ts";
import { openPolicy, type Band, type PolicyName } from "#kernel/sched/policy.ts";
import type { CallReport, SlotAsk } from "#kernel/sched/pool-api.ts";
import type { PoolLimits } from "#kernel/sched/pool-limits.ts";
import { AdmissionModel, schedule, START } from "#tests/kernel/sched/admission-model.ts";

const NO_LIMITS: PoolLimits = { slots: 1, reserved: 0, requestsPerMinute: null, tokensPerMinute: null };

function open(limits: Partial<PoolLimits>, policy: PolicyName = "ervd"): Admission {
  const all = { ...NO_LIMITS, ...limits };
  return new Admission(all, openPolicy(policy, { slots: all.slots }), START);
}

function asks(name: string, more: Partial<SlotAsk> = {}): SlotAsk {
  return { holder: name, band: "interactive", user: name, program: name, tokens: 0, ticket: name, ...more };
}

function report(more: Partial<CallReport> = {}): CallReport {
  const told = { seconds: 1, tokens: 0, retryAfterMs: null, programOver: true };
  return { user: "u", program: "p", outcome: "answered", ...told, ...more };
}

function grantedIn(outcome: Outcome): string[] {
  return outcome.granted.map(({ entry }) => entry.lease);
}

describe("any schedule, with crashes, cancels, throttles, restarts and a clock that jumps", () => {
  // 4 × 3,000 schedules.
  it.each<PolicyName>(["ervd", "fifo", "vtc", "lap"])("holds under %s", (policy) => {
    fc.assert(
      fc.property(schedule, ({ limits, steps }) => {
        const model = new AdmissionModel(limits, policy);
        for (const one of steps) model.take(one);
        model.finish();
      }),
      { numRuns: 3_000 },
    );
  });
});

describe("a ticket", () => {
  it("that has a lease gets the same again, and one that waits keeps its place", () => {
    const admission = open({});
    expect(grantedIn(admission.ask(asks("a"), START))).toEqual(["a"]);
    expect(grantedIn(admission.ask(asks("a"), START + 5))).toEqual(["a"]);
    admission.ask(asks("b"), START + 10);
    admission.ask(asks("c"), START + 20);
    expect(admission.ask(asks("b"), START + 30)).toEqual({ granted: [], refused: [], closed: [] });
    expect(admission.line.size).toBe(2);
    expect(grantedIn(admission.ended("a", [report()], START + 40))).toEqual(["b"]);
  });

  it("that is withdrawn leaves the line, or frees its slot for the next at once", () => {
    const admission = open({});
    for (const name of ["a", "b", "c"]) admission.ask(asks(name), START);
    expect(admission.withdraw("b", START + 1).closed).toEqual([]);
    expect(admission.withdraw("a", START + 2)).toMatchObject({ closed: ["a"] });
    expect(admission.leases.map(({ lease }) => lease)).toEqual(["c"]);
    expect(admission.withdraw("nobody", START + 3)).toEqual({ granted: [], refused: [], closed: [] });
  });

  it("is refused when POOL_QUEUE wait", () => {
    const admission = open({}, "fifo");
    for (let index = 0; index <= POOL_QUEUE; index += 1) admission.ask(asks(`w${index}`), START);
    expect(admission.ask(asks("one too many"), START).refused).toMatchObject([
      { ticket: "one too many", error: { code: "overloaded", retryAfter: 2 } },
    ]);
  });

  it("is refused when its user waits with as many as there are places left, and others are not", () => {
    const admission = open({}, "fifo");
    const refused = (name: string, user: string): number => admission.ask(asks(name, { user }), START).refused.length;
    admission.ask(asks("holder"), START);
    for (let index = 0; index < POOL_QUEUE / 2; index += 1) expect(refused(`many${index}`, "many")).toBe(0);
    expect([refused("one too many", "many"), refused("another", "other")]).toEqual([1, 0]);
    admission.withdraw("many0", START);
    expect([refused("again", "many"), refused("still too many", "many")]).toEqual([0, 1]);
  });

  it("that another shard could take stays only where it starts at once, or the load is below the other's", () => {
    const admission = open({ slots: 2 }, "fifo");
    const offered = (name: string, rival: number): number | null => {
      const { elsewhere, outcome } = admission.offer(asks(name, { user: "one" }), rival, START);
      expect(outcome.refused).toEqual([]);
      return elsewhere;
    };
    expect([offered("a", 0), offered("b", 0), offered("c", 0), offered("c", 1), offered("c", 1.5)]).toEqual([
      ...[null, null, 1, 1, null],
    ]);
    expect(admission.line.size).toBe(1);
    for (let index = 1; index < POOL_QUEUE / 2; index += 1) admission.ask(asks(`w${index}`, { user: "one" }), START);
    expect(offered("full", Infinity)).toBe(1 + POOL_QUEUE / 4);
  });

  it.each<Band>(["interactive", "normal", "batch"])(
    "of %s is refused after its longest wait, and not before",
    (band) => {
      const admission = open({}, "fifo");
      admission.ask(asks("holder"), START);
      admission.ask(asks("waits", { band }), START);
      const keep = (now: number): void => void admission.renew("holder", now);
      for (let now = START; now < START + waitMost(band) - 1; now += LEASE_MS / 2) keep(now);
      expect(admission.expire(START + waitMost(band) - 1).refused).toEqual([]);
      expect(admission.expire(START + waitMost(band)).refused).toMatchObject([{ ticket: "waits" }]);
    },
  );
});

describe("the reserve", () => {
  it("is a sixteenth of the slots, at least one of four, and never the only slot", () => {
    const reserved = (slots: number, of: number | null = null): number => open({ slots, reserved: of }).reserved;
    expect([1, 3, 4, 31, 32, 256].map((slots) => reserved(slots))).toEqual([0, 0, 1, 1, 2, 16]);
    expect([reserved(4, 0), reserved(4, 2), reserved(4, 9), reserved(1, 1)]).toEqual([0, 2, 3, 0]);
  });

  it("keeps the last slots for interactive calls until a lower one has aged", () => {
    const admission = open({ slots: 4, reserved: 2 });
    const lower = ["n0", "n1", "n2"].map((name) => asks(name, { band: "normal" }));
    expect(lower.flatMap((ask) => grantedIn(admission.ask(ask, START)))).toEqual(["n0", "n1"]);
    expect(grantedIn(admission.ask(asks("i0"), START))).toEqual(["i0"]);
    expect(admission.due(START)).toBe(START + AGED_MS);
    expect(grantedIn(admission.expire(START + AGED_MS - 1))).toEqual([]);
    expect(grantedIn(admission.expire(START + AGED_MS))).toEqual(["n2"]);
  });

  // A flood of interactive calls never ends; each takes a second. The lane serves an aged call within 8 × (those before it + 1) + 1.
  it.each<[Band, number, number]>([
    ["normal", 1, 5],
    ["normal", 4, 5],
    ["normal", 16, 20],
    ["batch", 4, 5],
  ])("does not starve %s calls with %i slots: %i of them are all served in bounded time", (band, slots, calls) => {
    for (const policy of ["ervd", "fifo", "lap"] as const) {
      const admission = open({ slots, reserved: null }, policy);
      let now = START;
      let flood = 0;
      const served = new Map<string, number>();
      const follow = (outcome: Outcome): void => {
        for (const { entry } of outcome.granted) if (entry.band === band) served.set(entry.lease, now - START);
      };
      const more = (): void => follow(admission.ask(asks(`i${(flood += 1)}`, { user: `u${flood % 7}` }), now));
      for (let index = 0; index < 3 * slots; index += 1) more();
      for (let index = 0; index < calls; index += 1) follow(admission.ask(asks(`lower${index}`, { band }), now));
      const second = slots * (LANE_TURNS * (calls + 1) + 1);
      const bound = agedAfter(band) + 1_000 * Math.ceil(second / slots);
      for (; served.size < calls && now <= START + bound; now += 1_000) {
        for (const { lease } of admission.leases) {
          follow(admission.ended(lease, [report()], now));
          more();
        }
      }
      expect({ policy, served: served.size, inTime: Math.max(...served.values()) <= bound }).toEqual({
        policy,
        served: calls,
        inTime: true,
      });
    }
  });

  it("is open to a batch call before its wait ends", () => {
    expect(waitMost("batch")).toBeGreaterThan(AGED_BATCH_MS);
    expect(waitMost("normal")).toBeGreaterThan(AGED_MS);
  });
});

describe("rates", () => {
  it("let a call larger than the bucket start when it is full, and make the next pay for it", () => {
    const admission = open({ slots: 9, tokensPerMinute: 6_000 }); // 100 a second, 1,000 in the bucket
    expect(grantedIn(admission.ask(asks("small", { tokens: 500 }), START))).toEqual(["small"]);
    expect(grantedIn(admission.ask(asks("large", { tokens: 3_000 }), START))).toEqual([]);
    expect(grantedIn(admission.expire(START + 4_900))).toEqual([]);
    const due = admission.due(START + 4_900) ?? 0;
    expect(due).toBeGreaterThan(START + 4_900);
    expect(due).toBeLessThan(START + 5_100);
    expect(grantedIn(admission.expire(due))).toEqual(["large"]);
    expect(Math.round(admission.levels(due).tokens?.level(due) ?? 0)).toBe(-2_000);
  });

  it("let a higher band pass a call that waits for tokens, but not for ever", () => {
    const admission = open({ slots: 99, tokensPerMinute: 6_000 });
    admission.ask(asks("first", { tokens: 900 }), START);
    admission.ask(asks("large", { tokens: 1_000, band: "normal" }), START);
    expect(grantedIn(admission.ask(asks("low", { tokens: 0, band: "batch" }), START))).toEqual([]);
    let passed = 0;
    let now = START;
    for (; admission.line.find("large") !== undefined && now < START + 120_000; now += 1_000) {
      passed += grantedIn(admission.ask(asks(`small${now}`, { tokens: 100 }), now)).length;
    }
    expect(passed).toBeGreaterThan(20);
    expect(now - START).toBeLessThan(30_000 + 15_000);
  });

  it("are corrected by what was really used", () => {
    const admission = open({ slots: 9, tokensPerMinute: 6_000, requestsPerMinute: 600 });
    admission.ask(asks("a", { tokens: 800 }), START);
    admission.ended("a", [report({ tokens: 300 }), report({ tokens: 200 })], START);
    expect(admission.levels(START).tokens?.level(START)).toBe(500);
    expect(admission.levels(START).requests?.level(START)).toBe(98);
    admission.ask(asks("b", { tokens: 400 }), START);
    admission.ended("b", [], START);
    expect(admission.levels(START).tokens?.level(START)).toBe(500);
    expect(admission.levels(START).requests?.level(START)).toBe(98);
  });

  it("bound the requests of any minute to the rate and one bucket", () => {
    const admission = open({ slots: 1_000, requestsPerMinute: 60 });
    const starts: number[] = [];
    for (let now = START; now < START + 180_000; now += 250) {
      for (const lease of grantedIn(admission.ask(asks(`c${now}`), now))) {
        starts.push(now);
        admission.ended(lease, [report()], now);
      }
    }
    const inMinute = starts.map((from) => starts.filter((at) => at >= from && at < from + 60_000).length);
    expect(Math.max(...inMinute)).toBeLessThanOrEqual(60 + 10);
    expect(starts.length).toBeGreaterThan(170);
  });
});

describe("a throttled provider", () => {
  it("gets nothing until its Retry-After, then one call, then more and more of them", () => {
    const admission = open({ slots: 64 });
    for (let index = 0; index < 64; index += 1) admission.ask(asks(`a${index}`), START);
    for (let index = 0; index < 200; index += 1) admission.ask(asks(`w${index}`), START);
    const throttled = report({ outcome: "throttled", retryAfterMs: 5_000 });
    for (let index = 0; index < 64; index += 1) {
      expect(grantedIn(admission.ended(`a${index}`, [throttled], START + 100))).toEqual([]);
    }
    expect(admission.pace.slots).toBe(51);
    expect(admission.due(START + 100)).toBe(START + 5_100);
    const probe = grantedIn(admission.expire(START + 5_100));
    expect(probe).toHaveLength(1);
    expect(grantedIn(admission.expire(START + 5_200))).toEqual([]);
    const starts = [grantedIn(admission.ended(probe[0] ?? "", [report()], START + 5_300)).length];
    for (let now = START + 5_800; now <= START + 7_300; now += 500)
      starts.push(grantedIn(admission.expire(now)).length);
    expect(starts).toEqual([2, 2, 4, 8, 16]);
  });

  it("is asked by one call at a time while it goes on refusing, each later than the one before", () => {
    const admission = open({ slots: 4 });
    let now = START;
    const gaps: number[] = [];
    for (let turn = 0; turn < 12; turn += 1) {
      admission.ask(asks(`w${turn}`), now);
      for (let tries = 0; admission.leases.length === 0 && tries < 9; tries += 1) {
        now = admission.due(now) ?? now;
        admission.expire(now);
      }
      const from = now;
      now += 100;
      for (const { lease } of admission.leases) admission.ended(lease, [report({ outcome: "throttled" })], now);
      gaps.push((admission.pace.pausedUntil(now) ?? from) - from);
    }
    expect(gaps).toEqual(
      [0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60].map((seconds) => (seconds === 0 ? 0 : seconds * 1_000 + 100)),
    );
  });

  it("does not keep a slot of a pause from the runs that cancel meanwhile", () => {
    const admission = open({ slots: 4 });
    admission.ask(asks("a"), START);
    admission.ended("a", [report({ outcome: "throttled", retryAfterMs: 1_000 })], START + 1);
    for (const name of ["b", "c"]) admission.ask(asks(name), START + 2);
    const [probe] = grantedIn(admission.expire(START + 1_001));
    expect(grantedIn(admission.withdraw(probe ?? "", START + 1_010))).toHaveLength(1);
  });
});
