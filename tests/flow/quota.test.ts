/**
 * Quota: an admin sets it, and whoever reached it is refused with a 429 that says which quota, how large, and when it begins anew:
 * as a problem, in OpenAI's shape, whole and streamed; nothing is half-done, and everything else goes on.
 */
import OpenAI from "openai";
import { exports } from "cloudflare:workers";
import { beforeAll, describe, expect, test } from "vitest";
import { QUOTA_MOST } from "#shared/limits.ts";
import { SCOPES } from "#shared/schema/keys.ts";
import { newUser, ORIGIN, type Reply, type User } from "#tests/workers/edge-client.ts";

let admin: User;

beforeAll(async () => {
  admin = await newUser("quota-admin", SCOPES);
});

async function limited(name: string, quota: unknown): Promise<User> {
  const user = await newUser(name);
  const set = await admin.call("PUT", `/v1/quotas?user=${name}`, { quota });
  expect([set.status, set.text]).toEqual([200, set.text]);
  return user;
}

function expectRefusal(reply: Reply): void {
  expect([reply.status, reply.body["code"]]).toEqual([429, "quota_exceeded"]);
  expect(reply.headers.get("content-type")).toContain("application/problem+json");
  expect(String(reply.body["detail"])).toMatch(/daily quota of 100 tokens.*begins anew at \d{4}-\d\d-\d\dT00:00:00/);
  const seconds = Number(reply.headers.get("retry-after"));
  expect(seconds).toBeGreaterThan(0);
  expect(seconds).toBeLessThanOrEqual(86_400);
}

const CHAT = { model: "lamina", messages: [{ role: "user", content: "Hello there" }] };

describe("a user whose quota is reached", () => {
  test("is refused before a run is admitted, whole and streamed", async () => {
    const user = await limited("quota-reached", { day: { tokens: 100 } });
    for (const stream of [false, true]) {
      expectRefusal(await user.call("POST", "/v1/instructions", { input: "Who am I?", stream }));
      const chat = await user.call("POST", "/v1/chat/completions", { ...CHAT, stream });
      expectRefusal(chat);
      expect(chat.body["error"]).toMatchObject({ type: "rate_limit_error", code: "quota_exceeded" });
      expect(chat.headers.get("x-should-retry")).toBe("false");
    }
    expect((await user.call("GET", "/v1/runs")).body["items"]).toEqual([]);
  });

  test("is told by OpenAI's own client, at once", async () => {
    const user = await limited("quota-openai", { day: { tokens: 100 } });
    let requests = 0;
    const client = new OpenAI({
      apiKey: user.key,
      baseURL: `${ORIGIN}/v1`,
      fetch: (input, init) => {
        requests += 1;
        return exports.default.fetch(new Request(input, init));
      },
    });
    const asked = client.chat.completions.create({ model: "lamina", messages: [{ role: "user", content: "Hello" }] });
    await expect(asked).rejects.toBeInstanceOf(OpenAI.RateLimitError);
    expect(requests).toBe(1);
  });

  test("may still do what needs no model, and read", async () => {
    const user = await limited("quota-commands", { day: { tokens: 0 } });
    const told = await user.call("POST", "/v1/instructions", { input: "/remember the key is red", stream: false });
    expect(told.body).toMatchObject({ status: "done" });
    const found = await user.call("POST", "/v1/instructions", { input: "/recall key", stream: false });
    expect(found.body["output"]).toContain("red");
    const state = (await user.call("GET", "/v1/quotas")).body["state"];
    expect(state).toMatchObject([{ period: "day", unit: "tokens", size: 0, used: 0, left: 0 }]);
  });

  test("still gets what was answered before, by the same key", async () => {
    const user = await newUser("quota-replay");
    const once = { "idempotency-key": "again" };
    const body = { input: "My cat is called Turing.", stream: false };
    const first = await user.call("POST", "/v1/instructions", body, once);
    expect(first.status).toBe(200);
    await admin.call("PUT", "/v1/quotas?user=quota-replay", { quota: { day: { tokens: 0 } } });
    const again = await user.call("POST", "/v1/instructions", body, once);
    expect(again.body["run"]).toBe(first.body["run"]);
  });
});

