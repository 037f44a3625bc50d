/**
 * Two users: every route of the API, called by one user with the other's ids, shows and changes nothing.
 *
 * A route that is added without a line here fails the last test.
 */
import { beforeAll, expect, test } from "vitest";
import { call, newUser, type Reply, type User } from "#tests/workers/edge-client.ts";

const SECRET = "The vault code of Alice is 7391-umbrella";

let alice: User;
let mallory: User;
let ids: { readonly handle: string; readonly run: string; readonly thread: string; readonly document: string };

beforeAll(async () => {
  alice = await newUser("alice");
  mallory = await newUser("mallory");
  const page = await alice.call("POST", "/v1/memory", { text: SECRET, kind: "fact" });
  expect(page.status).toBe(201);
  expect((await alice.call("PUT", "/v1/processes/init/blocks/vault", { value: SECRET })).status).toBe(200);
  const run = await alice.call("POST", "/v1/instructions", {
    input: "/recall vault code",
    thread: "private",
    stream: false,
  });
  expect(run.status).toBe(200);
  const document = await alice.call("POST", "/v1/memory/documents?name=vault", SECRET, {
    "content-type": "text/plain",
  });
  expect(document.status).toBe(201);
  ids = {
    handle: page.body["handle"] as string,
    run: run.body["run"] as string,
    thread: "private",
    document: document.body["document"] as string,
  };
});

/** What Mallory does; `foreign` ids must be 404, everything else must answer with her own, empty things. */
interface Attempt {
  readonly route: string;
  readonly foreign: boolean;
  readonly make: () => Promise<Reply>;
}

const attempts: readonly Attempt[] = [
  { route: "get /v1/runs", foreign: false, make: () => mallory.call("GET", "/v1/runs") },
  { route: "get /v1/runs/{id}", foreign: true, make: () => mallory.call("GET", `/v1/runs/${ids.run}`) },
  { route: "get /v1/runs/{id}/stream", foreign: true, make: () => mallory.call("GET", `/v1/runs/${ids.run}/stream`) },
  { route: "get /v1/runs/{id}/trace", foreign: true, make: () => mallory.call("GET", `/v1/runs/${ids.run}/trace`) },
  { route: "post /v1/runs/{id}/cancel", foreign: true, make: () => mallory.call("POST", `/v1/runs/${ids.run}/cancel`) },
  { route: "post /v1/runs/{id}/resume", foreign: true, make: () => mallory.call("POST", `/v1/runs/${ids.run}/resume`) },
  {
    route: "get /v1/processes/{p}/blocks",
    foreign: false,
    make: () => mallory.call("GET", "/v1/processes/init/blocks"),
  },
  {
    route: "get /v1/processes/{p}/blocks/{label}",
    foreign: true,
    make: () => mallory.call("GET", "/v1/processes/init/blocks/vault"),
  },
  {
    route: "put /v1/processes/{p}/blocks/{label}",
    foreign: true,
    make: () =>
      mallory.call("PUT", "/v1/processes/alice/blocks/vault", { attach: { process: "init", label: "vault" } }),
  },
  {
    route: "delete /v1/processes/{p}/blocks/{label}",
    foreign: true,
    make: () => mallory.call("DELETE", "/v1/processes/init/blocks/vault"),
  },
  { route: "get /v1/memory", foreign: false, make: () => mallory.call("GET", "/v1/memory") },
  { route: "post /v1/fsck", foreign: false, make: () => mallory.call("POST", "/v1/fsck", {}) },
  {
    route: "get /v1/memory/search",
    foreign: false,
    make: () => mallory.call("GET", "/v1/memory/search?q=vault%20code"),
  },
  { route: "get /v1/memory/export", foreign: false, make: () => mallory.call("GET", "/v1/memory/export") },
  { route: "get /v1/memory/{handle}", foreign: true, make: () => mallory.call("GET", `/v1/memory/${ids.handle}`) },
  {
    route: "put /v1/memory/{handle}",
    foreign: true,
    make: () => mallory.call("PUT", `/v1/memory/${ids.handle}`, { text: "overwritten" }),
  },
  {
    route: "delete /v1/memory/{handle}",
    foreign: true,
    make: () => mallory.call("DELETE", `/v1/memory/${ids.handle}`),
  },
  {
    route: "post /v1/memory/import",
    foreign: true,
    make: () =>
      mallory.call("POST", "/v1/memory/import?process=alice%2Finit", '{"text":"x"}', {
        "content-type": "application/x-ndjson",
      }),
  },
  {
    route: "post /v1/memory/documents",
    foreign: true,
    make: () =>
      mallory.call("POST", "/v1/memory/documents?process=alice%2Finit", "x", { "content-type": "text/plain" }),
  },
  ...(["GET", "PUT", "DELETE"] as const).map((method) => ({
    route: `${method.toLowerCase()} /v1/memory/documents/{document}`,
    foreign: true,
    make: () =>
      mallory.call(
        method,
        `/v1/memory/documents/${ids.document}${method === "PUT" ? "?offset=0" : ""}`,
        method === "PUT" ? "x" : undefined,
        { "content-type": "text/plain" },
      ),
  })),
  { route: "get /v1/memory/documents", foreign: false, make: () => mallory.call("GET", "/v1/memory/documents") },
  {
    route: "post /v1/memory",
    foreign: true,
    make: () => mallory.call("POST", "/v1/memory?process=alice%2Finit", { text: "planted" }),
  },
  {
    route: "post /v1/instructions",
    foreign: false,
    make: () =>
      mallory.call("POST", "/v1/instructions", { input: "/recall vault code", thread: "private", stream: false }),
  },
  {
    route: "post /v1/chat/completions",
    foreign: false,
    make: () =>
      mallory.call(
        "POST",
        "/v1/chat/completions",
        { messages: [{ role: "user", content: "What is the vault code?" }] },
        { "x-lamina-thread": "private" },
      ),
  },
  { route: "get /v1/models", foreign: false, make: () => mallory.call("GET", "/v1/models") },
  { route: "get /v1/processes", foreign: false, make: () => mallory.call("GET", "/v1/processes") },
  { route: "get /v1/processes/{p}", foreign: true, make: () => mallory.call("GET", "/v1/processes/alice%2Finit") },
  {
    route: "get /v1/processes/{p}/threads",
    foreign: true,
    make: () => mallory.call("GET", "/v1/processes/alice%2Finit/threads"),
  },
  {
    route: "get /v1/processes/{p}/threads/{t}/messages",
    foreign: true,
    make: () => mallory.call("GET", "/v1/processes/alice%2Finit/threads/private/messages"),
  },
  {
    route: "delete /v1/processes/{p}/threads/{t}",
    foreign: true,
    make: () => mallory.call("DELETE", "/v1/processes/alice%2Finit/threads/private"),
  },
  {
    route: "get /v1/processes/{p}/context",
    foreign: false,
    make: () => mallory.call("GET", "/v1/processes/init/context?thread=private"),
  },
  {
    route: "get /v1/processes/{p}/references",
    foreign: true,
    make: () => mallory.call("GET", "/v1/processes/alice%2Finit/references"),
  },
  ...(["get sleep", "put sleep", "post sleep", "post sleep/undo", "get audit"] as const).map((call): Attempt => {
    const [method = "", path = ""] = call.split(" ");
    const body = { put: { enabled: true }, post: {}, get: undefined }[method];
    return {
      route: `${method} /v1/processes/{p}/${path}`,
      foreign: true,
      make: () => mallory.call(method.toUpperCase(), `/v1/processes/alice%2Finit/${path}`, body),
    };
  }),
  {
    route: "get /v1/processes/{p}/vmstat",
    foreign: true,
    make: () => mallory.call("GET", "/v1/processes/alice%2Finit/vmstat"),
  },
  { route: "get /v1/pool", foreign: false, make: () => mallory.call("GET", "/v1/pool") },
  { route: "get /v1/usage", foreign: false, make: () => mallory.call("GET", "/v1/usage?group=process") },
  { route: "get /v1/quotas", foreign: false, make: () => mallory.call("GET", "/v1/quotas") },
  { route: "get /v1/session", foreign: false, make: () => mallory.call("GET", "/v1/session") },
  { route: "post /v1/session", foreign: false, make: () => mallory.call("POST", "/v1/session") },
  { route: "delete /v1/session", foreign: false, make: () => mallory.call("DELETE", "/v1/session") },
];

