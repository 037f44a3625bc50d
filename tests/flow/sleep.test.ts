/**
 * Sleep over HTTP: see it, switch it, do some now, read the audit, undo; by command too; nobody else's.
 */
import { describe, expect, it } from "vitest";
import { newUser, type User } from "#tests/workers/edge-client.ts";

const TOLD = "Good morning! My sister Ana Silva lives in Porto. What a day. I am allergic to peanuts.";

async function tell(user: User, text = TOLD): Promise<void> {
  const reply = await user.call("POST", "/v1/instructions", { input: text, stream: false });
  expect(reply.status).toBe(200);
}

async function sleepWhole(user: User): Promise<Record<string, unknown>> {
  for (let turn = 0; ; turn += 1) {
    const { status, body } = await user.call("POST", "/v1/processes/init/sleep");
    expect(status).toBe(200);
    if (body["left"] === 0 || turn > 20) return body;
  }
}

const items = (body: Record<string, unknown>): Record<string, unknown>[] => body["items"] as Record<string, unknown>[];

describe("sleep", () => {
  it("is done by hand, told, audited and undone", async () => {
    const user = await newUser("sleep-http");
    await tell(user);
    const before = await user.call("GET", "/v1/processes/init/sleep");
    expect(before.body).toMatchObject({ enabled: true, modelTokensPerDay: 0, modelTokensToday: 0, changes: 0 });
    expect(before.body["left"]).toBeGreaterThan(0);
    await sleepWhole(user);
    const audit = await user.call("GET", "/v1/processes/init/audit?limit=1");
    expect(items(audit.body)).toMatchObject([{ rule: "fact", text: "I am allergic to peanuts.", state: "done" }]);
    const rest = await user.call("GET", `/v1/processes/init/audit?cursor=${String(audit.body["cursor"])}`);
    expect(items(rest.body)).toMatchObject([{ text: "My sister Ana Silva lives in Porto." }]);
    const facts = await user.call("GET", "/v1/memory?kind=fact");
    expect(items(facts.body)).toHaveLength(2);
    const entry = items(audit.body)[0]?.["id"];
    expect((await user.call("POST", "/v1/processes/init/sleep/undo", { entry })).body).toEqual({ undone: [entry] });
    expect((await user.call("POST", "/v1/processes/init/sleep/undo", {})).body["undone"]).toHaveLength(1);
    expect(items((await user.call("GET", "/v1/memory?kind=fact")).body)).toEqual([]);
    expect((await user.call("POST", "/v1/processes/init/sleep")).body).toMatchObject({ facts: 0, left: 0 });
  });

  it("answers a question as it did before", async () => {
    const user = await newUser("sleep-answers");
    await tell(user);
    await tell(user, "I work as a plumber in Lisbon. My cat is called Tom. The garden is green today.");
    const ask = async (): Promise<unknown[]> => {
      const said: unknown[] = [];
      for (const input of ["Where does my sister live?", "What am I allergic to?", "What is my cat called?"]) {
        const reply = await user.call("POST", "/v1/instructions", { input, stream: false, thread: "questions" });
        said.push([reply.body["output"], reply.body["citations"]]);
      }
      return said;
    };
    const before = await ask();
    expect(JSON.stringify(before)).toMatch(/Porto.*peanuts.*Tom/);
    await sleepWhole(user);
    expect(items((await user.call("GET", "/v1/memory?kind=fact")).body).length).toBeGreaterThan(1);
    expect(await ask()).toEqual(before);
  });

  it("is a command in both languages", async () => {
    const user = await newUser("sleep-command");
    await tell(user);
    const said = await user.call("POST", "/v1/instructions", { input: "/sleep", stream: false });
    expect(said.body["output"]).toMatch(
      /^Looked at \d+ pages: \d+ new facts, \d+ duplicates, \d+ stale; \d+ pages left\.$/,
    );
    const chinese = await user.call("POST", "/v1/instructions", { input: "/整理", stream: false });
    expect(chinese.body["output"]).toMatch(/^看了\d+页/);
  });

  it("is switched, within limits, and is nobody else's", async () => {
    const user = await newUser("sleep-switch");
    const other = await newUser("sleep-other");
    await tell(user);
    const put = (body: unknown): ReturnType<User["call"]> => user.call("PUT", "/v1/processes/init/sleep", body);
    expect((await put({ enabled: false, modelTokensPerDay: 500 })).body).toMatchObject({
      enabled: false,
      modelTokensPerDay: 500,
    });
    expect((await put({ enabled: true })).body).toMatchObject({ enabled: true, modelTokensPerDay: 500 });
    for (const wrong of [{}, { modelTokensPerDay: -1 }, { modelTokensPerDay: 1e12 }, { enabled: "no" }, { more: 1 }]) {
      expect((await put(wrong)).status).toBe(400);
    }
    expect((await user.call("POST", "/v1/processes/init/sleep/undo", { entry: 77 })).status).toBe(404);
    expect((await user.call("GET", "/v1/processes/init/audit?cursor=x")).status).toBe(400);
    expect((await user.call("GET", "/v1/processes/nothing/sleep")).status).toBe(404);
    await sleepWhole(user);
    expect(items((await other.call("GET", "/v1/processes/init/audit")).body)).toEqual([]);
    expect((await other.call("POST", "/v1/processes/init/sleep/undo", { entry: 1 })).status).toBe(404);
  });
});
