/**
 * Slots of the pool as a process holds them: kept a moment while there are plenty, given back at once when there are not.
 */
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import type { TraceEvent } from "#shared/abi.ts";
import { LEASE_MS, LINGER_MS, LINGER_PERCENT, POOL_SLOTS } from "#shared/limits.ts";
import type { Result } from "#shared/result.ts";
import { UNUSED } from "#kernel/sched/pool-api.ts";
import { takeSlot } from "#kernel/sched/slot.ts";
import { gate, inKernel, installSeam, text, useModel } from "#tests/kernel/kernel-seam.ts";
import { ask, callerOf, objectOf, settled, start, unwrap } from "#tests/kernel/process-client.ts";

installSeam();

const pool = () => env.POOL.getByName(env.DEFAULT_MODEL);
const leased = async (): Promise<number> => (await pool().view()).leased;

describe("a slot", () => {
  it("lingers for the next inference, then goes back", async () => {
    const caller = callerOf("lingers");
    await ask(caller, "hello");
    expect(await leased()).toBe(1);
    await ask(caller, "hello again", { thread: "other" });
    expect(await leased()).toBe(1);
    await vi.waitUntil(async () => (await leased()) === 0, { timeout: LINGER_MS * 6 });
  });

  it("is not shared by two inferences at once", async () => {
    const caller = callerOf("apart");
    await ask(caller, "hello");
    const door = gate();
    useModel(caller, async function* () {
      await door.opened;
      yield text("Done.");
    });
    const runs = [await start(caller, "one", { thread: "one" }), await start(caller, "two", { thread: "two" })];
    await vi.waitUntil(async () => (await leased()) === 2);
    door.open();
    for (const { run } of runs) expect((await settled(caller, run)).status).toBe("done");
    await vi.waitUntil(async () => (await leased()) === 0, { timeout: LINGER_MS * 6 });
  });

  it("goes back after a part of its lease, before that can expire in use", async () => {
    const caller = callerOf("aged");
    await ask(caller, "hello");
    await inKernel(caller, async (kernel) => {
      const request = { model: "aged", holder: "aged", band: "interactive", program: "aged", tokens: 0 } as const;
      const { signal } = new AbortController();
      const use = async (ms: number): Promise<void> => {
        const slot = unwrap(await takeSlot(kernel, { ...request, signal }));
        vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });
        slot.end({ ...UNUSED, outcome: "answered" });
        vi.useRealTimers();
      };
      await use(LEASE_MS / 3);
      expect(kernel.lingering.get("aged interactive") ?? []).toEqual([]);
      await use(LEASE_MS / 3 - 1_000);
      expect(kernel.lingering.get("aged interactive")).toHaveLength(1);
    });
    await vi.waitUntil(async () => (await leased()) === 0, { timeout: LINGER_MS * 6 });
  });

  it("goes back at once when slots are scarce", async () => {
    expect(1).toBeGreaterThan(LINGER_PERCENT / 100);
    await pool().resize(1);
    const caller = callerOf("scarce");
    const run = await ask(caller, "hello");
    await vi.waitUntil(async () => (await leased()) === 0, { timeout: LINGER_MS / 2 });
    const trace = unwrap((await objectOf(caller).traceOf(caller, run.run)) as Result<readonly TraceEvent[]>);
    expect(trace.map((event) => event.event)).toContain("schedule-end");
    await pool().resize(POOL_SLOTS);
  });
});
