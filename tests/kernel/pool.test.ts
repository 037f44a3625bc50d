/**
 * Pool: never more leases than slots, first come first served, and no lease or waiter is lost, whoever crashes.
 */
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { LEASE_MS, POOL_QUEUE, POOL_SLOTS, POOL_WAIT_MS } from "#shared/limits.ts";
import type { Result } from "#shared/result.ts";
import type { Pool } from "#kernel/pool.ts";
import type { Lease } from "#kernel/sched/lease.ts";
import type { Band } from "#kernel/sched/policy.ts";
import type { CallOutcome, CallReport, SlotAsk } from "#kernel/sched/pool-api.ts";
import { useModel, installSeam, says, text } from "#tests/kernel/kernel-seam.ts";
import { ask, callerOf, objectOf, start } from "#tests/kernel/process-client.ts";

installSeam();
afterEach(() => void vi.useRealTimers());

function poolOf(model: string): DurableObjectStub<Pool> {
  return env.POOL.getByName(model);
}

/** Runs `work` inside a pool of `slots` slots. */
function inPool<Value>(model: string, slots: number, work: (pool: Pool) => Promise<Value> | Value): Promise<Value> {
  return runInDurableObject(poolOf(model), (pool) => {
    pool.resize(slots);
    return work(pool);
  });
}

/** An ask of a holder whose user and program have its name; the name is the ticket too. */
function asks(name: string, band: Band = "interactive"): SlotAsk {
  return { holder: name, band, user: name, program: name, tokens: 0, ticket: name };
}

function reports(outcome: CallOutcome = "answered", more: Partial<CallReport> = {}): CallReport[] {
  const report = { user: "u", program: "p", outcome, seconds: 0.1, tokens: 10, retryAfterMs: null, programOver: true };
  return [{ ...report, ...more }];
}

function leaseOf(result: Result<Lease>): string {
  if (!result.ok) throw new Error(result.error.code);
  return result.value.lease;
}

