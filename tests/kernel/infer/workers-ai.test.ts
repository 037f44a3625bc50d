/**
 * Workers AI driver: its error codes, cut and broken streams, silence and aborts, against a fake binding.
 */
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { INFERENCE_SILENCE_MS } from "#shared/limits.ts";
import type { InferEvent, InferRequest } from "#kernel/infer/drivers/driver.ts";
import { workersAi, type AiBinding } from "#kernel/infer/drivers/workers-ai.ts";
import { aiFault } from "#kernel/infer/drivers/workers-ai-errors.ts";

afterEach(() => void vi.useRealTimers());

const request: InferRequest = {
  model: "m",
  messages: [{ role: "user", content: "Hi." }],
  tools: [],
  reply: null,
  affinity: "ann/init",
};

function binding(run: AiBinding["run"]): AiBinding {
  return { run, models: () => Promise.resolve([]) };
}

function streamOf(...chunks: readonly string[]): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(encoder.encode(chunk));
      controller.close();
    },
  });
}

async function infer(
  run: AiBinding["run"],
  more: Partial<InferRequest> = {},
  signal = new AbortController().signal,
): Promise<InferEvent[]> {
  const events: InferEvent[] = [];
  for await (const event of workersAi(binding(run)).infer({ ...request, ...more }, signal)) events.push(event);
  return events;
}

function textsOf(events: readonly InferEvent[]): string[] {
  return events.map((event) => (event.type === "text" ? event.text : event.type));
}

describe("error codes", () => {
  it.each([
    ["3040: Capacity temporarily exceeded", "model_unavailable", true],
    ["AiError: 3007: Request timeout", "model_unavailable", true],
    ["3036: daily allocation used", "quota_exceeded", false],
    ["5007: No such model", "not_found", false],
    ["3006: too large", "payload_too_large", false],
    ["5004: invalid", "invalid_request", false],
    ["9999: new", "model_unavailable", false],
    ["network lost", "model_unavailable", true],
  ])("%s is %s", (message, code, retryable) => {
    expect(aiFault(new Error(message)).event).toMatchObject({ error: { code }, retryable });
  });

  it("become one error event, and the detail shows nothing of the provider's text", async () => {
    const events = await infer(() => Promise.reject(new Error("3040: secret internal host")));
    expect(events).toMatchObject([{ type: "error", retryable: true }]);
    expect(JSON.stringify(events)).not.toContain("secret");
  });

  it("say when a retry can help", () => {
    for (const code of ["3040", "3007", "3036"])
      expect(aiFault(new Error(`${code}: x`)).event.error.retryAfter).toBeGreaterThan(0);
  });
});

describe("streams", () => {
  const whole =
    'data: {"response":"Gr"}\n\ndata: {"response":"üß dich 🐝"}\n\n: ping\n\ndata: {"response":"","usage":{"prompt_tokens":3,"completion_tokens":2}}\n\ndata: [DONE]\n\n';

  it("read the same wherever the bytes are cut", async () => {
    const bytes = new TextEncoder().encode(whole);
    const expected = await infer(() => Promise.resolve(streamOf(whole)));
    expect(expected.map((event) => event.type)).toEqual(["text", "text", "usage"]);
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.integer({ min: 1, max: bytes.length - 1 }), { maxLength: 12 }),
        async (cuts) => {
          const at = [0, ...cuts.toSorted((one, other) => one - other), bytes.length];
          const parts = at.slice(1).map((end, index) => bytes.slice(at[index], end));
          const stream = new ReadableStream<Uint8Array>({
            start(controller) {
              for (const part of parts) controller.enqueue(part);
              controller.close();
            },
          });
          expect(await infer(() => Promise.resolve(stream))).toEqual(expected);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("that end without a line end are whole, and those without [DONE] are cut", async () => {
    expect(
      (await infer(() => Promise.resolve(streamOf('data: {"response":"a"}\n\ndata: [DONE]')))).map(
        (event) => event.type,
      ),
    ).toEqual(["text"]);
    expect(await infer(() => Promise.resolve(streamOf('data: {"response":"a"}\n\n')))).toMatchObject([
      { type: "text", text: "a" },
      { type: "error", error: { code: "model_unavailable" }, retryable: true },
    ]);
  });

  it("that report a failure end with it, and calls that came before it are not made", async () => {
    const chunks = [
      'data: {"tool_calls":[{"name":"memory_forget","arguments":{"handle":"p1"}}]}\n\n',
      'data: {"error":{"message":"Capacity temporarily exceeded","code":3040}}\n\n',
      "data: [DONE]\n\n",
    ];
    expect(await infer(() => Promise.resolve(streamOf(...chunks)))).toMatchObject([
      { type: "error", error: { code: "model_unavailable" }, retryable: true },
    ]);
    expect(
      await infer(() => Promise.resolve({ errors: [{ code: 5007, message: "No such model" }], success: false })),
    ).toMatchObject([{ type: "error", error: { code: "not_found" } }]);
  });

  it("lose lines that are no events, but a chunk that cannot be read ends them: an answer without it would be another", async () => {
    const around = (broken: string): Promise<InferEvent[]> =>
      infer(() =>
        Promise.resolve(
          streamOf('data: {"response":"a"}\n\n', broken, 'data: {"response":"b"}\n\n', "data: [DONE]\n\n"),
        ),
      );
    expect(textsOf(await around("garbage\n\n"))).toEqual(["a", "b"]);
    for (const broken of ["data: {broken\n\n", "data: null\n\n"]) {
      expect(await around(broken)).toMatchObject([
        { type: "text", text: "a" },
        { type: "error", fault: "malformed", retryable: true },
      ]);
    }
  });

  it("that break in the middle are an error event", async () => {
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.error(new Error("reset by peer"));
      },
    });
    expect(await infer(() => Promise.resolve(stream))).toMatchObject([{ type: "error", retryable: true }]);
  });
});

