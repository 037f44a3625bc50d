/**
 * Pager replay: small traces whose residency, faults and cost are worked out by hand, and Belady as the bound it claims to be.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { belady, clock, fifo, lru, never, sieve, type Policy, type Watermarks } from "#bench/pager-policies.ts";
import { futureOf, replay, type ReplayEvent } from "#bench/pager-replay.ts";

const PRICES = { prefix: 10, write: 1, read: 0.1 };

function frame(id: number, tokens = 1): { id: number; tokens: number } {
  return { id, tokens };
}

function enter(...ids: number[]): ReplayEvent[] {
  return ids.map((id) => ({ kind: "enter", frame: frame(id) }));
}

const call: ReplayEvent = { kind: "call" };

function wanted(moment: number, ...ids: number[]): ReplayEvent {
  return { kind: "wanted", moment, frames: ids.map((id) => frame(id)) };
}

/** Frames 1, 2, 3 into a body of two; then 1, 2, 3, 1 are wanted. */
const TRACE = [...enter(1, 2, 3), call, wanted(0, 1), wanted(1, 2), wanted(2, 3), wanted(3, 1)];
const TWO: Watermarks = { low: 2, high: 2 };

function hits(events: readonly ReplayEvent[], policy: Policy): number {
  const outcome = replay(events, policy, PRICES);
  return outcome.wanted - outcome.faults;
}

describe("a replay", () => {
  it("of FIFO: every frame has just left when it is wanted", () => {
    // 1 leaves before the call; wanting 1 brings it back, so 2 leaves, and so on; 3 leaves before it is wanted.
    const { moments, faults, evictions } = replay(TRACE, fifo(TWO), PRICES);
    expect(moments.map(({ residency }) => residency)).toEqual([0, 0, 0, 0]);
    expect([faults, evictions]).toEqual([4, 4]);
  });

  it("of Belady: keeps what is wanted next", () => {
    // 3 is wanted last, so it leaves first; when 3 comes back, 2 (never wanted again) leaves and 1 stays.
    const { moments, faults } = replay(TRACE, belady(TWO, futureOf(TRACE)), PRICES);
    expect(moments.map(({ residency }) => residency)).toEqual([1, 1, 0, 1]);
    expect(faults).toBe(1);
  });

  it("of CLOCK and SIEVE: a used frame is spared once", () => {
    const events = [...enter(1, 2), call, wanted(0, 1), ...enter(3), call, wanted(1, 1), wanted(2, 2)];
    for (const policy of [clock(TWO), sieve(TWO), lru(TWO)]) {
      expect(replay(events, policy, PRICES).moments.map(({ residency }) => residency)).toEqual([1, 1, 0]);
    }
    expect(replay(events, fifo(TWO), PRICES).moments.map(({ residency }) => residency)).toEqual([1, 0, 0]);
  });

  it("counts what is cached, new and sent again", () => {
    const events = [...enter(1, 2), call, ...enter(3), call, wanted(0, 3)];
    const outcome = replay(events, fifo(TWO), PRICES);
    // First call: 10 + 2 new. Second: 1 left from the front, so 2 is sent again and 3 is new, 10 cached. Third: all cached.
    expect(outcome).toMatchObject({ calls: 3, tokens: 36, cached: 10 + 12, resent: 10 + 1 });
    expect(outcome.cost).toBeCloseTo(36 - 22 + 2.2, 9);
    const kept = replay(events, never(), PRICES);
    expect(kept).toMatchObject({ tokens: 12 + 13 + 13, cached: 12 + 13, evictions: 0 });
  });

  it("takes a tail as mapped and new in every call, and the note of what left as sent again", () => {
    const tail = (): { ids: Set<number>; tokens: number } => ({ ids: new Set([1]), tokens: 5 });
    const outcome = replay(TRACE, fifo(TWO), { ...PRICES, tail });
    // 2 and 3 stay in the body, because 1 needs not come back.
    expect(outcome.moments.map(({ residency }) => residency)).toEqual([0, 1, 1, 0]);
    expect(outcome.moments.map(({ coverage }) => coverage)).toEqual([1, 1, 1, 1]);
    expect(outcome).toMatchObject({ faults: 0, tailTokens: 20 });
    const noted = replay([...enter(1, 2, 3), call, call], fifo(TWO), { ...PRICES, stub: 4 });
    expect(noted).toMatchObject({ tokens: 32, cached: 16 });
  });

  it("calls an eviction premature when the frame is wanted soon after", () => {
    const late = [...enter(1, 2, 3), ...Array.from({ length: 30 }, () => call), wanted(0, 1)];
    expect(replay(TRACE, fifo(TWO), PRICES).premature).toBe(4);
    expect(replay(late, fifo(TWO), PRICES).premature).toBe(0);
  });
});

describe("Belady", () => {
  it("is at least as good as every other policy for frames of one size, at once", () => {
    const step = fc.oneof(fc.constant<"enter">("enter"), fc.constant<"call">("call"), fc.integer({ min: 0, max: 30 }));
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 120 }), fc.integer({ min: 1, max: 8 }), (steps, size) => {
        let entered = 0;
        let moment = 0;
        const events = steps.flatMap((one): ReplayEvent[] => {
          if (one === "enter") return enter((entered += 1));
          if (one === "call") return [call];
          return entered === 0 ? [] : [wanted(moment++, (one % entered) + 1)];
        });
        const marks = { low: size, high: size };
        const best = hits(events, belady(marks, futureOf(events)));
        for (const policy of [fifo(marks), lru(marks), clock(marks), sieve(marks)]) {
          expect(hits(events, policy)).toBeLessThanOrEqual(best);
        }
      }),
      { numRuns: 300 },
    );
  });
});
