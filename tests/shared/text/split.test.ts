/**
 * Split: parts fit, nothing is lost, no character is cut, and cuts fall where a reader would make them.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { splitText } from "#shared/text/split.ts";
import { utf8Bytes } from "#shared/tokens.ts";

const unit = fc.constantFrom("a", "b", "é", "蜂", "🐝", " ", "\n", "\n\n", ". ", "。", "3.5", "word ");

describe("splitText", () => {
  it("loses nothing, keeps every part below the limit, and cuts no character", () => {
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 200 }), fc.integer({ min: 4, max: 60 }), (text, bytes) => {
        const parts = splitText(text, bytes);
        expect(parts.join("")).toBe(text);
        for (const part of parts) {
          expect(utf8Bytes(part)).toBeLessThanOrEqual(bytes);
          expect(part).not.toBe("");
          expect(part.isWellFormed()).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("leaves a text that fits whole, to the last byte", () => {
    expect(splitText("x".repeat(64), 64)).toEqual(["x".repeat(64)]);
    expect(splitText("x".repeat(65), 64)).toEqual(["x".repeat(64), "x"]);
    expect(splitText("", 64)).toEqual([]);
  });

  it("cuts at paragraphs, then lines, then sentences, then spaces", () => {
    expect(splitText("One two three.\n\nFour five six.", 24)).toEqual(["One two three.\n\n", "Four five six."]);
    expect(splitText("One two three\nFour five six", 20)).toEqual(["One two three\n", "Four five six"]);
    expect(splitText("One two three. Four five six.", 22)).toEqual(["One two three. ", "Four five six."]);
    expect(splitText("蜜蜂喜欢三叶草。它们住在这里。", 36)).toEqual(["蜜蜂喜欢三叶草。", "它们住在这里。"]);
    expect(splitText("alpha beta gamma delta", 14)).toEqual(["alpha beta ", "gamma delta"]);
  });

  it("does not take the point of a number for the end of a sentence", () => {
    expect(splitText("It weighed about 3.5 kilos", 22)).toEqual(["It weighed about 3.5 ", "kilos"]);
  });

  it("splits 256 KB in a moment", () => {
    const started = performance.now();
    expect(splitText("Bees like clover. 蜂。".repeat(11_000), 16_384).length).toBeGreaterThan(15);
    expect(performance.now() - started).toBeLessThan(1_500);
  });
});
