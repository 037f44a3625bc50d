/**
 * Pool limits and shards: what a deployment sets, whole or split over the objects of one model's pool.
 */
import { describe, expect, it } from "vitest";
import { POOL_SLOTS } from "#shared/limits.ts";
import { limitsOf, shardsOf } from "#kernel/sched/pool-limits.ts";
import { poolsOf, readPoolName } from "#kernel/sched/shards.ts";

function env(limits: unknown): { readonly POOL_LIMITS: string } {
  return { POOL_LIMITS: typeof limits === "string" ? limits : JSON.stringify(limits) };
}

describe("POOL_LIMITS", () => {
  it("sets what a model's own entry says, then `*`, then the default", () => {
    const settings = env({ "*": { slots: 64, reserved: 4 }, "@cf/x": { slots: 8, requestsPerMinute: 300 } });
    expect(limitsOf(settings, "@cf/x")).toEqual({
      slots: 8,
      reserved: 4,
      requestsPerMinute: 300,
      tokensPerMinute: null,
    });
    expect(limitsOf(settings, "other/y").slots).toBe(64);
    expect(limitsOf({}, "other/y")).toEqual({
      ...{ slots: POOL_SLOTS, reserved: null, requestsPerMinute: null, tokensPerMinute: null },
    });
  });

  it.each(["{", "[]", '{"*": {"slots": 0}}', '{"*": {"slot": 4}}', '{"*": {"requestsPerMinute": -1}}'])(
    "counts as absent when it cannot be read: %s",
    (text) => expect(limitsOf(env(text), "m")).toEqual(limitsOf({}, "m")),
  );

  it("is split over the shards and makes up the whole", () => {
    const settings = env({ m: { slots: 10, reserved: 3, requestsPerMinute: 90, tokensPerMinute: 900, shards: 4 } });
    const parts = [0, 1, 2, 3].map((shard) => limitsOf(settings, "m", shard));
    expect(parts.map(({ slots }) => slots)).toEqual([3, 3, 2, 2]);
    expect(parts.reduce((sum, { reserved }) => sum + (reserved ?? 0), 0)).toBe(3);
    expect(parts.map(({ requestsPerMinute }) => requestsPerMinute)).toEqual([22.5, 22.5, 22.5, 22.5]);
    expect(shardsOf(env({ m: { slots: 2, shards: 8 } }), "m")).toBe(2);
  });
});

describe("shards", () => {
  it("are one object of the model's own name, until there are more", () => {
    expect(poolsOf({}, "@cf/x", "alice")).toEqual({ home: "@cf/x", second: null });
    expect(readPoolName("@cf/x")).toEqual({ model: "@cf/x", shard: 0 });
  });

  it("keep a user at two, spread users evenly, and are told from the name", () => {
    const settings = env({ "a/b#c": { shards: 8 } });
    const users = Array.from({ length: 8_000 }, (_, index) => `user-${index}`);
    const counts = new Map<string, number>();
    for (const user of users) {
      const { home, second } = poolsOf(settings, "a/b#c", user);
      expect(poolsOf(settings, "a/b#c", user)).toEqual({ home, second });
      expect(second).not.toBe(home);
      counts.set(home, (counts.get(home) ?? 0) + 1);
    }
    expect([...counts.keys()].toSorted()).toEqual(Array.from({ length: 8 }, (_, shard) => `a/b#c#${shard}`));
    expect(Math.min(...counts.values())).toBeGreaterThan(850);
    expect(Math.max(...counts.values())).toBeLessThan(1_150);
    expect(readPoolName("a/b#c#7")).toEqual({ model: "a/b#c", shard: 7 });
  });
});
