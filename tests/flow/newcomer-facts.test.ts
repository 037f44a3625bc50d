/**
 * What a newcomer tells in one thread and asks at once, through the public door: where they live and lived, work, names, tastes.
 */
import { describe, expect, it } from "vitest";
import { newUser, type User } from "#tests/workers/edge-client.ts";

let users = 0;

/** Says the lines in one thread; answers what was replied to the last one. */
async function talk(lines: readonly string[]): Promise<string> {
  users += 1;
  const user: User = await newUser(`facts-${users}`);
  let output = "";
  for (const input of lines) {
    const reply = await user.call("POST", "/v1/instructions", { input, stream: false, thread: "main" });
    expect(reply.status).toBe(200);
    output = reply.body["output"] as string;
  }
  return output;
}

const home = ["I live in Paris.", "My brother lives in Madrid.", "I moved to Berlin."];
const tastes = ["I prefer tea over coffee.", "From now on answer briefly."];

const dialogues: readonly (readonly [told: readonly string[], question: string, answer: RegExp])[] = [
  [home, "Where do I live?", /^Berlin \[p/],
  [home, "Where did I live before?", /^Paris \[p/],
  [home, "Where did I live before Berlin?", /^Paris \[p/],
  [home, "Where does my brother live?", /^Madrid \[p/],
  [[...home, "Where do I live?"], "Where did I live before?", /^Paris \[p/],
  [[...home, "I moved to Tokyo."], "Where did I live before?", /^Berlin \[p/],
  [["我住在巴黎。", "我姐姐住在上海。", "我搬到柏林了。"], "我住在哪里？", /^柏林 \[p/],
  [["我住在巴黎。", "我搬到柏林了。"], "我以前住在哪里？", /^巴黎 \[p/],
  [["I work as a nurse.", "I no longer work as a nurse; I am a teacher now."], "What is my job?", /^a teacher/],
  [["I have a cat called Mimi and a brother named Oleg."], "What is my cat's name?", /^Mimi \[p/],
  [tastes, "What do I prefer?", /^I prefer tea over coffee \[p/],
  [tastes, "Do I prefer tea or coffee?", /^tea/],
  [[...tastes, "I changed my mind: I prefer coffee now."], "What do I prefer?", /^I prefer coffee now \[p/],
  [["I prefer coffee.", "I prefer tea now."], "What do I prefer?", /^I prefer tea now \[p/],
  [["I work at Acme as a nurse.", "I now work at Globex."], "Where did I work before?", /^Acme \[p/],
  [["My wifi password is plum-42.", "My wifi password is now pear-43."], "What is my wifi password?", /^pear-43 \[p/],
  [["我的电话是13912345678", "我换了电话，现在是13887654321"], "我的电话号码是多少？", /^13887654321/],
];

describe("a newcomer", () => {
  it.each(dialogues)("tells %j and asks %s", async (told, question, answer) => {
    expect(await talk([...told, question])).toMatch(answer);
  });

  it("asks a document without a date for what happens every week", async () => {
    const user = await newUser("facts-document");
    const garden =
      "# Garden\n\nThe roses are watered on Tuesdays.\n\n## Trees\n\nThe apple tree was planted in 1954.\n";
    await user.call("POST", "/v1/memory/documents?name=garden.md", garden, { "content-type": "text/markdown" });
    const ask = async (input: string): Promise<unknown> =>
      (await user.call("POST", "/v1/instructions", { input, stream: false })).body["output"];
    expect(await ask("When are the roses watered?")).toMatch(/^on Tuesdays \[p/i);
    expect(await ask("When was the apple tree planted?")).toMatch(/^1954 \[p/);
  });
});
