/**
 * Limits of the drivers, each at its edge: lists, refusals, the queue of Workers AI.
 */
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  AI_MODEL_PAGES,
  AI_MODELS_PER_PAGE,
  AI_POLL_MOST_MS,
  AI_QUEUE_WAIT_MS,
  AI_QUEUED_MOST,
  PROVIDER_ERROR_BYTES,
  PROVIDER_LIST_MS,
} from "#shared/limits.ts";
import { unknownCard } from "#shared/models.ts";
import { readRefusal, statusFault } from "#kernel/infer/drivers/http-faults.ts";
import { workersAi, type AiBinding } from "#kernel/infer/drivers/workers-ai.ts";
import { collect, requestOf } from "#tests/kernel/infer/drivers/driver-spec.ts";

afterEach(() => void vi.useRealTimers());

const card = { ...unknownCard("@cf/m"), asyncQueue: true };

/** A model that never has capacity, and a queue that never answers. */
function endlessQueue(): { binding: AiBinding; asked: { queued: number; polled: number[] } } {
  const asked = { queued: 0, polled: [] as number[] };
  const run: AiBinding["run"] = (_model, inputs, options) => {
    if ((inputs as { request_id?: string }).request_id !== undefined) {
      asked.polled.push(Date.now());
      return Promise.resolve({ status: "running" });
    }
    if ((options as { queueRequest?: boolean }).queueRequest !== true) return Promise.reject(new Error("3040: busy"));
    asked.queued += 1;
    return Promise.resolve({ status: "queued", request_id: `q${asked.queued}` });
  };
  return { binding: { run, models: () => Promise.resolve([]) }, asked };
}

describe("the queue", () => {
  it("is asked less and less often, at least every AI_POLL_MOST_MS, and for AI_QUEUE_WAIT_MS", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    const began = Date.now();
    const { binding, asked } = endlessQueue();
    const request = requestOf("@cf/m", { background: true, card });
    const events = collect(workersAi(binding, { pollMs: 1_000 }), request);
    await vi.advanceTimersByTimeAsync(AI_QUEUE_WAIT_MS + AI_POLL_MOST_MS);
    expect(await events).toMatchObject([{ type: "error", fault: "timeout", retryable: true }]);
    const gaps = asked.polled.map((at, index) => at - (asked.polled[index - 1] ?? began));
    expect(gaps.slice(0, 3)).toEqual([1_000, 2_000, 4_000]);
    expect(Math.max(...gaps)).toBe(AI_POLL_MOST_MS);
    expect((asked.polled.at(-1) ?? 0) - began).toBeGreaterThanOrEqual(AI_QUEUE_WAIT_MS);
  });

  it("remembers the last AI_QUEUED_MOST requests that were given up", async () => {
    const { binding, asked } = endlessQueue();
    const driver = workersAi(binding, { pollMs: 1 });
    const giveUp = async (index: number): Promise<void> => {
      const abort = new AbortController();
      setTimeout(() => abort.abort(), 5);
      const messages = [{ role: "user" as const, content: `number ${index}` }];
      await collect(driver, requestOf("@cf/m", { background: true, card, messages }), abort.signal);
    };
    for (let index = 0; index <= AI_QUEUED_MOST; index += 1) await giveUp(index);
    expect(asked.queued).toBe(AI_QUEUED_MOST + 1);
    await giveUp(1);
    expect(asked.queued).toBe(AI_QUEUED_MOST + 1);
    await giveUp(0);
    expect(asked.queued).toBe(AI_QUEUED_MOST + 2);
  });
});

describe("lists", () => {
  it("have at most AI_MODEL_PAGES pages", async () => {
    let pages = 0;
    const models = (): Promise<unknown> => {
      pages += 1;
      return Promise.resolve(
        Array.from({ length: AI_MODELS_PER_PAGE }, (_, index) => ({ name: `@cf/${pages}-${index}` })),
      );
    };
    const cards = await workersAi({ run: () => Promise.reject(new Error("no")), models }).models();
    expect(pages).toBe(AI_MODEL_PAGES);
    expect(cards).toHaveLength(AI_MODEL_PAGES * AI_MODELS_PER_PAGE);
  });

  it("are waited for PROVIDER_LIST_MS", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const silent = { run: () => Promise.reject(new Error("no")), models: () => new Promise(() => undefined) };
    const listed = workersAi(silent)
      .models()
      .catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(PROVIDER_LIST_MS - 1);
    await vi.advanceTimersByTimeAsync(1);
    expect(await listed).toBeInstanceOf(Error);
  });
});

describe("a refusal", () => {
  it("is read up to PROVIDER_ERROR_BYTES, and its status counts whatever it says", async () => {
    const long = new Response("x".repeat(PROVIDER_ERROR_BYTES * 4), { status: 500 });
    expect((await readRefusal(long)).message).toHaveLength(PROVIDER_ERROR_BYTES);
    for (const body of ["", "{", "null", "[]", '{"error":7}', '{"error":{"message":7}}', '{"detail":"no"}']) {
      const said = await readRefusal(new Response(body, { status: 503 }));
      expect(statusFault(503, new Headers(), said, false).event).toMatchObject({ fault: "down", retryable: true });
    }
    const endless = new Response(new ReadableStream({ pull: (to) => to.enqueue(new Uint8Array(9_000).fill(97)) }));
    expect((await readRefusal(endless)).message.length).toBeLessThan(PROVIDER_ERROR_BYTES + 9_000);
  });
});
