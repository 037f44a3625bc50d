/**
 * Policies: every call leaves the line once, a slot never idles while a call of its bands waits, and junk changes nothing.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SNAPSHOT_PROGRAMS, SNAPSHOT_USERS } from "#shared/limits.ts";
import { BANDS, openPolicy, POLICIES, type Band, type Call, type Policy } from "#kernel/sched/policy.ts";
import { actions, drive } from "#tests/kernel/sched/policy-driver.ts";

function call(id: number, program: string, more: Partial<Call> = {}): Call {
  return { id, user: "ada", program, band: "normal", enqueuedAt: id, ...more };
}

function order(policy: Policy, now: number): number[] {
  const ids: number[] = [];
  for (let next = policy.take(now, BANDS); next !== null; next = policy.take(now, BANDS)) ids.push(next.id);
  return ids;
}

describe.each(POLICIES)("%s", (name) => {
  it("serves every call once, never one of another band, and never idles while one waits", () => {
    fc.assert(
      fc.property(actions, (steps) => {
        const policy = openPolicy(name, { slots: 4 });
        const served = drive(policy, steps, 4);
        expect(new Set(served.map(({ call: one }) => one.id)).size).toBe(served.length);
      }),
      { numRuns: 150 },
    );
  });

  it("takes an end, a withdrawal and a call it knows or does not know for what they are", () => {
    const policy = openPolicy(name, { slots: 1 });
    const ended = { seconds: 1, programOver: true, learn: true };
    policy.end(7, ended, 0);
    expect(policy.withdraw(7)).toBe(false);
    expect(policy.take(0, BANDS)).toBeNull();
    policy.enqueue(call(1, "a"));
    policy.enqueue(call(1, "a"));
    expect(policy.waiting).toBe(1);
    expect(policy.take(1, [])).toBeNull();
    expect(policy.take(1, ["batch", "interactive"])).toBeNull();
    expect(policy.take(1, BANDS)?.id).toBe(1);
    policy.enqueue(call(1, "a"));
    expect(policy.waiting).toBe(0);
    expect(policy.withdraw(1)).toBe(false);
    policy.end(1, { ...ended, seconds: Number.NaN }, 2);
    policy.end(1, ended, 2);
    policy.enqueue(call(2, "a", { enqueuedAt: 3 }));
    expect(policy.withdraw(2)).toBe(true);
    expect(policy.waiting).toBe(0);
  });

  it("hears of calls that never stood in the line, once each", () => {
    const policy = openPolicy(name, { slots: 1 });
    policy.enqueue(call(1, "a"));
    policy.start(call(1, "a"), 1);
    policy.start(call(2, "b", { enqueuedAt: 1 }), 1);
    policy.start(call(2, "b", { enqueuedAt: 1 }), 1);
    policy.enqueue(call(2, "b", { enqueuedAt: 1 }));
    expect(policy.waiting).toBe(1);
    policy.end(2, { seconds: 1, programOver: true, learn: true }, 2);
    expect(order(policy, 3)).toEqual([1]);
  });

  it("puts bands before everything else", () => {
    const policy = openPolicy(name, { slots: 1 });
    const bands: Band[] = ["batch", "normal", "interactive", "batch", "interactive", "normal"];
    for (const [id, band] of bands.entries()) policy.enqueue(call(id, `program ${id}`, { band, enqueuedAt: 0 }));
    expect(order(policy, 0)).toEqual([2, 4, 1, 5, 0, 3]);
  });

  it("goes on where it was after a snapshot, and ignores what is none", () => {
    fc.assert(
      fc.property(actions, actions, fc.anything(), (before, after, junk) => {
        const first = openPolicy(name, { slots: 4 });
        drive(first, before, 4);
        // Only what waits or runs is not in a snapshot: here nothing does any more.
        const second = openPolicy(name, { slots: 4 });
        const text = JSON.stringify(first.snapshot());
        expect(text.length).toBeLessThan(100_000);
        second.restore(JSON.parse(text));
        second.restore(junk);
        // Soon enough for some of the programs to be known still.
        const later = after.map((step) => ({ ...step, at: step.at + 850 }));
        const ids = (policy: Policy): number[] => drive(policy, later, 4).map(({ call: one }) => one.id);
        expect(ids(second)).toEqual(ids(first));
      }),
      { numRuns: 60 },
    );
  });
});

describe("first come, first served", () => {
  it("keeps the order of arrival inside a band", () => {
    const policy = openPolicy("fifo", { slots: 1 });
    for (let id = 0; id < 20; id += 1) policy.enqueue(call(id, `program ${id % 3}`));
    expect(order(policy, 30)).toEqual(Array.from({ length: 20 }, (_, id) => id));
  });
});

describe("a snapshot", () => {
  it("stays below 100 KB however many programs and users there were, and keeps the last ones", () => {
    const policy = openPolicy("ervd", { slots: 4 });
    const name = (kind: string, index: number): string => `${kind} ${index}`.padEnd(64, "x");
    for (let id = 1; id <= 2_000; id += 1) {
      policy.enqueue(call(id, name("program", id), { user: name("user", id), enqueuedAt: 1_763_000_000.123 + id / 7 }));
      policy.take(1_763_000_000.456 + id / 7, BANDS);
      policy.end(id, { seconds: 1.234567891, programOver: false, learn: true }, 1_763_000_001.789 + id / 7);
    }
    const text = JSON.stringify(policy.snapshot());
    expect(text.length).toBeLessThan(100_000);
    expect(text.split("program ").length - 1).toBe(SNAPSHOT_PROGRAMS);
    expect(text).toContain("program 2000");
    expect(text).not.toContain("program 1000x");
    // A user is named with its program, and by itself.
    expect(text.split("user ").length - 1).toBe(SNAPSHOT_PROGRAMS + SNAPSHOT_USERS);
  });
});
