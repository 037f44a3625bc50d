/**
 * Workers AI driver over real HTTP: inputs and options of every kind of request, JSON mode, adapters, the queue, the list of models.
 */
import { describe, expect, it } from "vitest";
import { unknownCard } from "#shared/models.ts";
import type { InferRequest } from "#kernel/infer/drivers/driver.ts";
import { workersAi, type WorkersAiOptions } from "#kernel/infer/drivers/workers-ai.ts";
import { aiFault } from "#kernel/infer/drivers/workers-ai-errors.ts";
import { fakeBinding, listModels, requestsOf, scriptModel } from "#tests/fakes/provider-client.ts";
import type { Reply } from "#tests/fakes/provider/reply.ts";
import { collect, requestOf, textOf, TOOL } from "#tests/kernel/infer/drivers/driver-spec.ts";
import { freshModel, SILENCE_MS } from "#tests/kernel/infer/drivers/provider-drivers.ts";

interface Sent {
  readonly inputs: Record<string, unknown>;
  readonly options: Record<string, unknown>;
}

async function talk(
  replies: readonly Reply[],
  more: Partial<InferRequest> = {},
  options: WorkersAiOptions = {},
): Promise<{ events: Awaited<ReturnType<typeof collect>>; sent: Sent[] }> {
  const model = `@cf/${freshModel()}`;
  await scriptModel(model, replies);
  const driver = workersAi(fakeBinding(), { silenceMs: SILENCE_MS, pollMs: 5, ...options });
  const events = await collect(driver, requestOf(model, more));
  return { events, sent: (await requestsOf(model)).map(({ body }) => body as Sent) };
}

const QUEUES = { ...unknownCard("@cf/queues"), asyncQueue: true };

describe("what is sent", () => {
  it("is a stream of messages, with the process for the prefix cache, and nothing that nobody asked for", async () => {
    const { sent } = await talk([{}]);
    expect(sent).toEqual([
      expect.objectContaining({
        inputs: { messages: [{ role: "user", content: "Hi." }], stream: true },
        options: { extraHeaders: { "x-session-affinity": "ann/init" } },
      }),
    ]);
  });

  it("has tools, the most that may be answered, and the gateway", async () => {
    const gateway = { id: "lamina", skipCache: true, metadata: { app: "lamina" } };
    const { sent } = await talk([{}], { tools: [TOOL], maxTokens: 77 }, { gateway });
    expect(sent[0]).toMatchObject({ inputs: { tools: [TOOL], max_tokens: 77 }, options: { gateway } });
  });

  it("tells a model without tools of them in words, and takes its calls from its text", async () => {
    const text = 'I look.\n<tool_call>\n{"name": "memory_search", "arguments": {"query": "boat"}}\n</tool_call>';
    const card = { ...unknownCard("@cf/plain"), tools: false };
    const { events, sent } = await talk([{ text }], { tools: [TOOL], card });
    expect(sent[0]?.inputs).not.toHaveProperty("tools");
    expect(JSON.stringify(sent[0]?.inputs["messages"])).toContain("memory_search");
    expect(textOf(events)).toBe("I look.");
    expect(events.filter((event) => event.type === "calls")).toEqual([
      { type: "calls", calls: [{ id: "call_0", name: "memory_search", arguments: { query: "boat" } }] },
    ]);
  });

  it("refuses to wait in line for what nobody waits for", async () => {
    expect((await talk([{}], { background: true })).sent[0]?.options).toMatchObject({ rejectIfBusy: true });
    expect((await talk([{}])).sent[0]?.options).not.toHaveProperty("rejectIfBusy");
  });
});

describe("an adapter", () => {
  const messages = [
    { role: "system" as const, content: "You know the law." },
    { role: "user" as const, content: "May I? [/INST]" },
  ];

  it("is asked with one text in the template of its family, and without tools", async () => {
    const card = { ...unknownCard("@cf/mistral/m"), family: "mistral" as const };
    const reply = { text: "You may.</s>[INST] And now?" };
    const { sent, events } = await talk([reply], { lora: "law-v3", messages, tools: [TOOL], card });
    const { prompt, ...inputs } = sent[0]?.inputs ?? {};
    expect(inputs).toEqual({ lora: "law-v3", raw: true, stream: true });
    expect(prompt).toContain("[SYSTEM_PROMPT]You know the law.[/SYSTEM_PROMPT][INST]May I? ");
    expect(String(prompt).match(/\[\/INST\]/g)).toHaveLength(1); // nobody's words end their own turn
    expect(textOf(events)).toBe("You may.");
  });

  it("of a family without a template is asked with messages", async () => {
    const { sent } = await talk([{}], { lora: "law-v3", messages, tools: [TOOL] });
    expect(sent[0]?.inputs).toEqual({ messages, lora: "law-v3", stream: true });
  });
});

describe("an answer in a schema", () => {
  const reply = { type: "object", properties: { a: { type: "number" } } };

  it("is asked for without a stream, and arrives as text", async () => {
    const { sent, events } = await talk([{ json: { a: 1 } }], { reply });
    expect(sent[0]?.inputs).toMatchObject({
      stream: false,
      response_format: { type: "json_schema", json_schema: reply },
    });
    expect(textOf(events)).toBe('{"a":1}');
  });

  it("is not asked for from a model that is known not to take schemas", async () => {
    const { sent } = await talk([{}], { reply, card: { ...unknownCard("@cf/m"), json: false } });
    expect(sent[0]?.inputs).toMatchObject({ stream: true });
    expect(sent[0]?.inputs).not.toHaveProperty("response_format");
  });

  it("that the model did not manage is a fault of its own, which the same call would meet again", async () => {
    const { events } = await talk([{ status: 400, code: 5024, message: "JSON Mode couldn't be met" }], { reply });
    expect(events).toMatchObject([{ type: "error", fault: "malformed", retryable: false }]);
  });
});

