/**
 * Faults over real HTTP: whatever a provider does, the inference ends in time, with the one error event that says what it was.
 */
import { describe, expect, it } from "vitest";
import type { Fault } from "#kernel/infer/drivers/driver.ts";
import { openai } from "#kernel/infer/drivers/openai.ts";
import { providerStats } from "#tests/fakes/provider-client.ts";
import type { Reply } from "#tests/fakes/provider/reply.ts";
import { collect, requestOf, textOf } from "#tests/kernel/infer/drivers/driver-spec.ts";
import { openOpenai, PROVIDER_DRIVERS, providerOf, SILENCE_MS } from "#tests/kernel/infer/drivers/provider-drivers.ts";

interface Case {
  readonly what: string;
  readonly reply: Reply;
  readonly fault: Fault;
  readonly code?: string;
  readonly retryable: boolean;
  readonly retryAfterMs?: number;
  readonly said?: string;
}

const TEXT = "One two three four.";

/** What goes wrong in the same way whoever serves the model. */
const EVERYWHERE: readonly Case[] = [
  { what: "a broken server", reply: { status: 500 }, fault: "down", retryable: true },
  { what: "a refusal for capacity", reply: { status: 429 }, fault: "throttled", retryable: true },
  { what: "a model that is not there", reply: { status: 404 }, fault: "refused", code: "not_found", retryable: false },
  { what: "a bad request", reply: { status: 400 }, fault: "refused", code: "invalid_request", retryable: false },
  {
    what: "a prompt that is too large",
    reply: { status: 413 },
    fault: "too-large",
    code: "payload_too_large",
    retryable: false,
  },
  {
    what: "a prompt that is too long by the words alone",
    reply: { status: 400, message: "This model's maximum context length is 8192 tokens." },
    fault: "too-large",
    retryable: false,
  },
  { what: "a timeout of the provider", reply: { status: 408 }, fault: "timeout", retryable: true },
  { what: "silence before the headers", reply: { hang: "headers" }, fault: "timeout", retryable: true },
  {
    what: "silence in the stream",
    reply: { hang: "stream", text: TEXT },
    fault: "timeout",
    retryable: true,
    said: "One",
  },
  { what: "a drip of comments", reply: { pings: true, chunkMs: 50 }, fault: "timeout", retryable: true },
  { what: "a reset in the stream", reply: { cut: "reset", text: TEXT }, fault: "cut", retryable: true },
  { what: "a reset in the middle of a chunk", reply: { cutAfterBytes: 30, text: TEXT }, fault: "cut", retryable: true },
  {
    what: "an early end",
    reply: { cut: "end", text: TEXT, afterChunks: 3 },
    fault: "cut",
    retryable: true,
    said: "One two three",
  },
  {
    what: "a chunk that is no JSON",
    reply: { malformed: true, text: TEXT },
    fault: "malformed",
    retryable: true,
    said: "One",
  },
  { what: "a page of HTML", reply: { garbage: true, whole: true }, fault: "malformed", retryable: true },
];

const OPENAI: readonly Case[] = [
  { what: "a bad gateway", reply: { status: 502 }, fault: "down", retryable: true },
  {
    what: "a server that loads its model",
    reply: { status: 503, retryAfter: "3" },
    fault: "down",
    retryable: true,
    retryAfterMs: 3_000,
  },
  {
    what: "a server that asks for 2 seconds",
    reply: { status: 429, retryAfter: "2" },
    fault: "throttled",
    retryable: true,
    retryAfterMs: 2_000,
  },
  {
    what: "a server that asks for 250 milliseconds",
    reply: { status: 429, retryAfterMs: 250 },
    fault: "throttled",
    retryable: true,
    retryAfterMs: 250,
  },
  {
    what: "a server that asks for a year",
    reply: { status: 429, retryAfter: "31536000" },
    fault: "throttled",
    retryable: true,
    retryAfterMs: 86_400_000,
  },
  {
    what: "a refusal of too many tokens a minute",
    reply: { status: 429, message: "Too many tokens, please wait before trying again." },
    fault: "throttled",
    retryable: true,
  },
  {
    what: "a date that has passed",
    reply: { status: 429, retryAfter: "Wed, 21 Oct 2015 07:28:00 GMT" },
    fault: "throttled",
    retryable: true,
    retryAfterMs: 0,
  },
  {
    what: "an allowance that is used up",
    reply: { status: 429, code: "insufficient_quota" },
    fault: "exhausted",
    code: "quota_exceeded",
    retryable: false,
  },
  {
    what: "a bill that is not paid",
    reply: { status: 402 },
    fault: "exhausted",
    code: "quota_exceeded",
    retryable: false,
  },
  {
    what: "a key that is wrong",
    reply: { status: 401 },
    fault: "refused",
    code: "model_unavailable",
    retryable: false,
  },
  { what: "an overload by a code of its own", reply: { status: 529 }, fault: "throttled", retryable: true },
  {
    what: "an error in the stream",
    reply: { errorChunk: true, text: TEXT },
    fault: "down",
    retryable: true,
    said: "One",
  },
  {
    what: "a limit in the stream",
    reply: { errorChunk: true, code: "rate_limit_exceeded" },
    fault: "throttled",
    retryable: true,
  },
  {
    what: "a limit of tokens in the stream",
    reply: { errorChunk: true, code: "rate_limit_exceeded", message: "Too many tokens per minute." },
    fault: "throttled",
    retryable: true,
  },
  {
    what: "a prompt too long in the stream",
    reply: { errorChunk: true, code: "context_length_exceeded" },
    fault: "too-large",
    retryable: false,
  },
  {
    what: "a whole answer that is no JSON",
    reply: { whole: true, malformed: true },
    fault: "malformed",
    retryable: true,
  },
];

