/**
 * Context switch: a conversation, or a run in its middle, goes on with another model: nothing it knows is lost, nothing is done
 * twice, and the prompt fits the new window.
 */
import { abortAllDurableObjects } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Caller, RunStarted, RunView } from "#shared/abi.ts";
import { RUN_RECOVERIES } from "#shared/limits.ts";
import type { Result } from "#shared/result.ts";
import type { InferEvent, InferRequest } from "#kernel/infer/drivers/driver.ts";
import type { Message } from "#kernel/proc/messages.ts";
import { contextTokens } from "#kernel/vm/context/context.ts";
import { providerUrl, requestsOf, scriptModel } from "#tests/fakes/provider-client.ts";
import { dying, expectValidTranscript, insist } from "#tests/flow/dying.ts";
import {
  calls,
  gate,
  inKernel,
  installSeam,
  play,
  rows,
  text,
  useCrash,
  useEnv,
  useModel,
} from "#tests/kernel/kernel-seam.ts";
import { ask, callerOf, eventsOf, objectOf, settled, shown, start, unwrap } from "#tests/kernel/process-client.ts";
import { newUser } from "#tests/workers/edge-client.ts";

installSeam();

const SMALL_WINDOW = 8_192;
const MODELS = {
  "test/big": { contextWindow: 131_072, tools: true },
  "test/small": { contextWindow: SMALL_WINDOW, tools: true },
  "test/plain": { tools: false },
};

beforeEach(() =>
  useEnv((real) => ({
    ...real,
    DEFAULT_MODEL: "test/big",
    FALLBACK_MODELS: "test/small",
    MODELS: JSON.stringify(MODELS),
    PROVIDERS: JSON.stringify({ fake: { baseUrl: `${providerUrl()}/v1` } }),
  })),
);
afterEach(() => useCrash(null));
afterAll(() => useEnv(null));

const down: InferEvent = {
  type: "error",
  error: { code: "model_unavailable", detail: "It is gone." },
  retryable: false,
  fault: "down",
};

/** Every call stands before its results, and every result behind its call. */
function expectPaired(messages: readonly Message[]): void {
  let open: string[] = [];
  for (const message of messages) {
    if (message.role === "tool") {
      expect(open).toContain(message.toolCallId);
      open = open.filter((id) => id !== message.toolCallId);
      continue;
    }
    expect(open).toEqual([]);
    open = (message.toolCalls ?? []).map((call) => call.id);
  }
  expect(open).toEqual([]);
}

const results = ({ messages }: InferRequest): readonly Message[] =>
  messages.slice(messages.findLastIndex(({ role }) => role === "user")).filter(({ role }) => role === "tool");

