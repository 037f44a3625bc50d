/**
 * Budget: nothing is asked or written for a user whom nothing limits; a limit holds to the unit, over crashes and midnight; and
 * what a call used is counted however it ended.
 */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import type { Caller } from "#shared/abi.ts";
import { dayOf, dayStart } from "#shared/days.ts";
import { BUDGET_IDLE_MS, QUOTA_REFRESH_MS, QUOTA_TRUST_MS } from "#shared/limits.ts";
import type { Result } from "#shared/result.ts";
import { quotaSchema, type QuotaView } from "#shared/schema/quota.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { clearTimer } from "#kernel/proc/alarm.ts";
import { budgetLeft, refuseOverBudget, reserveBudget, type Reservation } from "#kernel/proc/budget.ts";
import { exchange, openBudget, ringUsage } from "#kernel/proc/ledger-exchange.ts";
import { settleCall } from "#kernel/proc/usage.ts";
import { inKernel, installSeam, rows, says, text, useEnv, useModel } from "#tests/kernel/kernel-seam.ts";
import { ask, callerOf, objectOf, request, unwrap } from "#tests/kernel/process-client.ts";

installSeam();
afterEach(() => useEnv(null));

async function limit(caller: Caller, quota: unknown, process: string | null = null): Promise<QuotaView> {
  const set = env.LEDGER.getByName(caller.user).putQuota({ user: caller.user }, process, quotaSchema.parse(quota));
  return unwrap((await set) as Result<QuotaView>);
}

async function state(caller: Caller): Promise<QuotaView["state"]> {
  const view = await env.LEDGER.getByName(caller.user).quotas({ user: caller.user });
  return unwrap(view as Result<QuotaView>).state;
}

/** A call of 10 tokens at the most. */
const TEN = { model: "free", purpose: "run", inputTokens: 6, maxOutputTokens: 4 };

const used = (tokens: number): Parameters<typeof settleCall>[2] => ({
  usage: { inputTokens: tokens, cachedTokens: 0, outputTokens: 0 },
  ms: 5,
  run: null,
});

async function reserved(kernel: Kernel, call = TEN): Promise<Reservation> {
  return unwrap(await reserveBudget(kernel, call));
}

/** The kernel at another time; what it knows of its budget is its own. */
function at(kernel: Kernel, now: number): Kernel {
  return { ...kernel, now: () => now };
}

/** Objects booted from now on count their exchanges; while `away` is true the ledger does not answer. */
function watchLedger(): { exchanges: number; away: boolean } {
  const seen = { exchanges: 0, away: false };
  useEnv((real) => {
    const getByName = (name: string): unknown => ({
      exchange(message: Parameters<ReturnType<typeof real.LEDGER.getByName>["exchange"]>[0]) {
        seen.exchanges += 1;
        if (seen.away) return Promise.reject(new Error("the ledger is away"));
        return real.LEDGER.getByName(name).exchange(message);
      },
    });
    return { ...real, LEDGER: { ...real.LEDGER, getByName } as typeof real.LEDGER };
  });
  return seen;
}

