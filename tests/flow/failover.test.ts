/**
 * Failover over real HTTP: whatever a provider does in the middle of a run, the run ends within its deadline, answered or with a
 * clear reason; nothing is said twice, and what it had done is not done again.
 */
import { afterAll, describe, expect, it } from "vitest";
import type { Caller, ExecuteRequest, RunView, TraceEvent } from "#shared/abi.ts";
import { INFER_ATTEMPTS } from "#shared/limits.ts";
import type { Result } from "#shared/result.ts";
import { fakeBinding, providerUrl, requestsOf, scriptModel } from "#tests/fakes/provider-client.ts";
import type { Reply, Seen } from "#tests/fakes/provider/reply.ts";
import { installSeam, rows, useEnv } from "#tests/kernel/kernel-seam.ts";
import { callerOf, eventsOf, objectOf, settled, shown, start, unwrap } from "#tests/kernel/process-client.ts";

installSeam();
afterAll(() => useEnv(null));

/** Milliseconds of silence that count as hung: short where a model hangs, else more than any busy machine takes. */
const SILENCE_MS = 1_500;
const LONG_SILENCE_MS = 20_000;
/** No run of these may take longer, on however busy a machine: three silences, their pauses, and the other model. */
const DEADLINE_MS = 30_000;

const WRITE: Reply = { calls: [{ name: "memory_write", arguments: { text: "The kayak is stored in Leeds." } }] };
const ANSWER = "I have noted where the kayak is. It will be there.";
const OTHER = "Noted by the other model. All is well.";

interface Scene {
  readonly caller: Caller;
  readonly first: string;
  readonly second: string;
}

let scenes = 0;

/** Two models that nobody else uses, the first the default, and a process that may use both. `ai`: behind the platform's binding. */
async function sceneOf(replies: readonly Reply[], after: Reply, route: "openai" | "ai" = "openai"): Promise<Scene> {
  scenes += 1;
  const [first, second] = [`first-${crypto.randomUUID()}`, `second-${crypto.randomUUID()}`];
  const name = (model: string): string => (route === "ai" ? `@cf/${model}` : `fake/${model}`);
  await scriptModel(route === "ai" ? name(first) : first, replies, after);
  await scriptModel(route === "ai" ? name(second) : second, [], { text: OTHER });
  const hangs = [...replies, after].some(({ hang, pings }) => hang !== undefined || pings === true);
  const silenceMs = hangs ? SILENCE_MS : LONG_SILENCE_MS;
  const providers = { fake: { baseUrl: `${providerUrl()}/v1`, silenceMs } };
  useEnv((real) => ({
    ...real,
    AI: fakeBinding(),
    PROVIDERS: JSON.stringify(providers),
    DEFAULT_MODEL: name(first),
    FALLBACK_MODELS: name(second),
  }));
  return { caller: callerOf(`failover-${scenes}`), first: name(first), second: name(second) };
}

async function run({ caller }: Scene, more: Partial<ExecuteRequest> = {}): Promise<RunView> {
  const began = Date.now();
  const started = await start(caller, "Remember that the kayak is stored in Leeds.", more);
  const ended = await settled(caller, started.run, DEADLINE_MS);
  expect(Date.now() - began).toBeLessThan(DEADLINE_MS);
  return ended;
}

