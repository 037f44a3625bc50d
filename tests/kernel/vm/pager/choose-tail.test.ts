/**
 * Choose tail: within the budget, by chance per token, in the order of the ranking.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chooseTail } from "#kernel/vm/pager/choose-tail.ts";

/** The score of a page whose sum is `sum`. */
function score(sum: number): number {
  return Math.log1p(Math.exp(sum));
}

describe("chooseTail", () => {
  it("prefers two short pages to a long one that is only a little likelier", () => {
    const ranking = [
      { page: 1, score: score(2), tokens: 100 },
      { page: 2, score: score(1.9), tokens: 40 },
      { page: 3, score: score(1.8), tokens: 40 },
    ];
    expect(chooseTail(ranking, 100).map(({ page }) => page)).toEqual([2, 3]);
    expect(chooseTail(ranking, 200).map(({ page }) => page)).toEqual([1, 2, 3]);
  });

  it("passes over what does not fit and leaves out what is hardly likely", () => {
    const ranking = [
      { page: 1, score: score(9), tokens: 500 },
      { page: 2, score: score(1), tokens: 10 },
      { page: 3, score: score(-6), tokens: 10 },
    ];
    expect(chooseTail(ranking, 100).map(({ page }) => page)).toEqual([2, 3]);
    // e^-8 of a share of 1, over 10 tokens: 3.4e-5; e^-15: 3e-8.
    expect(chooseTail(ranking, 600, 1e-5).map(({ page }) => page)).toEqual([1, 2]);
    expect(chooseTail(ranking, 600, 1e-4).map(({ page }) => page)).toEqual([1]);
  });

  it("stays within any budget and takes all of what fits", () => {
    const candidate = fc.record({
      score: fc.double({ min: 1e-9, max: 60, noNaN: true }),
      tokens: fc.integer({ min: 1, max: 400 }),
    });
    fc.assert(
      fc.property(fc.array(candidate, { maxLength: 60 }), fc.integer({ min: 0, max: 5_000 }), (list, budget) => {
        const ranking = list.toSorted((one, other) => other.score - one.score).map((one, page) => ({ ...one, page }));
        const chosen = chooseTail(ranking, budget);
        const tokens = chosen.reduce((sum, one) => sum + one.tokens, 0);
        expect(tokens).toBeLessThanOrEqual(budget);
        expect(chosen.map(({ page }) => page)).toEqual(chosen.map(({ page }) => page).toSorted((a, b) => a - b));
        for (const left of ranking.filter((one) => !chosen.includes(one))) {
          expect(tokens + left.tokens).toBeGreaterThan(budget);
        }
      }),
    );
  });
});