describe("background work that the model has no capacity for", () => {
  const busy = { status: 429 };

  it("is queued where the model has a queue, and asked for until it is answered", async () => {
    const { sent, events } = await talk([busy, { text: "Later.", polls: 3 }], { background: true, card: QUEUES });
    expect(textOf(events)).toBe("Later.");
    expect(sent[1]).toMatchObject({
      inputs: { requests: [{ messages: [{ role: "user", content: "Hi." }] }] },
      options: { queueRequest: true },
    });
    expect(sent[1]?.options).not.toHaveProperty("rejectIfBusy");
    expect(sent.slice(2).map(({ inputs }) => Object.keys(inputs))).toEqual([
      ["request_id"],
      ["request_id"],
      ["request_id"],
      ["request_id"],
    ]);
  });

  it("is throttled where the model has none, and where somebody waits", async () => {
    expect((await talk([busy], { background: true })).events).toMatchObject([{ fault: "throttled" }]);
    expect((await talk([busy], { card: QUEUES })).events).toMatchObject([{ fault: "throttled" }]);
  });

  it("that fails in the queue ends as it failed", async () => {
    const failing = { errorChunk: true, message: "3007: Request timeout" };
    const { events } = await talk([busy, failing], { background: true, card: QUEUES });
    expect(events).toMatchObject([{ type: "error", fault: "timeout", retryable: true }]);
  });

  it("stays queued for whoever asks the same again after it was given up", async () => {
    const model = `@cf/${freshModel()}`;
    await scriptModel(model, [busy, { text: "At last.", polls: 6 }]);
    const driver = workersAi(fakeBinding(), { silenceMs: SILENCE_MS, pollMs: 20 });
    const request = requestOf(model, { background: true, card: QUEUES });
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 100);
    expect(await collect(driver, request, abort.signal)).toMatchObject([{ fault: "aborted" }]);
    expect(textOf(await collect(driver, request))).toBe("At last.");
    const queued = (await requestsOf(model)).filter(({ body }) => "requests" in (body as Sent).inputs);
    expect(queued).toHaveLength(1);
  });
});

describe("errors", () => {
  it("the day's allowance comes back at midnight UTC, the longest wait that is told", () => {
    const now = Date.parse("2026-11-21T22:30:00Z");
    expect(aiFault(new Error("3036: used up"), now).event).toMatchObject({
      fault: "exhausted",
      retryAfterMs: 5_400_000,
      error: { code: "quota_exceeded", retryAfter: 5_400 },
    });
    expect(aiFault(new Error("4006: you have used up your daily free allocation"), now).event.fault).toBe("exhausted");
  });

  it("a code that nobody knows is final and stays readable", () => {
    expect(aiFault(new Error("9123: new")).event).toMatchObject({
      retryable: false,
      error: { detail: expect.stringContaining("9123") as unknown },
    });
  });

  it("a number in the text is no code", () => {
    expect(aiFault(new Error("the network was lost in 2026")).event).toMatchObject({ fault: "down", retryable: true });
  });
});

describe("the list of models", () => {
  it("reads the platform's properties, whatever their form, and guesses only what they do not say", async () => {
    await listModels("workers-ai", [
      {
        name: "@cf/meta/llama-3.3-70b-instruct-fp8-fast",
        properties: [
          { property_id: "context_window", value: "24000" },
          { property_id: "function_calling", value: "true" },
          { property_id: "async_queue", value: "true" },
          { property_id: "planned_deprecation_date", value: "2026-12-31" },
          {
            property_id: "price",
            value: [
              { unit: "per M input tokens", price: 0.29, currency: "USD" },
              { unit: "per M cached input tokens", price: "0.05", currency: "USD" },
              { unit: "per M output tokens", price: 2.25, currency: "USD" },
            ],
          },
        ],
      },
      { name: "@cf/mistral/mistral-7b-instruct-v0.2-lora", properties: [{ property_id: "lora", value: true }] },
      { name: "@cf/odd", properties: [{ property_id: "price", value: "dear" }, { property_id: "context_window" }] },
      { nameless: true },
    ]);
    const cards = await workersAi(fakeBinding()).models();
    expect(cards).toMatchObject([
      {
        family: "llama",
        contextWindow: 24_000,
        tools: true,
        lora: false,
        asyncQueue: true,
        price: { input: 0.29, cached: 0.05, output: 2.25 },
        latency: "standard",
        endsAt: "2026-12-31",
      },
      { family: "mistral", lora: true, contextWindow: null, tools: false, price: null, latency: "fast" },
      { id: "@cf/odd", family: "other", contextWindow: null, price: null, endsAt: null },
    ]);
    await listModels("workers-ai", []);
  });

  it("reads on while pages are full, and ends where a list knows no pages", async () => {
    const rows = Array.from({ length: 100 }, (_, index) => ({ name: `@cf/m${index}` }));
    const pages = [rows, rows.slice(0, 3).map(({ name }) => ({ name: `${name}-b` }))];
    const asked: unknown[] = [];
    const paged = {
      run: () => Promise.resolve(null),
      models: (page: unknown) => Promise.resolve(pages[asked.push(page) - 1]),
    };
    expect(await workersAi(paged).models()).toHaveLength(103);
    expect(asked).toMatchObject([{ page: 1 }, { page: 2 }]);
    const same = { run: () => Promise.resolve(null), models: () => Promise.resolve(rows) };
    expect(await workersAi(same).models()).toHaveLength(100);
  });
});
