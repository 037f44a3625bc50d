/**
 * Tokens: the estimate every budget rests on.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { estimateTokens, utf8Bytes } from "#shared/tokens.ts";

describe("estimateTokens", () => {
  it("counts a quarter per ASCII character, rounded up, and one for any other", () => {
    expect(["", "a", "abcd", "abcde", "你好", "你好!", "é", "🐝"].map(estimateTokens)).toEqual([
      0, 1, 1, 2, 2, 3, 1, 1,
    ]);
  });

  it("never falls when text is added, and is never far from the sum of its parts", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }), (one, other) => {
        const both = estimateTokens(one + other);
        expect(both).toBeGreaterThanOrEqual(Math.max(estimateTokens(one), estimateTokens(other)));
        expect(both).toBeLessThanOrEqual(estimateTokens(one) + estimateTokens(other));
        expect(both).toBeGreaterThanOrEqual(estimateTokens(one) + estimateTokens(other) - 1);
      }),
    );
  });
});

describe("utf8Bytes", () => {
  it("counts bytes, not characters", () => {
    expect(["", "a", "é", "你", "🐝"].map(utf8Bytes)).toEqual([0, 1, 2, 3, 4]);
  });
});
