/** Routing: the variables that bound what routing may choose. */
import { expect, test } from "vitest";
import { routingOf } from "#kernel/sched/routing.ts";

const DEFAULT_MODEL = "@cf/a";

test("by itself routing chooses the default only", () => {
  expect(routingOf({ DEFAULT_MODEL })).toEqual({ standard: "@cf/a", allowed: ["@cf/a"], fallback: true });
  expect(routingOf({ DEFAULT_MODEL, FALLBACK_MODELS: "", ROUTING: "" }).allowed).toEqual(["@cf/a"]);
});

test("fallback models are allowed, in order", () => {
  expect(routingOf({ DEFAULT_MODEL, FALLBACK_MODELS: " @cf/b, ollama/c,,@cf/a " }).allowed).toEqual([
    "@cf/a",
    "@cf/b",
    "ollama/c",
  ]);
});

test("a list of its own takes their place, and null allows all", () => {
  const ROUTING = '{"allow": ["@cf/d"], "fallback": false}';
  expect(routingOf({ DEFAULT_MODEL, FALLBACK_MODELS: "@cf/b", ROUTING })).toEqual({
    standard: "@cf/a",
    allowed: ["@cf/a", "@cf/d"],
    fallback: false,
  });
  expect(routingOf({ DEFAULT_MODEL, ROUTING: '{"allow": null}' }).allowed).toBeNull();
});

test("what cannot be read counts as absent", () => {
  for (const ROUTING of ["{", "[]", '{"allow": 1}', '{"allowed": []}']) {
    expect(routingOf({ DEFAULT_MODEL, ROUTING })).toEqual({ standard: "@cf/a", allowed: ["@cf/a"], fallback: true });
  }
});