describe("silence and aborts", () => {
  it("a model that says nothing for INFERENCE_SILENCE_MS counts as hung, and its work is ended", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const cancelled = vi.fn<() => void>();
    const stream = new ReadableStream<Uint8Array>({ cancel: cancelled });
    const events = infer(() => Promise.resolve(stream));
    await vi.advanceTimersByTimeAsync(INFERENCE_SILENCE_MS - 1);
    expect(cancelled).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(await events).toMatchObject([{ type: "error", error: { code: "model_unavailable" }, retryable: true }]);
    expect(cancelled).toHaveBeenCalledOnce();
  });

  it("an abort ends the events and the provider's work, before and after the first byte", async () => {
    for (const early of [true, false]) {
      const cancelled = vi.fn<() => void>();
      const stream = new ReadableStream<Uint8Array>({ cancel: cancelled });
      const answer = Promise.withResolvers<unknown>();
      if (!early) answer.resolve(stream);
      const abort = new AbortController();
      const events = infer(() => answer.promise, {}, abort.signal);
      await new Promise((resolve) => setTimeout(resolve, 1));
      abort.abort(new Error("cancelled"));
      expect(await events).toHaveLength(1);
      if (early) answer.resolve(stream);
      await new Promise((resolve) => setTimeout(resolve, 1));
      expect(cancelled).toHaveBeenCalledOnce();
    }
  });

  it("a source that never lets itself be cancelled holds up nobody", async () => {
    const abort = new AbortController();
    const stuck = new ReadableStream<Uint8Array>({ cancel: () => new Promise(() => undefined) });
    const events = infer(() => Promise.resolve(stuck), {}, abort.signal);
    await new Promise((resolve) => setTimeout(resolve, 1));
    abort.abort(new Error("cancelled"));
    expect(await events).toHaveLength(1);
  });
});

describe("what is sent", () => {
  it("streams free text, asks for JSON without a stream, and names the process for the prefix cache", async () => {
    const run = vi.fn<AiBinding["run"]>((_model, inputs) =>
      Promise.resolve((inputs as { stream: boolean }).stream ? streamOf("data: [DONE]\n\n") : { response: { a: 1 } }),
    );
    await infer(run);
    expect(run.mock.lastCall).toMatchObject([
      "m",
      { stream: true, messages: [{ role: "user", content: "Hi." }] },
      { extraHeaders: { "x-session-affinity": "ann/init" } },
    ]);
    expect(run.mock.lastCall?.[1]).not.toHaveProperty("tools");
    expect(await infer(run, { reply: { type: "object" } })).toEqual([{ type: "text", text: '{"a":1}' }]);
    expect(run.mock.lastCall?.[1]).toMatchObject({
      stream: false,
      response_format: { type: "json_schema", json_schema: { type: "object" } },
    });
  });
});
