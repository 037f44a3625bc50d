/** Token bucket: its edge, its refill, and that it stays small. */
import { expect, test } from "vitest";
import { TokenBuckets } from "#workers/middleware/token-bucket.ts";

test("a burst, then as many as flow back", () => {
  const buckets = new TokenBuckets(2, 3, 10);
  expect([1, 2, 3, 4].map(() => buckets.take("a", 0).allowed)).toEqual([true, true, true, false]);
  expect(buckets.isEmpty("a", 400)).toBe(true);
  expect(buckets.take("a", 500).allowed).toBe(true);
  expect(buckets.take("a", 500).allowed).toBe(false);
  expect(buckets.take("b", 500)).toEqual({ allowed: true, remaining: 2, resetSeconds: 1 });
});

test("never more than a burst, however long nobody came", () => {
  const buckets = new TokenBuckets(100, 2, 10);
  expect(buckets.take("a", 0).remaining).toBe(1);
  expect(buckets.take("a", 1_000_000).remaining).toBe(1);
});

test("the bucket unused for longest is dropped first", () => {
  const buckets = new TokenBuckets(1, 1, 2);
  for (const name of ["a", "b", "c"]) buckets.take(name, 0);
  expect(buckets.isEmpty("a", 0)).toBe(false);
  expect(buckets.isEmpty("c", 0)).toBe(true);
});
