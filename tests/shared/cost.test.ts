/** Cost: whole microdollars, rounded up once, so that sums never fall short of what was used. */
import { assert, property, record, integer, double, constantFrom } from "fast-check";
import { expect, test } from "vitest";
import { costOf, dollars, FREE, mostItCanCost, type TokenUsage } from "#shared/cost.ts";
import { unknownCard, type ModelPrice } from "#shared/models.ts";

const price = record({
  input: double({ min: 0, max: 100, noNaN: true }),
  share: double({ min: 0, max: 1, noNaN: true }),
  output: double({ min: 0, max: 400, noNaN: true }),
}).map(({ input, share, output }): ModelPrice => ({ input, cached: input * share, output }));

const usage = record({
  inputTokens: integer({ min: 0, max: 2_000_000 }),
  cachedShare: double({ min: 0, max: 1, noNaN: true }),
  outputTokens: integer({ min: 0, max: 200_000 }),
}).map(({ inputTokens, cachedShare, outputTokens }): TokenUsage => {
  return { inputTokens, cachedTokens: Math.floor(inputTokens * cachedShare), outputTokens };
});

test("the price of a million tokens is the price of a million tokens", () => {
  const glm = { input: 0.0605, cached: 0.0605, output: 0.4 };
  const million = { inputTokens: 1_000_000, cachedTokens: 0, outputTokens: 1_000_000 };
  expect(costOf(glm, million)).toEqual({ microdollars: 460_500, neurons: 41_864 });
  expect(costOf(glm, { inputTokens: 1, cachedTokens: 0, outputTokens: 0 })).toEqual({ microdollars: 1, neurons: 1 });
});

test("whole amounts are not rounded beyond themselves", () => {
  expect(
    costOf({ input: 0.1, cached: 0.1, output: 0.3 }, { inputTokens: 30, cachedTokens: 10, outputTokens: 10 }),
  ).toEqual({
    microdollars: 6,
    neurons: 1,
  });
});

test("no price, no usage and nonsense cost nothing", () => {
  const some = { inputTokens: 100, cachedTokens: 0, outputTokens: 100 };
  expect(costOf(null, some)).toEqual(FREE);
  expect(costOf(unknownCard("ollama/llama3.2"), some)).toEqual(FREE);
  const none = { inputTokens: -5, cachedTokens: Number.NaN, outputTokens: Number.POSITIVE_INFINITY };
  expect(costOf({ input: 1, cached: 1, output: 1 }, none)).toEqual(FREE);
});

test("neurons are counted for models of Workers AI only", () => {
  const priced = { input: 11, cached: 11, output: 11 };
  const one = { inputTokens: 1, cachedTokens: 0, outputTokens: 0 };
  expect(costOf({ ...unknownCard("@cf/some/model"), price: priced }, one)).toEqual({ microdollars: 11, neurons: 1 });
  expect(costOf({ ...unknownCard("openai/some"), price: priced }, one)).toEqual({ microdollars: 11, neurons: 0 });
});

test("more tokens never cost less, and cached ones never more than others", () => {
  assert(
    property(
      price,
      usage,
      integer({ min: 0, max: 10_000 }),
      constantFrom("inputTokens", "outputTokens"),
      (of, used, more, field) => {
        const cost = costOf(of, used);
        expect(costOf(of, { ...used, [field]: used[field] + more }).microdollars).toBeGreaterThanOrEqual(
          cost.microdollars,
        );
        expect(cost.microdollars).toBeLessThanOrEqual(costOf(of, { ...used, cachedTokens: 0 }).microdollars);
        expect(cost.microdollars).toBeLessThanOrEqual(
          mostItCanCost(of, used.inputTokens, used.outputTokens).microdollars,
        );
        expect(Number.isSafeInteger(cost.microdollars) && Number.isSafeInteger(cost.neurons)).toBe(true);
      },
    ),
  );
});

test("two calls cost what one of both would, or one more", () => {
  assert(
    property(price, usage, usage, (of, one, other) => {
      const both = {
        inputTokens: one.inputTokens + other.inputTokens,
        cachedTokens: one.cachedTokens + other.cachedTokens,
        outputTokens: one.outputTokens + other.outputTokens,
      };
      const apart = [costOf(of, one), costOf(of, other)];
      const together = costOf(of, both);
      for (const unit of ["microdollars", "neurons"] as const) {
        const sum = apart.reduce((before, cost) => before + cost[unit], 0);
        expect(sum - together[unit]).toBeGreaterThanOrEqual(0);
        expect(sum - together[unit]).toBeLessThanOrEqual(1);
      }
    }),
  );
});

test("dollars are readable", () => {
  expect([0, 1, 12_500, 2_000_000].map(dollars)).toEqual(["$0.00", "$0.000001", "$0.0125", "$2.00"]);
});
