/**
 * Standing: what is said for always is recognised, and what only looks like it is not.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { STANDING_CHARACTERS, STANDING_PER_TEXT } from "#shared/limits.ts";
import { findStanding } from "#kernel/vm/pinned/standing.ts";

function found(text: string): string[] {
  return findStanding(text).map(({ kind, text: words }) => `${kind}: ${words}`);
}

describe("standing instructions", () => {
  it.each([
    "Always answer in English.",
    "Please always cite the source when you state a number.",
    "Never use emojis.",
    "never ever add a summary at the end",
    "From now on, keep it short.",
    "From now on I want you to reply in French.",
    "Going forward, please use metric units.",
    "Call me Sam.",
    "Please call me Dr. Okafor from now on.",
    "You can call me Bea.",
    "Keep your answers short.",
    "Your answers should never be longer than three sentences.",
    "I'd like your answers in bullet points.",
    "Whenever I ask about recipes, leave out peanuts.",
    "When I ask for code, show the tests first.",
    "If I ask about the weather, give it in Celsius.",
    "Please remember to always add the price.",
    "Make sure you always give two options.",
    "Can you always answer with an example?",
    "Answer in Spanish.",
    "Reply only in German, please.",
    "Be concise.",
    "Stop using exclamation marks.",
    "No emojis please.",
    "Don't use tables in your answers.",
    "For all future answers, use British spelling.",
    "By default, use Python for code.",
    "I want you to always double-check the arithmetic.",
    "Use metric units.",
    "以后请用中文回答我",
    "以后回答都要简短。",
    "从现在起，不要再用表情符号。",
    "请总是先给结论再解释。",
    "永远不要使用敬语。",
    "当我问菜谱的时候，请不要放花生。",
    "每次我问价格的时候都请换算成欧元。",
    "叫我小林就好。",
    "请用英文回答。",
    "回答请简短一点。",
    "今后代码都用 Python 写。",
  ])("%s", (text) => {
    expect(found(text)).toEqual([`instruction: ${text}`]);
  });

  it("are taken out of the text around them, verbatim", () => {
    expect(found("Hi, I'm new here. From now on, answer in French. What's the time in Oslo?")).toEqual([
      "instruction: From now on, answer in French.",
    ]);
    expect(found("谢谢！以后请叫我小林。明天见。")).toEqual(["instruction: 以后请叫我小林。"]);
    expect(found("- Always run the numbers twice\n- Never round up")).toEqual([
      "instruction: Always run the numbers twice",
      "instruction: Never round up",
    ]);
  });
});

describe("preferences", () => {
  it.each([
    ["I prefer window seats over aisle seats.", "I prefer window seats over aisle seats."],
    ["I'd rather take the train than fly.", "I'd rather take the train than fly."],
    ["Remember that I prefer my coffee black.", "I prefer my coffee black."],
    [
      "I'm planning a trip, and I prefer small family-run hotels, so can you suggest a few in Porto?",
      "I prefer small family-run hotels",
    ],
    ["My favourite colour is green.", "My favourite colour is green."],
    ["My preference is for short meetings.", "My preference is for short meetings."],
    ["I'm allergic to shellfish.", "I'm allergic to shellfish."],
    ["I am vegetarian, any ideas for dinner?", "I am vegetarian"],
    ["I prefer short chapters, and also provide an example outline", "I prefer short chapters"],
    ["I don't eat pork.", "I don't eat pork."],
    ["I like tea better than coffee.", "I like tea better than coffee."],
    ["I hate cilantro.", "I hate cilantro."],
    ["I don't like long emails.", "I don't like long emails."],
    ["I work best in the morning.", "I work best in the morning."],
    ["I'm a visual learner, so how should I study?", "I'm a visual learner"],
    ["I'm not a fan of horror films.", "I'm not a fan of horror films."],
    [
      "I write my essays in plain text and I prefer it over word processors, so which editor is best?",
      "I write my essays in plain text and I prefer it over word processors",
    ],
    ["我喜欢喝绿茶。", "我喜欢喝绿茶"],
    ["我不吃香菜，有什么推荐的吗？", "我不吃香菜"],
    ["比起咖啡，我更喜欢茶。", "比起咖啡，我更喜欢茶"],
    ["我对花生过敏。", "我对花生过敏"],
    ["我最喜欢的颜色是蓝色。", "我最喜欢的颜色是蓝色"],
    ["我是素食主义者，请推荐一家餐厅。", "我是素食主义者"],
  ])("%s", (text, words) => {
    expect(found(text)).toEqual([`preference: ${words}`]);
  });
});

describe("what is not standing", () => {
  it.each([
    // Questions
    "Do I prefer tea or coffee?",
    "What do I like to eat?",
    "Should I always use a comma here?",
    "How should you answer me?",
    "Why do you always answer in English?",
    "我喜欢什么？",
    "你知道我喜欢喝什么吗？",
    "我以后应该怎么回答？",
    // Other people
    "My sister prefers window seats.",
    "She always answers in French.",
    "My boss told me to always wear a tie.",
    "Bob says I prefer tea.",
    "Ann likes tea and I like that about her.",
    "我妈妈喜欢喝茶。",
    "他总是用英文回答。",
    "老师说以后要用英文回答。",
    // Quoted, pasted, made up
    'He wrote "always answer in French" on the board.',
    "The sign said “Never feed the ducks”.",
    "Translate into German: Always wash your hands before dinner.",
    "Rewrite this: I prefer cats over dogs.",
    "Write a story about a king. Always answer with yes, said the king.",
    "> Always be polite.",
    "```\n// Always close the file.\n```",
    "请翻译：以后请用中文回答。",
    "写一个故事：我喜欢喝茶。",
    // Once
    "Answer this one in French.",
    "Please answer in French today.",
    "I'd prefer the second option.",
    "I prefer that one.",
    "I like your idea.",
    "I love it!",
    "I'd like to book a table.",
    "I'd like a coffee.",
    "For now I prefer to wait this week.",
    "What is the capital of Peru? Answer in Spanish.",
    "Remind me to call mum tomorrow.",
    "Call me back later.",
    "Call me tomorrow at five.",
    "这次请用英文回答。",
    "我喜欢这个主意。",
    // Idioms and facts
    "Never mind.",
    "Always a pleasure!",
    "I've never written any Flask routes.",
    "I never met Kelly.",
    "Never heard of it.",
    "Never give up!",
    "Always here to help!",
    "Just keep going forward, one step at a time, and be kind.",
    "I always take the bus on Mondays.",
    "She has always been kind to me.",
    "I used to prefer tea.",
    "From now on I'll get up at six.",
    "以后我要早点睡。",
    "如果我喜欢，就买下来。",
    "If I prefer the train, is there a discount?",
    "When I asked about recipes, you left out the peanuts.",
    "I don't know which I prefer.",
    "Can you help me prioritize my tasks?",
  ])("%s", (text) => {
    expect(found(text)).toEqual([]);
  });
});

describe("the recogniser", () => {
  it("is total, and answers words of the text within its limits", () => {
    const pieces = fc.constantFrom(
      "always ",
      "I prefer ",
      "from now on ",
      "以后请",
      "我喜欢",
      "“",
      '"',
      "```",
      "?",
      ". ",
      "\n",
    );
    const texts = fc.array(fc.oneof(pieces, fc.string(), fc.string({ unit: "binary" }))).map((parts) => parts.join(""));
    fc.assert(
      fc.property(texts, (text) => {
        const standing = findStanding(text);
        expect(standing.length).toBeLessThanOrEqual(STANDING_PER_TEXT);
        const flat = text.replaceAll(/\s+/g, " ");
        for (const { text: words } of standing) {
          expect(words.length).toBeLessThanOrEqual(STANDING_CHARACTERS);
          expect(flat).toContain(words);
        }
      }),
    );
  });

  it("takes a sentence up to its limit and no longer, and only so many of a text", () => {
    const sentence = (length: number): string => `Always add ${"x".repeat(length - 11)}`;
    expect(findStanding(sentence(STANDING_CHARACTERS))).toHaveLength(1);
    expect(findStanding(sentence(STANDING_CHARACTERS + 1))).toHaveLength(0);
    const many = Array.from({ length: STANDING_PER_TEXT + 1 }, (_, number) => `Always add the number ${number}.`);
    expect(findStanding(many.join(" "))).toHaveLength(STANDING_PER_TEXT);
  });

  it("stays fast on long and hostile text", () => {
    const started = performance.now();
    for (const part of ["I prefer ", "always ", "please ", "以后请", "a, ", "my favourite ", "when I ask "]) {
      findStanding(part.repeat(16_384 / part.length));
    }
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});