const WORKERS_AI: readonly Case[] = [
  { what: "an error without a code of the table", reply: { status: 500, code: 9999 }, fault: "down", retryable: false },
  {
    what: "the day's allowance",
    reply: { status: 429, code: 3036 },
    fault: "exhausted",
    code: "quota_exceeded",
    retryable: false,
  },
  {
    what: "capacity in the stream",
    reply: { errorChunk: true, code: 3040, text: TEXT },
    fault: "throttled",
    retryable: true,
    said: "One",
  },
  { what: "no adapters", reply: { status: 405, code: 5005 }, fault: "refused", retryable: false },
  {
    what: "an adapter that is not there",
    reply: { status: 400, code: 3037 },
    fault: "refused",
    code: "not_found",
    retryable: false,
  },
  {
    what: "a model that needs an agreement",
    reply: { status: 403, code: 5016 },
    fault: "refused",
    code: "model_unavailable",
    retryable: false,
  },
];

/** A driver may wait for the silence once for the headers and once behind them, and the machine may be busy. */
const BOUND_MS = 2 * SILENCE_MS + 5_000;

describe.each(PROVIDER_DRIVERS)("%s", (name, open) => {
  const cases = [...EVERYWHERE, ...(name === "openai" ? OPENAI : WORKERS_AI)];
  it.each(cases)("$what is $fault", async ({ reply, fault, code, retryable, retryAfterMs, said }) => {
    const opened = await open([reply]);
    const started = Date.now();
    const events = await collect(opened.driver, requestOf(opened.model));
    expect(Date.now() - started).toBeLessThan(BOUND_MS);
    const errors = events.filter((event) => event.type === "error");
    expect(errors).toMatchObject([{ fault, retryable, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }]);
    expect(events.at(-1)).toBe(errors[0]);
    if (code !== undefined) expect(errors[0]?.error.code).toBe(code);
    if (said !== undefined) expect(textOf(events)).toBe(said);
    expect(await opened.sent()).toBe(1);
  });

  it("shows a stranger nothing of what the provider said", async () => {
    for (const reply of [
      { status: 500, message: "secret host db7" },
      { errorChunk: true, message: "secret host db7" },
    ]) {
      const opened = await open([reply]);
      expect(JSON.stringify(await collect(opened.driver, requestOf(opened.model)))).not.toContain("secret");
    }
  });

  it("asks nothing for a signal that is aborted already", async () => {
    const opened = await open([{ text: TEXT }]);
    await collect(opened.driver, requestOf(opened.model), AbortSignal.abort());
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await opened.sent()).toBe(0);
  });

  it.each(["an abort", "a reader that leaves"])("ends the provider's work at %s", async (end) => {
    const opened = await open([{ words: 1_000, chunkMs: 20 }]);
    const abort = new AbortController();
    for await (const event of opened.driver.infer(requestOf(opened.model), abort.signal)) {
      if (event.type !== "text") continue;
      if (end !== "an abort") break;
      abort.abort();
    }
    const model = opened.model.replace(/^fake\//, "");
    const isOver = async (): Promise<boolean> => (await providerStats()).models[model]?.live === 0;
    for (let tries = 0; tries < 200 && !(await isOver()); tries += 1) await new Promise((r) => setTimeout(r, 20));
    expect((await providerStats()).models[model]).toMatchObject({ requests: 1, live: 0, aborted: 1 });
  });
});

describe("openai", () => {
  it("a server that is not there is down", async () => {
    const driver = openai(providerOf({ baseUrl: "http://127.0.0.1:9/v1" }));
    expect(await collect(driver, requestOf("fake/m"))).toMatchObject([{ fault: "down", retryable: true }]);
  });

  it.each([
    ["without [DONE]", { noDone: true }],
    ["without a finish_reason", { noFinish: true }],
    ["on a connection that stays open", { staysOpen: true }],
    ["as one whole", { whole: true }],
    ["drop by drop", { chunkMs: 40 }],
  ] as const)("an answer %s is whole", async (_, reply) => {
    const opened = await openOpenai([{ text: TEXT, ...reply }]);
    const events = await collect(opened.driver, requestOf(opened.model));
    expect(textOf(events)).toBe(TEXT);
    expect(events.filter((event) => event.type === "error")).toEqual([]);
    expect(events.filter((event) => event.type === "usage")).toHaveLength(1);
  });
});

describe.each(PROVIDER_DRIVERS)("%s, cut after any number of bytes,", (_, open) => {
  it("never passes off a part as the whole", async () => {
    const cuts = Array.from({ length: 24 }, (__, index) => 1 + index * 80);
    const outcomes = await Promise.all(
      cuts.map(async (cutAfterBytes) => {
        const opened = await open([{ text: TEXT, calls: [{ name: "memory_search", arguments: {} }], cutAfterBytes }]);
        const events = await collect(opened.driver, requestOf(opened.model));
        const whole = textOf(events) === TEXT && events.some((event) => event.type === "calls");
        return { failed: events.at(-1)?.type === "error", whole, said: textOf(events) };
      }),
    );
    for (const { failed, whole, said } of outcomes) {
      expect(failed).toBe(!whole);
      expect(TEXT.startsWith(said)).toBe(true);
    }
    expect(outcomes.some(({ failed }) => failed)).toBe(true);
    expect(outcomes.some(({ whole }) => whole)).toBe(true);
  });
});
