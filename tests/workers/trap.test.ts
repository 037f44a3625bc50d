/** Trap: which failures are tried again, how often, and what the caller is told in the end. */
import { expect, test, vi } from "vitest";
import type { Caller } from "#shared/abi.ts";
import { INIT_PROCESS, parseUserId } from "#shared/ids.ts";
import { TRAP_ATTEMPTS } from "#shared/limits.ts";
import { success } from "#shared/result.ts";
import { trap, type ProcessBinding } from "#workers/trap.ts";

const user = parseUserId("alice");
if (user === null) throw new Error("alice is a user name");
const caller: Caller = { user, process: INIT_PROCESS, shard: 0 };

const names: string[] = [];
const binding: ProcessBinding = {
  PROCESS: {
    getByName: (name) => {
      names.push(name);
      return { execute: () => undefined };
    },
  },
};

function lost(properties: Record<string, boolean> = { retryable: true }): Error {
  return Object.assign(new Error("Network connection lost."), properties);
}

test("the object is named after the caller", async () => {
  expect(await trap(binding, caller, async () => success(1))).toEqual(success(1));
  expect(names).toEqual(["alice/init"]);
});

test("a lost connection is tried again on a new stub", async () => {
  names.length = 0;
  const call = vi.fn().mockRejectedValueOnce(lost()).mockResolvedValueOnce(success("there"));
  expect(await trap(binding, caller, call)).toEqual(success("there"));
  expect(names).toHaveLength(2);
});

test("it gives up after so many tries, and says that another can succeed", async () => {
  const call = vi.fn().mockRejectedValue(lost());
  expect(await trap(binding, caller, call)).toMatchObject({ ok: false, error: { code: "overloaded", retryAfter: 1 } });
  expect(call).toHaveBeenCalledTimes(TRAP_ATTEMPTS);
});

test.each([
  ["a call that may have acted", "never" as const, lost(), "overloaded"],
  ["an overloaded object", "safe" as const, lost({ retryable: true, overloaded: true }), "overloaded"],
  ["an error of the object itself", "safe" as const, new TypeError("secret"), "internal"],
])("%s is not tried again", async (_, again, error, code) => {
  const call = vi.fn().mockRejectedValue(error);
  const result = await trap(binding, caller, call, again);
  expect(result).toMatchObject({ ok: false, error: { code } });
  expect(JSON.stringify(result)).not.toContain("secret");
  expect(call).toHaveBeenCalledTimes(1);
});
