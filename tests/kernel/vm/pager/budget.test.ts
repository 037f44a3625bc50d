/**
 * Token budgets: what a model reports is learned, and a prompt that is too large costs one eviction, not the run.
 */
import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { Caller } from "#shared/abi.ts";
import type { VmStat } from "#shared/inspection.ts";
import { failure } from "#shared/errors.ts";
import { ANSWER_TOKENS, TOKEN_MARGIN_PERCENT, WINDOW_TOKENS } from "#shared/limits.ts";
import { unknownCard, type ModelPrice } from "#shared/models.ts";
import type { Result } from "#shared/result.ts";
import { estimateTokens } from "#shared/tokens.ts";
import type { InferEvent, InferRequest } from "#kernel/infer/drivers/driver.ts";
import { aiFault } from "#kernel/infer/drivers/workers-ai-errors.ts";
import { head } from "#kernel/infer/head.ts";
import { contextTokens } from "#kernel/vm/context/context.ts";
import { calibrate, overflowed, ratioOf, UNCALIBRATED } from "#kernel/vm/pager/calibration.ts";
import { DEFAULT_PRICES, pricesOf } from "#kernel/vm/pager/prices.ts";
import { setCalibration, tokenRatio } from "#kernel/vm/pager/record.ts";
import { windowOf } from "#kernel/vm/pager/window.ts";
import { calls, inKernel, installSeam, play, rows, text, useModel } from "#tests/kernel/kernel-seam.ts";
import { ask, callerOf, objectOf, unwrap } from "#tests/kernel/process-client.ts";

installSeam();

const stat = async (caller: Caller): Promise<VmStat> =>
  unwrap((await objectOf(caller).vmstat(caller)) as Result<VmStat>);

/** A model that counts `ratio` tokens for an estimated one and refuses prompts above its window. */
function counts(caller: Caller, ratio: number, window = Number.POSITIVE_INFINITY): InferRequest[] {
  const sent: InferRequest[] = [];
  useModel(caller, (request) => {
    sent.push(request);
    const inputTokens = Math.round(contextTokens(request.messages) * ratio);
    if (inputTokens > window) {
      const error = failure("payload_too_large", "The prompt is larger than the model takes.");
      return play([{ type: "error", error, retryable: false }]);
    }
    return play([text("Noted."), { type: "usage", usage: { inputTokens, cachedTokens: 0, outputTokens: 2 } }]);
  });
  return sent;
}

describe("calibration", () => {
  it("counts with a margin before the first report, then by what was reported, long prompts before short ones", () => {
    expect(ratioOf(UNCALIBRATED)).toBe(TOKEN_MARGIN_PERCENT / 100);
    expect(ratioOf(calibrate(UNCALIBRATED, 1_000, 1_200))).toBeCloseTo(1.2);
    const both = calibrate(calibrate(UNCALIBRATED, 100, 300), 10_000, 11_000);
    expect(ratioOf(both)).toBeLessThan(1.15);
    expect(calibrate(both, 1_000, 0)).toBe(both); // a report of nothing is none
    expect(ratioOf(calibrate(UNCALIBRATED, 1_000, 100_000))).toBe(4);
  });

  it("learns a window that only shrinks", () => {
    const once = overflowed(calibrate(UNCALIBRATED, 1_000, 1_000), 20_000);
    expect(once.window).toBe(16_000);
    expect(overflowed(once, 40_000).window).toBe(16_000);
  });

  it("is kept per model across a restart", async () => {
    const caller = callerOf("budget-ratio");
    counts(caller, 1.5);
    await ask(caller, "Hello there.");
    expect((await stat(caller)).tokenRatio).toBe(1.5);
    await evictDurableObject(objectOf(caller));
    expect((await stat(caller)).tokenRatio).toBe(1.5);
    expect(await inKernel(caller, (kernel) => tokenRatio(kernel, "another"))).toBe(1.3);
  });
});

describe("prices", () => {
  const told = (MODEL_PRICES: string | undefined, price: ModelPrice | null = null): Parameters<typeof pricesOf>[0] => {
    const card = { ...unknownCard("m"), price };
    const models = {
      card: (id: string) => (id === "m" ? card : null),
      cards: () => [card],
      load: async () => [card],
      ready: async () => undefined,
    };
    return { env: { ...env, ...(MODEL_PRICES === undefined ? {} : { MODEL_PRICES }) }, models };
  };

  it("come from the variable by model, with defaults for what it does not say", () => {
    const some = told('{"m":{"write":1,"window":8192}}');
    expect(pricesOf(some, "m")).toEqual({ write: 1, read: DEFAULT_PRICES.read });
    expect(pricesOf(some, "other")).toEqual(DEFAULT_PRICES);
    expect(pricesOf(told("{"), "m")).toEqual(DEFAULT_PRICES);
    expect(pricesOf(told(undefined), "m")).toEqual(DEFAULT_PRICES);
  });

  it("come from the card where the variable says nothing, unless the model costs nothing", () => {
    const price = { input: 0.5, cached: 0.05, output: 3 };
    expect(pricesOf(told(undefined, price), "m")).toEqual({ write: 1, read: 0.1 });
    expect(pricesOf(told('{"m":{"write":1.25}}', price), "m")).toEqual({ write: 1.25, read: 0.1 });
    expect(pricesOf(told(undefined, { input: 0, cached: 0, output: 0 }), "m")).toEqual(DEFAULT_PRICES);
  });
});