test("every route, with the other's ids", async () => {
  for (const { route, foreign, make } of attempts) {
    const reply = await make();
    expect(reply.text, route).not.toContain("umbrella");
    expect(reply.text, route).not.toContain("alice");
    if (foreign) expect([route, reply.status, reply.body["code"]]).toEqual([route, 404, "not_found"]);
    else expect(reply.status, `${route}: ${reply.text}`).not.toBe(500);
  }
});

test("keys, usage and quotas of others need the scope admin", async () => {
  for (const [method, path, body] of [
    ["GET", "/v1/keys", undefined],
    ["POST", "/v1/keys", { user: "alice", scopes: ["run"] }],
    ["DELETE", `/v1/keys/${alice.keyId}`, undefined],
    ["GET", "/v1/usage?user=alice", undefined],
    ["GET", "/v1/usage?user=alice&group=run", undefined],
    ["GET", "/v1/usage?user=*", undefined],
    ["GET", "/v1/quotas?user=alice", undefined],
    ["PUT", "/v1/quotas?user=alice", { quota: null }],
    ["PUT", "/v1/quotas", { quota: null }],
  ] as const) {
    expect((await mallory.call(method, path, body)).body["code"]).toBe("forbidden");
  }
});

test("a user cannot be named in a body or a header", async () => {
  const named = await mallory.call("POST", "/v1/instructions", { input: "/ps", user: "alice", stream: false });
  expect(named.status).toBe(400);
  const header = await mallory.call("GET", "/v1/session", undefined, { "x-user": "alice", "x-lamina-user": "alice" });
  expect(header.body["user"]).toBe("mallory");
});

test("an idempotency key is the user's own", async () => {
  const once = { "idempotency-key": "shared-key" };
  const hers = await alice.call("POST", "/v1/instructions", { input: "/recall vault", stream: false }, once);
  const other = await mallory.call("POST", "/v1/instructions", { input: "/recall vault", stream: false }, once);
  expect(other.body["run"]).not.toBe(hers.body["run"]);
  expect(other.text).not.toContain("umbrella");
});

test("nothing of the first user changed", async () => {
  const page = await alice.call("GET", `/v1/memory/${ids.handle}`);
  expect(page.body).toMatchObject({ text: SECRET, version: 1 });
  const run = await alice.call("GET", `/v1/runs/${ids.run}`);
  expect(run.body).toMatchObject({ status: "done" });
  const messages = await alice.call("GET", "/v1/processes/init/threads/private/messages");
  expect(messages.status).toBe(200);
});

test("no route is missing here", async () => {
  const { body } = await call("GET", "/openapi.json");
  const paths = Object.entries(body["paths"] as Record<string, Record<string, unknown>>);
  const routes = paths.flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`));
  const tried = new Set(attempts.map(({ route }) => route));
  const elsewhere = ["get /health", "get /v1/keys", "post /v1/keys", "delete /v1/keys/{id}", "put /v1/quotas"];
  expect(routes.filter((route) => !tried.has(route) && !elsewhere.includes(route))).toEqual([]);
});
