/** Docs: the document names every route of this slice, and the page needs nothing from elsewhere. */
import { expect, test } from "vitest";
import { call } from "#tests/workers/edge-client.ts";

const ROUTES = [
  "get /health",
  "post /v1/instructions",
  "get /v1/runs",
  "get /v1/runs/{id}",
  "get /v1/runs/{id}/stream",
  "get /v1/runs/{id}/trace",
  "post /v1/runs/{id}/cancel",
  "post /v1/runs/{id}/resume",
  "get /v1/models",
  "post /v1/chat/completions",
  "post /v1/memory/import",
  "get /v1/memory",
  "post /v1/memory",
  "get /v1/memory/search",
  "get /v1/memory/documents",
  "post /v1/memory/documents",
  "get /v1/memory/documents/{document}",
  "put /v1/memory/documents/{document}",
  "delete /v1/memory/documents/{document}",
  "get /v1/memory/export",
  "get /v1/memory/{handle}",
  "put /v1/memory/{handle}",
  "delete /v1/memory/{handle}",
  "get /v1/processes",
  "get /v1/processes/{p}",
  "get /v1/processes/{p}/threads",
  "get /v1/processes/{p}/threads/{t}/messages",
  "delete /v1/processes/{p}/threads/{t}",
  "get /v1/processes/{p}/context",
  "get /v1/processes/{p}/references",
  "get /v1/processes/{p}/vmstat",
  "get /v1/processes/{p}/sleep",
  "put /v1/processes/{p}/sleep",
  "post /v1/processes/{p}/sleep",
  "post /v1/processes/{p}/sleep/undo",
  "get /v1/processes/{p}/audit",
  "get /v1/processes/{p}/blocks",
  "get /v1/processes/{p}/blocks/{label}",
  "put /v1/processes/{p}/blocks/{label}",
  "delete /v1/processes/{p}/blocks/{label}",
  "post /v1/fsck",
  "get /v1/pool",
  "get /v1/usage",
  "get /v1/quotas",
  "put /v1/quotas",
  "get /v1/keys",
  "post /v1/keys",
  "delete /v1/keys/{id}",
  "post /v1/session",
  "get /v1/session",
  "delete /v1/session",
];

test("the document names every route", async () => {
  const { body } = await call("GET", "/openapi.json");
  const paths = Object.entries(body["paths"] as Record<string, Record<string, unknown>>);
  const found = paths.flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`));
  expect(found.toSorted()).toEqual(ROUTES.toSorted());
  const schemas = (body["components"] as Record<string, Record<string, unknown>>)["schemas"];
  expect(Object.keys(schemas ?? {})).toEqual(expect.arrayContaining(["Problem", "Run", "Page", "InstructionBody"]));
});

test("the page and what it loads come from here", async () => {
  const page = await call("GET", "/docs");
  expect(page.headers.get("content-type")).toContain("text/html");
  expect(page.text).not.toMatch(/(?:src|href)="https?:/);
  expect(page.text).not.toMatch(/<script(?![^>]*src)/);
  for (const [, path] of page.text.matchAll(/(?:src|href)="(\/[^"]+)"/g)) {
    expect((await call("GET", path ?? "")).status).toBe(200);
  }
});

test("the page's script is a script", async () => {
  const { text } = await call("GET", "/docs/docs.js");
  expect(text).not.toContain("innerHTML");
  expect(text.match(/\{/g)?.length).toBe(text.match(/\}/g)?.length);
  expect(text).toContain('join(" \\\\\\n  ")');
});