describe("the window of a model", () => {
  it("is its card's, or a careful one for a model that is on no list", async () => {
    const caller = callerOf("budget-window");
    const window = (model: string) => inKernel(caller, (kernel) => windowOf(kernel, model));
    await inKernel(caller, (kernel) => kernel.models.load());
    expect(await window("lamina/extractive")).toBe(131_072 - ANSWER_TOKENS);
    expect(await window("another")).toBe(WINDOW_TOKENS - ANSWER_TOKENS);
  });

  it("stays known to the process when the next isolate knows no cards yet", async () => {
    const caller = callerOf("budget-cold");
    useModel(caller, () => play([text("Noted.")]));
    await inKernel(caller, (kernel) => kernel.models.load());
    await ask(caller, "Hello.");
    await evictDurableObject(objectOf(caller));
    const cold = await inKernel(caller, (kernel) => {
      const models = { ...kernel.models, card: () => null };
      return windowOf({ ...kernel, models }, "lamina/extractive");
    });
    expect(cold).toBe(131_072 - ANSWER_TOKENS);
  });

  it("is smaller after an overflow, whatever the card says", async () => {
    const caller = callerOf("budget-smaller");
    await inKernel(caller, (kernel) => kernel.models.load());
    const seen = await inKernel(caller, (kernel) => {
      setCalibration(kernel, "lamina/extractive", { ...UNCALIBRATED, window: 8_192 });
      return windowOf(kernel, "lamina/extractive");
    });
    expect(seen).toBe(8_192 - 2_048);
  });
});

describe("a prompt that is too large for the model", () => {
  const long = (turn: number): string => `Turn ${turn}. ${"It went on without a word of news. ".repeat(120)}`;

  it("costs one batch and one more try, and the next prompts fit at once", async () => {
    const caller = callerOf("budget-overflow");
    const sent = counts(caller, 1, 6_500);
    const states: string[] = [];
    for (let turn = 1; turn <= 12; turn += 1) states.push((await ask(caller, long(turn))).status);
    expect(new Set(states)).toEqual(new Set(["done"]));
    const { overflows, batches } = await stat(caller);
    expect(overflows).toBeGreaterThan(0);
    expect(overflows).toBeLessThanOrEqual(2); // the window is known from then on
    expect(batches).toBeGreaterThan(0);
    expect(sent).toHaveLength(12 + (overflows ?? 0));
  });

  it("cuts results of the run's own calls when the body is empty, each with its call, and keeps the whole as a page", async () => {
    const caller = callerOf("budget-results");
    const big = "a finding of note. ".repeat(1_000);
    await objectOf(caller).importRows(caller, "k", [{ line: 1, row: { text: big.slice(0, 16_000), source: "s" } }]);
    let refused = 0;
    let answers = 0;
    useModel(caller, (request): AsyncIterable<InferEvent> => {
      const tokens = contextTokens(request.messages);
      const sent = head(request.messages);
      expect(sent.filter((message) => message.role === "tool")).toHaveLength(
        sent.flatMap((message) => message.tool_calls ?? []).length,
      );
      if (tokens > 8_000) {
        refused += 1;
        const error = failure("payload_too_large", "The prompt is larger than the model takes.");
        return play([{ type: "error", error, retryable: false }]);
      }
      answers += 1;
      return play(answers < 4 ? [calls(["memory_read", { handle: "p1" }])] : [text("Done.")]);
    });
    const run = await ask(caller, "Xyzzy.");
    expect(run.status).toBe("done");
    expect(refused).toBeGreaterThan(0);
  });

  it("ends a run that nothing makes smaller, and says why", async () => {
    const caller = callerOf("budget-hopeless");
    const sent = counts(caller, 1, 10);
    const run = await ask(caller, "Hello.");
    expect(run.status).toBe("failed");
    expect(run.error?.code).toBe("payload_too_large");
    expect(sent.length).toBeLessThanOrEqual(2);
    expect(await rows(caller, "SELECT id FROM messages")).toHaveLength(1);
  });

  it("is told from the words of a provider, whatever its code", () => {
    for (const said of [
      "3006: Request is too large",
      "5021: This model's maximum context length is 8192 tokens",
      "AiError: The estimated number of input tokens exceeds the context window",
      "400: prompt is too long: 210000 tokens > 200000 maximum",
    ]) {
      expect(aiFault(new Error(said)).event.error.code).toBe("payload_too_large");
    }
    expect(aiFault(new Error("3040: no capacity")).event.error.code).toBe("model_unavailable");
    expect(estimateTokens("")).toBe(0);
  });
});
