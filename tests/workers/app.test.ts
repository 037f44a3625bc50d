/** Edge: request ids, security headers, who is let in, sessions and CSRF, limits, unknown addresses. */
import { env, exports } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { parseUserId } from "#shared/ids.ts";
import { BODY_BYTES, REQUEST_BURST } from "#shared/limits.ts";
import { sha256 } from "#shared/sha256.ts";
import { ensureLoginLink, ensureUser } from "#workers/directory.ts";
import { call, newUser, ORIGIN, type Reply } from "#tests/workers/edge-client.ts";

function expectProblem(reply: Reply, status: number, code: string): void {
  expect(reply.headers.get("content-type")).toBe("application/problem+json");
  expect(reply.body).toMatchObject({
    status,
    code,
    type: `/docs#${code}`,
    requestId: reply.headers.get("x-request-id"),
  });
  expect(reply.status).toBe(status);
  expect(typeof reply.body["detail"]).toBe("string");
}

describe("every reply", () => {
  test("has a request id, and keeps a harmless one of the client's", async () => {
    expect((await call("GET", "/health")).headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
    const kept = await call("GET", "/health", undefined, { "x-request-id": "trace-1.a_B" });
    expect(kept.headers.get("x-request-id")).toBe("trace-1.a_B");
    const refused = await call("GET", "/health", undefined, { "x-request-id": "a b<script>" });
    expect(refused.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
  });

  test.each(["/health", "/v1/runs", "/docs", "/no-such-page"])("%s has security headers", async (path) => {
    const { headers, status } = await call("GET", path);
    expect(status).toBeLessThan(500);
    expect(headers.get("x-request-id")).not.toBeNull();
    expect(headers.get("content-security-policy")).toMatch(
      /default-src 'none'.*script-src 'self';.*frame-ancestors 'none'/,
    );
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("referrer-policy")).toBe("no-referrer");
    expect(headers.get("cross-origin-opener-policy")).toBe("same-origin");
    expect(headers.get("strict-transport-security")).toContain("max-age=");
  });
});

describe("keys", () => {
  test("none, malformed, unknown and expired ones are 401", async () => {
    expectProblem(await call("GET", "/v1/runs"), 401, "unauthorized");
    const expired = await newUser("expired", ["run"], Date.now() - 1);
    for (const authorization of [
      "Basic eDp5",
      "Bearer",
      "Bearer sk-x",
      `Bearer lam_${"a".repeat(43)}`,
      `Bearer ${expired.key}`,
    ]) {
      expectProblem(await call("GET", "/v1/runs", undefined, { authorization }), 401, "unauthorized");
    }
  });

  test("a key with the prefix of another is refused", async () => {
    const { key } = await newUser("prefix");
    const authorization = `Bearer ${key.slice(0, -1)}${key.endsWith("a") ? "b" : "a"}`;
    expectProblem(await call("GET", "/v1/runs", undefined, { authorization }), 401, "unauthorized");
  });

  test("a key without the scope is 403, before its body is read", async () => {
    const user = await newUser("memory-only", ["memory"]);
    expectProblem(await user.call("POST", "/v1/instructions", { nonsense: 1 }), 403, "forbidden");
    expectProblem(await user.call("GET", "/v1/keys"), 403, "forbidden");
  });
});

describe("addresses", () => {
  test("an unknown one, and an unknown method on a known one, are 404", async () => {
    const user = await newUser("addresses");
    expectProblem(await user.call("GET", "/v1/nothing"), 404, "not_found");
    expectProblem(await user.call("PATCH", "/v1/memory"), 404, "not_found");
    expectProblem(await user.call("DELETE", "/v1/instructions"), 404, "not_found");
    expectProblem(await call("GET", "/docs/nothing"), 404, "not_found");
    expectProblem(await call("POST", "/"), 404, "not_found");
  });
});

describe("limits", () => {
  test("a body over the limit is 413, whatever its length header says", async () => {
    const user = await newUser("large-body");
    const text = JSON.stringify({ input: "x".repeat(BODY_BYTES) });
    expectProblem(await user.call("POST", "/v1/instructions", text), 413, "payload_too_large");
    const chunked = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let sent = 0; sent <= BODY_BYTES; sent += 65_536) controller.enqueue(new Uint8Array(65_536).fill(120));
        controller.close();
      },
    });
    const response = await exports.default.fetch(`${ORIGIN}/v1/instructions`, {
      method: "POST",
      headers: { authorization: `Bearer ${user.key}`, "content-type": "application/json" },
      body: chunked,
    });
    expect(response.status).toBe(413);
    await response.text();
  });

  test("the bucket is told on each reply, and empty it is 429", async () => {
    const user = await newUser("bursts", ["admin"]);
    const first = await user.call("GET", "/v1/session");
    expect(first.headers.get("ratelimit-limit")).toBe(String(REQUEST_BURST));
    expect(first.headers.get("ratelimit-remaining")).toBe(String(REQUEST_BURST - 1));
    let refused: Reply | null = null;
    for (let tries = 0; tries < 20 && refused === null; tries += 1) {
      const replies = await Promise.all(Array.from({ length: 100 }, () => user.call("GET", "/v1/session")));
      refused = replies.find(({ status }) => status === 429) ?? null;
    }
    if (refused === null) throw new Error("was never refused");
    expectProblem(refused, 429, "rate_limited");
    expect(refused.headers.get("retry-after")).toBe("1");
  });
});

