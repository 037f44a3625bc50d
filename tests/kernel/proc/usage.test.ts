/**
 * Usage: what each call of a model used is counted once, however it ended and whoever made it, in the process, in the run, and for
 * the ledger; over crashes too.
 */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import type { Caller } from "#shared/abi.ts";
import { dayOf } from "#shared/days.ts";
import { CALL_TOKENS_MOST, OUTPUT_CHARACTERS } from "#shared/limits.ts";
import type { Result } from "#shared/result.ts";
import type { UsageReport } from "#shared/schema/usage.ts";
import type { InferEvent } from "#kernel/infer/drivers/driver.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { counted } from "#kernel/proc/counted-reading.ts";
import { exchange } from "#kernel/proc/ledger-exchange.ts";
import { addCall, viewUsage, type RunUsage } from "#kernel/proc/run-usage.ts";
import { reserveBudget } from "#kernel/proc/budget.ts";
import { settleCall } from "#kernel/proc/usage.ts";
import { askModel } from "#kernel/sched/ask-model.ts";
import {
  calls,
  gate,
  inKernel,
  installSeam,
  play,
  rows,
  says,
  text,
  useCrash,
  useEnv,
  useModel,
} from "#tests/kernel/kernel-seam.ts";
import { ask, callerOf, objectOf, settled, start, unwrap } from "#tests/kernel/process-client.ts";

installSeam();
afterEach(() => {
  useEnv(null);
  useCrash(null);
});

const PRICE = { input: 2, cached: 1, output: 4 };

/** Objects booted from now on know models with a price. */
function usePrices(): void {
  const models = { fine: { price: PRICE }, dear: { price: { input: 20, cached: 20, output: 20 } } };
  const fake = { baseUrl: "http://127.0.0.1:1/v1", models };
  useEnv((real) => ({ ...real, DEFAULT_MODEL: "fake/fine", PROVIDERS: JSON.stringify({ fake }) }));
}

const usage = (inputTokens: number, cachedTokens: number, outputTokens: number): InferEvent => ({
  type: "usage",
  usage: { inputTokens, cachedTokens, outputTokens },
});

const broken = (fault: "cut" | "down"): InferEvent => ({
  type: "error",
  error: { code: "model_unavailable", detail: "It broke." },
  retryable: true,
  fault,
});

async function counts(caller: Caller): Promise<Record<string, unknown>[]> {
  return rows(
    caller,
    `SELECT model, purpose, calls, input_tokens AS input, cached_tokens AS cached, output_tokens AS output, microdollars
     FROM usage ORDER BY model, purpose`,
  );
}

async function reported(caller: Caller, group: "model" | "purpose"): Promise<UsageReport> {
  await inKernel(caller, (kernel) => exchange(kernel, null));
  const today = dayOf(Date.now());
  const question = { from: today - 1, to: today + 1, group, process: null, limit: 100, after: null };
  return unwrap(
    (await env.LEDGER.getByName(caller.user).usage({ user: caller.user }, question)) as Result<UsageReport>,
  );
}

