/**
 * OpenAI driver: what it sends, what it reads of lists, and that its answers survive the form a server gives them.
 */
import { describe, expect, it } from "vitest";
import type { InferRequest } from "#kernel/infer/drivers/driver.ts";
import { openai } from "#kernel/infer/drivers/openai.ts";
import type { Provider } from "#kernel/infer/drivers/providers.ts";
import { unknownCard } from "#shared/models.ts";
import { listModels, requestsOf, scriptModel } from "#tests/fakes/provider-client.ts";
import { nameOfReply, type Reply, type Seen } from "#tests/fakes/provider/reply.ts";
import { collect, requestOf, textOf, TOOL } from "#tests/kernel/infer/drivers/driver-spec.ts";
import { freshModel, openOpenai, providerOf } from "#tests/kernel/infer/drivers/provider-drivers.ts";

/** The one request that an inference made of the provider. */
async function sent(
  more: Partial<InferRequest>,
  settings: Partial<Provider> = {},
  reply: Reply = {},
): Promise<Seen & { body: Record<string, unknown> }> {
  const model = freshModel();
  await scriptModel(more.lora ?? model, [], reply);
  await scriptModel(model, [], reply);
  const events = await collect(openai(providerOf(settings)), requestOf(`fake/${model}`, more));
  expect(events.filter((event) => event.type === "error")).toEqual([]);
  const seen = [...(await requestsOf(model)), ...(more.lora === undefined ? [] : await requestsOf(more.lora))];
  expect(seen).toHaveLength(1);
  return seen[0] as Seen & { body: Record<string, unknown> };
}

describe("what is sent", () => {
  it("is a stream with usage, with the key, and with the process for the prefix cache", async () => {
    const { body, headers } = await sent({}, { key: "sk-1" });
    expect(body).toMatchObject({ stream: true, stream_options: { include_usage: true } });
    expect(body["messages"]).toEqual([{ role: "user", content: "Hi." }]);
    for (const field of ["tools", "response_format", "max_tokens", "lora"]) expect(body).not.toHaveProperty(field);
    expect(headers).toMatchObject({ authorization: "Bearer sk-1" });
    // Whose process it is, and how the person named it, is nobody's business there.
    const { "x-session-affinity": affinity } = headers as Record<string, string>;
    expect(affinity).toMatch(/^[0-9a-f]{32}$/);
    expect((await sent({})).headers).toMatchObject({ "x-session-affinity": affinity });
    expect((await sent({ affinity: "ann/work" })).headers).not.toMatchObject({ "x-session-affinity": affinity });
  });

  it("has no key where there is none", async () => {
    expect((await sent({})).headers).not.toHaveProperty("authorization");
  });

  it("has tools, the most that may be answered, and a transcript with calls and results", async () => {
    const call = { id: "c1", name: "memory_search", arguments: { query: "boat" } };
    const messages = [
      { role: "system" as const, content: "Be brief." },
      { role: "user" as const, content: "Which boat?" },
      { role: "assistant" as const, content: "", toolCalls: [call] },
      { role: "tool" as const, content: "p1: Marzipan", toolCallId: "c1" },
      { role: "user" as const, content: "And?" },
    ];
    const { body } = await sent({ messages, tools: [TOOL], maxTokens: 77 });
    expect(body).toMatchObject({
      max_tokens: 77,
      tools: [TOOL],
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: "Which boat?" },
        {
          role: "assistant",
          tool_calls: [
            { id: "c1", type: "function", function: { name: "memory_search", arguments: '{"query":"boat"}' } },
          ],
        },
        { role: "tool", content: "p1: Marzipan", tool_call_id: "c1" },
        { role: "user", content: "And?" },
      ],
    });
  });

  it("tells a model without tools of them in words, and one whose template takes no later system message of it in a person's turn", async () => {
    const messages = [
      { role: "user" as const, content: "Which boat?" },
      { role: "system" as const, content: "Today is Monday." },
    ];
    const card = { ...unknownCard("fake/gemma"), family: "gemma" as const, tools: false };
    const { body } = await sent({ messages, tools: [TOOL], card });
    expect(body).not.toHaveProperty("tools");
    expect(body["messages"]).toEqual([
      { role: "system", content: expect.stringContaining('"name":"memory_search"') },
      { role: "user", content: "Which boat?\n\n<system>\nToday is Monday.\n</system>" },
    ]);
  });

  it("names a schema that is not held to word for word, but not to a model that is known not to take one", async () => {
    const reply = { type: "object", properties: { a: { type: "number" } } };
    const { body } = await sent({ reply });
    expect(body["response_format"]).toMatchObject({
      type: "json_schema",
      json_schema: { schema: reply, strict: false },
    });
    const card = { ...unknownCard("fake/m"), json: false };
    expect((await sent({ reply, card })).body).not.toHaveProperty("response_format");
  });

  it("asks for an adapter by the model's name (vLLM) or by its number (llama-server)", async () => {
    const lora = freshModel();
    expect((await sent({ lora })).body).toMatchObject({ model: lora });
    const { body } = await sent({ lora: "2" }, { lora: "llama-server" });
    expect(body).toMatchObject({ lora: [{ id: 2, scale: 1 }] });
    const driver = openai(providerOf({ lora: "llama-server" }));
    expect(await collect(driver, requestOf("fake/m", { lora: "law-v3" }))).toMatchObject([{ fault: "refused" }]);
  });
});

