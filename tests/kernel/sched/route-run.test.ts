/**
 * Route run: what follows a failure: a pause and the same model, another model, or the end with its reason.
 */
import { afterAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { Caller, ExecuteRequest, RunView, TraceEvent } from "#shared/abi.ts";
import {
  INFER_ATTEMPTS,
  INFER_ATTEMPTS_MOST,
  MODEL_FAULTS,
  MODEL_REST_MOST_MS,
  MODEL_REST_MS,
  RETRY_MOST_MS,
  RETRY_MS,
  RETRY_PATIENCE_MS,
  RETRY_SWITCH_MS,
} from "#shared/limits.ts";
import type { Result } from "#shared/result.ts";
import type { Fault, InferEvent } from "#kernel/infer/drivers/driver.ts";
import type { Trouble } from "#kernel/proc/trouble.ts";
import { Breakers } from "#kernel/sched/breakers.ts";
import { pauseBefore } from "#kernel/sched/route-run.ts";
import { inKernel, installSeam, play, rows, text, useEnv, useModel } from "#tests/kernel/kernel-seam.ts";
import { ask, callerOf, eventsOf, objectOf, settled, shown, start, unwrap } from "#tests/kernel/process-client.ts";

installSeam();

let FIRST = "";
let SECOND = "";
let THIRD = "";

// Every test has models, and so pools, of its own: what a pool learned of one does not reach the next.
let tests = 0;
beforeEach(() => {
  tests += 1;
  [FIRST, SECOND, THIRD] = [`t${tests}/first`, `t${tests}/second`, `t${tests}/third`];
  useEnv((real) => Object.assign({}, real, { DEFAULT_MODEL: FIRST, FALLBACK_MODELS: `${SECOND},${THIRD}` }));
});
afterAll(() => useEnv(null));

function fault(kind: Fault, more: { readonly retryable?: boolean; readonly retryAfterMs?: number } = {}): InferEvent {
  const code = kind === "exhausted" ? "quota_exceeded" : "model_unavailable";
  const error = { code, detail: `It is ${kind}.` } as const;
  return { type: "error", error, retryable: !["exhausted", "refused"].includes(kind), fault: kind, ...more };
}

/** Models that answer from a list of events per call, by name; the last entry answers ever after. Tells who was asked. */
function models(caller: Caller, scripts: Readonly<Record<string, readonly (readonly InferEvent[])[]>>): string[] {
  const asked: string[] = [];
  useModel(caller, ({ model }) => {
    const script = scripts[model] ?? [[text(`I am ${model}.`)]];
    const turn = asked.filter((name) => name === model).length;
    asked.push(model);
    return play(script[Math.min(turn, script.length - 1)] ?? []);
  });
  return asked;
}

async function traced(caller: Caller, { run }: RunView, event: string): Promise<Record<string, unknown>[]> {
  const trace = unwrap((await objectOf(caller).traceOf(caller, run)) as Result<readonly TraceEvent[]>);
  return trace.filter((entry) => entry.event === event).map((entry) => entry.data);
}

async function scheduled(caller: Caller, { run }: RunView): Promise<unknown[]> {
  return (await eventsOf(caller, run)).flatMap(({ part }) => (part.type === "data-schedule" ? [part["data"]] : []));
}

describe("a model that fails again and again", () => {
  it("gives way to another, with the reason in the trace and in the stream", async () => {
    const caller = callerOf("fails-over");
    const asked = models(caller, { [FIRST]: [[text("Half a sentence. And"), fault("cut")]] });
    const run = await ask(caller, "hello");
    expect(asked).toEqual([...Array<string>(INFER_ATTEMPTS).fill(FIRST), SECOND]);
    expect(run).toMatchObject({ status: "done", output: `I am ${SECOND}.`, usage: { model: SECOND } });
    expect(shown(await eventsOf(caller, run.run))).toBe(run.output);
    expect(await rows(caller, "SELECT model, asked, fallback FROM runs")).toEqual([
      { model: SECOND, asked: null, fallback: 1 },
    ]);
    const ends = await traced(caller, run, "schedule-end");
    expect(ends[0]).toMatchObject({ model: FIRST, reason: "default" });
    expect(ends[1]).toMatchObject({ model: FIRST, attempt: 2, fault: "cut" });
    expect(ends.at(-1)).toMatchObject({
      model: SECOND,
      attempt: 4,
      reason: expect.stringContaining("failed") as string,
    });
    expect(await traced(caller, run, "route")).toMatchObject([{ before: FIRST, model: SECOND }]);
    expect((await scheduled(caller, run)).at(-1)).toMatchObject({ model: SECOND, before: FIRST, fault: "cut" });
  });

  it("is bounded over all models together", async () => {
    const caller = callerOf("all-fail");
    const asked = models(caller, {
      [FIRST]: [[fault("down")]],
      [SECOND]: [[fault("down")]],
      [THIRD]: [[fault("down")]],
    });
    expect(await ask(caller, "hello")).toMatchObject({
      status: "failed",
      error: { code: "model_unavailable", detail: "It is down." },
    });
    expect(asked).toHaveLength(INFER_ATTEMPTS_MOST);
    expect(new Set(asked)).toEqual(new Set([FIRST, SECOND]));
  });

  it("is not left when it was asked for, unless the request allows it", async () => {
    const only: Partial<ExecuteRequest> = { model: "other/asked" };
    const scripts = { "other/asked": [[fault("refused")]] };
    const strict = callerOf("asked-strict");
    const askedStrictly = models(strict, scripts);
    const refused = await ask(strict, "hello", only);
    expect(refused).toMatchObject({ status: "failed", error: { detail: "It is refused." } });
    expect(askedStrictly).toEqual(["other/asked"]);
    expect((await traced(strict, refused, "schedule-end")).at(-1)).toMatchObject({
      reason: "The model other/asked failed, and no other may stand in.",
    });
    const loose = callerOf("asked-loose");
    const askedLoosely = models(loose, scripts);
    const run = await ask(loose, "hello", { ...only, fallback: true });
    expect(run).toMatchObject({ status: "done", usage: { model: FIRST } });
    expect(askedLoosely).toEqual(["other/asked", FIRST]);
  });

  it("gives way to one that takes tools before a cheaper one without, though it was asked for itself", async () => {
    const free = { contextWindow: 32_768, price: { input: 0, output: 0 } };
    const paid = { contextWindow: 32_768, price: { input: 1, output: 1 } };
    const MODELS = JSON.stringify({
      [FIRST]: { ...free, tools: false },
      [SECOND]: { ...paid, tools: true },
      [THIRD]: { ...paid, tools: true },
    });
    useEnv((real) => ({ ...real, DEFAULT_MODEL: FIRST, FALLBACK_MODELS: `${SECOND},${THIRD}`, MODELS }));
    const caller = callerOf("keeps-tools");
    const asked = models(caller, { "other/asked": [[fault("refused")]] });
    const run = await ask(caller, "hello", { model: "other/asked", fallback: true });
    expect(run).toMatchObject({ status: "done", usage: { model: SECOND } });
    expect(asked).toEqual(["other/asked", SECOND]);
  });

  it("gives way to a slow one that is cheaper only when the run does not hurry", async () => {
    const MODELS = JSON.stringify({
      [SECOND]: { contextWindow: 32_768, tools: true, latency: "slow", price: { input: 1, output: 1 } },
      [THIRD]: { contextWindow: 32_768, tools: true, latency: "standard", price: { input: 2, output: 2 } },
    });
    useEnv((real) => ({ ...real, DEFAULT_MODEL: FIRST, FALLBACK_MODELS: `${SECOND},${THIRD}`, MODELS }));
    for (const [priority, model] of [
      ["interactive", THIRD],
      ["batch", SECOND],
    ] as const) {
      const caller = callerOf(`hurry-${priority}`);
      models(caller, { [FIRST]: [[fault("refused")]] });
      expect(await ask(caller, "hello", { priority })).toMatchObject({ status: "done", usage: { model } });
    }
  });

  it("gives way to one without tools when nothing else answers soon", async () => {
    const MODELS = JSON.stringify({ [FIRST]: { tools: true }, [SECOND]: { tools: false } });
    useEnv((real) => ({ ...real, DEFAULT_MODEL: FIRST, FALLBACK_MODELS: SECOND, MODELS }));
    const long = fault("throttled", { retryAfterMs: RETRY_PATIENCE_MS * 2 });
    for (const [name, kind] of [
      ["bare-stand-in", fault("refused")],
      ["bare-while-waiting", long],
    ] as const) {
      const caller = callerOf(name);
      models(caller, { [FIRST]: [[kind]] });
      expect(await ask(caller, "hello")).toMatchObject({ status: "done", usage: { model: SECOND } });
    }
  });

  it("stays left for the rest of the run", async () => {
    const caller = callerOf("sticks");
    const call: InferEvent = {
      type: "calls",
      calls: [{ id: "c", name: "memory_write", arguments: { text: "The kayak is in Leeds." } }],
    };
    const asked = models(caller, { [FIRST]: [[fault("refused")]], [SECOND]: [[call], [text("Done.")]] });
    expect(await ask(caller, "Remember the kayak.")).toMatchObject({ status: "done", usage: { model: SECOND } });
    expect(asked).toEqual([FIRST, SECOND, SECOND]);
    expect(await rows(caller, "SELECT text FROM pages WHERE kind = 'fact'")).toHaveLength(1);
  });
});

describe("a provider that asks to wait", () => {
  it("briefly is waited for, also when another could stand in", async () => {
    const caller = callerOf("short-wait");
    const asked = models(caller, { [FIRST]: [[fault("throttled", { retryAfterMs: 300 })], [text("Now.")]] });
    const run = await ask(caller, "hello");
    expect(run.output).toBe("Now.");
    expect(asked).toEqual([FIRST, FIRST]);
    const [, second] = await traced(caller, run, "schedule-end");
    expect(second?.["pausedMs"]).toBeGreaterThanOrEqual(300);
  });

  it("for long is left for another, also by the next run", async () => {
    const caller = callerOf("long-wait");
    const asked = models(caller, { [FIRST]: [[fault("throttled", { retryAfterMs: RETRY_SWITCH_MS + 1 })]] });
    expect((await ask(caller, "hello")).usage.model).toBe(SECOND);
    expect((await ask(caller, "hello again")).usage.model).toBe(SECOND);
    expect(asked).toEqual([FIRST, SECOND, SECOND]);
  });

  it("for too long ends a run that may use no other, with that time", async () => {
    const caller = callerOf("too-long");
    const asked = models(caller, { [FIRST]: [[fault("throttled", { retryAfterMs: RETRY_PATIENCE_MS * 2 })]] });
    expect((await ask(caller, "hello", { model: FIRST })).error).toEqual({
      code: "model_unavailable",
      detail: "It is throttled.",
      retryAfter: (RETRY_PATIENCE_MS * 2) / 1_000,
    });
    const again = await ask(caller, "again", { model: FIRST });
    expect(again).toMatchObject({ status: "failed", error: { code: "model_unavailable" } });
    expect(again.error?.retryAfter).toBeGreaterThan(RETRY_PATIENCE_MS / 1_000);
    expect(asked).toEqual([FIRST]);
  });

  it("until its allowance is renewed is not asked again before, and says so", async () => {
    const caller = callerOf("exhausted");
    const asked = models(caller, { [FIRST]: [[fault("exhausted", { retryAfterMs: 7_200_000 })]] });
    expect((await ask(caller, "hello")).usage.model).toBe(SECOND);
    const only = await ask(caller, "hello", { model: FIRST });
    expect(only).toMatchObject({ status: "failed", error: { code: "quota_exceeded" } });
    expect(only.error?.retryAfter).toBeGreaterThan(7_000);
    expect(asked).toEqual([FIRST, SECOND]);
  });
});

it("a run whose inference is in the journal asks no model for it, and waits for none", async () => {
  const caller = callerOf("journaled");
  const asked = models(caller, {});
  const run = await ask(caller, "hello", { model: FIRST });
  await inKernel(caller, (kernel) => {
    kernel.sql.exec("UPDATE runs SET state = 'interrupted' WHERE id = ?", run.run);
    const error = { code: "quota_exceeded", detail: "Used up." } as const;
    const trouble = { model: FIRST, fault: "exhausted", error, retryable: false, retryAfterMs: 7_200_000 } as const;
    kernel.breakers.noteFault(trouble, kernel.now());
  });
  unwrap((await objectOf(caller).resume(caller, run.run)) as Result<unknown>);
  expect(await settled(caller, run.run)).toMatchObject({ status: "done", output: `I am ${FIRST}.` });
  expect(asked).toEqual([FIRST]);
});

describe("a pool that was asked to pause", () => {
  it("sends runs of other processes to another model at once, and tells those that may use no other", async () => {
    const [first, second] = [callerOf("pauses"), callerOf("hears-of-it")];
    models(first, { [FIRST]: [[fault("throttled", { retryAfterMs: RETRY_PATIENCE_MS * 2 })]] });
    expect((await ask(first, "hello")).usage.model).toBe(SECOND);
    const asked = models(second, {});
    expect((await ask(second, "hello")).usage.model).toBe(SECOND);
    const only = await ask(second, "hello", { model: FIRST });
    expect(only).toMatchObject({ status: "failed", error: { code: "model_unavailable" } });
    expect(only.error?.retryAfter).toBeGreaterThan(RETRY_PATIENCE_MS / 1_000);
    expect(asked).toEqual([SECOND]);
  });
});

describe("a run that waits to ask again", () => {
  it("ends at once when it is cancelled", async () => {
    const caller = callerOf("cancel-pause");
    models(caller, { [FIRST]: [[fault("throttled", { retryAfterMs: 9_000 })]] });
    const { run } = await start(caller, "hello");
    await vi.waitUntil(async () => (await eventsOfLive(caller, "data-schedule")).length > 0, { timeout: 5_000 });
    expect(await objectOf(caller).cancel(caller, run)).toMatchObject({ ok: true, value: { status: "cancelled" } });
  });
});

function eventsOfLive(caller: Caller, type: string): Promise<unknown[]> {
  return rows(caller, "SELECT part FROM events WHERE part ->> '$.type' = ?", type);
}

describe("the pause before a try", () => {
  it("doubles up to its most, with full jitter, and is never shorter than asked for", () => {
    expect(pauseBefore(2, null, () => 1)).toBe(RETRY_MS);
    expect(pauseBefore(3, null, () => 1)).toBe(RETRY_MS * 2);
    expect(pauseBefore(20, null, () => 1)).toBe(RETRY_MOST_MS);
    expect(pauseBefore(3, null, () => 0)).toBe(0);
    expect(pauseBefore(2, 700, () => 0)).toBe(700);
  });
});

describe("a breaker", () => {
  const trouble = (kind: Fault): Trouble => ({
    model: "m",
    fault: kind,
    error: { code: "model_unavailable", detail: "Broken." },
    retryable: true,
    retryAfterMs: null,
  });
  const until = (breakers: Breakers, now: number): number => breakers.health(now).get("m")?.brokenUntil ?? 0;

  it("opens after MODEL_FAULTS in a row, for longer each time, up to its most", () => {
    const breakers = new Breakers();
    for (let fault = 1; fault < MODEL_FAULTS; fault += 1) breakers.noteFault(trouble("down"), 1_000);
    expect(until(breakers, 1_000)).toBe(0);
    breakers.noteFault(trouble("timeout"), 1_000);
    expect(until(breakers, 1_000)).toBe(1_000 + MODEL_REST_MS);
    breakers.noteFault(trouble("cut"), 10_000);
    expect(until(breakers, 10_000)).toBe(10_000 + MODEL_REST_MS * 2);
    for (let fault = 0; fault < 40; fault += 1) breakers.noteFault(trouble("down"), 20_000);
    expect(until(breakers, 20_000)).toBe(20_000 + MODEL_REST_MOST_MS);
  });

  it("closes with an answer, and does not count what the request was to blame for", () => {
    const breakers = new Breakers();
    for (let fault = 0; fault < MODEL_FAULTS; fault += 1) breakers.noteFault(trouble("down"), 0);
    breakers.noteAnswer("m");
    expect(until(breakers, 1)).toBe(0);
    for (let fault = 0; fault < 10; fault += 1) {
      for (const kind of ["malformed", "refused", "too-large", "aborted"] as const)
        breakers.noteFault(trouble(kind), 1);
    }
    expect(until(breakers, 1)).toBe(0);
  });

  it("lets one try through when its pause is over; the others wait for how it ends", () => {
    const breakers = new Breakers();
    for (let fault = 0; fault < MODEL_FAULTS; fault += 1) breakers.noteFault(trouble("down"), 0);
    const over = MODEL_REST_MS + 1;
    expect(until(breakers, over)).toBeLessThan(over);
    breakers.claimTry("m", over, () => true);
    expect(until(breakers, over)).toBeGreaterThan(over);
    breakers.noteFault(trouble("down"), over);
    expect(until(breakers, over)).toBe(over + MODEL_REST_MS * 2);
    breakers.claimTry("m", over * 4, () => true);
    breakers.noteAnswer("m");
    expect(until(breakers, over * 4)).toBe(0);
  });

  it("lets the next try through when the run that had it has ended without telling how it went", () => {
    const breakers = new Breakers();
    for (let fault = 0; fault < MODEL_FAULTS; fault += 1) breakers.noteFault(trouble("down"), 0);
    const over = MODEL_REST_MS + 1;
    let live = true;
    breakers.claimTry("m", over, () => live);
    expect(until(breakers, over)).toBeGreaterThan(over);
    live = false;
    expect(until(breakers, over)).toBeLessThan(over);
  });

  it("leaves a provider that asked for a long wait alone, though an earlier call is still answered", () => {
    const breakers = new Breakers();
    breakers.noteFault({ ...trouble("throttled"), retryAfterMs: RETRY_SWITCH_MS + 1 }, 1_000);
    breakers.noteAnswer("m");
    expect(breakers.health(1_000).get("m")?.throttledUntil).toBe(1_000 + RETRY_SWITCH_MS + 1);
  });

  it("is asked about by runs: a model that rests is left alone while another can answer", async () => {
    const caller = callerOf("rests");
    const asked = models(caller, {});
    await inKernel(caller, (kernel) => {
      for (let fault = 0; fault < MODEL_FAULTS; fault += 1)
        kernel.breakers.noteFault({ ...trouble("down"), model: FIRST }, kernel.now());
    });
    expect((await ask(caller, "hello")).usage.model).toBe(SECOND);
    expect(asked).toEqual([SECOND]);
  });
});
