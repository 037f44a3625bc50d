/**
 * Pager policy: what may stay stays, groups leave whole, a batch ends at the low watermark, and the high one is where a
 * simulated body costs least.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  costPerCall,
  highWatermark,
  Pager,
  type PagerFrame,
  type PagerOptions,
  type PagerPrices,
} from "#kernel/vm/pager/policy.ts";

const PRICES: PagerPrices = { write: 1.25, read: 0.1 };
const OPTIONS: PagerOptions = {
  prices: PRICES,
  low: 2_000,
  lowest: 1_000,
  highest: 8_000,
  ceiling: 30_000,
  growth: 100,
};

function frame(id: number, change: Partial<PagerFrame> = {}): PagerFrame {
  return { id, tokens: 100, pinned: false, referenced: false, faults: 0, group: id, locked: false, ...change };
}

/** Mean cost of a call of a body that grows token by token and is cut at `high`: by simulation, not by the formula. */
function simulate(low: number, high: number, growth: number, { write, read }: PagerPrices): number {
  let size = low;
  let cost = 0;
  let calls = 0;
  for (let batches = 0; batches < 40;) {
    const cut = size + growth > high;
    if (cut) batches += 1;
    // After a cut nothing but the prefix before the body is cached.
    cost += cut ? write * (low + growth) : read * size + write * growth;
    size = cut ? low + growth : size + growth;
    calls += 1;
  }
  return cost / calls;
}

describe("the high watermark", () => {
  it("is where a simulated body costs least, within 5 percent", () => {
    for (const growth of [20, 73, 200, 600]) {
      for (const low of [1_000, 2_000, 4_000, 8_000]) {
        for (const prices of [PRICES, { write: 1, read: 0.1 }, { write: 1, read: 0.25 }, { write: 2, read: 0.1 }]) {
          const high = highWatermark(low, growth, prices);
          const tried = Array.from({ length: 200 }, (_, index) => low + growth * 1.5 + index * ((high - low) / 50));
          const least = Math.min(...tried.map((mark) => simulate(low, mark, growth, prices)));
          const own = simulate(low, high, growth, prices);
          expect({ growth, low, prices, ratio: own / least <= 1.05 ? "close" : own / least }).toEqual({
            growth,
            low,
            prices,
            ratio: "close",
          });
          expect(Math.abs(costPerCall(low, high, growth, prices) / own - 1)).toBeLessThan(0.12);
        }
      }
    }
  });

  it("gives the figures of the research: 3,832 for g = 73 and L = 2,000", () => {
    expect(Math.round(highWatermark(2_000, 73, PRICES))).toBe(3_832);
    expect(Math.round(highWatermark(4_000, 73, PRICES))).toBe(6_592);
  });

  it("is the low one when cached tokens are not cheaper, and never passes the ceiling when they are free", () => {
    expect(highWatermark(2_000, 73, { write: 1, read: 1 })).toBe(2_000);
    const pager = new Pager({ ...OPTIONS, prices: { write: 1, read: 0 }, ceiling: 9_000 });
    expect(pager.watermarks(pager.start()).high).toBe(9_000);
  });
});

const frames = fc
  .array(
    fc.record({
      tokens: fc.integer({ min: 1, max: 1_500 }),
      pinned: fc.boolean(),
      referenced: fc.boolean(),
      faults: fc.constantFrom(0, 0, 0.5, 1, 4),
      locked: fc.boolean(),
      joins: fc.boolean(),
      plain: fc.integer({ min: 0, max: 4 }),
    }),
    { maxLength: 60 },
  )
  .map((drawn) => {
    let group = 0;
    return drawn.map(({ joins, plain, ...rest }, index): PagerFrame => {
      if (!joins) group = index + 1;
      // Most frames are plain, so that there is something to evict.
      return { ...rest, ...(plain > 0 ? { pinned: false, locked: false } : {}), id: index + 1, group };
    });
  });

const sum = (list: readonly PagerFrame[]): number => list.reduce((tokens, one) => tokens + one.tokens, 0);

