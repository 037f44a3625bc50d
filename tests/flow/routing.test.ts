/**
 * Routing over real HTTP: which model of a provider serves a run, by what the deployment tells of them and what the run needs.
 */
import { afterAll, describe, expect, it } from "vitest";
import type { Caller, ExecuteRequest, RunView, TraceEvent } from "#shared/abi.ts";
import type { Result } from "#shared/result.ts";
import { providerUrl, requestsOf, scriptModel } from "#tests/fakes/provider-client.ts";
import { inKernel, installSeam, useEnv } from "#tests/kernel/kernel-seam.ts";
import { ask, callerOf, objectOf, unwrap } from "#tests/kernel/process-client.ts";

installSeam();
afterAll(() => useEnv(null));

const SMALL = `small-${crypto.randomUUID()}`;
const LARGE = `large-${crypto.randomUUID()}`;
const STORY = `Where did it end? ${"It went on without a word of news. ".repeat(1_400)}`;

let scenes = 0;

/** A process whose default model is small, and which may use a larger one. */
async function scene(small: object, large: object, more: Partial<Cloudflare.Env> = {}): Promise<Caller> {
  scenes += 1;
  await scriptModel(SMALL, [], { text: "Said by the small one." });
  await scriptModel(LARGE, [], { text: "Said by the large one." });
  const models = { [SMALL]: small, [LARGE]: large };
  useEnv((real) => ({
    ...real,
    PROVIDERS: JSON.stringify({ fake: { baseUrl: `${providerUrl()}/v1`, models } }),
    DEFAULT_MODEL: `fake/${SMALL}`,
    FALLBACK_MODELS: `fake/${LARGE}`,
    ...more,
  }));
  return callerOf(`routing-${scenes}`);
}

async function decided(caller: Caller, run: RunView): Promise<{ readonly model: unknown; readonly reason: unknown }> {
  const trace = unwrap((await objectOf(caller).traceOf(caller, run.run)) as Result<readonly TraceEvent[]>);
  const { model, reason } = trace.find(({ event }) => event === "schedule-end")?.data ?? {};
  return { model, reason };
}

const run = (caller: Caller, text: string, more: Partial<ExecuteRequest> = {}): Promise<RunView> =>
  ask(caller, text, more);

describe("a run", () => {
  it("is served by the default while that can", async () => {
    const caller = await scene({ contextWindow: 32_768 }, { contextWindow: 131_072 });
    const ended = await run(caller, "Where did it end?");
    expect(ended).toMatchObject({ status: "done" });
    expect(await decided(caller, ended)).toEqual({ model: `fake/${SMALL}`, reason: "default" });
  });

  it("whose prompt is beyond the default's window goes to one that takes it, and says why", async () => {
    const caller = await scene({ contextWindow: 8_192, tools: true }, { contextWindow: 131_072, tools: true });
    const before = (await requestsOf(LARGE)).length;
    const ended = await run(caller, STORY);
    expect(ended).toMatchObject({ status: "done" });
    const { model, reason } = await decided(caller, ended);
    expect(model).toBe(`fake/${LARGE}`);
    expect(String(reason)).toMatch(/ has a window of 8,192 tokens, [\d,]+ are needed; the only other that can serve$/);
    expect(await requestsOf(LARGE)).toHaveLength(before + 1);
  });

  it("in another language goes to the model that is known for it", async () => {
    const caller = await scene({ languages: ["en"] }, { languages: ["zh", "en"] });
    const ended = await run(caller, "昨天的会议在哪里开的?");
    expect(await decided(caller, ended)).toMatchObject({ model: `fake/${LARGE}` });
    const english = await run(caller, "Where was the meeting yesterday?");
    expect(await decided(caller, english)).toMatchObject({ model: `fake/${SMALL}` });
  });

  it("that asked for a model which cannot serve it ends, and says what is missing", async () => {
    const caller = await scene({ contextWindow: 8_192 }, { contextWindow: 131_072 });
    const ended = await run(caller, STORY, { model: `fake/${SMALL}` });
    expect(ended).toMatchObject({ status: "failed", error: { code: "invalid_request" } });
    expect(ended.error?.detail).toContain("cannot serve this: it has a window of 8,192 tokens");
  });

  it("never goes to a model that the deployment has not allowed", async () => {
    const caller = await scene({ contextWindow: 8_192 }, { contextWindow: 131_072 }, { FALLBACK_MODELS: "" });
    const before = (await requestsOf(LARGE)).length;
    const ended = await run(caller, STORY);
    expect(ended.status).toBe("failed");
    expect(await requestsOf(LARGE)).toHaveLength(before);
  });
});

describe("the cards of a provider", () => {
  it("are what the deployment tells of models that it does not list", async () => {
    const price = { input: 0.1, output: 0.4 };
    const caller = await scene({ contextWindow: 8_192, price }, { lora: true });
    const cards = await inKernel(caller, async (kernel) => {
      await kernel.models.ready();
      return [kernel.models.card(`fake/${SMALL}`), kernel.models.card(`fake/${LARGE}`)];
    });
    expect(cards).toMatchObject([
      { provider: "fake", contextWindow: 8_192, price: { input: 0.1, cached: 0.1, output: 0.4 }, source: "configured" },
      { provider: "fake", contextWindow: null, lora: true, price: null },
    ]);
  });
});
