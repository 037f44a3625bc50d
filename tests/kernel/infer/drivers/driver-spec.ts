/**
 * Driver spec: what every driver owes its caller, as one suite that runs against each of them.
 *
 * `open(replies)` answers a driver whose next inferences get these replies in their order, and the request that reaches them.
 * `sent` says how many requests reached the provider; a driver that has none counts its inferences.
 */
import { describe, expect, it } from "vitest";
import type { ToolDefinition } from "#shared/calls.ts";
import type { Driver, InferEvent, InferRequest } from "#kernel/infer/drivers/driver.ts";
import type { Reply } from "#tests/fakes/provider/reply.ts";

export interface Opened {
  readonly driver: Driver;
  readonly model: string;
  sent(): Promise<number>;
}

export type Open = (replies: readonly Reply[]) => Promise<Opened>;

export const TOOL: ToolDefinition = {
  type: "function",
  function: {
    name: "memory_search",
    description: "Search.",
    parameters: { type: "object", properties: { query: { type: "string" } }, required: ["query"] },
  },
};

export function requestOf(model: string, more: Partial<InferRequest> = {}): InferRequest {
  const messages = [{ role: "user" as const, content: "Hi." }];
  return { model, messages, tools: [], reply: null, affinity: "ann/init", ...more };
}

export async function collect(
  driver: Driver,
  request: InferRequest,
  signal = new AbortController().signal,
): Promise<InferEvent[]> {
  const events: InferEvent[] = [];
  for await (const event of driver.infer(request, signal)) events.push(event);
  return events;
}

/** The whole text of an inference. */
export function textOf(events: readonly InferEvent[]): string {
  return events.map((event) => (event.type === "text" ? event.text : "")).join("");
}

/** Milliseconds in which a driver must have let go; generous, because the machine may be busy. */
const SOON_MS = 5_000;

export function driverSpec(name: string, open: Open): void {
  describe(`the ${name} driver`, () => {
    answers(open);
    endsAsItShould(open);
    lists(open);
  });
}

function answers(open: Open): void {
  it("says the text in pieces, then what it used, and ends", async () => {
    const reply = { text: "One two three, grüß dich 🐝.", inputTokens: 40, cachedTokens: 32, outputTokens: 6 };
    const { driver, model } = await open([reply]);
    const events = await collect(driver, requestOf(model));
    expect(textOf(events)).toBe(reply.text);
    expect(events.filter((event) => event.type === "text").length).toBeGreaterThan(1);
    expect(events.filter((event) => event.type === "usage")).toEqual([
      { type: "usage", usage: { inputTokens: 40, cachedTokens: 32, outputTokens: 6 } },
    ]);
    expect(events.filter((event) => event.type === "error" || event.type === "calls")).toEqual([]);
  });

  it("makes the calls that the model made, with their arguments and different ids", async () => {
    const calls = [
      { name: "memory_search", arguments: { query: 'the "red" boat' } },
      { name: "memory_search", arguments: { query: "küche" } },
    ];
    const { driver, model } = await open([{ calls }]);
    const events = await collect(driver, requestOf(model, { tools: [TOOL] }));
    const made = events.flatMap((event) => (event.type === "calls" ? event.calls : []));
    expect(made.map((call) => ({ name: call.name, arguments: call.arguments }))).toEqual(calls);
    expect(new Set(made.map((call) => call.id)).size).toBe(2);
  });

  it("answers every inference of many at once with its own reply, and changes no request", async () => {
    const replies = Array.from({ length: 8 }, (_, index) => ({ text: `number ${index} is mine` }));
    const { driver, model } = await open(replies);
    const request = requestOf(model, { tools: [TOOL] });
    const before = structuredClone(request);
    const said = await Promise.all(replies.map(() => collect(driver, request)));
    expect(said.map(textOf).toSorted()).toEqual(replies.map(({ text }) => text).toSorted());
    expect(request).toEqual(before);
  });

  it("ends with one error event when it fails, asks once, and answers the next inference", async () => {
    const { driver, model, sent } = await open([{ status: 500 }, { text: "Back again." }]);
    const events = await collect(driver, requestOf(model));
    expect(events).toMatchObject([{ type: "error", retryable: true, fault: "down" }]);
    expect(await sent()).toBe(1);
    expect(textOf(await collect(driver, requestOf(model)))).toBe("Back again.");
  });

  it("says what it heard before a stream broke, then the error, then nothing", async () => {
    const { driver, model } = await open([{ text: "One two three.", cut: "end", afterChunks: 2 }]);
    const events = await collect(driver, requestOf(model));
    expect(textOf(events)).toBe("One two");
    expect(events.at(-1)).toMatchObject({ type: "error", fault: "cut", retryable: true });
    expect(events.filter((event) => event.type === "error")).toHaveLength(1);
  });
}

function endsAsItShould(open: Open): void {
  it("never begins for a signal that is aborted already", async () => {
    const { driver, model } = await open([{ text: "Never." }]);
    const events = await collect(driver, requestOf(model), AbortSignal.abort(new Error("cancelled")));
    expect(events).toMatchObject([{ type: "error", fault: "aborted", retryable: false }]);
  });

  it.each(["headers", "stream"] as const)("ends at once when it is aborted while the %s hang", async (hang) => {
    const { driver, model } = await open([{ hang, text: "One two three." }]);
    const abort = new AbortController();
    setTimeout(() => abort.abort(new Error("cancelled")), 100);
    const started = Date.now();
    const events = await collect(driver, requestOf(model), abort.signal);
    expect(events.at(-1)).toMatchObject({ type: "error", fault: "aborted", retryable: false });
    expect(Date.now() - started).toBeLessThan(SOON_MS);
  });

  it("lets whoever has heard enough leave", async () => {
    const { driver, model } = await open([{ text: "One two three.", hang: "stream" }, { text: "Next." }]);
    for await (const event of driver.infer(requestOf(model), new AbortController().signal)) {
      expect(event).toMatchObject({ type: "text" });
      break;
    }
    expect(textOf(await collect(driver, requestOf(model)))).toBe("Next.");
  });
}

function lists(open: Open): void {
  it("lists its models as cards with different ids", async () => {
    const { driver } = await open([]);
    const cards = await driver.models();
    expect(cards.length).toBeGreaterThan(0);
    expect(new Set(cards.map((card) => card.id)).size).toBe(cards.length);
    for (const card of cards) {
      expect(card.id).not.toBe("");
      expect(card.contextWindow ?? 1).toBeGreaterThan(0);
    }
  });
}
