/** Principal cache: how long, how many, and forgetting. */
import { expect, test } from "vitest";
import { parseUserId } from "#shared/ids.ts";
import type { Principal } from "#workers/edge.ts";
import { PrincipalCache } from "#workers/middleware/principal-cache.ts";

function principal(identity: string): Principal {
  const user = parseUserId("alice");
  if (user === null) throw new Error("alice is a user name");
  return { user, shard: 0, scopes: ["run"], identity, expiresAt: null, sessionToken: null };
}

test("an entry lives its time, to the millisecond", () => {
  const cache = new PrincipalCache(60, 10);
  cache.set("a", principal("one"), 0);
  expect(cache.get("a", 59)?.identity).toBe("one");
  expect(cache.get("a", 60)).toBeNull();
});

test("the longest unused goes first", () => {
  const cache = new PrincipalCache(60, 2);
  cache.set("a", principal("one"), 0);
  cache.set("b", principal("two"), 0);
  cache.get("a", 1);
  cache.set("c", principal("three"), 1);
  expect([cache.get("a", 2), cache.get("b", 2), cache.get("c", 2)].map((found) => found?.identity)).toEqual([
    "one",
    undefined,
    "three",
  ]);
});

test("one secret, or every secret of a key, is forgotten", () => {
  const cache = new PrincipalCache(60, 10);
  for (const digest of ["a", "b", "c"]) cache.set(digest, principal(digest === "c" ? "other" : "same"), 0);
  cache.forget({ digest: "c" });
  cache.forget({ identity: "same" });
  expect(["a", "b", "c"].map((digest) => cache.get(digest, 1))).toEqual([null, null, null]);
});