describe("what is read", () => {
  it("an answer in a schema arrives as its text", async () => {
    const { driver, model } = await openOpenai([{ json: { a: 1 } }]);
    expect(textOf(await collect(driver, requestOf(model, { reply: { type: "object" } })))).toBe('{"a":1}');
  });

  it("a server that cannot answer in a schema says so in a way that the kernel can go round", async () => {
    const { driver, model } = await openOpenai([{ status: 400, message: "response_format is not supported" }]);
    const events = await collect(driver, requestOf(model, { reply: { type: "object" } }));
    expect(events).toMatchObject([{ type: "error", fault: "malformed", retryable: false }]);
  });

  it("a call written as text is made, and is no text", async () => {
    const text = 'I look.\n<tool_call>{"name":"memory_search","arguments":{"query":"boat"}}</tool_call>';
    const { driver, model } = await openOpenai([{ text }]);
    const events = await collect(driver, requestOf(model, { tools: [TOOL] }));
    expect(textOf(events)).not.toContain("tool_call");
    expect(events.at(-1)).toMatchObject({
      type: "calls",
      calls: [{ name: "memory_search", arguments: { query: "boat" } }],
    });
  });

  it("calls without ids are made all the same", async () => {
    const { driver, model } = await openOpenai([{ calls: [{ name: "memory_search", arguments: "{}", id: "" }] }]);
    const events = await collect(driver, requestOf(model, { tools: [TOOL] }));
    expect(events.at(-1)).toMatchObject({ type: "calls", calls: [{ id: "call_0", name: "memory_search" }] });
  });

  it("a model name can ask the fake provider for its reply", async () => {
    const model = nameOfReply({ status: 429, retryAfterMs: 20 });
    expect(await collect(openai(providerOf()), requestOf(`fake/${model}`))).toMatchObject([
      { fault: "throttled", retryAfterMs: 20 },
    ]);
  });
});

describe("the list of models", () => {
  it("reads what OpenAI, vLLM, llama-server and LM Studio say, and leaves out what it cannot read", async () => {
    await listModels("openai", {
      data: [
        { id: "gpt-5-mini", object: "model" },
        { id: "meta-llama/Llama-3.1-8B-Instruct", max_model_len: 8_192 },
        { id: "qwen3-30b-a3b", meta: { n_ctx_train: 32_768 } },
        { id: "mistral-large-123b", max_context_length: 131_072 },
        { id: "odd", max_model_len: "many", meta: "none" },
        { no: "id" },
        null,
      ],
    });
    const cards = await openai(providerOf()).models();
    expect(cards.map(({ id, family, contextWindow, latency }) => [id, family, contextWindow, latency])).toEqual([
      ["fake/gpt-5-mini", "other", null, "fast"],
      ["fake/meta-llama/Llama-3.1-8B-Instruct", "llama", 8_192, "fast"],
      ["fake/qwen3-30b-a3b", "qwen", 32_768, "fast"],
      ["fake/mistral-large-123b", "mistral", 131_072, "slow"],
      ["fake/odd", "other", null, "standard"],
    ]);
    expect(new Set(cards.map(({ provider, source }) => `${provider} ${source}`))).toEqual(new Set(["fake discovered"]));
    await listModels("openai", { data: [{ id: "fake" }] });
  });

  it("rejects when the provider does not answer, or not with a list", async () => {
    await expect(openai(providerOf({ baseUrl: "http://127.0.0.1:9/v1" })).models()).rejects.toThrow();
    await listModels("openai", { error: "no" });
    await expect(openai(providerOf()).models()).rejects.toThrow();
    await listModels("openai", { data: [{ id: "fake" }] });
  });
});
