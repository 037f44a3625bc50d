/**
 * Variable: a setting in JSON is what its schema reads, or nothing and a line in the log that repeats nothing of it.
 */
import { afterEach, expect, it, vi } from "vitest";
import { z } from "zod";
import { readVariable } from "#shared/variable.ts";

afterEach(() => void vi.restoreAllMocks());

const schema = z.record(z.string(), z.strictObject({ size: z.int().default(1) }));

it.each([undefined, "", "  \n"])("%j is absent, which is no fault", (text) => {
  const logged = vi.spyOn(console, "error");
  expect(readVariable(text, schema, "broken")).toBeNull();
  expect(logged).not.toHaveBeenCalled();
});

it("is what its schema makes of it", () => {
  expect(readVariable(' {"a": {}} ', schema, "broken")).toEqual({ a: { size: 1 } });
});

it.each(["{", "[]", "null", '{"a": {"size": "secret"}}', '{"a": {"key": "secret"}}'])(
  "%s is none, and the log does not repeat it",
  (text) => {
    const logged = vi.spyOn(console, "error").mockImplementation(() => undefined);
    expect(readVariable(text, schema, "broken")).toBeNull();
    expect(logged).toHaveBeenCalledTimes(1);
    expect(logged.mock.calls[0]?.[0]).toContain('"event":"broken"');
    expect(logged.mock.calls[0]?.[0]).not.toContain("secret");
  },
);

it.each([
  ["{", "is no JSON"],
  ['{"a": {"size": "x"}}', "a.size: Invalid input: expected number, received string"],
  ["[]", "Invalid input: expected record, received array"],
])("%s is told of with what is wrong, and when", (text, problem) => {
  const logged = vi.spyOn(console, "error").mockImplementation(() => undefined);
  readVariable(text, schema, "broken");
  const at = expect.stringMatching(/^\d{4}-/) as string;
  expect(JSON.parse(String(logged.mock.calls[0]?.[0]))).toEqual({ level: "error", event: "broken", at, problem });
});