describe("without a quota", () => {
  it("the ledger is asked once, and again behind the calls; nothing is set aside", async () => {
    const seen = watchLedger();
    const caller = callerOf("budget-none");
    useModel(caller, says([text("Fine.")]));
    for (const words of ["one", "two", "three"]) await ask(caller, words);
    expect(seen.exchanges).toBe(1);
    expect(await rows(caller, "SELECT 1 FROM sqlite_sequence WHERE name = 'reservations'")).toEqual([]);
    await inKernel(caller, async (kernel) => {
      expect((await reserved(kernel)).id).toBeNull();
      expect(budgetLeft(kernel)).toEqual({ microdollars: null, tokens: null });
      const { answeredAt } = openBudget(kernel).book;
      await reserved(at(kernel, (answeredAt ?? 0) + QUOTA_REFRESH_MS - 1));
      expect(seen.exchanges).toBe(1);
      const later = at(kernel, (answeredAt ?? 0) + QUOTA_REFRESH_MS);
      await reserved(later);
      await openBudget(later).exchanging;
      expect(seen.exchanges).toBe(2);
    });
  });

  it("a quota that is set reaches a process before it was trusted for a minute, and not at once", async () => {
    const caller = callerOf("budget-lag");
    await inKernel(caller, async (kernel) => {
      await reserved(kernel);
      await limit(caller, { day: { tokens: 0 } });
      expect(await reserveBudget(kernel, TEN)).toMatchObject({ ok: true });
      const { answeredAt } = openBudget(kernel).book;
      const late = at(kernel, (answeredAt ?? 0) + QUOTA_TRUST_MS);
      expect(await reserveBudget(late, TEN)).toMatchObject({ ok: false, error: { code: "quota_exceeded" } });
    });
  });

  it("a run is admitted at once after any pause; only its call of a model waits for the ledger", async () => {
    const seen = watchLedger();
    const caller = callerOf("budget-none-late");
    await inKernel(caller, async (kernel) => {
      await reserved(kernel);
      seen.away = true;
      const late = at(kernel, (openBudget(kernel).book.answeredAt ?? 0) + 2 * QUOTA_TRUST_MS);
      expect(await refuseOverBudget(late, request(caller, "Hello."))).toBeNull();
      expect(await reserveBudget(late, TEN)).toMatchObject({ ok: false, error: { code: "overloaded" } });
    });
  });

  it("midnight changes nothing", async () => {
    const seen = watchLedger();
    const caller = callerOf("budget-none-midnight");
    await inKernel(caller, async (kernel) => {
      const midnight = dayStart(dayOf(kernel.now()) + 1);
      const before = at(kernel, midnight - 1);
      await reserved(before);
      const after = { ...before, now: () => midnight };
      expect(await reserved(after)).toMatchObject({ id: null, day: dayOf(midnight) });
      expect(seen.exchanges).toBe(1);
    });
  });
});

