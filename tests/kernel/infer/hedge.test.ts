/**
 * Hedge: a second call for a silent one: whichever begins first is heard alone, acts alone, and both are paid for.
 */
import { env } from "cloudflare:workers";
import { afterAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { RunView, TraceEvent } from "#shared/abi.ts";
import { HEDGE_LEAST_MS, OUTPUT_CHARACTERS, POOL_SLOTS } from "#shared/limits.ts";
import type { Result } from "#shared/result.ts";
import type { InferEvent } from "#kernel/infer/drivers/driver.ts";
import { hedgeAfter } from "#kernel/infer/hedge.ts";
import type { CallReport } from "#kernel/sched/pool-api.ts";
import { calls, gate, installSeam, rows, text, useEnv, useModel } from "#tests/kernel/kernel-seam.ts";
import { ask, callerOf, eventsOf, objectOf, shown, unwrap } from "#tests/kernel/process-client.ts";

installSeam();

let model = "";
let tests = 0;
beforeEach(() => {
  tests += 1;
  model = `hedge-${tests}/model`;
  useEnv((real) => ({ ...real, DEFAULT_MODEL: model, HEDGE_AFTER: "1" }));
});
afterAll(() => useEnv(null));

const caller = () => callerOf(`hedge-${tests}`);
const leased = async (): Promise<number> => (await env.POOL.getByName(model).view()).leased;

type Call = (signal: AbortSignal) => AsyncIterable<InferEvent>;

/** Each call of the model is answered by the next of these; tells which were aborted. */
function callsOf(...script: readonly Call[]): { readonly made: () => number; readonly aborted: number[] } {
  let made = 0;
  const aborted: number[] = [];
  useModel(caller(), (_, signal) => {
    const turn = made;
    made += 1;
    signal.addEventListener("abort", () => aborted.push(turn));
    return (script[Math.min(turn, script.length - 1)] ?? script[0] ?? silent)(signal);
  });
  return { made: () => made, aborted };
}

/** Says nothing, and does not heed its signal. */
async function* silent(): AsyncGenerator<InferEvent> {
  await gate().opened;
  yield text("Too late.");
}

function saying(...events: readonly InferEvent[]): Call {
  return async function* () {
    for (const event of events) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      yield event;
    }
  };
}

async function hedged(run: RunView): Promise<unknown> {
  const trace = unwrap((await objectOf(caller()).traceOf(caller(), run.run)) as Result<readonly TraceEvent[]>);
  return trace.find(({ event }) => event === "infer-end")?.data;
}

