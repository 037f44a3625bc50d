/** Answers from evidence: spans, dates, numbers, lists, newest fact, other people, and abstention. English and Chinese. */
import { describe, expect, it } from "vitest";
import { ask, type TestPage } from "#tests/workers/local-ai/prompt.ts";

const mine: TestPage[] = [
  { handle: "p1", at: "2031-01-03T10:00", text: "I live in Porto and work as a nurse at the harbour clinic." },
  { handle: "p2", at: "2031-06-01", text: "My dog is called Biscuit, he is three years old." },
  { handle: "p3", at: "2031-06-02", text: "My sister Ingrid lives in Oslo with her husband Lars." },
  { handle: "p4", at: "2031-07-10T09:00", text: "Yesterday I bought a red bicycle for 350 euros." },
  { handle: "p5", at: "2031-07-20", text: "I went to the gym today." },
  { handle: "p6", at: "2031-07-22", text: "Went to the gym again this morning." },
  { handle: "p7", at: "2031-08-01", text: "I go running every morning because it clears my head." },
  { handle: "p8", at: "2031-08-05", text: "I am allergic to walnuts and kiwi." },
  { handle: "p9", at: "2031-08-09", text: "My favourite board games are Harbour, Lantern and Nine Mills." },
  { handle: "pa", at: "2031-08-11", text: "Next month I will visit Lisbon with Tomas." },
  { handle: "pb", at: "2031-09-11", text: "I have never been to Iceland." },
  { handle: "pc", at: "2031-09-14", text: 'The wifi password of the cabin is "heron-42".' },
  { handle: "pd", at: "2031-09-15", text: "I started learning the cello two years ago." },
];
/** The page that answers comes first, as the kernel's search would have it. */
const about = (handle: string): TestPage[] =>
  [...mine].sort((left, right) => Number(right.handle === handle) - Number(left.handle === handle));