describe("a run", () => {
  it("sums its calls, with what they cost, for itself and for the process", async () => {
    usePrices();
    const caller = callerOf("usage-run");
    useModel(
      caller,
      says([calls(["memory_search", { query: "x" }]), usage(100, 50, 10)], [text("Fine."), usage(200, 0, 5)]),
    );
    const run = await ask(caller, "one");
    expect(run.usage).toMatchObject({ model: "fake/fine", inputTokens: 300, cachedTokens: 50, outputTokens: 15 });
    expect(run.usage).toMatchObject({ microdollars: 190 + 420, neurons: 0 });
    expect(run.usage.models).toBeUndefined();
    expect(await counts(caller)).toEqual([
      { model: "fake/fine", purpose: "run", calls: 2, input: 300, cached: 50, output: 15, microdollars: 610 },
    ]);
    const report = await reported(caller, "model");
    expect(report.items).toMatchObject([{ key: "fake/fine", calls: 2, inputTokens: 300, microdollars: 610 }]);
  });

  it("counts an attempt that was reported or spoke, or broke off in mid-work, and none that was refused at the door", async () => {
    const caller = callerOf("usage-attempts");
    useModel(caller, says([usage(7, 0, 1), broken("down")], [broken("down")], [text("At last."), usage(10, 0, 2)]));
    expect(await ask(caller, "one")).toMatchObject({ status: "done", usage: { inputTokens: 17, outputTokens: 3 } });
    expect(await counts(caller)).toMatchObject([{ calls: 2, input: 17, output: 3 }]);
    useModel(caller, says([broken("cut")], [text("At last."), usage(10, 0, 2)]));
    const run = await ask(caller, "two");
    expect(run.usage.outputTokens).toBe(2);
    expect(run.usage.inputTokens).toBeGreaterThan(20); // the estimate of the prompt that was cut off
    expect(await counts(caller)).toMatchObject([{ calls: 4 }]);
  });

  it("that ends in the middle of a call, because it says too much, counts that call", async () => {
    const caller = callerOf("usage-too-long");
    useModel(caller, says([text(`${"word ".repeat(OUTPUT_CHARACTERS / 20)}. `.repeat(5))]));
    const run = await ask(caller, "one");
    expect(run).toMatchObject({ status: "failed", error: { code: "internal" } });
    expect(run.usage.outputTokens).toBeGreaterThan(OUTPUT_CHARACTERS / 10);
    expect(await counts(caller)).toMatchObject([{ calls: 1 }]);
  });

  it("whose provider counts nonsense is counted in whole numbers that the ledger takes", async () => {
    const caller = callerOf("usage-nonsense");
    await inKernel(caller, async (kernel) => {
      const planned = { model: "free", purpose: "run", inputTokens: 1, maxOutputTokens: 1 };
      for (const tokens of [1e300, Infinity, NaN, -5, 1.5]) {
        const reservation = unwrap(await reserveBudget(kernel, planned));
        const said = { inputTokens: tokens, cachedTokens: tokens, outputTokens: 0 };
        settleCall(kernel, reservation, { usage: said, ms: 1, run: null });
      }
      expect(await exchange(kernel, null)).toMatchObject({ ok: true });
    });
    expect(await rows(caller, "SELECT calls, input_tokens AS input, reported FROM usage")).toEqual([
      { calls: 5, input: CALL_TOKENS_MOST + 2, reported: 5 },
    ]);
  });

  it("that is cancelled counts what it had asked for", async () => {
    const caller = callerOf("usage-cancelled");
    const began = gate();
    useModel(caller, async function* (_request, signal) {
      yield usage(40, 0, 3);
      began.open();
      while (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, 2));
    });
    const { run } = await start(caller, "one");
    await began.opened;
    await objectOf(caller).cancel(caller, run);
    expect(await settled(caller, run)).toMatchObject({
      status: "cancelled",
      usage: { inputTokens: 40, outputTokens: 3 },
    });
    expect(await counts(caller)).toMatchObject([{ calls: 1, input: 40, output: 3 }]);
  });

  it("that is taken up after a crash keeps what it had used, once", async () => {
    const caller = callerOf("usage-crash");
    useModel(caller, (request) =>
      request.messages.some(({ role }) => role === "tool")
        ? play([text("Fine."), usage(20, 0, 2)])
        : play([calls(["memory_search", { query: "x" }]), usage(10, 0, 1)]),
    );
    let steps = 0;
    useCrash((statement) => {
      if (!statement.startsWith("INSERT INTO steps")) return false;
      steps += 1;
      return steps === 2; // the first call is counted and journaled; its system call is not
    });
    const { run } = await start(caller, "one");
    await new Promise((resolve) => setTimeout(resolve, 50));
    useCrash(null);
    let view = await settled(caller, run, 5_000).catch(() => null);
    for (let turn = 0; view?.status !== "done" && turn < 40; turn += 1) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      view = await settled(caller, run, 5_000).catch(() => null);
    }
    expect(view).toMatchObject({ status: "done", usage: { inputTokens: 30, outputTokens: 3 } });
    expect(await counts(caller)).toMatchObject([{ calls: 2, input: 30, output: 3 }]);
  });
});

describe("the sums of a run", () => {
  const call = fc.record({
    model: fc.constantFrom("a", "b", "c"),
    counts: fc.record({
      calls: fc.constant(1),
      inputTokens: fc.nat(1000),
      cachedTokens: fc.nat(1000),
      outputTokens: fc.nat(1000),
      microdollars: fc.nat(1000),
      neurons: fc.nat(1000),
      ms: fc.nat(1000),
    }),
  });

  it("are those of its models, which are told when there were several", () => {
    fc.assert(
      fc.property(fc.array(call, { minLength: 1, maxLength: 20 }), (made) => {
        const sums = { inputTokens: 0, cachedTokens: 0, outputTokens: 0, microdollars: 0, neurons: 0 };
        const run: RunUsage = { ...sums, models: [] };
        for (const { model, counts: more } of made) addCall(run, model, more);
        const view = viewUsage(run, "a", 5);
        expect(view.models !== undefined).toBe(new Set(made.map(({ model }) => model)).size > 1);
        const models = view.models ?? run.models;
        for (const key of ["inputTokens", "cachedTokens", "outputTokens", "microdollars", "neurons"] as const) {
          expect(view[key]).toBe(made.reduce((sum, { counts: more }) => sum + more[key], 0));
          expect(view[key]).toBe(models.reduce((sum, model) => sum + model[key], 0));
        }
        expect(models.reduce((sum, model) => sum + model.calls, 0)).toBe(made.length);
      }),
    );
  });
});

