/**
 * OpenAI clients: the real `openai` package and `@ai-sdk/openai`, whole and streamed, against the Worker's own door.
 */
import { exports } from "cloudflare:workers";
import { createOpenAI } from "@ai-sdk/openai";
import { generateText, streamText } from "ai";
import OpenAI from "openai";
import { beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { newUser, ORIGIN, type User } from "#tests/workers/edge-client.ts";

let user: User;
let client: OpenAI;
let requests = 0;

const throughTheWorker: typeof fetch = async (input, init) => {
  requests += 1;
  return exports.default.fetch(new Request(input, init));
};

beforeAll(async () => {
  user = await newUser("openai");
  client = new OpenAI({ apiKey: user.key, baseURL: `${ORIGIN}/v1`, fetch: throughTheWorker });
  const page = await user.call("POST", "/v1/memory", { text: "Ada's cat is called Turing.", kind: "fact" });
  expect(page.status).toBe(201);
});

/** What Lamina adds to OpenAI's shape. */
const extraSchema = z.object({
  lamina: z.object({ run: z.string(), citations: z.array(z.object({ handle: z.string(), quote: z.string() })) }),
});

const QUESTION = "What is Ada's cat called?";

describe("openai", () => {
  test("lists models", async () => {
    const models = await client.models.list();
    expect(models.data.map(({ id }) => id)).toContain("lamina");
  });

  test("a completion, whole", async () => {
    const reply = await client.chat.completions.create({
      model: "lamina",
      messages: [{ role: "user", content: [{ type: "text", text: QUESTION }] }],
      temperature: 0.2,
      seed: 7,
    });
    expect(reply.object).toBe("chat.completion");
    expect(reply.choices[0]?.message.content).toContain("Turing");
    expect(reply.choices[0]?.finish_reason).toBe("stop");
    expect(reply.usage?.total_tokens).toBeGreaterThan(0);
    const { lamina } = extraSchema.parse(reply);
    expect(lamina.citations[0]).toMatchObject({ quote: expect.stringContaining("Turing") });
  });

  test("a completion, streamed, with usage", async () => {
    const stream = await client.chat.completions.create({
      model: "lamina",
      messages: [
        { role: "system", content: "Be short." },
        { role: "user", content: QUESTION },
      ],
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = "";
    let usage = 0;
    const finished: string[] = [];
    for await (const chunk of stream) {
      expect(chunk.object).toBe("chat.completion.chunk");
      text += chunk.choices[0]?.delta.content ?? "";
      if (typeof chunk.choices[0]?.finish_reason === "string") finished.push(chunk.choices[0].finish_reason);
      usage = chunk.usage?.total_tokens ?? usage;
    }
    expect(text).toContain("Turing");
    expect(finished).toEqual(["stop"]);
    expect(usage).toBeGreaterThan(0);
  });

  test("errors are the client's own, and a refusal is not sent again", async () => {
    requests = 0;
    const unknown = client.chat.completions.create({ model: "gpt-5", messages: [{ role: "user", content: "hi" }] });
    await expect(unknown).rejects.toMatchObject({ status: 404, code: "not_found", type: "invalid_request_error" });
    const stranger = new OpenAI({ apiKey: "sk-none", baseURL: `${ORIGIN}/v1`, fetch: throughTheWorker });
    await expect(stranger.models.list()).rejects.toMatchObject({ status: 401, type: "authentication_error" });
    expect(requests).toBe(2);
  });

  test("a thread keeps the conversation; a diverging one is a conflict", async () => {
    const headers = { "x-lamina-thread": "openai-thread" };
    const first = { role: "user" as const, content: "Remember that Grace has a boat." };
    const one = await client.chat.completions.create({ model: "lamina", messages: [first] }, { headers });
    const answer = { role: "assistant" as const, content: one.choices[0]?.message.content ?? "" };
    const second = { role: "user" as const, content: "What does Grace have?" };
    const two = await client.chat.completions.create(
      { model: "lamina", messages: [first, answer, second] },
      { headers },
    );
    expect(two.choices[0]?.message.content).toContain("boat");
    const messages = await user.call("GET", "/v1/processes/init/threads/openai-thread/messages");
    const roles = (messages.body["items"] as { role: string; content: string }[]).filter(({ role }) => role === "user");
    expect(roles.map(({ content }) => content).toSorted()).toEqual([first.content, second.content].toSorted());
    const other = { role: "user" as const, content: "Something else was said here." };
    const diverged = client.chat.completions.create(
      { model: "lamina", messages: [other, answer, second] },
      { headers, maxRetries: 0 },
    );
    await expect(diverged).rejects.toMatchObject({ status: 409, code: "conflict" });
  });

  test("without a thread nothing is kept", async () => {
    const before = await user.call("GET", "/v1/processes/init/threads");
    await client.chat.completions.create({ model: "lamina", messages: [{ role: "user", content: QUESTION }] });
    const after = await user.call("GET", "/v1/processes/init/threads");
    expect(after.body).toEqual(before.body);
  });

  test("a client that leaves cancels a stateless run", async () => {
    const stream = await client.chat.completions.create({
      model: "lamina",
      messages: [{ role: "user", content: QUESTION }],
      stream: true,
    });
    let id = "";
    for await (const chunk of stream) {
      id = chunk.id.replace("chatcmpl-", "");
      break;
    }
    await expect
      .poll(async () => (await user.call("GET", `/v1/runs/${id}`)).body["status"], { timeout: 5_000 })
      .toMatch(/^(?:cancelled|done)$/);
  });
});

describe("@ai-sdk/openai", () => {
  const provider = () => createOpenAI({ apiKey: user.key, baseURL: `${ORIGIN}/v1`, fetch: throughTheWorker });

  test("generateText", async () => {
    const { text, usage } = await generateText({ model: provider().chat("lamina"), prompt: QUESTION });
    expect(text).toContain("Turing");
    expect(usage.totalTokens).toBeGreaterThan(0);
  });

  test("streamText", async () => {
    const result = streamText({ model: provider().chat("lamina"), prompt: QUESTION });
    let text = "";
    for await (const piece of result.textStream) text += piece;
    expect(text).toContain("Turing");
    expect((await result.usage).totalTokens).toBeGreaterThan(0);
    expect(await result.finishReason).toBe("stop");
  });
});