/** Lets everything that can go on go on. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  await new Promise((resolve) => setTimeout(resolve, 0));
}

describe("the pool", () => {
  it("serves in the order of arrival, bands first", async () => {
    await inPool("fifo", 1, async (pool) => {
      const held = leaseOf(await pool.acquire(asks("holder")));
      const order: string[] = [];
      const line: [string, Band][] = [
        ["batch", "batch"],
        ["a", "normal"],
        ["first", "interactive"],
        ["b", "normal"],
        ["second", "interactive"],
      ];
      const waits = line.map(async ([name, band]) => {
        const lease = leaseOf(await pool.acquire(asks(name, band)));
        order.push(name);
        pool.release(lease, reports());
      });
      await settle();
      pool.release(held, reports());
      await Promise.all(waits);
      expect(order).toEqual(["first", "second", "a", "b", "batch"]);
      expect(pool.view()).toMatchObject({ slots: 1, leased: 0, waiting: 0 });
    });
  });

  it("takes a release twice, and one of a lease it never gave", async () => {
    await inPool("twice", 1, async (pool) => {
      const lease = leaseOf(await pool.acquire(asks("a")));
      pool.release(lease, reports());
      const next = leaseOf(await pool.acquire(asks("b")));
      pool.release(lease, reports());
      pool.release("nothing", reports());
      expect(pool.view().leased).toBe(1);
      pool.release(next, reports());
    });
  });

  it("frees the slot of a holder that crashed when its lease expires, and not before", async () => {
    await inPool("expiry", 1, async (pool) => {
      await pool.acquire(asks("crashed"));
      const now = Date.now();
      vi.useFakeTimers({ toFake: ["Date"] });
      vi.setSystemTime(now + LEASE_MS - 1_000);
      expect(pool.view().leased).toBe(1);
      vi.setSystemTime(now + LEASE_MS + 1_000);
      expect(pool.view().leased).toBe(0);
      expect(await pool.acquire(asks("next"))).toMatchObject({ ok: true });
    });
  });

  it("wakes a waiter by its timer when nobody gives a slot back", async () => {
    await inPool("timer", 1, async (pool) => {
      await pool.acquire(asks("crashed"));
      vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"] });
      const waiter = pool.acquire(asks("waiter"));
      vi.advanceTimersByTime(LEASE_MS - 2_000);
      expect(pool.view().waiting).toBe(1);
      vi.advanceTimersByTime(4_000);
      expect(await waiter).toMatchObject({ ok: true });
    });
  });

  it("knows its leases after a restart, and forgets those given back", async () => {
    const model = "restart";
    const [kept, given] = await inPool(model, 3, async (pool) => [
      leaseOf(await pool.acquire(asks("a"))),
      leaseOf(await pool.acquire(asks("b"))),
    ]);
    await poolOf(model).release(given ?? "", reports());
    await evictDurableObject(poolOf(model));
    expect((await poolOf(model).view()).leased).toBe(1);
    await poolOf(model).release(kept ?? "", reports());
    expect((await poolOf(model).view()).leased).toBe(0);
  });

  it("goes on after an upgrade: what an earlier version stored is dropped, what it asks is refused", async () => {
    const model = "upgraded";
    await runInDurableObject(poolOf(model), async (_, { storage }) => {
      await storage.put("lease old", { holder: "u/run", expires: Date.now() + LEASE_MS });
      await storage.put("state", { policy: "fifo" });
    });
    await evictDurableObject(poolOf(model));
    await inPool(model, 1, async (pool) => {
      const earlier = (method: "acquire" | "release", ...args: unknown[]): unknown =>
        Reflect.apply(pool[method], pool, args);
      expect(await earlier("acquire", "u/run", "interactive")).toMatchObject({ error: { code: "invalid_request" } });
      expect(pool.view()).toMatchObject({ leased: 0, waiting: 0 });
      const lease = leaseOf(await pool.acquire(asks("a")));
      const waits = pool.acquire(asks("b"));
      earlier("release", lease);
      pool.release(leaseOf(await waits), [...reports(), ...reports("answered", { seconds: Number.NaN })]);
      expect(pool.view()).toMatchObject({ leased: 0, waiting: 0, today: { calls: 1 } });
    });
    const stored = await runInDurableObject(poolOf(model), (_, { storage }) => storage.list({ prefix: "lease " }));
    expect([...stored.keys()]).toEqual([]);
  });

  it("answers the earlier of two calls with one ticket, whose caller lost it", async () => {
    await inPool("twice-asked", 1, async (pool) => {
      const held = leaseOf(await pool.acquire(asks("holder")));
      const lost = pool.acquire(asks("again"));
      const found = pool.acquire(asks("again"));
      expect(await lost).toMatchObject({ ok: false, error: { code: "conflict" } });
      expect(pool.view()).toMatchObject({ leased: 1, waiting: 1 });
      pool.release(held, reports());
      pool.release(leaseOf(await found), reports());
      expect(pool.view()).toMatchObject({ leased: 0, waiting: 0 });
    });
  });

  it("refuses when POOL_QUEUE inferences wait, and one that waited POOL_WAIT_MS", async () => {
    await inPool("queue", 0, async (pool) => {
      vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"] });
      const waits: Promise<Result<Lease>>[] = [];
      for (let index = 0; index < POOL_QUEUE; index += 1) waits.push(pool.acquire(asks(`w${index}`)));
      expect(await pool.acquire(asks("one too many"))).toMatchObject({
        ok: false,
        error: { code: "overloaded" },
      });
      vi.advanceTimersByTime(POOL_WAIT_MS - 1);
      expect(pool.view().waiting).toBe(POOL_QUEUE);
      vi.advanceTimersByTime(1);
      expect(pool.view().waiting).toBe(0);
      expect(await waits[0]).toMatchObject({ ok: false, error: { code: "overloaded", retryAfter: 2 } });
    });
  });

  it("has POOL_SLOTS slots at first", async () => {
    expect((await poolOf("fresh").view()).slots).toBe(POOL_SLOTS);
  });
});

describe("a process and its pool", () => {
  it("gives every slot back, whether the run ends well, fails or is cancelled", async () => {
    const caller = callerOf("pool-return");
    const model = "pool-return-model";
    useModel(
      caller,
      says([text("Fine.")], [{ type: "error", error: { code: "model_unavailable", detail: "No." }, retryable: false }]),
    );
    expect((await ask(caller, "one", { model })).status).toBe("done");
    expect((await ask(caller, "two", { model })).status).toBe("failed");
    useModel(caller, async function* (_request, signal) {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      yield text("");
    });
    const run = await start(caller, "three", { model });
    await vi.waitUntil(async () => (await poolOf(model).view()).leased === 1);
    await objectOf(caller).cancel(caller, run.run);
    await vi.waitUntil(async () => (await poolOf(model).view()).leased === 0);
  });

  it("lets a run be cancelled while it waits for a slot, and gives back the slot that comes too late", async () => {
    const caller = callerOf("pool-cancel");
    const model = "pool-cancel-model";
    useModel(caller, says([text("Fine.")]));
    const held = await inPool(model, 1, async (pool) => leaseOf(await pool.acquire(asks("other"))));
    const run = await start(caller, "waits", { model });
    await vi.waitUntil(async () => (await poolOf(model).view()).waiting === 1);
    expect(await objectOf(caller).cancel(caller, run.run)).toMatchObject({ ok: true, value: { status: "cancelled" } });
    await poolOf(model).release(held, reports());
    await vi.waitUntil(async () => {
      const view = await poolOf(model).view();
      return view.leased === 0 && view.waiting === 0;
    });
  });
});