describe("a thread that moves between models", () => {
  it("keeps its turns, its calls with their results, and its citations", async () => {
    const caller = callerOf("moves");
    await objectOf(caller).writePage(caller, { text: "The kayak is stored in Leeds." });
    const asked: InferRequest[] = [];
    useModel(caller, (request) => {
      asked.push(request);
      const [result] = results(request);
      // An id as only one provider writes it: the others are shown it as it is.
      const call = { id: "chatcmpl-tool-9f2e/Ω", name: "memory_search", arguments: { query: "kayak" } };
      if (request.model === "test/big" && result === undefined) return play([{ type: "calls", calls: [call] }]);
      return play([text("The kayak is in Leeds. [p1]")]);
    });
    const first = await ask(caller, "Where is the kayak?", { model: "test/big" });
    const second = await ask(caller, "Say it again, please: where is the kayak?", { model: "test/small" });
    const third = await ask(caller, "And once more, where is the kayak?", { model: "test/plain" });
    for (const run of [first, second, third]) {
      expect(run).toMatchObject({ status: "done", citations: [{ handle: "p1" }] });
    }
    expect([first, second, third].map((run) => run.usage.model)).toEqual(["test/big", "test/small", "test/plain"]);
    for (const request of asked) expectPaired(request.messages);
    // Also of a model that takes none: its head tells of them in words.
    expect(asked.map((request) => request.tools.length > 0)).toEqual([true, true, true, true]);
    const kept = asked[2]?.messages.find(({ toolCalls }) => toolCalls !== undefined);
    // In a thread it is made one of its own: providers count from 0 in every answer.
    expect(kept?.toolCalls?.[0]?.id).toMatch(/^chatcmpl-tool-9f2e\/Ω/);
    await expectValidTranscript(caller);
  });

  it("is re-rendered for providers of another kind over HTTP", async () => {
    const [one, other] = [`one-${crypto.randomUUID()}`, `other-${crypto.randomUUID()}`];
    await scriptModel(one, [{ calls: [{ name: "memory_write", arguments: { text: "The kayak is in Leeds." } }] }], {
      text: "Noted.",
    });
    await scriptModel(other, [], { text: "Noted before." });
    const caller = callerOf("over-http");
    expect((await ask(caller, "Remember the kayak is in Leeds.", { model: `fake/${one}` })).output).toBe("Noted.");
    expect((await ask(caller, "What did I say?", { model: `fake/${other}` })).output).toBe("Noted before.");
    const [seen] = await requestsOf(other);
    const { messages } = (seen?.body ?? { messages: [] }) as {
      messages: { role: string; tool_calls?: { id: string }[]; tool_call_id?: string }[];
    };
    const call = messages.findIndex((message) => message.tool_calls !== undefined);
    expect(messages[call + 1]).toMatchObject({ role: "tool", tool_call_id: messages[call]?.tool_calls?.[0]?.id });
  });

  it("to a smaller window is paged until it fits, before that model is asked", async () => {
    const caller = callerOf("shrinks");
    const sizes: [model: string, tokens: number][] = [];
    useModel(caller, (request) => {
      sizes.push([request.model, contextTokens(request.messages)]);
      return play([text("I see.")]);
    });
    const turn = "The lighthouse keeper counted every gull above the northern cliff that morning. ".repeat(70);
    for (let count = 0; count < 8; count += 1) await ask(caller, `${count}: ${turn}`, { model: "test/big" });
    const run = await ask(caller, "Where was the keeper?", { model: "test/small" });
    expect(run.status).toBe("done");
    const [last, before] = [sizes.at(-1), sizes.at(-2)];
    expect(before?.[1]).toBeGreaterThan(SMALL_WINDOW);
    expect(last?.[0]).toBe("test/small");
    expect(last?.[1]).toBeLessThan(SMALL_WINDOW);
    expect(await rows(caller, "SELECT 1 FROM messages WHERE evicted <> 0")).not.toHaveLength(0);
  });
});

describe("a run that changes its model in the middle", () => {
  it("takes its results along, cut to what the smaller window holds, and asks nothing twice", async () => {
    const caller = callerOf("mid-run");
    const page = "The lighthouse keeper counted every gull above the northern cliff that morning. ".repeat(60);
    for (let count = 0; count < 9; count += 1) await objectOf(caller).writePage(caller, { text: `${count} ${page}` });
    const asked: InferRequest[] = [];
    useModel(caller, (request) => {
      asked.push(request);
      if (request.model === "test/small") return play([text("He counted gulls.")]);
      if (results(request).length === 0)
        return play([
          calls(["memory_search", { query: "keeper gull" }], ["memory_write", { text: "Asked for the keeper." }]),
        ]);
      return play([text("He counted. "), down]);
    });
    const run = await ask(caller, "What did the keeper count?");
    expect(run).toMatchObject({ status: "done", output: "He counted gulls.", usage: { model: "test/small" } });
    expect(asked.map(({ model }) => model)).toEqual(["test/big", "test/big", "test/small"]);
    const last = asked.at(-1);
    expectPaired(last?.messages ?? []);
    expect(results(last as InferRequest)).toHaveLength(2);
    expect(contextTokens(last?.messages ?? [])).toBeLessThan(SMALL_WINDOW);
    expect(await rows(caller, "SELECT 1 FROM pages WHERE kind = 'fact' AND text LIKE 'Asked for%'")).toHaveLength(1);
    expect(shown(await eventsOf(caller, run.run))).toBe(run.output);
  });

  it("and dies at any statement ends as if it had not", async () => {
    let round = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 2 }), async (at) => {
        round += 1;
        const caller = callerOf(`switch-dies-${round}`);
        useModel(caller, (request) => {
          const [result] = results(request);
          if (result === undefined) return play([calls(["memory_write", { text: "The kayak is stored in Leeds." }])]);
          if (request.model === "test/big") return play([text("It is somewhere. The kay"), down]);
          const handle = /"handle":"(p[0-9a-z]+)"/.exec(result.content)?.[1] ?? "p0";
          return play([text(`The kayak is in Leeds. [${handle}] `), text("Anything else?")]);
        });
        const { run } = await dying(caller, at, "Remember that the kayak is stored in Leeds.");
        await expectSwitched(caller, run);
      }),
      { numRuns: 20 },
    );
  }, 90_000);
});

