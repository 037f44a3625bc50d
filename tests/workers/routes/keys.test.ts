/** Keys: made once, shown once, listed without secrets, revoked at once in this isolate. */
import { expect, test } from "vitest";
import { call, newUser } from "#tests/workers/edge-client.ts";

test("a key is shown once; a replay shows none; another body conflicts", async () => {
  const admin = await newUser("admin", ["admin"]);
  const once = { "idempotency-key": "make-bob" };
  const made = await admin.call("POST", "/v1/keys", { user: "bob", scopes: ["memory", "run"], name: "laptop" }, once);
  expect(made.status).toBe(201);
  expect(made.body).toMatchObject({ user: "bob", scopes: ["run", "memory"], name: "laptop", expiresAt: null });
  const key = String(made.body["key"]);
  expect(key).toMatch(/^lam_[A-Za-z0-9]{43}$/);
  const again = await admin.call("POST", "/v1/keys", { scopes: ["memory", "run"], user: "bob", name: "laptop" }, once);
  expect(again.body["id"]).toBe(made.body["id"]);
  expect(again.body["key"]).toBeUndefined();
  expect((await admin.call("POST", "/v1/keys", { user: "eve", scopes: ["run"] }, once)).body["code"]).toBe("conflict");
  const list = await admin.call("GET", "/v1/keys");
  expect(list.text).toContain(String(made.body["id"]));
  expect(list.text).not.toContain(key);
});

test("two requests at once with one idempotency key make one key", async () => {
  const admin = await newUser("admin-twice", ["admin"]);
  const once = { "idempotency-key": "same" };
  const replies = await Promise.all(
    [1, 2, 3].map(() => admin.call("POST", "/v1/keys", { user: "twice", scopes: ["run"] }, once)),
  );
  expect(new Set(replies.map(({ body }) => body["id"])).size).toBe(1);
  expect(replies.filter(({ body }) => body["key"] !== undefined)).toHaveLength(1);
});

test("a revoked key stops working; revoking it again, or an unknown one, is 404", async () => {
  const admin = await newUser("admin-revokes", ["admin"]);
  const victim = await newUser("victim", ["run"]);
  expect((await victim.call("GET", "/v1/session")).status).toBe(200);
  expect((await admin.call("DELETE", `/v1/keys/${victim.keyId}`)).body).toEqual({ revoked: victim.keyId });
  expect((await victim.call("GET", "/v1/session")).status).toBe(401);
  expect((await admin.call("DELETE", `/v1/keys/${victim.keyId}`)).status).toBe(404);
  expect((await admin.call("DELETE", "/v1/keys/nonsense")).status).toBe(404);
});

test("a session that was opened with a key ends with the key", async () => {
  const admin = await newUser("admin-ends", ["admin"]);
  const victim = await newUser("victim-ends", ["run"]);
  const opened = await victim.call("POST", "/v1/session");
  expect(opened.status).toBe(201);
  const cookie = opened.headers.get("set-cookie")?.split(";")[0] ?? "";
  await admin.call("DELETE", `/v1/keys/${victim.keyId}`);
  expect((await call("GET", "/v1/session", undefined, { cookie })).status).toBe(401);
});

test("the list has pages", async () => {
  const admin = await newUser("admin-lists", ["admin"]);
  const first = await admin.call("GET", "/v1/keys?limit=1");
  expect(first.body["items"]).toHaveLength(1);
  const second = await admin.call("GET", `/v1/keys?limit=1&cursor=${String(first.body["cursor"])}`);
  expect(second.body["items"]).not.toEqual(first.body["items"]);
  expect((await admin.call("GET", "/v1/keys?cursor=x")).status).toBe(400);
  expect((await admin.call("GET", "/v1/keys?limit=501")).status).toBe(400);
});

test.each([
  { user: "a b", scopes: ["run"] },
  { user: "x", scopes: [] },
  { user: "x", scopes: ["root"] },
  { user: "x", scopes: ["run"], expiresAt: "2001-01-01T00:00:00Z" },
  { user: "x", scopes: ["run"], more: 1 },
])("%j is refused", async (body) => {
  const admin = await newUser("admin-refuses", ["admin"]);
  expect((await admin.call("POST", "/v1/keys", body)).body).toMatchObject({ code: "invalid_request", status: 400 });
});
