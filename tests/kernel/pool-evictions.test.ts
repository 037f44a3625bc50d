/**
 * The Pool object, evicted at any moment: leases stay known, those who waited ask again, and no slot leaks.
 */
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { afterEach, expect, it, vi } from "vitest";
import { LEASE_MS, POOL_STORED_ENDS } from "#shared/limits.ts";
import { BANDS, type Band } from "#kernel/sched/policy.ts";
import type { CallOutcome, CallReport, SlotAsk } from "#kernel/sched/pool-api.ts";

afterEach(() => void vi.useRealTimers());

function asks(ticket: string, band: Band): SlotAsk {
  return { holder: ticket, band, user: `u${ticket.length}`, program: ticket, tokens: 0, ticket };
}

function report(outcome: CallOutcome): CallReport {
  return { user: "u", program: "p", outcome, seconds: 0.1, tokens: 5, retryAfterMs: null, programOver: true };
}

type Step =
  | { readonly act: "ask"; readonly band: Band }
  | { readonly act: "release" | "crash" | "withdraw"; readonly pick: number }
  | { readonly act: "evict" }
  | { readonly act: "expire" };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ act: fc.constant("ask" as const), band: fc.constantFrom(...BANDS) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      act: fc.constantFrom("release" as const, "crash" as const, "withdraw" as const),
      pick: fc.nat(99),
    }),
  },
  { weight: 1, arbitrary: fc.record({ act: fc.constant("evict" as const) }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant("expire" as const) }) },
);

let round = 0;

/** One schedule through the object's own calls; `an eviction waits for open calls, so one with waiters is a crash. */
async function runSchedule(slots: number, steps: readonly Step[]): Promise<void> {
  round += 1;
  const name = `evicted-${round}`;
  const pool = () => env.POOL.getByName(name);
  const held = new Set<string>();
  const waiting = new Map<string, Band>();
  let asked = 0;
  const wait = (ticket: string, band: Band): void => {
    waiting.set(ticket, band);
    void pool()
      .acquire(asks(ticket, band))
      .then((lease) => {
        waiting.delete(ticket);
        if (lease.ok) held.add(ticket);
      })
      .catch(() => undefined); // its object was evicted; it is asked again
  };
  const settle = async (): Promise<void> => {
    await pool().view();
    await new Promise((resolve) => setTimeout(resolve, 1));
  };
  await pool().resize(slots);
  for (const one of steps) {
    if (one.act === "ask") wait(`t${(asked += 1)}`, one.band);
    else if (one.act === "evict") {
      if (waiting.size === 0) await evictDurableObject(pool());
      else
        await runInDurableObject(pool(), (_, state) => state.abort("the test stops the machine here")).catch(
          () => undefined,
        );
      await pool().resize(slots);
      for (const [ticket, band] of [...waiting]) wait(ticket, band);
    } else if (one.act === "expire") vi.setSystemTime(Date.now() + LEASE_MS + 1);
    else {
      const among = one.act === "withdraw" ? [...waiting.keys()] : [...held];
      const ticket = among[one.pick % Math.max(1, among.length)];
      if (ticket === undefined) continue;
      held.delete(ticket);
      if (one.act === "release") await pool().release(ticket, [report("answered")]);
      if (one.act === "withdraw") {
        waiting.delete(ticket);
        await pool().withdraw(ticket);
      }
    }
    await settle();
    const view = await pool().view();
    expect(view.leased).toBeLessThanOrEqual(slots);
    expect(view.bands.interactive.waiting === 0 || view.leased === slots).toBe(true);
  }
  for (let turn = 0; turn <= asked && waiting.size > 0; turn += 1) {
    vi.setSystemTime(Date.now() + LEASE_MS + 1);
    await settle();
    for (const ticket of held) await pool().release(ticket, [report("answered")]);
    held.clear();
    await settle();
  }
  vi.setSystemTime(Date.now() + LEASE_MS + 1);
  await settle();
  expect(await pool().view()).toMatchObject({ leased: 0, waiting: 0 });
  expect(
    await runInDurableObject(pool(), async (_, state) => (await state.storage.list({ prefix: "lease " })).size),
  ).toBe(0);
}

it("keeps its leases and leaks none, whatever happens", async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: 1_900_000_000_000 });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 3 }), fc.array(step, { maxLength: 25, size: "max" }), runSchedule),
    {
      numRuns: 25,
    },
  );
}, 120_000);

it("goes on with what it learned: slots that a throttle took, a pause, and the day's counts", async () => {
  const pool = () => env.POOL.getByName("learned");
  for (let call = 0; call < POOL_STORED_ENDS; call += 1) {
    await pool().acquire(asks(`c${call}`, "interactive"));
    const last = call === POOL_STORED_ENDS - 1;
    await pool().release(`c${call}`, [
      { ...report(last ? "throttled" : "answered"), retryAfterMs: last ? 60_000 : null },
    ]);
  }
  const before = await pool().view();
  expect(before.pausedUntil).not.toBeNull();
  await evictDurableObject(pool());
  const after = await pool().view();
  expect(after.slots).toBe(before.slots);
  expect(after.pausedUntil).toBe(before.pausedUntil);
  expect(after.today).toEqual(before.today);
});

it("goes on with what a single call taught it, once nobody holds a slot", async () => {
  const pool = () => env.POOL.getByName("learned-little");
  await pool().acquire(asks("c", "interactive"));
  await pool().release("c", [{ ...report("throttled"), retryAfterMs: 60_000 }]);
  const before = await pool().view();
  expect(before).toMatchObject({ pausedUntil: expect.any(Number) as number, today: { calls: 1, throttled: 1 } });
  await evictDurableObject(pool());
  const after = await pool().view();
  expect(after).toMatchObject({ slots: before.slots, pausedUntil: before.pausedUntil, today: before.today });
});