describe("a quota", () => {
  it("allows its last token and not one more, and says which it is and when it begins anew", async () => {
    const caller = callerOf("budget-edge");
    await limit(caller, { day: { tokens: 20 } });
    await inKernel(caller, async (kernel) => {
      const first = await reserved(kernel);
      await reserved(kernel);
      const refused = await reserveBudget(kernel, { ...TEN, inputTokens: 0, maxOutputTokens: 1 });
      const reset = new Date(dayStart(dayOf(kernel.now()) + 1)).toISOString();
      if (refused.ok) throw new Error("was not refused");
      expect(refused.error.code).toBe("quota_exceeded");
      expect(refused.error.detail).toContain("daily quota of 20 tokens");
      expect(refused.error.detail).toContain("20 tokens are used or set aside, and this call may need 1 tokens");
      expect(refused.error.detail).toContain(reset);
      // Both calls are under way: they may give back.
      expect(refused.error.retryAfter).toBe(BUDGET_IDLE_MS / 1000);
      settleCall(kernel, first, used(9));
      expect(await reserveBudget(kernel, { ...TEN, inputTokens: 2, maxOutputTokens: 0 })).toMatchObject({ ok: false });
      expect(await reserveBudget(kernel, { ...TEN, inputTokens: 1, maxOutputTokens: 0 })).toMatchObject({ ok: true });
      expect(await reserveBudget(kernel, TEN)).toMatchObject({ ok: false });
    });
  });

  it("that is used up is worth a try again when its period is over", async () => {
    const caller = callerOf("budget-reset");
    await limit(caller, { day: { tokens: 10 }, month: { tokens: 10 } });
    await inKernel(caller, async (kernel) => {
      settleCall(kernel, await reserved(kernel), used(10));
      const refused = await reserveBudget(kernel, TEN);
      expect(refused).toMatchObject({ ok: false, error: { detail: expect.stringContaining("monthly") as string } });
      const date = new Date(kernel.now());
      const reset = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
      if (refused.ok) return;
      expect(Math.abs((refused.error.retryAfter ?? 0) - (reset - kernel.now()) / 1000)).toBeLessThan(5);
    });
  });

  it("counts the money of a model whose price is known, rounded up", async () => {
    const models = { priced: { price: { input: 2, cached: 1, output: 4 } } };
    useEnv((real) => ({ ...real, PROVIDERS: JSON.stringify({ fake: { baseUrl: "http://127.0.0.1:1/v1", models } }) }));
    const caller = callerOf("budget-money");
    await limit(caller, { day: { microdollars: 28 } });
    const priced = { ...TEN, model: "fake/priced" };
    await inKernel(caller, async (kernel) => {
      const call = await reserved(kernel, priced);
      expect(call.amount).toEqual({ microdollars: 28, tokens: 10 });
      expect(budgetLeft(kernel)).toEqual({ microdollars: 0, tokens: null });
      expect(await reserveBudget(kernel, priced)).toMatchObject({ ok: false });
      // A model without a price costs nothing.
      expect(await reserveBudget(kernel, TEN)).toMatchObject({ ok: true });
      const cost = settleCall(kernel, call, {
        ...used(3),
        usage: { inputTokens: 3, cachedTokens: 1, outputTokens: 1 },
      });
      expect(cost).toEqual({ microdollars: 9, neurons: 0 });
      expect(budgetLeft(kernel)).toEqual({ microdollars: 19, tokens: null });
    });
  });

  it("that a model is too dear for lets a cheaper one answer, where the deployment allows it", async () => {
    const models = {
      dear: { price: { input: 20, cached: 20, output: 20 } },
      fine: { price: { input: 1, cached: 1, output: 2 } },
    };
    const PROVIDERS = JSON.stringify({ fake: { baseUrl: "http://127.0.0.1:1/v1", models } });
    useEnv((real) => ({ ...real, PROVIDERS, DEFAULT_MODEL: "fake/dear", FALLBACK_MODELS: "fake/fine" }));
    const caller = callerOf("budget-cheaper");
    useModel(caller, says([text("Fine.")]));
    await limit(caller, { day: { microdollars: 20_000 } });
    const run = await ask(caller, "hello");
    expect(run).toMatchObject({ status: "done", usage: { model: "fake/fine" } });
    expect(run.usage.microdollars).toBeGreaterThan(0);
    const dear = await ask(caller, "hello", { model: "fake/dear" }).catch((error: unknown) => String(error));
    expect(dear).toContain("quota_exceeded");
    expect(dear).toContain("daily quota of $0.02");
  });

  it("of one process leaves the others alone", async () => {
    const caller = callerOf("budget-process");
    await limit(caller, { day: { tokens: 5 } }, "init");
    await inKernel(caller, async (kernel) => {
      const refused = await reserveBudget(kernel, TEN);
      expect(refused).toMatchObject({
        ok: false,
        error: { detail: expect.stringContaining("process init") as string },
      });
    });
    await limit(caller, { day: { tokens: 5 } }, "other");
    await env.LEDGER.getByName(caller.user).putQuota({ user: caller.user }, "init", null);
    await inKernel(caller, async (kernel) => {
      await exchange(kernel, null);
      expect(await reserveBudget(kernel, TEN)).toMatchObject({ ok: true });
    });
  });

  it("that is lowered takes back what a process only keeps", async () => {
    const caller = callerOf("budget-lowered");
    await limit(caller, { day: { tokens: 10_000 } });
    await inKernel(caller, async (kernel) => {
      await reserved(kernel);
      expect(openBudget(kernel).book.spare.tokens).toBe(70);
      await limit(caller, { day: { tokens: 10 } });
      await exchange(kernel, null);
      expect(openBudget(kernel).book.spare.tokens).toBe(0);
      await exchange(kernel, null);
      expect(await reserveBudget(kernel, TEN)).toMatchObject({ ok: false });
    });
    expect(await state(caller)).toMatchObject([{ size: 10, used: 0, held: 10, left: 0 }]);
  });

  it("comes from the deployment for a user without one, and one that cannot be read stops every call", async () => {
    const caller = callerOf("budget-default");
    const set = (text: string | undefined): Promise<void> =>
      runInDurableObject(env.LEDGER.getByName(caller.user), (ledger) => {
        const own = Reflect.get(ledger, "env") as Cloudflare.Env;
        Reflect.set(ledger, "env", { ...own, DEFAULT_QUOTA: text });
      });
    await set('{"day": {"tokens": 9}}');
    await inKernel(caller, async (kernel) => {
      expect(await reserveBudget(kernel, TEN)).toMatchObject({ ok: false, error: { code: "quota_exceeded" } });
    });
    await limit(caller, { day: { tokens: null } });
    await inKernel(caller, async (kernel) => {
      await exchange(kernel, null);
      expect(await reserveBudget(kernel, TEN)).toMatchObject({ ok: true });
    });
    await set('{"day": {"tokens": "many"}}');
    await inKernel(caller, async (kernel) => {
      kernel.budget = null;
      expect(await reserveBudget(kernel, TEN)).toMatchObject({ ok: false, error: { code: "internal" } });
    });
  });
});

