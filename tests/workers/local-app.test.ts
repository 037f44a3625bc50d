/** Local app: the user that `npm start` makes, its one-time link, a replaced key, and DNS rebinding. */
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import { sha256 } from "#shared/sha256.ts";
import { randomText } from "#workers/digest.ts";

interface Start {
  readonly key: string;
  readonly token: string;
  get(path: string, init?: RequestInit, origin?: string): Promise<Response>;
}

/** A new isolate's view of a server that was started with this key. */
async function start(key = `lam_${randomText(40)}`): Promise<Start> {
  vi.resetModules();
  const { localApp } = await import("#workers/local-app.ts");
  const token = randomText(40);
  const bindings: Cloudflare.Env = {
    ...env,
    LOCAL_KEY_SHA256: await sha256(key),
    LOCAL_KEY_PREFIX: key.slice(0, 12),
    LOCAL_LOGIN_SHA256: await sha256(token),
  };
  return {
    key,
    token,
    get: async (path, init = {}, origin = "http://localhost:8787") => {
      const context = createExecutionContext();
      const response = await localApp.fetch(new Request(`${origin}${path}`, init), bindings, context);
      await waitOnExecutionContext(context);
      return response;
    },
  };
}

const withKey = (key: string): RequestInit => ({ headers: { authorization: `Bearer ${key}` } });

const withToken = (token: string): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ token }),
});

test("the key works, with every scope, under a loopback name without HSTS", async () => {
  const server = await start();
  const who = await server.get("/v1/session", withKey(server.key));
  expect(await who.json()).toMatchObject({ user: "local", scopes: expect.arrayContaining(["admin", "run"]) });
  expect(who.headers.has("strict-transport-security")).toBe(false);
});

test("a second start with another key replaces the first", async () => {
  const first = await start();
  expect((await first.get("/v1/session", withKey(first.key))).status).toBe(200);
  const second = await start();
  expect((await second.get("/v1/session", withKey(second.key))).status).toBe(200);
  expect((await second.get("/v1/session", withKey(first.key))).status).toBe(401);
});

test("the link works once, also across isolates", async () => {
  const server = await start();
  const opened = await server.get("/v1/session", withToken(server.token));
  expect(opened.status).toBe(201);
  expect(opened.headers.get("set-cookie")).not.toMatch(/Secure/i);
  expect((await server.get("/v1/session", withToken(server.token))).status).toBe(401);
});

test("a name that only resolves to this machine opens no session", async () => {
  const server = await start();
  const rebound = await server.get("/v1/session", withToken(server.token), "http://evil.example:8787");
  expect(rebound.status).toBe(403);
  expect((await server.get("/v1/session", withToken(server.token), "http://127.0.0.1:8787")).status).toBe(201);
});