describe("a call that is silent", () => {
  it("loses to a second one: it is aborted, its slot is free, its prompt is paid for", async () => {
    const seen = callsOf(silent, saying(text("The second "), text("answers.")));
    const run = await ask(caller(), "hello");
    expect(run).toMatchObject({ status: "done", output: "The second answers." });
    expect(seen.made()).toBe(2);
    expect(seen.aborted).toEqual([0]);
    expect(await hedged(run)).toMatchObject({ hedged: true, answeredBy: "second" });
    await vi.waitUntil(async () => (await leased()) <= 1, { timeout: 5_000 });
    await vi.waitUntil(
      async () => {
        const [row] = await rows<{ calls: number; input: number }>(
          caller(),
          "SELECT SUM(calls) AS calls, SUM(input_tokens) AS input FROM usage",
        );
        return row?.calls === 2;
      },
      { timeout: 5_000 },
    );
  });

  it("wins when it speaks first: the second is aborted, and not a word of it is heard", async () => {
    const begins = gate();
    const seen = callsOf(
      async function* () {
        await begins.opened;
        yield text("The first ");
        await new Promise((resolve) => setTimeout(resolve, 50));
        yield text("answers.");
      },
      async function* () {
        begins.open();
        await new Promise((resolve) => setTimeout(resolve, 30));
        yield text("The second interrupts.");
      },
    );
    const run = await ask(caller(), "hello");
    expect(run.output).toBe("The first answers.");
    expect(shown(await eventsOf(caller(), run.run))).toBe(run.output);
    expect(seen.aborted).toEqual([1]);
    expect(await hedged(run)).toMatchObject({ hedged: true, answeredBy: "first" });
  });

  it("leaves the run a program that goes on, as the pool sees it, when the second is given up", async () => {
    const reported: CallReport[] = [];
    useEnv((real) => {
      const getByName: typeof real.POOL.getByName = (name) =>
        new Proxy(real.POOL.getByName(name), {
          get(stub, method) {
            const value: unknown = Reflect.get(stub, method);
            if (typeof value !== "function") return value;
            return (...args: unknown[]): unknown => {
              if (method === "release") reported.push(...(args[1] as CallReport[]));
              return Reflect.apply(value, stub, args);
            };
          },
        });
      const pools = Object.assign(Object.create(real.POOL), { getByName });
      return { ...real, DEFAULT_MODEL: model, HEDGE_AFTER: "1", POOL: pools };
    });
    const begins = gate();
    const search = calls(["memory_search", { query: "keys" }]);
    callsOf(
      async function* () {
        await begins.opened;
        yield text("Let me look.");
        yield search;
      },
      async function* () {
        begins.open();
        yield* silent();
      },
      saying(text("Done.")),
    );
    expect(await ask(caller(), "Where are the keys?")).toMatchObject({ status: "done" });
    await vi.waitUntil(() => reported.some(({ outcome }) => outcome === "cancelled"), { timeout: 5_000 });
    expect(reported.find(({ outcome }) => outcome === "cancelled")).toMatchObject({ programOver: false });
  });

  it("acts once, though both want to", async () => {
    const write = calls(["memory_write", { text: "The kayak is in Leeds." }]);
    const seen = callsOf(silent, saying(write), saying(text("Noted.")));
    const run = await ask(caller(), "Remember the kayak.");
    expect(run).toMatchObject({ status: "done", output: "Noted." });
    expect(run.syscalls).toHaveLength(1);
    expect(await rows(caller(), "SELECT 1 FROM pages WHERE kind = 'fact'")).toHaveLength(1);
    expect(seen.made()).toBeGreaterThanOrEqual(3);
  });

  it("is waited for when the second fails", async () => {
    const failed = gate();
    callsOf(
      async function* () {
        await failed.opened;
        await new Promise((resolve) => setTimeout(resolve, 30));
        yield text("The first, late.");
      },
      async function* () {
        yield await Promise.resolve({
          type: "error",
          error: { code: "model_unavailable", detail: "Busy." },
          retryable: true,
          fault: "throttled",
        });
        failed.open();
      },
    );
    setTimeout(() => failed.open(), HEDGE_LEAST_MS * 3);
    expect(await ask(caller(), "hello")).toMatchObject({ status: "done", output: "The first, late." });
  });

  it("that then says too much ends the run, and what both used is counted", async () => {
    const asked = gate();
    const seen = callsOf(
      async function* () {
        await asked.opened;
        yield text(`${"word ".repeat(OUTPUT_CHARACTERS / 20)}. `.repeat(5));
      },
      async function* () {
        asked.open();
        yield* silent();
      },
    );
    expect(await ask(caller(), "hello")).toMatchObject({ status: "failed", error: { code: "internal" } });
    expect(seen.aborted).toContain(1);
    const counted = async (): Promise<unknown> => (await rows(caller(), "SELECT SUM(calls) AS calls FROM usage"))[0];
    await vi.waitFor(async () => expect(await counted()).toEqual({ calls: 2 }), { timeout: 5_000 });
    await vi.waitUntil(async () => (await leased()) === 0, { timeout: 5_000 });
  });

  it("is asked no second time while slots are scarce", async () => {
    await env.POOL.getByName(model).resize(1);
    const seen = callsOf(async function* () {
      await new Promise((resolve) => setTimeout(resolve, HEDGE_LEAST_MS * 4));
      yield text("Slowly.");
    });
    expect((await ask(caller(), "hello")).output).toBe("Slowly.");
    expect(seen.made()).toBe(1);
    await vi.waitUntil(async () => (await env.POOL.getByName(model).view()).waiting === 0, { timeout: 5_000 });
    await env.POOL.getByName(model).resize(POOL_SLOTS);
  });

  it("that fails at once is tried again in the usual way", async () => {
    const seen = callsOf(
      saying({ type: "error", error: { code: "model_unavailable", detail: "Down." }, retryable: true, fault: "down" }),
      saying(text("Up again.")),
    );
    const run = await ask(caller(), "hello");
    expect(run.output).toBe("Up again.");
    expect(seen.made()).toBe(2);
    expect(await hedged(run)).not.toHaveProperty("hedged");
  });
});

it("nothing is asked twice unless the deployment says after how long", async () => {
  expect(hedgeAfter({})).toBeNull();
  for (const slip of ["", "0", "-5", "soon", "NaN"]) expect(hedgeAfter({ HEDGE_AFTER: slip })).toBeNull();
  expect(hedgeAfter({ HEDGE_AFTER: "1" })).toBe(HEDGE_LEAST_MS);
  expect(hedgeAfter({ HEDGE_AFTER: "2500" })).toBe(2_500);
  useEnv((real) => ({ ...real, DEFAULT_MODEL: model }));
  const seen = callsOf(async function* () {
    await new Promise((resolve) => setTimeout(resolve, HEDGE_LEAST_MS * 3));
    yield text("Slowly.");
  });
  expect((await ask(caller(), "hello")).output).toBe("Slowly.");
  expect(seen.made()).toBe(1);
});
