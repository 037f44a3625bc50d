/**
 * Pinned memory over HTTP: blocks, standing instructions and preferences, from the sentence to the next prompt and out again.
 */
import { expect, test } from "vitest";
import { newUser, type Reply, type User } from "#tests/workers/edge-client.ts";

function ask(user: User, input: string): Promise<Reply> {
  return user.call("POST", "/v1/instructions", { input, stream: false });
}

async function instructions(user: User): Promise<Record<string, unknown>[]> {
  const reply = await user.call("GET", "/v1/memory?kind=instruction");
  return reply.body["items"] as Record<string, unknown>[];
}

test("a block is put, shown in the next prompt's frames, edited by a command, and deleted", async () => {
  const user = await newUser("pinned-block");
  const path = "/v1/processes/init/blocks/persona";
  expect((await user.call("GET", path)).status).toBe(404);
  const put = await user.call("PUT", path, { value: "My cat is called Biscuit.", limit: 60, version: 0 });
  expect(put.status).toBe(200);
  expect(put.body).toMatchObject({ label: "persona", characters: 25, limit: 60, readOnly: false, version: 1 });
  expect((await user.call("PUT", path, { value: "x", version: 7 })).body).toMatchObject({ code: "conflict" });
  expect((await user.call("PUT", path, { value: "x".repeat(61) })).body).toMatchObject({ code: "payload_too_large" });
  expect((await user.call("PUT", path, { value: "x", other: 1 })).status).toBe(400);
  expect((await user.call("PUT", path, { version: 1 })).status).toBe(400);
  expect((await user.call("PUT", path, { value: "x", limit: 1_000_000 })).status).toBe(400);
  expect((await user.call("GET", "/v1/processes/init/blocks/a%20b")).status).toBe(404);
  expect((await ask(user, "What is my cat called?")).body["output"]).toContain("Biscuit");
  const frames = (await user.call("GET", "/v1/processes/init/context")).body["frames"] as Record<string, unknown>[];
  expect(frames.filter((frame) => frame["pinned"] === true).length).toBeGreaterThan(2);
  const edited = await ask(user, '/block replace persona --old "Biscuit" Waffle');
  expect(edited.body["output"]).toBe("persona (24/60):\nMy cat is called Waffle.");
  expect((await user.call("GET", "/v1/processes/init/blocks")).body).toMatchObject({
    items: [{ value: "My cat is called Waffle.", version: 2 }],
  });
  expect((await ask(user, "What is my cat called?")).body["output"]).toContain("Waffle");
  expect((await user.call("DELETE", path)).body).toEqual({ deleted: "persona" });
  expect((await ask(user, "What is my cat called?")).body["output"]).not.toMatch(/Waffle|Biscuit/);
});

test("what is said for always is pinned, told back with a citation, taken out by hand, and stays out", async () => {
  const user = await newUser("pinned-standing");
  await ask(user, "I live in Ghent. I prefer trains over planes. From now on, answer in French.");
  const told = await ask(user, "How should you answer me?");
  expect(told.body["output"]).toMatch(/From now on, answer in French \[p/);
  expect(told.body["citations"]).toHaveLength(2);
  const rule = (await instructions(user)).find((page) => String(page["text"]).includes("French"));
  const handle = String(rule?.["handle"]);
  expect((await ask(user, `/unpin ${handle}`)).body["output"]).toBe(`No longer pinned: [${handle}].`);
  await ask(user, "From now on, answer in French.");
  expect((await ask(user, "How should you answer me?")).body["output"]).not.toContain("French");
  const again = await user.call("PUT", `/v1/memory/${handle}`, { pinned: true });
  expect(again.body).toMatchObject({ pinned: true, tags: ["instruction"] });
  expect((await user.call("DELETE", `/v1/memory/${handle}`)).status).toBe(200);
  expect((await ask(user, "How should you answer me?")).body["output"]).not.toContain("French");
  expect((await user.call("GET", "/v1/memory/export")).text).not.toContain("answer in French");
});

test("what is pinned beyond the budget is left to search, and the context says so", async () => {
  const user = await newUser("pinned-budget");
  const rows = Array.from({ length: 90 }, (_, number) => ({
    role: "user",
    text: `Always mention rule number ${number} with all that belongs to it when I ask about garden bed ${number}.`,
    at: `2024-01-01T00:${String(number % 60).padStart(2, "0")}`,
  }));
  await user.call("POST", "/v1/memory/import", rows.map((row) => JSON.stringify(row)).join("\n"), {
    "content-type": "application/x-ndjson",
  });
  await ask(user, "Hello");
  const { body } = await user.call("GET", "/v1/processes/init/context");
  const frames = body["frames"] as { why: string; tokens: number }[];
  const leftOut = frames.filter((frame) => frame.why === "pinned, left out: no room");
  expect(leftOut.length).toBeGreaterThan(10);
  expect(leftOut.every((frame) => frame.tokens === 0)).toBe(true);
  expect(frames.filter((frame) => frame.why === "pinned").length).toBeGreaterThan(20);
});

test("an import is read for them, user messages only", async () => {
  const user = await newUser("pinned-import");
  const rows = [
    { role: "user", text: "我喜欢喝绿茶。", at: "2024-03-01" },
    { role: "assistant", text: "Always drink water.", at: "2024-03-01" },
    { role: "user", text: "Can I prefer both?", at: "2024-03-02" },
  ];
  await user.call("POST", "/v1/memory/import", rows.map((row) => JSON.stringify(row)).join("\n"), {
    "content-type": "application/x-ndjson",
  });
  expect(await instructions(user)).toMatchObject([{ text: "我喜欢喝绿茶", pinned: true, tags: ["preference"] }]);
});