describe("a process", () => {
  it("that dies keeps what its calls may have used until the day is over, and gives the rest back", async () => {
    const caller = callerOf("budget-dies");
    const now = Date.now();
    await limit(caller, { day: { tokens: 1_000 }, month: { tokens: 1_000 } });
    await inKernel(caller, async (kernel) => {
      settleCall(kernel, await reserved(kernel), used(7));
      await reserved(kernel);
    });
    expect(await state(caller)).toMatchObject([{ held: 80 }, { held: 80 }]);
    await runInDurableObject(objectOf(caller), (_process, ctx) => ctx.abort("the test stops it")).catch(
      () => undefined,
    );
    await inKernel(caller, async (kernel) => {
      expect(await rows(caller, "SELECT name FROM timers WHERE name = 'usage'")).toHaveLength(1);
      await ringUsage(kernel);
      expect(await state(caller)).toMatchObject([
        { used: 7, held: 10 },
        { used: 7, held: 10 },
      ]);
      const tomorrow = at(kernel, dayStart(dayOf(now) + 1));
      expect(openBudget(tomorrow).book.inUse).toEqual({ microdollars: 0, tokens: 0 });
      await ringUsage(tomorrow);
    });
    const month = (await state(caller)).find(({ period }) => period === "month");
    expect(month).toMatchObject({ used: 7, held: 0 });
  });

  it("that rests gives back what it keeps, and not before", async () => {
    const caller = callerOf("budget-rests");
    await limit(caller, { day: { tokens: 1_000 } });
    await inKernel(caller, async (kernel) => {
      settleCall(kernel, await reserved(kernel), used(10));
      const { lastUse } = openBudget(kernel);
      clearTimer(kernel, "usage"); // rung
      await ringUsage(at(kernel, lastUse + BUDGET_IDLE_MS - 1));
      expect(openBudget(kernel).book.spare.tokens).toBe(70);
      const due = await rows<{ due: number }>(caller, "SELECT due FROM timers WHERE name = 'usage'");
      expect(due).toEqual([{ due: lastUse + BUDGET_IDLE_MS }]);
      await ringUsage(at(kernel, lastUse + BUDGET_IDLE_MS));
      expect(openBudget(kernel).book.spare.tokens).toBe(0);
    });
    expect(await state(caller)).toMatchObject([{ used: 10, held: 0 }]);
  });

  it("whose call goes on over midnight counts it for the day on which it began", async () => {
    const caller = callerOf("budget-midnight");
    await limit(caller, { day: { tokens: 10 } });
    await inKernel(caller, async (kernel) => {
      const midnight = dayStart(dayOf(kernel.now()) + 1);
      let now = midnight - 1;
      const clock = { ...kernel, now: () => now, budget: null };
      const evening = await reserved(clock);
      expect(await reserveBudget(clock, TEN)).toMatchObject({ ok: false });
      now = midnight;
      const morning = await reserved(clock);
      expect([evening.day, morning.day]).toEqual([dayOf(midnight) - 1, dayOf(midnight)]);
      settleCall(clock, evening, used(8));
      settleCall(clock, morning, used(9));
      expect(openBudget(clock).book.inUse.tokens).toBe(9);
      const days = await rows(caller, "SELECT day, input_tokens AS tokens FROM usage ORDER BY day");
      expect(days).toEqual([
        { day: dayOf(midnight) - 1, tokens: 8 },
        { day: dayOf(midnight), tokens: 9 },
      ]);
    });
  });

  it("whose ledger is away makes no call that a limit may forbid, and goes on when it is back", async () => {
    const seen = watchLedger();
    const caller = callerOf("budget-away");
    await inKernel(caller, async (kernel) => {
      seen.away = true;
      expect(await reserveBudget(kernel, TEN)).toMatchObject({ ok: false, error: { code: "overloaded" } });
      seen.away = false;
      settleCall(kernel, await reserved(kernel), used(3));
      seen.away = true;
      // Known not to be limited: calls go on, and what they used waits.
      settleCall(kernel, await reserved(kernel), used(4));
      await expect(ringUsage(kernel)).rejects.toThrow("does not answer");
      seen.away = false;
      await ringUsage(kernel);
      expect(kernel.sql.exec("SELECT 1 FROM usage WHERE version > reported").toArray()).toEqual([]);
    });
  });
});
