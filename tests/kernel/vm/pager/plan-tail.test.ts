/**
 * Plan tail: how many of the pages that stand in the prompt it points to (`parts.test.ts` holds the rest of it).
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planTail, type PlannedPage, type TailBudget } from "#kernel/vm/pager/plan-tail.ts";

const BUDGET: TailBudget = { tokens: 500, excerpt: 100, pointer: 10, pointers: 2 };

function page(number: number, more: Partial<PlannedPage> = {}): PlannedPage {
  return { page: number, score: 10 - number, tokens: 50, frame: 20, named: false, above: false, ...more };
}

describe("planTail", () => {
  it("points to the best of what stands above, and to all that was named", () => {
    const planned = planTail(
      [
        page(1, { above: true }),
        page(2, { above: true }),
        page(3, { above: true }),
        page(4, { above: true, named: true }),
      ],
      BUDGET,
    );
    expect(planned.map(({ page: number, how }) => [number, how])).toEqual([
      [1, "pointer"],
      [2, "pointer"],
      [4, "pointer"],
    ]);
  });

  it("never points to more than its limit, whatever the candidates are", () => {
    const candidate = fc.record({
      score: fc.double({ min: 0, max: 40, noNaN: true }),
      tokens: fc.integer({ min: 21, max: 2_000 }),
      named: fc.boolean(),
      above: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(candidate, { maxLength: 40 }), fc.integer({ min: 0, max: 3_000 }), (list, tokens) => {
        const candidates = list.map((one, place) => page(place + 1, one));
        const planned = planTail(candidates, { ...BUDGET, tokens });
        const pointed = planned.filter(
          ({ how, page: number }) => how === "pointer" && candidates[number - 1]?.named === false,
        );
        expect(pointed.length).toBeLessThanOrEqual(BUDGET.pointers);
      }),
    );
  });
});
