/**
 * Questions: what asks is no evidence, what tells is.
 */
import { describe, expect, it } from "vitest";
import { isQuestion } from "#shared/text/questions.ts";

describe("a question", () => {
  it.each([
    "When did Ann move?",
    "where is my passport",
    "What's the name of her dog?!?",
    "Is it raining? Will it stop?",
    "Tell me about the trip",
    'Did she say "yes"?',
    "And her sister?",
    "我的护照在哪里？",
    "她叫什么名字",
    "你喜欢茶吗",
    "他是谁?",
  ])("is: %s", (text) => expect(isQuestion(text)).toBe(true));

  it.each([
    "Ann moved to Ghent in May.",
    "My dog is called Bo. What is yours called?",
    "What a lovely day it was.",
    "Is it raining? I left my umbrella at work.",
    "我把护照放在抽屉里。",
    "我喜欢茶。你呢？",
    "",
    "?!",
    "...",
  ])("is not: %s", (text) => expect(isQuestion(text)).toBe(false));

  it("is read in a moment, however long the text", () => {
    const started = performance.now();
    isQuestion("Where ".repeat(20_000));
    isQuestion("?".repeat(60_000));
    isQuestion(" ".repeat(60_000));
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});