async function expectSwitched(caller: Caller, run: RunView): Promise<void> {
  expect(run).toMatchObject({ status: "done", usage: { model: "test/small" } });
  expect(run.output).toMatch(/^The kayak is in Leeds\. \[p[0-9a-z]+\] Anything else\?$/);
  expect(run.syscalls.map(({ name }) => name)).toEqual(["memory_write"]);
  expect(shown(await eventsOf(caller, run.run))).toBe(run.output);
  expect(await rows(caller, "SELECT 1 FROM pages WHERE kind = 'fact' AND deleted = 0")).toHaveLength(1);
  await expectValidTranscript(caller);
}

describe("a run that was interrupted in mid-stream", () => {
  it("resumes on another model without repeating what it had done", async () => {
    const user = await newUser("resumes");
    const caller = callerOf("resumes");
    const door = gate();
    const asked: string[] = [];
    useModel(caller, async function* (request) {
      asked.push(request.model);
      if (results(request).length === 0) {
        yield calls(["memory_write", { text: "The kayak is stored in Leeds." }]);
        return;
      }
      if (request.model === "test/small") return yield text("Noted, and all of it.");
      yield text("Noted. And half of");
      await door.opened;
    });
    const run = await start(caller, "Remember that the kayak is stored in Leeds.");
    await vi.waitUntil(() => asked.length === 2);
    await inKernel(caller, (kernel) => void kernel.sql.exec("UPDATE runs SET recoveries = ?", RUN_RECOVERIES));
    await abortAllDurableObjects();
    expect((await insist(() => settled(caller, run.run))).status).toBe("interrupted");
    door.open();
    expect((await user.call("POST", `/v1/runs/${run.run}/resume`, { model: "no/such" })).status).toBe(404);
    expect((await user.call("POST", `/v1/runs/${run.run}/resume`, { model: 3 })).status).toBe(400);
    expect((await user.call("POST", `/v1/runs/${run.run}/resume`, { other: 3 })).status).toBe(400);
    unwrap((await objectOf(caller).resume(caller, run.run, "test/small")) as Result<RunStarted>);
    const ended = await settled(caller, run.run);
    expect(ended).toMatchObject({ status: "done", output: "Noted, and all of it.", usage: { model: "test/small" } });
    expect(asked).toEqual(["test/big", "test/big", "test/small"]);
    expect(ended.syscalls).toHaveLength(1);
    expect(await rows(caller, "SELECT 1 FROM pages WHERE kind = 'fact' AND deleted = 0")).toHaveLength(1);
    expect(await rows(caller, "SELECT model, asked, fallback FROM runs")).toEqual([
      { model: "test/small", asked: "test/small", fallback: 0 },
    ]);
    expect(shown(await eventsOf(caller, run.run))).toBe(ended.output);
    await expectValidTranscript(caller);
  });

  it("resumes over HTTP with and without a body", async () => {
    const user = await newUser("resumes-http");
    const caller = callerOf("resumes-http");
    useModel(caller, ({ model }) => play([text(`I am ${model}.`)]));
    for (const [body, answer] of [
      [undefined, "test/big"],
      [{ model: env.DEFAULT_MODEL }, env.DEFAULT_MODEL],
    ] as const) {
      const run = await ask(caller, "Who are you?");
      await inKernel(
        caller,
        (kernel) => void kernel.sql.exec("UPDATE runs SET state = 'interrupted' WHERE id = ?", run.run),
      );
      const resumed = await user.call("POST", `/v1/runs/${run.run}/resume`, body);
      expect([resumed.status, resumed.body["status"]]).toEqual([202, "queued"]);
      // Its step was finished: the model is not asked again, the run only closes under the new name.
      expect((await settled(caller, run.run)).usage.model).toBe(answer);
    }
  });
});