describe("work that belongs to no run", () => {
  const question = (model: string) => ({
    model,
    messages: [{ role: "user" as const, content: "Retell this." }],
    purpose: "summary",
    limitMs: 5_000,
  });

  it("counts for its purpose", async () => {
    usePrices();
    const caller = callerOf("usage-background");
    useModel(caller, says([text("Retold."), usage(50, 0, 5)]));
    await ask(caller, "one");
    await inKernel(caller, async (kernel) => {
      expect(await askModel(kernel, question("fake/dear"))).toMatchObject({ ok: true, value: { tokens: 55 } });
    });
    const { items, total } = await reported(caller, "purpose");
    expect(items.map(({ key, microdollars }) => [key, microdollars])).toEqual([
      ["run", 120],
      ["summary", 1100],
    ]);
    expect(total).toMatchObject({ calls: 2, microdollars: 1220 });
  });

  it("is refused by a quota, and asks nobody", async () => {
    const caller = callerOf("usage-background-quota");
    let asked = 0;
    useModel(caller, () => {
      asked += 1;
      return play([text("Retold.")]);
    });
    const quota = { day: { microdollars: null, tokens: 5 }, month: { microdollars: null, tokens: null } };
    await env.LEDGER.getByName(caller.user).putQuota({ user: caller.user }, null, quota);
    await inKernel(caller, async (kernel) => {
      expect(await askModel(kernel, question("any"))).toMatchObject({ ok: false, error: { code: "quota_exceeded" } });
    });
    expect(asked).toBe(0);
  });

  it("counts texts that are embedded by estimate, and nothing of a call that failed", async () => {
    const caller = callerOf("usage-embed");
    const reading = { model: "@test/embedder", purpose: "embed", texts: ["four", "five and six"] };
    await inKernel(caller, async (kernel) => {
      expect(await counted(kernel, reading, () => Promise.resolve(1))).toBe(1);
      await expect(counted(kernel, reading, () => Promise.reject(new Error("down")))).rejects.toThrow("down");
    });
    expect(await counts(caller)).toMatchObject([
      { model: "@test/embedder", purpose: "embed", calls: 1, input: 4, output: 0 },
    ]);
  });
});

describe("reports", () => {
  it("of any calls, over crashes and lost answers, add up to what the processes counted", async () => {
    const call = fc.record({
      process: fc.constantFrom("init"),
      model: fc.constantFrom("a", "b"),
      input: fc.nat(50),
      output: fc.nat(50),
      after: fc.constantFrom("nothing", "report", "lose", "crash"),
    });
    let user = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(call, { minLength: 1, maxLength: 12 }), async (made) => {
        user += 1;
        const caller = callerOf(`usage-reports-${user}`);
        for (const { model, input, output, after } of made) {
          await inKernel(caller, async (kernel) => {
            await spend(kernel, model, input, output);
            if (after === "report") await exchange(kernel, null);
            if (after === "lose") await exchange(deaf(kernel), null);
          });
          if (after === "crash")
            await runInDurableObject(objectOf(caller), (_process, ctx) => ctx.abort("stop")).catch(() => undefined);
        }
        const report = await reported(caller, "model");
        const total = made.reduce((sum, { input }) => sum + input, 0);
        expect(report.total).toMatchObject({ calls: made.length, inputTokens: total });
        for (const item of report.items) {
          const own = made.filter(({ model }) => model === item.key);
          expect(item.outputTokens).toBe(own.reduce((sum, { output }) => sum + output, 0));
        }
      }),
      { numRuns: 12 },
    );
  }, 60_000);
});

async function spend(kernel: Kernel, model: string, inputTokens: number, outputTokens: number): Promise<void> {
  const call = { model, purpose: "run", inputTokens, maxOutputTokens: outputTokens };
  const reservation = unwrap(await reserveBudget(kernel, call));
  settleCall(kernel, reservation, { usage: { inputTokens, cachedTokens: 0, outputTokens }, ms: 1, run: null });
}

/** The kernel, to whom the ledger's answers do not get through, though its own words do. */
function deaf(kernel: Kernel): Kernel {
  const getByName = (name: string): unknown => ({
    async exchange(message: Parameters<ReturnType<typeof env.LEDGER.getByName>["exchange"]>[0]) {
      await kernel.env.LEDGER.getByName(name).exchange(message);
      throw new Error("the answer is lost");
    },
  });
  return { ...kernel, env: { ...kernel.env, LEDGER: { ...kernel.env.LEDGER, getByName } as typeof env.LEDGER } };
}
