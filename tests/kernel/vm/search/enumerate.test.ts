/** Walks along time: which questions ask for one, what is listed, in what order. All sentences are invented. */
import { describe, expect, it } from "vitest";
import { enumerate, fitLines, readEnumeration, walkLine } from "#kernel/vm/search/enumerate.ts";
import { indexEntry, SearchIndex } from "#kernel/vm/search/search-index.ts";
import { ENUMERATED_PAGES, ENUMERATED_WORDS_TOKENS } from "#shared/limits.ts";
import { estimateTokens } from "#shared/tokens.ts";

describe("recognising", () => {
  it.each([
    ["In what order did I mention the repairs to the boat?", "order", "user"],
    ["List the stages of the garden in chronological order.", "order", null],
    ["Give me a timeline of Tomas's visa application", "order", null],
    ["我先后提到过哪些餐厅？请按时间顺序列出来", "order", "user"],
    ["Summarize how the kitchen renovation went", "summary", null],
    ["Can you give me a summary of what we decided about the move?", "summary", null],
    ["How has my plan for the marathon developed over time?", "summary", null],
    ["帮我总结一下装修的经过", "summary", null],
  ])("%s", (question, asks, by) => {
    expect(readEnumeration(question)).toEqual({ asks, by });
  });

  it.each([
    "What did I do in order to renew the licence?",
    "When does my order from the bakery arrive?",
    "What is the order number of the kettle?",
    "Summarize this: the ferry was late and we ate on deck.",
    "Where is the summary that Ines printed?",
    "What should I pack first?",
    "我订单的编号是多少？",
  ])("not %s", (question) => {
    expect(readEnumeration(question)).toBeNull();
  });
});

function ascending(one: number, other: number): number {
  return one - other;
}

function garden(): SearchIndex {
  const index = new SearchIndex();
  const texts = [
    "I dug the beds of the garden.",
    "The roof of the shed leaks.",
    "I sowed beans in the garden.",
    "My cousin sings in a choir.",
    "The garden beans came up.",
  ];
  for (const [page, text] of texts.entries()) {
    const at = Date.UTC(2024, 8 - page, 1); // told backwards
    index.add(indexEntry({ page, session: `s${page}`, speaker: null, role: "user", kind: "turn", at, text }));
  }
  index.add(
    indexEntry({
      page: 9,
      session: "s9",
      speaker: null,
      role: "assistant",
      kind: "assistant",
      at: null,
      text: "Water the garden in the evening.",
    }),
  );
  return index;
}

describe("listing", () => {
  it("finds the pages of the topic, by anybody or by the asker", () => {
    expect([...(enumerate(garden(), "Summarize how my garden went", {}) ?? [])].sort(ascending)).toEqual([0, 2, 4, 9]);
    const mine = enumerate(garden(), "In what order did I bring up the work in the garden?", {});
    expect([...(mine ?? [])].sort(ascending)).toEqual([0, 2, 4]);
    expect(enumerate(garden(), "What grows in the garden?", {})).toBeNull();
  });

  it("considers ENUMERATED_PAGES pages at the most", () => {
    const index = new SearchIndex();
    for (let page = 0; page <= ENUMERATED_PAGES; page += 1)
      index.add(
        indexEntry({ page, session: `s${page}`, speaker: null, role: "user", kind: "turn", at: null, text: "tulips" }),
      );
    expect(enumerate(index, "Summarize how the tulips did", {})?.length).toBe(ENUMERATED_PAGES);
  });

  it("keeps the best lines that fit and puts them in the order of time", () => {
    const lines = [
      { number: 5, at: 300, tokens: 40 },
      { number: 2, at: 100, tokens: 50 },
      { number: 7, at: 200, tokens: 30 },
      { number: 1, at: 50, tokens: 10 },
    ];
    expect(fitLines(lines, 100).map(({ number }) => number)).toEqual([1, 2, 5]);
  });

  it("shows the sentence that is asked about, within its tokens, on one line", () => {
    const text = `It rained a lot.\nThen the new greenhouse of the garden arrived. ${"It was long ago. ".repeat(60)}`;
    const line = walkLine(
      { number: 36, at: Date.UTC(2024, 0, 2), role: "user", speaker: null, text },
      "Summarize how the greenhouse went",
    );
    expect(line).not.toContain("\n");
    const read = JSON.parse(line) as { handle: string; at: string; role: string; text: string };
    expect(read).toMatchObject({ at: "2024-01-02", role: "user" });
    expect(read.text).toContain("greenhouse");
    const long = walkLine({ number: 1, at: null, role: null, speaker: null, text: "乙".repeat(400) }, "总结一下");
    expect(estimateTokens((JSON.parse(long) as { text: string }).text)).toBeLessThanOrEqual(ENUMERATED_WORDS_TOKENS);
  });
});