const seen = (model: string): Promise<Seen[]> => requestsOf(model.replace(/^fake\//, ""));

/** What holds however a run ended: one telling, one write, one pair of messages. */
async function expectOnce({ caller }: Scene, ended: RunView): Promise<void> {
  const events = await eventsOf(caller, ended.run);
  expect(shown(events)).toBe(ended.output);
  expect(events.filter(({ part }) => part.type === "start-step")).toHaveLength(2);
  expect(ended.syscalls.map(({ name, ok }) => [name, ok])).toEqual([["memory_write", true]]);
  expect(await rows(caller, "SELECT text FROM pages WHERE kind = 'fact' AND deleted = 0")).toHaveLength(1);
}

async function faultsOf(caller: Caller, ended: RunView): Promise<unknown[]> {
  const trace = unwrap((await objectOf(caller).traceOf(caller, ended.run)) as Result<readonly TraceEvent[]>);
  return trace.flatMap(({ event, data }) => (event === "infer-end" && "fault" in data ? [data["fault"]] : []));
}

const PASSING: readonly (readonly [what: string, reply: Reply, fault: string])[] = [
  ["429 with a short Retry-After", { status: 429, retryAfterMs: 100 }, "throttled"],
  ["500", { status: 500 }, "down"],
  ["503 with a short Retry-After", { status: 503, retryAfterMs: 50 }, "down"],
  ["a hang before the headers", { hang: "headers" }, "timeout"],
  ["a hang in the stream", { hang: "stream", text: ANSWER, afterChunks: 9 }, "timeout"],
  ["comments and never a chunk", { pings: true, chunkMs: 50 }, "timeout"],
  ["a connection that is reset", { cut: "reset", text: ANSWER, afterChunks: 9, chunkMs: 5 }, "cut"],
  ["a stream that ends early", { cut: "end", text: ANSWER, afterChunks: 9 }, "cut"],
  ["a chunk that is no JSON", { malformed: true, text: ANSWER, afterChunks: 9 }, "malformed"],
  ["an error in the stream", { errorChunk: true, text: ANSWER, afterChunks: 9 }, "down"],
  ["an answer of nothing", { text: "" }, "malformed"],
  ["a page that is no answer", { garbage: true, whole: true }, "malformed"],
];

describe("a fault that passes", { timeout: DEADLINE_MS + 10_000 }, () => {
  it.each(PASSING)("%s is tried again with the same model", async (_, reply, fault) => {
    const scene = await sceneOf([WRITE, reply], { text: ANSWER });
    const ended = await run(scene);
    expect(ended).toMatchObject({ status: "done", output: ANSWER, usage: { model: scene.first } });
    expect(await faultsOf(scene.caller, ended)).toEqual([fault]);
    expect(await seen(scene.first)).toHaveLength(3);
    expect(await seen(scene.second)).toHaveLength(0);
    await expectOnce(scene, ended);
  });
});

describe("a fault that does not pass", { timeout: DEADLINE_MS + 10_000 }, () => {
  const LASTING: readonly (readonly [what: string, reply: Reply, fault: string, tries: number])[] = [
    ...PASSING.map(([what, reply, fault]) => [what, reply, fault, INFER_ATTEMPTS] as const),
    ["429 with a long Retry-After", { status: 429, retryAfter: "120" }, "throttled", 1],
    ["an allowance that is used up", { status: 429, code: "insufficient_quota" }, "exhausted", 1],
    ["a request that is refused", { status: 400 }, "refused", 1],
    ["a key that is wrong", { status: 401 }, "refused", 1],
    ["a model that is gone", { status: 404 }, "refused", 1],
  ];

  it.each(LASTING)("%s gives the run to another model, with the reason", async (_, reply, fault, tries) => {
    const scene = await sceneOf([WRITE], reply);
    const ended = await run(scene);
    expect(ended).toMatchObject({ status: "done", output: OTHER, usage: { model: scene.second } });
    expect(await faultsOf(scene.caller, ended)).toEqual(Array(tries).fill(fault));
    expect(await seen(scene.first)).toHaveLength(1 + tries);
    await expectOnce(scene, ended);
    const trace = unwrap(
      (await objectOf(scene.caller).traceOf(scene.caller, ended.run)) as Result<readonly TraceEvent[]>,
    );
    expect(trace.find(({ event }) => event === "route")?.data).toMatchObject({
      before: scene.first,
      model: scene.second,
      reason: expect.stringMatching(/failed in this run|rests for/) as string,
    });
    // The other model sees what the first one had done.
    const [asked] = await seen(scene.second);
    expect(JSON.stringify(asked?.body)).toContain("memory_write");
    expect(JSON.stringify(asked?.body)).toMatch(/"role":"tool"/);
  });

  const FINAL: readonly (readonly [what: string, reply: Reply, code: string, retryAfter: number | null])[] = [
    ["500", { status: 500 }, "model_unavailable", 1],
    ["a hang", { hang: "headers" }, "model_unavailable", 1],
    ["429 with a long Retry-After", { status: 429, retryAfter: "120" }, "model_unavailable", 120],
    ["an allowance that is used up", { status: 429, code: "insufficient_quota" }, "quota_exceeded", 60],
    ["a request that is refused", { status: 400 }, "invalid_request", null],
  ];

  it.each(FINAL)("%s ends a run that may use no other model, with its code", async (_, reply, code, retryAfter) => {
    const scene = await sceneOf([WRITE], reply);
    const ended = await run(scene, { model: scene.first });
    expect(ended).toMatchObject({ status: "failed", output: "", error: { code }, usage: { model: scene.first } });
    if (retryAfter === null) expect(ended.error?.retryAfter).toBeUndefined();
    else expect(ended.error?.retryAfter).toBeGreaterThanOrEqual(retryAfter);
    expect(await seen(scene.second)).toHaveLength(0);
    await expectOnce(scene, ended);
  });
});

describe("a prompt that is too large", () => {
  it("is made smaller once, and then given to another model", async () => {
    const scene = await sceneOf([WRITE], { status: 413 });
    const ended = await run(scene);
    expect(ended).toMatchObject({ status: "done", output: OTHER, usage: { model: scene.second } });
    expect((await seen(scene.first)).length).toBeLessThanOrEqual(1 + 2);
    await expectOnce(scene, ended);
    const strict = await run(await sceneOf([WRITE], { status: 413 }), { fallback: false });
    expect(strict).toMatchObject({ status: "failed", error: { code: "payload_too_large" } });
  });
});

describe("Workers AI", () => {
  it("that has no capacity (3040) is asked again", async () => {
    const scene = await sceneOf([WRITE, { status: 429, code: 3040 }], { text: ANSWER }, "ai");
    const ended = await run(scene);
    expect(ended).toMatchObject({ status: "done", output: ANSWER, usage: { model: scene.first } });
    expect(await faultsOf(scene.caller, ended)).toEqual(["throttled"]);
    await expectOnce(scene, ended);
  });

  it("whose day is used up (3036) is left until it is renewed", async () => {
    const scene = await sceneOf([WRITE], { status: 429, code: 3036 }, "ai");
    const ended = await run(scene);
    expect(ended).toMatchObject({ status: "done", output: OTHER, usage: { model: scene.second } });
    expect(await faultsOf(scene.caller, ended)).toEqual(["exhausted"]);
    await expectOnce(scene, ended);
    const before = (await seen(scene.first)).length;
    const strict = await start(scene.caller, "And now?", { model: scene.first });
    expect((await settled(scene.caller, strict.run)).error).toMatchObject({ code: "quota_exceeded" });
    expect(await seen(scene.first)).toHaveLength(before);
  });
});
