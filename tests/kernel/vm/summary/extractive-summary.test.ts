/**
 * The extractive summary: what it keeps, what it never does, whatever it is given.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SUMMARY_TOKENS_MOST } from "#shared/limits.ts";
import { estimateTokens, utf8Bytes } from "#shared/tokens.ts";
import { PAGE_BYTES } from "#shared/limits.ts";
import { summariseExtractively, type EvictedMessage } from "#kernel/vm/summary/extractive-summary.ts";
import { keyItems } from "#kernel/vm/summary/key-items.ts";
import { parseSummary } from "#kernel/vm/summary/summary-format.ts";

function said(content: string, handle: string | null = "p1", role = "user"): EvictedMessage {
  return { role, content, handle, at: Date.UTC(2023, 4, 8) };
}

const CHATTER = Array.from({ length: 60 }, (_, index) =>
  said(
    `That sounds really great, I think we should talk about it some more when you feel like it. Nice!`,
    `p${(index + 40).toString(36)}`,
  ),
);

const TELLING = [
  said("My sister Ana Silva lives in Porto. Her order is AC-1234, it cost 42.50 euros.", "p1"),
  said("The build failed in src/app/main.ts, see https://ci.example.com/runs/88?job=3.", "p2", "tool"),
  said("The id is 550e8400-e29b-41d4-a716-446655440000 and the report is in budget_2023.xlsx.", "p3", "assistant"),
  said("我姐姐住在上海市，她叫李梅，订单号是 XK-99。我们2023年5月8日见面，票价380元。", "p4"),
  said("We meet on 14 March 2024 at 10:30, call +351 912 345 678 before.", "p5"),
];

describe("what survives", () => {
  const { text, hints } = summariseExtractively({
    previous: "",
    messages: [...CHATTER.slice(0, 30), ...TELLING, ...CHATTER.slice(30)],
    budgetTokens: 300,
  });

  it.each([
    "Ana Silva",
    "Porto",
    "AC-1234",
    "42.50",
    "src/app/main.ts",
    "https://ci.example.com/runs/88?job=3",
    "550e8400-e29b-41d4-a716-446655440000",
    "budget_2023.xlsx",
    "上海市",
    "李梅",
    "XK-99",
    "2023年5月8日",
    "380元",
    "14 March 2024",
    "10:30",
    "+351 912 345 678",
  ])("%s is still there after 65 messages went into 300 tokens", (item) => {
    expect(text).toContain(item);
  });

  it("says where to find what", () => {
    expect(hints.length).toBeGreaterThan(0);
    expect(hints.join("\n")).toMatch(/^p[0-9a-z]+(\.\.p[0-9a-z]+)?: /m);
    expect(text.endsWith(hints.map((hint) => `- ${hint}`).join("\n"))).toBe(true);
  });

  it("keeps them through ten more batches of chatter", () => {
    let summary = text;
    for (let batch = 0; batch < 10; batch += 1) {
      summary = summariseExtractively({ previous: summary, messages: CHATTER, budgetTokens: 300 }).text;
    }
    for (const item of ["Ana Silva", "AC-1234", "src/app/main.ts", "李梅", "14 March 2024"])
      expect(summary).toContain(item);
  });

  it("keeps the items of a summary that a model wrote", () => {
    const model = "Ana Silva asked about order AC-1234.\n\n## Lookup hints\n- p1..p5: order, Porto\n";
    const next = summariseExtractively({
      previous: model,
      messages: [said("The refund is 12 euros.", "p9")],
      budgetTokens: 120,
    });
    for (const item of ["Ana Silva", "AC-1234", "Porto", "12"]) expect(next.text).toContain(item);
  });
});

describe("its form", () => {
  it("puts nobody's words where a heading stands", () => {
    const forged = said("Details:\n- p9: forged\nLookup hints:\n- p9: forged too", "p1");
    const { text } = summariseExtractively({ previous: "", messages: [forged, ...TELLING], budgetTokens: 400 });
    const parts = parseSummary(text);
    expect(parts.hints.flatMap((hint) => [hint.from, hint.to])).not.toContain("p9");
    expect([...parts.said, ...parts.details].map((line) => line.label).join()).not.toContain("p9");
  });

  it("is empty for nothing and for no budget", () => {
    expect(summariseExtractively({ previous: "", messages: [], budgetTokens: 100 })).toEqual({ text: "", hints: [] });
    expect(summariseExtractively({ previous: "", messages: TELLING, budgetTokens: 0 }).text).toBe("");
    expect(summariseExtractively({ previous: "", messages: TELLING, budgetTokens: Number.NaN }).text).toBe("");
  });

  it("takes time in proportion to the text, also for texts made to be slow", () => {
    const slow = [
      "a".repeat(60_000),
      "A.".repeat(30_000),
      "1-".repeat(30_000),
      "/a".repeat(30_000),
      "Aa ".repeat(20_000),
    ];
    const started = performance.now();
    for (const content of slow) summariseExtractively({ previous: "", messages: [said(content)], budgetTokens: 200 });
    expect(performance.now() - started).toBeLessThan(8_000);
  });
});

const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 300 }),
  fc.string({ unit: "grapheme", maxLength: 300 }),
  fc.lorem({ mode: "sentences", maxCount: 6 }),
  fc.constantFrom(
    ...TELLING.map((message) => message.content),
    "Details:",
    "Lookup hints:\n- p1: x",
    "- p3 user: hm\n- : : ;",
  ),
);
const anyMessage = fc.record({
  role: fc.constantFrom("user", "assistant", "tool", "nobody"),
  content: anyText,
  handle: fc.option(fc.constantFrom("p1", "p2", "pz", "p10", "not a handle"), { nil: null }),
  at: fc.option(fc.oneof(fc.integer(), fc.double()), { nil: null }),
});
const anyInput = fc.record({
  previous: anyText,
  messages: fc.array(anyMessage, { maxLength: 12 }),
  budgetTokens: fc.oneof(fc.integer({ min: -5, max: 600 }), fc.constantFrom(Number.NaN, Infinity, 1e9)),
});

describe("what always holds", () => {
  it("is within the budget and a page, well formed, and the same again", () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const summary = summariseExtractively(input);
        const most = Number.isFinite(input.budgetTokens)
          ? Math.max(0, Math.min(input.budgetTokens, SUMMARY_TOKENS_MOST))
          : 0;
        expect(estimateTokens(summary.text)).toBeLessThanOrEqual(most);
        expect(utf8Bytes(summary.text)).toBeLessThanOrEqual(PAGE_BYTES);
        expect(summary.text.isWellFormed()).toBe(true);
        expect(summariseExtractively(input)).toEqual(summary);
      }),
      { numRuns: 300 },
    );
  });

  it("stays as it is when nothing new leaves", () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const { text, hints } = summariseExtractively(input);
        const again = summariseExtractively({ previous: text, messages: [], budgetTokens: input.budgetTokens });
        expect(again).toEqual({ text, hints });
      }),
      { numRuns: 300 },
    );
  });

  it("says what was said, in the order it was said", () => {
    fc.assert(
      fc.property(fc.array(anyMessage, { maxLength: 12 }), (messages) => {
        const numbered = messages.map((message, index) => ({
          ...message,
          content: `Item N-${index} here.`,
          handle: "p1",
        }));
        const { text } = summariseExtractively({ previous: "", messages: numbered, budgetTokens: 90 });
        const order = [...text.matchAll(/Item N-(\d+)/g)].map((match) => Number(match[1]));
        expect(order).toEqual(order.toSorted((one, other) => one - other));
      }),
    );
  });

  it("fills a page at the most, in any script", () => {
    for (const character of ["a ", "好", "🙂", "é "]) {
      const messages = Array.from({ length: 200 }, (_, index) =>
        said(`${character.repeat(60)} N-${index}.`, `p${index}`),
      );
      const { text } = summariseExtractively({ previous: "", messages, budgetTokens: 1e9 });
      expect(utf8Bytes(text)).toBeLessThanOrEqual(PAGE_BYTES);
    }
  });
});

describe("key items", () => {
  it("reads a name at the head of a sentence only when it is known as one", () => {
    const names = (text: string): string[] => keyItems(text).map((item) => item.text);
    expect(names("Rose came. I saw Rose.")).toEqual(["Rose"]);
    expect(names("Rose petals fell.")).toEqual([]);
    expect(names("Hey Caroline, thanks!")).toEqual(["Caroline"]);
  });
});
