/**
 * No starvation: under a load that never lets up, every call of every band is served within a bound that is asserted.
 *
 * A call that waits `T` seconds (60, in the background 600) is overdue. The slots take `slots / seconds` calls a second while
 * anybody waits, and one turn in eight is the lane's, in the order of the due times. So with `ahead` calls due before it the call is
 * served within `T + (8 * (ahead + 1) + 1) * seconds / slots`, and `ahead` is at most the line's length.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AGED_BATCH_MS, AGED_MS, LANE_TURNS } from "#shared/limits.ts";
import { BANDS, openPolicy, POLICIES, type Band, type Call, type Policy } from "#kernel/sched/policy.ts";

/** Calls that wait at the most; more are refused, as the pool does. */
const LINE = 60;

interface Load {
  readonly slots: number;
  /** Seconds of every call. */
  readonly seconds: number;
  /** Interactive calls a second, as a share of what the slots can take; above one the line is always full. */
  readonly load: number;
  readonly users: number;
  /** Programs live at once; each has a new call as soon as it can. */
  readonly programs: number;
}

function due(call: Call): number {
  return call.enqueuedAt + (call.band === "batch" ? AGED_BATCH_MS : AGED_MS) / 1_000;
}

/** Runs 1,600 seconds of interactive calls with one in the background now and then; asserts the bound of every call. */
function endure(policy: Policy, { slots, seconds, load, users, programs }: Load): Record<Band, number> {
  const waiting = new Map<number, Call>();
  const running: { readonly id: number; readonly until: number }[] = [];
  /** Turns since each call was due, and those it may need. */
  const overdue = new Map<number, { turns: number; readonly most: number }>();
  const longest: Record<Band, number> = { interactive: 0, normal: 0, batch: 0 };
  const interval = seconds / (slots * load);
  let ids = 0;
  const come = (band: Band, now: number): void => {
    if (waiting.size >= LINE) return;
    ids += 1;
    const call = { id: ids, user: `user ${ids % users}`, program: `program ${ids % programs}`, band, enqueuedAt: now };
    waiting.set(ids, call);
    policy.enqueue(call);
  };
  let [nextCall, nextBatch] = [0, 0];
  while (nextCall < 1_600 || waiting.size > 0) {
    const end = running[0]?.until ?? Infinity;
    const now = Math.min(end, nextCall < 1_600 ? nextCall : Infinity);
    if (end === now) {
      const ended = running.shift();
      if (ended !== undefined) policy.end(ended.id, { seconds, programOver: ended.id % 37 === 0, learn: true }, now);
    } else {
      if (nextBatch <= now) {
        come("batch", now);
        come("normal", now);
        nextBatch += 97;
      }
      come("interactive", now);
      nextCall += interval;
    }
    while (running.length < slots && waiting.size > 0) {
      for (const call of waiting.values()) {
        if (due(call) >= now || overdue.has(call.id)) continue;
        const ahead = [...waiting.values()].filter((other) => due(other) <= due(call) && other.id !== call.id).length;
        overdue.set(call.id, { turns: 0, most: LANE_TURNS * (ahead + 1) + 1 });
      }
      for (const late of overdue.values()) late.turns += 1;
      const call = policy.take(now, BANDS);
      if (call === null) throw new Error("a slot idles while a call waits");
      const late = overdue.get(call.id);
      if (late !== undefined) expect(late.turns).toBeLessThanOrEqual(late.most);
      overdue.delete(call.id);
      waiting.delete(call.id);
      const wait = now - call.enqueuedAt;
      const limit = due(call) - call.enqueuedAt + ((LANE_TURNS * (LINE + 1) + 1) * seconds) / slots;
      expect(wait).toBeLessThanOrEqual(limit);
      longest[call.band] = Math.max(longest[call.band], wait);
      running.push({ id: call.id, until: now + seconds });
    }
  }
  return longest;
}

describe.each(POLICIES)("%s with its ageing lane", (name) => {
  it("serves every call within the bound, in every band", () => {
    const loads = fc.record({
      slots: fc.integer({ min: 1, max: 8 }),
      seconds: fc.integer({ min: 2, max: 8 }),
      load: fc.double({ min: 0.8, max: 2, noNaN: true }),
      users: fc.integer({ min: 1, max: 5 }),
      programs: fc.integer({ min: 1, max: 40 }),
    });
    fc.assert(
      fc.property(loads, (load) => void endure(openPolicy(name, { slots: load.slots }), load)),
      { numRuns: 12 },
    );
  });

  it("does not let constant interactive load starve the background", () => {
    const load = { slots: 4, seconds: 2, load: 1.5, users: 3, programs: 20 };
    const longest = endure(openPolicy(name, { slots: 4 }), load);
    expect(longest.batch).toBeGreaterThan(AGED_BATCH_MS / 1_000);
    expect(longest.batch).toBeLessThan((AGED_BATCH_MS + 2 * AGED_MS) / 1_000);
  });
});

describe("without its lane", () => {
  it("the same load starves the background, so the test can fail", () => {
    const load = { slots: 4, seconds: 2, load: 1.5, users: 3, programs: 20 };
    expect(() => endure(openPolicy("ervd", { slots: 4, lane: false }), load)).toThrow();
  });
});