describe("answers about the user", () => {
  it.each([
    ["Where do I live?", "p1", "Porto [p1]."],
    ["What is my dog's name?", "p2", "Biscuit [p2]."],
    ["How old is Biscuit?", "p2", "three years old [p2]."],
    ["Where does Ingrid live?", "p3", "Oslo [p3]."],
    ["Who is Ingrid's husband?", "p3", "Lars [p3]."],
    ["When did I buy a bicycle?", "p4", "9 July 2031 [p4]."],
    ["How much did the bicycle cost?", "p4", "350 euros [p4]."],
    ["What colour is my bicycle?", "p4", "red [p4]."],
    ["Why do I go running?", "p7", "because it clears my head [p7]."],
    ["How often do I run?", "p7", "every morning [p7]."],
    ["What are my favourite board games?", "p9", "Harbour, Lantern and Nine Mills [p9]."],
    ["When will I visit Lisbon?", "pa", "September 2031 [pa]."],
    ["Who am I going to Lisbon with?", "pa", "Tomas [pa]."],
    ["Have I been to Iceland?", "pb", "No: I have never been to Iceland [pb]."],
    ["Do I have a dog?", "p2", "Yes: My dog is called Biscuit, he is three years old [p2]."],
    ["What is the wifi password?", "pc", "heron-42 [pc]."],
    ["When did I start the cello?", "pd", "2029 [pd]."],
    ["How long have I been learning the cello?", "pd", "Since 2029 [pd]."],
  ])("%s", (question, handle, expected) => {
    expect(ask(about(handle), question)).toBe(expected);
  });

  it("counts events over several pages and cites each", () => {
    expect(ask(about("p5"), "How many times did I go to the gym?")).toBe("2 [p5] [p6].");
  });

  it.each(["What is the capital of France?", "Do I have a parrot?", "What is my brother called?", "Did I buy a car?"])(
    "abstains: %s",
    (question) => {
      expect(ask(mine, question)).toMatch(/^I don't know\./);
    },
  );

  it("abstains without any page", () => {
    expect(ask([], "Where do I live?")).toMatch(/^I don't know\./);
  });

  it("lets the newest fact win, but not for a question about the past", () => {
    const pages: TestPage[] = [
      { handle: "p1", at: "2031-01-03", text: "I live in Porto." },
      { handle: "p2", at: "2031-05-03", text: "I moved to Bergen last week." },
    ];
    expect(ask(pages, "Where do I live?")).toBe("Bergen [p2].");
    expect(ask(pages, "Where did I live in January?")).toBe("Porto [p1].");
  });

  it("does not take a relative for the user", () => {
    const pages: TestPage[] = [{ handle: "p3", text: "My sister Ingrid lives in Oslo." }];
    expect(ask(pages, "Where do I live?")).toMatch(/^I don't know\./);
  });

  it("combines several pages for a list", () => {
    const pages: TestPage[] = [
      { handle: "p1", at: "2031-05-01", text: "I planted tomatoes in the garden." },
      { handle: "p2", text: "Today I planted basil in the garden." },
    ];
    const answer = ask(pages, "Which plants have I planted in the garden?");
    expect(answer).toContain("tomatoes");
    expect(answer).toContain("basil");
    expect(answer).toContain("[p1] [p2]");
  });
});

describe("answers about people who speak", () => {
  const talk: TestPage[] = [
    {
      handle: "p1",
      at: "2031-03-02T18:30",
      speaker: "Nadia",
      text: "I joined a pottery class last week and I love it.",
    },
    {
      handle: "p2",
      at: "2031-03-02T18:31",
      speaker: "Oscar",
      text: "Great! I'm planning to sail around Sardinia this summer.",
    },
  ];

  it("answers for the one who spoke, resolving the date", () => {
    expect(ask(talk, "When did Nadia join a pottery class?")).toBe("The week before 2 March 2031 [p1].");
    expect(ask(talk, "What class did Nadia join?")).toContain("pottery");
  });

  it("abstains when only another person said so", () => {
    expect(ask(talk, "When did Oscar join a pottery class?")).toMatch(/^I don't know\./);
    expect(ask(talk, "Where is Nadia planning to sail this summer?")).toMatch(/^I don't know\./);
    expect(ask(talk, "When did I join a pottery class?")).toMatch(/^I don't know\./);
  });
});

describe("Chinese", () => {
  const pages: TestPage[] = [
    { handle: "p1", at: "2031-01-03", text: "我住在大理，在一家书店当店员。" },
    { handle: "p2", at: "2031-06-01", text: "我的狗叫豆包，今年三岁。" },
    { handle: "p3", at: "2031-06-02", text: "我姐姐小禾住在成都。" },
    { handle: "p4", at: "2031-07-10", text: "昨天我买了一辆红色的自行车，花了800块。" },
    { handle: "p5", at: "2031-08-11", text: "下个月我要和小岩去京都旅行。" },
    { handle: "p6", at: "2031-09-11", text: "我从来没去过冰岛。" },
  ];

  it.each([
    ["我住在哪里？", "大理 [p1]。"],
    ["我的狗叫什么名字？", "豆包 [p2]。"],
    ["我的狗几岁了？", "三岁 [p2]。"],
    ["我姐姐住在哪儿？", "成都 [p3]。"],
    ["我什么时候买的自行车？", "2031年7月9日 [p4]。"],
    ["自行车多少钱？", "800块 [p4]。"],
    ["我什么时候去京都？", "2031年9月 [p5]。"],
    ["我和谁去京都？", "小岩 [p5]。"],
    ["我去过冰岛吗？", "没有：我从来没去过冰岛 [p6]。"],
  ])("%s", (question, expected) => {
    expect(ask(pages, question)).toBe(expected);
  });

  it.each(["法国的首都是哪里？", "我哥哥叫什么？"])("abstains: %s", (question) => {
    expect(ask(pages, question)).toMatch(/^我不知道。/);
  });

  it("lets the newest fact win", () => {
    const moved: TestPage[] = [...pages, { handle: "p7", at: "2031-10-01", text: "我上周搬到了泉州。" }];
    expect(ask(moved, "我住在哪里？")).toBe("泉州 [p7]。");
  });
});