describe("sessions", () => {
  async function linkFor(name: string, expiresAt = Date.now() + 60_000): Promise<string> {
    const user = parseUserId(name);
    if (user === null) throw new Error("no user name");
    const token = `link-${crypto.randomUUID()}`;
    await ensureUser(env.DB, user, Date.now());
    await ensureLoginLink(env.DB, { sha256: await sha256(token), user, expiresAt });
    return token;
  }

  function cookieOf(reply: Reply): string {
    const cookie = reply.headers.get("set-cookie") ?? "";
    expect(cookie).toMatch(/HttpOnly/i);
    expect(cookie).toMatch(/SameSite=Strict/i);
    expect(cookie).toMatch(/Secure/i);
    return cookie.split(";")[0] ?? "";
  }

  test("a link opens one session, once", async () => {
    const token = await linkFor("sessions");
    const opened = await call("POST", "/v1/session", { token }, { origin: ORIGIN });
    expect(opened.status).toBe(201);
    expect(opened.text).not.toContain(token);
    expectProblem(await call("POST", "/v1/session", { token }), 401, "unauthorized");
    expectProblem(
      await call("POST", "/v1/session", { token: await linkFor("late", Date.now() - 1) }),
      401,
      "unauthorized",
    );
    expectProblem(await call("POST", "/v1/session", { token: "' OR 1=1 --" }), 400, "invalid_request");
    expectProblem(await call("POST", "/v1/session"), 401, "unauthorized");
  });

  test("the cookie reads; a change needs the token too; the token survives a reload; closing ends it", async () => {
    const opened = await call("POST", "/v1/session", { token: await linkFor("cookie") });
    const cookie = cookieOf(opened);
    const who = await call("GET", "/v1/session", undefined, { cookie });
    expect(who.body).toMatchObject({ user: "cookie", csrf: opened.body["csrf"] });
    const csrf = String(who.body["csrf"]);
    expectProblem(await call("DELETE", "/v1/session", undefined, { cookie }), 403, "forbidden");
    expectProblem(
      await call("DELETE", "/v1/session", undefined, { cookie, "x-csrf-token": "0".repeat(64) }),
      403,
      "forbidden",
    );
    const evil = { cookie, "x-csrf-token": csrf, origin: "https://evil.example" };
    expectProblem(await call("DELETE", "/v1/session", undefined, evil), 403, "forbidden");
    expectProblem(
      await call("GET", "/v1/session", undefined, { cookie, "sec-fetch-site": "cross-site" }),
      403,
      "forbidden",
    );
    expect((await call("DELETE", "/v1/session", undefined, { cookie, "x-csrf-token": csrf })).body).toEqual({
      closed: true,
    });
    expectProblem(await call("GET", "/v1/session", undefined, { cookie }), 401, "unauthorized");
  });

  test("a key opens a session with its own scopes", async () => {
    const user = await newUser("key-session", ["memory"]);
    const opened = await user.call("POST", "/v1/session");
    expect(opened.body).toMatchObject({ user: "key-session", scopes: ["memory"] });
    expectProblem(await call("GET", "/v1/runs", undefined, { cookie: cookieOf(opened) }), 403, "forbidden");
    expect((await user.call("GET", "/v1/session")).body).toMatchObject({ csrf: null });
  });
});