describe("a step", () => {
  it("keeps what may not leave, evicts whole groups, ends within the low watermark, and is deterministic", () => {
    let batches = 0;
    fc.assert(
      fc.property(frames, (mapped) => {
        const pager = new Pager(OPTIONS);
        const state = { ...pager.start(), size: sum(mapped) };
        const step = pager.step(mapped, state);
        expect(pager.step(mapped, state)).toEqual(step);
        const gone = new Set(step.evict);
        expect(gone.size).toBe(step.evict.length);
        const stayed = mapped.filter((one) => !gone.has(one.id));
        const kept = new Set(mapped.filter((one) => one.pinned || one.locked).map((one) => one.group));
        const fixed = mapped.filter((one) => kept.has(one.group));
        expect(fixed.every((one) => !gone.has(one.id))).toBe(true);
        const left = new Set(mapped.filter((one) => gone.has(one.id)).map((one) => one.group));
        expect(stayed.some((one) => left.has(one.group))).toBe(false);
        expect(step.state.size).toBe(sum(stayed));
        if (step.evict.length === 0) {
          expect(sum(mapped)).toBeLessThanOrEqual(Math.max(step.high, sum(fixed)));
          return;
        }
        batches += 1;
        expect(sum(stayed)).toBeLessThanOrEqual(Math.max(step.low, sum(fixed)));
        expect(step.low).toBeLessThanOrEqual(step.high);
      }),
      { numRuns: 500 },
    );
    expect(batches).toBeGreaterThan(100);
  });

  it("evicts nothing at the high watermark and a batch above it", () => {
    const pager = new Pager(OPTIONS);
    const state = { ...pager.start(), samples: 50 };
    const { high } = pager.watermarks(state);
    const filler = frame(1, { tokens: high - 100 });
    // The same size as before, so that nothing is learned.
    expect(pager.step([filler, frame(2)], { ...state, size: high }).evict).toEqual([]);
    expect(pager.step([filler, frame(2, { tokens: 101 })], { ...state, size: high + 1 }).evict).toEqual([1]);
  });

  it("spares a referenced group once, and sends it behind the newest", () => {
    const pager = new Pager({ ...OPTIONS, prices: { write: 1, read: 1 }, low: 1_000, lowest: 1_000 });
    const mapped = Array.from({ length: 12 }, (_, index) => frame(index + 1, { referenced: index === 0 }));
    const first = pager.step(mapped, pager.start());
    expect(first.evict).toEqual([2, 3]);
    expect(first.cleared).toContain(1);
    expect(first.state.passed).toEqual([[1, 12]]);
    const rest = [...mapped.filter((one) => !first.evict.includes(one.id)), frame(13), frame(14)];
    const second = pager.step(
      rest.map((one) => ({ ...one, referenced: false })),
      first.state,
    );
    expect(second.evict).toEqual([4, 5]); // not 1, which now stands behind 12
    const third = pager.step(
      [1, 13, 14, 15].map((id) => frame(id, { tokens: 400 })),
      second.state,
    );
    expect(third.evict).toEqual([1, 13]);
  });

  it("spares what was read back, for as many batches as it was read back, and evicts it before it breaks the watermark", () => {
    const pager = new Pager({ ...OPTIONS, prices: { write: 1, read: 1 }, low: 1_000, lowest: 1_000 });
    let faults = 2;
    let state = pager.start();
    const survived: number[] = [];
    for (let batch = 0; batch < 5; batch += 1) {
      const others = Array.from({ length: 11 }, (_, index) => frame(100 * batch + index + 10));
      const step = pager.step([frame(1, { faults }), ...others], { ...state, passed: [] });
      state = step.state;
      if (step.weakened.includes(1)) faults /= 2;
      if (step.evict.includes(1)) break;
      survived.push(batch);
    }
    expect(survived).toEqual([0, 1]);
    const all = Array.from({ length: 12 }, (_, index) => frame(index + 1, { faults: 4 }));
    expect(pager.step(all, pager.start()).evict).toEqual([1, 2]);
  });

  it("learns the growth of a call", () => {
    const pager = new Pager({ ...OPTIONS, low: 8_000 });
    let state = pager.start();
    for (let call = 1; call <= 30; call += 1) {
      const mapped = Array.from({ length: call * 2 }, (_, index) => frame(index));
      state = pager.step(mapped, state).state;
    }
    expect(state.growth).toBeGreaterThan(180);
    expect(state.growth).toBeLessThanOrEqual(200);
  });
});

describe("the low watermark", () => {
  /** Runs `batches` batches in which every call's faults cost `cost`. */
  function run(batches: number, cost: number, options = OPTIONS): number[] {
    const pager = new Pager(options);
    let state = pager.start();
    let mapped: PagerFrame[] = [];
    const lows: number[] = [];
    for (let id = 1; lows.length < batches; id += 1) {
      mapped.push(frame(id));
      const step = pager.step(mapped, state, { faultCost: cost });
      state = step.state;
      if (step.evict.length === 0) continue;
      mapped = mapped.filter((one) => !step.evict.includes(one.id));
      lows.push(step.low);
    }
    return lows;
  }

  it("rises to its bound while faults cost more than keeping more, and falls to the other when there are none", () => {
    const thrashing = run(12, 1_000);
    expect(thrashing[0]).toBe(2_500);
    expect(thrashing.at(-1)).toBe(OPTIONS.highest);
    const calm = run(30, 0);
    expect(calm.slice(0, 2)).toEqual([2_000, 1_800]); // the second batch without a fault
    expect(calm.at(-1)).toBe(OPTIONS.lowest);
  });

  it("stays where it is when faults are worth what is kept", () => {
    const pager = new Pager(OPTIONS);
    const state = pager.start();
    const { low, high } = pager.watermarks(state);
    const kept = costPerCall(low * 1.25, highWatermark(low * 1.25, 100, PRICES), 100, PRICES);
    const now = costPerCall(low, high, 100, PRICES);
    expect(new Set(run(10, (kept - now) * 0.9)).size).toBeLessThanOrEqual(2);
  });

  it("never takes more than the ceiling leaves", () => {
    for (const low of run(20, 5_000, { ...OPTIONS, ceiling: 3_000 })) expect(low).toBeLessThanOrEqual(2_400);
  });
});
