/**
 * Pace: slots grow by answers, become fewer once per round trip, and come back after a pause one call first.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DECREASE_MS, FAILED_RUN, PACE_PAUSE_MS, PROBE_MS, RAMP_MS, RETRY_AFTER_MOST_MS } from "#shared/limits.ts";
import { Pace } from "#kernel/sched/admission/pace.ts";

const NOW = 1_900_000_000_000;

describe("slots", () => {
  it("lose a fifth once per round trip and second, half when nothing was answered since, and never the last one", () => {
    const pace = new Pace(64, NOW);
    pace.throttled(NOW - 500, NOW, null);
    expect(pace.slots).toBe(51);
    pace.throttled(NOW - 400, NOW + DECREASE_MS, null); // it started before the decrease
    pace.throttled(NOW + 1, NOW + DECREASE_MS - 1, 1); // less than a second after it
    expect(pace.slots).toBe(51);
    pace.throttled(NOW + 2, NOW + DECREASE_MS, 1);
    expect(pace.slots).toBe(25);
    pace.answered(NOW + DECREASE_MS + 1, NOW + DECREASE_MS + 2);
    pace.throttled(NOW + DECREASE_MS + 2, NOW + 3 * DECREASE_MS, 1);
    expect(pace.slots).toBe(20);
    for (let turn = 1; turn < 20; turn += 1) pace.throttled(NOW + turn * 2_000, NOW + turn * 2_000, 0);
    expect(pace.slots).toBe(1);
  });

  it("grow by one per as many answers as there are slots, up to the most", () => {
    const pace = new Pace(64, NOW, { limit: 8, most: 64, pausedUntil: 0 });
    for (let answer = 0; answer < 8; answer += 1) pace.answered(NOW, NOW + 1);
    expect(pace.slots).toBe(9);
    for (let answer = 0; answer < 10_000; answer += 1) pace.answered(NOW, NOW + 1);
    expect(pace.slots).toBe(64);
  });

  it("lose a quarter for a run of failures, and nothing for one failure between answers", () => {
    const pace = new Pace(64, NOW);
    for (let turn = 0; turn < 50; turn += 1) {
      for (let failure = 1; failure < FAILED_RUN; failure += 1) pace.failed(NOW, NOW);
      pace.answered(NOW, NOW);
    }
    expect(pace.slots).toBe(64);
    for (let failure = 0; failure < FAILED_RUN; failure += 1) pace.failed(NOW, NOW);
    expect(pace.slots).toBe(48);
  });

  it("follow a new most, and keep what was learned below it", () => {
    const pace = new Pace(8, NOW);
    pace.resize(16);
    expect(pace.slots).toBe(16);
    pace.throttled(NOW, NOW, null);
    pace.resize(32);
    expect(pace.slots).toBe(12);
    pace.resize(4);
    expect(pace.slots).toBe(4);
  });

  it("follow the most of another deployment, unless the provider took some away", () => {
    const untouched = new Pace(16, NOW);
    expect(new Pace(64, NOW, untouched.state()).slots).toBe(64);
    expect(new Pace(4, NOW, untouched.state()).slots).toBe(4);
    untouched.throttled(NOW, NOW, null);
    expect(new Pace(64, NOW, untouched.state()).slots).toBe(untouched.slots);
    expect(untouched.slots).toBeLessThan(16);
  });
});

describe("a pause", () => {
  it("is the longest that was asked for, bounded, and survives a restart", () => {
    const pace = new Pace(8, NOW);
    pace.throttled(NOW, NOW, 9_000);
    pace.throttled(NOW, NOW, 4_000);
    expect(pace.pausedUntil(NOW)).toBe(NOW + 9_000);
    expect(new Pace(8, NOW + 1, pace.state()).pausedUntil(NOW + 1)).toBe(NOW + 9_000);
    pace.throttled(NOW, NOW, 1e12);
    expect(pace.pausedUntil(NOW)).toBe(NOW + RETRY_AFTER_MOST_MS);
  });

  it("ends with one call, which counts as let in when it runs for a while", () => {
    const pace = new Pace(64, NOW);
    pace.throttled(NOW, NOW, 1_000);
    const end = NOW + 1_000;
    expect([pace.startable(end - 1), pace.startable(end)]).toEqual([0, 1]);
    pace.started("probe", end);
    expect(pace.startable(end + PROBE_MS - 1)).toBe(0);
    expect(pace.due(end + 1)).toBe(end + PROBE_MS);
    expect(pace.startable(end + PROBE_MS)).toBe(2);
    expect(pace.startable(end + PROBE_MS + RAMP_MS)).toBe(4);
    expect(pace.startable(end + PROBE_MS + 10 * RAMP_MS)).toBe(Infinity);
  });

  it("is the pool's own when the provider asks to wait for nothing, again and again", () => {
    const pace = new Pace(64, NOW);
    const pauses = [0, 1, 2].map((turn) => {
      const now = NOW + turn * 10_000;
      pace.throttled(now, now, 0);
      return (pace.pausedUntil(now) ?? now) - now;
    });
    expect(pauses).toEqual([0, PACE_PAUSE_MS, 2 * PACE_PAUSE_MS]);
  });

  it("lets another call go first when the first one is gone", () => {
    const pace = new Pace(64, NOW);
    pace.throttled(NOW, NOW, 1_000);
    pace.started("probe", NOW + 1_000);
    pace.gone("probe");
    expect(pace.startable(NOW + 1_001)).toBe(1);
  });
});

describe("whatever a provider says", () => {
  it("keeps at least one slot and at most the most, and lets something start in bounded time", () => {
    const event = fc.record({
      what: fc.constantFrom("answered" as const, "throttled" as const, "failed" as const),
      ms: fc.nat(5_000),
      age: fc.nat(5_000),
      retryAfterMs: fc.option(fc.nat(1e9)),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.array(event), (most, events) => {
        const pace = new Pace(most, NOW);
        let now = NOW;
        for (const { what, ms, age, retryAfterMs } of events) {
          now += ms;
          if (what === "throttled") pace.throttled(now - age, now, retryAfterMs);
          else pace[what](now - age, now);
          expect(pace.slots).toBeGreaterThanOrEqual(1);
          expect(pace.slots).toBeLessThanOrEqual(most);
          expect(pace.startable(now + RETRY_AFTER_MOST_MS)).toBeGreaterThanOrEqual(1);
        }
      }),
    );
  });
});
