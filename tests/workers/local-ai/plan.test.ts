/** Which system call, if any: remember, forget, follow-ups, small talk, and what needs a language model. */
import { describe, expect, it } from "vitest";
import { extractive, type ChatMessage } from "#workers/local-ai/extractive.ts";
import { ask, prompt, run, toolRound, type TestPage } from "#tests/workers/local-ai/prompt.ts";

const said = (user: string, assistant: string): ChatMessage[] => [
  { role: "user", content: user },
  { role: "assistant", content: assistant },
];

describe("remember", () => {
  it.each([
    ["Remember that my dog is called Biscuit", "my dog is called Biscuit", "fact"],
    ["please remember: I hate cilantro.", "I hate cilantro.", "fact"],
    ["Don't forget that I leave on Monday", "I leave on Monday", "fact"],
    ["remember to always answer briefly", "always answer briefly", "instruction"],
    ["记住我的车牌是沪A12345", "我的车牌是沪A12345", "fact"],
    ["请记住：我不吃香菜", "我不吃香菜", "fact"],
  ])("%s", (question, text, kind) => {
    expect(run({ question })).toEqual({
      kind: "tool-calls",
      calls: [{ name: "memory_write", arguments: { text, kind } }],
    });
  });

  it("confirms with the handle once written", () => {
    const after = toolRound("memory_write", { text: "x" }, { handle: "p3f" });
    expect(ask([], "Remember that x is y", { after })).toBe("Remembered [p3f].");
    expect(ask([], "记住我不吃香菜", { after })).toBe("已记住 [p3f]。");
  });

  it("reports a failed write", () => {
    const after = toolRound(
      "memory_write",
      { text: "x" },
      { error: { code: "quota_exceeded", detail: "memory is full" } },
    );
    expect(ask([], "Remember that x is y", { after })).toContain("memory is full");
  });

  it("does not write for a statement or for a question about remembering", () => {
    expect(ask([], "I moved to Bergen last week.")).toBe("Noted.");
    expect(ask([{ handle: "p2", text: "My dog is called Biscuit." }], "Do you remember my dog?")).toContain("[p2]");
  });
});

describe("forget", () => {
  const pages: TestPage[] = [
    { handle: "p1", text: "I like smooth jazz." },
    { handle: "p2", text: "My locker code is 4411." },
  ];
  const found = toolRound("memory_search", { query: "x" }, { items: [] });

  it("takes a handle as it is", () => {
    expect(run({ question: "forget p3f" })).toEqual({
      kind: "tool-calls",
      calls: [{ name: "memory_forget", arguments: { handle: "p3f" } }],
    });
    expect(run({ question: "忘记p3f" })).toMatchObject({
      calls: [{ name: "memory_forget", arguments: { handle: "p3f" } }],
    });
  });

  it("searches first, then forgets the one clear match, then says so", () => {
    const question = "Forget my locker code";
    expect(run({ pages, question })).toMatchObject({ calls: [{ name: "memory_search" }] });
    expect(run({ pages, question, after: found })).toEqual({
      kind: "tool-calls",
      calls: [{ name: "memory_forget", arguments: { handle: "p2" } }],
    });
    const after = [...found, ...toolRound("memory_forget", { handle: "p2" }, { forgotten: "p2" })];
    expect(ask(pages, question, { after })).toBe("Forgotten: p2.");
  });

  it("asks when several fit, and forgets nothing that does not clearly match", () => {
    const twice: TestPage[] = [...pages, { handle: "p3", text: "My other locker code is 9090." }];
    const answer = ask(twice, "Forget my locker code", { after: found });
    expect(answer).toContain("[p2]");
    expect(answer).toContain("[p3]");
    expect(ask(pages, "Forget my bank account number", { after: found })).toContain("forgot nothing");
  });

  it("does not forget what another person said", () => {
    expect(
      ask([{ handle: "p1", speaker: "Oscar", text: "My locker code is 1." }], "Forget my locker code", {
        after: found,
      }),
    ).toContain("forgot nothing");
  });
});

describe("follow-ups", () => {
  const pages: TestPage[] = [
    { handle: "p3", text: "My sister Ingrid lives in Oslo with her husband Lars." },
    { handle: "p4", text: "My mother lives in Tromsø." },
  ];

  it("resolves pronouns and ellipses from the thread", () => {
    expect(ask(pages, "And her husband?", { thread: said("Where does Ingrid live?", "Oslo [p3].") })).toBe(
      "Oslo [p3].",
    );
    expect(ask(pages, "Where does she live?", { thread: said("What is my sister called?", "Ingrid [p3].") })).toBe(
      "Oslo [p3].",
    );
    expect(ask(pages, "And my mother?", { thread: said("Where does my sister live?", "Oslo [p3].") })).toBe(
      "Tromsø [p4].",
    );
  });

  it("searches once when the mapped pages do not answer, then abstains", () => {
    const thread = said("Where does Ingrid work?", "At the library [p9].");
    const first = run({ question: "And her brother?", thread });
    expect(first).toEqual({
      kind: "tool-calls",
      calls: [{ name: "memory_search", arguments: { query: "Where does Ingrid's brother work?" } }],
    });
    const after = toolRound("memory_search", { query: "x" }, { items: [] });
    expect(ask([], "And her brother?", { thread, after })).toMatch(/^I don't know\./);
    const item = {
      handle: "p8",
      kind: "fact",
      at: null,
      role: "user",
      speaker: null,
      source: null,
      text: "Ingrid's brother Odd works at the shipyard.",
    };
    expect(
      ask([], "And her brother?", { thread, after: toolRound("memory_search", { query: "x" }, { items: [item] }) }),
    ).toContain("the shipyard [p8].");
  });
});

describe("small talk and limits", () => {
  it.each([
    ["hi", "Hello!"],
    ["thanks!", "You're welcome."],
    ["what is 12 * 7?", "84."],
    ["你好", "你好"],
    ["谢谢", "不客气。"],
  ])("%s", (question, start) => {
    expect(ask([], question).startsWith(start)).toBe(true);
  });

  it.each([
    "Write a poem about rain",
    "Translate this to French: good day",
    "Explain quantum physics",
    "How do I cook rice?",
  ])("says that a language model is needed: %s", (question) => {
    expect(ask([], question)).toContain("language model");
  });

  it.each(["写一首关于雨的诗", "翻译成英文：早上好", "帮我总结一下这篇文章"])("says so in Chinese: %s", (question) => {
    expect(ask([], question)).toContain("语言模型");
  });

  it("calls no tool that is not offered", () => {
    for (const question of ["Remember that x is y", "forget p3f", "forget my dog", "And her sister?"]) {
      expect(extractive(prompt({ question, thread: said("Where does Ingrid work?", "I don't know.") }), []).kind).toBe(
        "text",
      );
    }
  });
});