test("many runs at once never use more than there is", async () => {
  const user = await limited("quota-at-once", { day: { tokens: 12_000 } });
  const replies = await Promise.all(
    Array.from({ length: 12 }, (_, index) =>
      user.call("POST", "/v1/instructions", { input: `What is my name? ${index}`, thread: `t${index}`, stream: false }),
    ),
  );
  const tokens = (body: Reply["body"]): number => {
    const usage = body["usage"] as { inputTokens: number; outputTokens: number } | undefined;
    return usage === undefined ? 0 : usage.inputTokens + usage.outputTokens;
  };
  const done = replies.filter(({ body }) => body["status"] === "done");
  const refused = replies.filter(({ body }) => JSON.stringify(body).includes("quota_exceeded"));
  expect(done.length).toBeGreaterThan(0);
  expect(refused.length).toBeGreaterThan(0);
  expect(done.length + refused.length).toBe(replies.length);
  expect(replies.reduce((sum, { body }) => sum + tokens(body), 0)).toBeLessThanOrEqual(12_000);
});

test("a quota in mid-run ends the run with its reason, and what was used stays below it", async () => {
  // Enough to begin with the words alone, not with the prompt they become.
  const user = await limited("quota-mid-run", { day: { tokens: 4_200 } });
  const whole = await user.call("POST", "/v1/instructions", { input: "Where do I live?", stream: false });
  expect(whole.body).toMatchObject({ status: "failed", error: { code: "quota_exceeded" }, output: "" });
  const streamed = await user.call("POST", "/v1/instructions", { input: "Where do I live?" });
  expect(streamed.status).toBe(200);
  expect(streamed.text).toContain('"type":"error"');
  expect(streamed.text).toContain("daily quota of 4200 tokens");
  const chat = await user.call("POST", "/v1/chat/completions", CHAT);
  expect([chat.status, chat.body["code"]]).toEqual([429, "quota_exceeded"]);
  expect(Number(chat.headers.get("retry-after"))).toBeGreaterThan(0);
  const usage = await user.call("GET", "/v1/usage");
  expect(usage.body["quota"]).toMatchObject([{ used: 0 }]);
});

describe("setting a quota", () => {
  const quota = { day: { microdollars: 5, tokens: null }, month: { microdollars: null, tokens: 7 } };

  test("says what there is, is idempotent, and null removes it", async () => {
    const user = await newUser("quota-set");
    const path = "/v1/quotas?user=quota-set";
    const first = await admin.call("PUT", path, { quota: { day: { microdollars: 5 }, month: { tokens: 7 } } });
    expect(first.body).toMatchObject({ user: "quota-set", quota, default: null, processes: [] });
    expect((await admin.call("PUT", path, { quota })).body).toEqual(first.body);
    await admin.call("PUT", `${path}&process=init`, { quota });
    const own = (await user.call("GET", "/v1/quotas")).body;
    expect(own).toMatchObject({ quota, processes: [{ process: "init", quota }] });
    expect((await admin.call("GET", path)).body).toEqual(own);
    expect((own["state"] as { process: unknown }[]).map(({ process }) => process)).toEqual([
      null,
      null,
      "init",
      "init",
    ]);
    await admin.call("PUT", `${path}&process=init`, { quota: null });
    const last = await admin.call("PUT", path, { quota: null });
    expect(last.body).toMatchObject({ quota: null, processes: [], state: [] });
  });

  test.each([
    {},
    { quota: 5 },
    { quota: { day: { tokens: -1 } } },
    { quota: { day: { tokens: 1.5 } } },
    { quota: { day: { tokens: QUOTA_MOST + 1 } } },
    { quota: { week: { tokens: 5 } } },
    { quota: { day: { dollars: 5 } } },
    { quota: null, more: 1 },
  ])("%j is refused", async (body) => {
    const reply = await admin.call("PUT", "/v1/quotas", body);
    expect([reply.status, reply.body["code"]]).toEqual([400, "invalid_request"]);
  });

  test("goes up to its largest, and to users that there are", async () => {
    await newUser("quota-largest");
    const most = await admin.call("PUT", "/v1/quotas?user=quota-largest", { quota: { day: { tokens: QUOTA_MOST } } });
    expect(most.status).toBe(200);
    for (const method of ["GET", "PUT"]) {
      const reply = await admin.call(method, "/v1/quotas?user=nobody", method === "PUT" ? { quota } : undefined);
      expect([reply.status, reply.body["code"]]).toEqual([404, "not_found"]);
    }
    expect((await admin.call("PUT", "/v1/quotas?process=a%2Fb", { quota })).status).toBe(404);
  });
});
