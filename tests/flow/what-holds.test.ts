/**
 * What holds: told twice, a fact is one page; told anew, the newer answers, the older answers for its time, through the public door.
 */
import { describe, expect, it } from "vitest";
import { newUser, type User } from "#tests/workers/edge-client.ts";

let threads = 0;

async function ask(user: User, input: string): Promise<string> {
  threads += 1;
  const reply = await user.call("POST", "/v1/instructions", { input, stream: false, thread: `t${threads}` });
  expect(reply.status).toBe(200);
  return reply.body["output"] as string;
}

async function remember(user: User, text: string, at?: string): Promise<Record<string, unknown>> {
  const reply = await user.call("POST", "/v1/memory", { text, ...(at === undefined ? {} : { at }) });
  expect([200, 201]).toContain(reply.status);
  return reply.body;
}

describe("what holds", () => {
  it("is the newer statement, and the older for its time and after the newer is forgotten", async () => {
    const user = await newUser("holds-moved");
    await remember(user, "I live in Paris.", "2021-02-03");
    const newer = await remember(user, "I moved to Berlin.", "2024-05-01");
    const older = await user.call("GET", "/v1/memory/p1");
    expect(older.body).toMatchObject({ text: "I live in Paris.", supersededBy: newer["handle"] });
    expect(await ask(user, "Where do I live?")).toMatch(/Berlin.*\[p2\]/);
    expect(await ask(user, "Where did I live in 2023?")).toMatch(/Paris.*\[p1\]/);
    const found = await user.call("GET", "/v1/memory/search?q=where%20do%20I%20live");
    const items = found.body["items"] as { handle: string; supersededBy: string | null }[];
    const facts = items.filter((item) => item.handle === "p1" || item.handle === "p2"); // beside the questions asked
    expect(facts.map((item) => [item.handle, item.supersededBy])).toEqual([
      ["p2", null],
      ["p1", "p2"],
    ]);
    expect((await user.call("DELETE", `/v1/memory/${String(newer["handle"])}`)).status).toBe(200);
    expect(await ask(user, "Where do I live now?")).toMatch(/Paris/);
    expect((await user.call("GET", "/v1/memory/p1")).body["supersededBy"]).toBeNull();
  });

  it("is told in conversation too, in Chinese as well", async () => {
    const user = await newUser("holds-told");
    await ask(user, "My phone number is 555-1234.");
    await ask(user, "My phone number is now 555-9876.");
    expect(await ask(user, "What is my phone number?")).toContain("555-9876");
    await ask(user, "我住在上海。");
    await ask(user, "我搬到北京了。");
    expect(await ask(user, "我住在哪里？")).toContain("北京");
  });

  it("is one page however often it is remembered", async () => {
    const user = await newUser("holds-once");
    const first = await remember(user, "I'm allergic to nuts.");
    expect((await remember(user, "I am allergic to nuts!"))["handle"]).toBe(first["handle"]);
    expect((await remember(user, "I am not allergic to nuts."))["handle"]).not.toBe(first["handle"]);
    await ask(user, "Remember that I'm allergic to nuts.");
    const pages = await user.call("GET", "/v1/memory?kind=fact");
    expect((pages.body["items"] as unknown[]).length).toBe(2);
  });

  it("shows as many results as were asked for, by either name", async () => {
    const user = await newUser("holds-limit");
    for (const bird of ["wren", "robin", "heron", "rook"]) await remember(user, `The ${bird} sits on the oak.`);
    const shown = async (count: string): Promise<number> =>
      ((await user.call("GET", `/v1/memory/search?q=oak${count}`)).body["items"] as unknown[]).length;
    expect([await shown("&k=2"), await shown("&limit=2"), await shown("")]).toEqual([2, 2, 4]);
  });
});
