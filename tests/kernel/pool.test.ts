/**
 * Pool: never more leases than slots, first come first served, and no lease or waiter is lost, whoever crashes.
 */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { LEASE_MS, POOL_QUEUE, POOL_SLOTS, POOL_WAIT_MS } from "#shared/limits.ts";
import type { Result } from "#shared/result.ts";
import type { Pool } from "#kernel/pool.ts";
import type { Lease } from "#kernel/sched/lease.ts";
import { nextInLine, type Band } from "#kernel/sched/policy.ts";
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
      const held = leaseOf(await pool.acquire("holder", "interactive"));
      const order: string[] = [];
      const line: [string, Band][] = [
        ["batch", "batch"],
        ["a", "normal"],
        ["first", "interactive"],
        ["b", "normal"],
        ["second", "interactive"],
      ];
      const waits = line.map(async ([name, band]) => {
        const lease = leaseOf(await pool.acquire(name, band));
        order.push(name);
        pool.release(lease);
      });
      await settle();
      pool.release(held);
      await Promise.all(waits);
      expect(order).toEqual(["first", "second", "a", "b", "batch"]);
      expect(pool.view()).toEqual({ slots: 1, leased: 0, waiting: 0 });
    });
  });

  it("takes a release twice, and one of a lease it never gave", async () => {
    await inPool("twice", 1, async (pool) => {
      const lease = leaseOf(await pool.acquire("a", "interactive"));
      pool.release(lease);
      const next = leaseOf(await pool.acquire("b", "interactive"));
      pool.release(lease);
      pool.release("nothing");
      expect(pool.view().leased).toBe(1);
      pool.release(next);
    });
  });

  it("frees the slot of a holder that crashed when its lease expires, and not before", async () => {
    await inPool("expiry", 1, async (pool) => {
      await pool.acquire("crashed", "interactive");
      const now = Date.now();
      vi.useFakeTimers({ toFake: ["Date"] });
      vi.setSystemTime(now + LEASE_MS - 1_000);
      expect(pool.view().leased).toBe(1);
      vi.setSystemTime(now + LEASE_MS + 1_000);
      expect(pool.view().leased).toBe(0);
      expect(await pool.acquire("next", "interactive")).toMatchObject({ ok: true });
    });
  });

  it("wakes a waiter by its alarm when nobody gives a slot back", async () => {
    const pool = poolOf("alarm");
    const { waiter } = await inPool("alarm", 1, async (inside) => {
      await inside.acquire("crashed", "interactive");
      const waiting = inside.acquire("waiter", "interactive");
      await settle();
      expect(inside.view().waiting).toBe(1);
      vi.useFakeTimers({ toFake: ["Date"] });
      vi.setSystemTime(Date.now() + LEASE_MS + 1_000);
      return { waiter: waiting };
    });
    expect(await runDurableObjectAlarm(pool)).toBe(true);
    expect(await waiter).toMatchObject({ ok: true });
  });

  it("knows its leases after a restart, and forgets those given back", async () => {
    const model = "restart";
    const [kept, given] = await inPool(model, 3, async (pool) => [
      leaseOf(await pool.acquire("a", "interactive")),
      leaseOf(await pool.acquire("b", "interactive")),
    ]);
    await poolOf(model).release(given ?? "");
    await evictDurableObject(poolOf(model));
    expect((await poolOf(model).view()).leased).toBe(1);
    await poolOf(model).release(kept ?? "");
    expect((await poolOf(model).view()).leased).toBe(0);
  });

  it("refuses when POOL_QUEUE inferences wait, and one that waited POOL_WAIT_MS", async () => {
    await inPool("queue", 0, async (pool) => {
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
      const waits: Promise<Result<Lease>>[] = [];
      for (let index = 0; index < POOL_QUEUE; index += 1) waits.push(pool.acquire(`w${index}`, "interactive"));
      while (pool.view().waiting < POOL_QUEUE) await Promise.resolve();
      expect(await pool.acquire("one too many", "interactive")).toMatchObject({
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

describe("any schedule of the pool", () => {
  type Step =
    | { readonly act: "acquire"; readonly band: Band }
    | { readonly act: "release" | "crash"; readonly pick: number }
    | { readonly act: "expire" };
  const step: fc.Arbitrary<Step> = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        act: fc.constant("acquire" as const),
        band: fc.constantFrom<Band>("interactive", "normal", "batch"),
      }),
    },
    { weight: 3, arbitrary: fc.record({ act: fc.constantFrom("release" as const, "crash" as const), pick: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ act: fc.constant("expire" as const) }) },
  );

  it("leases at most its slots, leaves no slot idle while one waits, and serves everyone in the end", async () => {
    let round = 0;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.array(step, { maxLength: 40 }), async (slots, steps) => {
        round += 1;
        vi.useFakeTimers({ toFake: ["Date"] });
        vi.setSystemTime(1_900_000_000_000);
        await inPool(`any-${round}`, slots, async (pool) => {
          const held: string[] = [];
          let asked = 0;
          let served = 0;
          const acquire = (band: Band): void => {
            asked += 1;
            void pool.acquire(`h${asked}`, band).then((lease) => {
              served += 1;
              return held.push(leaseOf(lease));
            });
          };
          for (const one of steps) {
            if (one.act === "acquire") acquire(one.band);
            else if (one.act === "expire") {
              vi.setSystemTime(Date.now() + LEASE_MS + 1);
              await pool.alarm();
            } else {
              const [lease] = held.splice(one.pick % Math.max(1, held.length), 1);
              if (lease !== undefined && one.act === "release") pool.release(lease); // a crashed holder says nothing
            }
            await settle();
            const view = pool.view();
            expect(view.leased).toBeLessThanOrEqual(slots);
            expect(view.waiting === 0 || view.leased === slots).toBe(true);
          }
          for (let turn = 0; served < asked && turn <= asked; turn += 1) {
            vi.setSystemTime(Date.now() + LEASE_MS + 1);
            await pool.alarm();
            await settle();
          }
          expect(served).toBe(asked);
        });
        vi.useRealTimers();
      }),
      { numRuns: 15 },
    );
  });

  it("chooses the lowest ticket of the best band", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(
          fc.record({ band: fc.constantFrom<Band>("interactive", "normal", "batch"), ticket: fc.nat(1_000) }),
          { selector: (one) => one.ticket },
        ),
        (line) => {
          const bands = ["interactive", "normal", "batch"];
          const best = line.toSorted(
            (one, other) => bands.indexOf(one.band) - bands.indexOf(other.band) || one.ticket - other.ticket,
          )[0];
          expect(line[nextInLine(line)]).toEqual(best);
        },
      ),
    );
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
    const held = await inPool(model, 1, async (pool) => leaseOf(await pool.acquire("other", "interactive")));
    const run = await start(caller, "waits", { model });
    await vi.waitUntil(async () => (await poolOf(model).view()).waiting === 1);
    expect(await objectOf(caller).cancel(caller, run.run)).toMatchObject({ ok: true, value: { status: "cancelled" } });
    await poolOf(model).release(held);
    await vi.waitUntil(async () => {
      const view = await poolOf(model).view();
      return view.leased === 0 && view.waiting === 0;
    });
  });
});
