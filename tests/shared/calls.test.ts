/**
 * System calls as a model is told of them: the same schema that the guard reads.
 */
import { describe, expect, it } from "vitest";
import { isSyscallName, SYSCALLS, syscallTools, type SyscallName } from "#shared/calls.ts";

const names = Object.keys(SYSCALLS).filter(isSyscallName);

describe("the tools of a prompt", () => {
  it("are sorted by name and have the same bytes whatever the order asked for", () => {
    const one = JSON.stringify(syscallTools(names));
    expect(JSON.stringify(syscallTools(names.toReversed()))).toBe(one);
    expect(syscallTools(names.toReversed()).map((tool) => tool.function.name)).toEqual(names.toSorted());
  });

  it("say that no other argument is taken, and describe themselves", () => {
    for (const tool of syscallTools(names)) {
      expect(tool.function.parameters).toMatchObject({ type: "object", additionalProperties: false });
      expect(tool.function.parameters).not.toHaveProperty("$schema");
      expect(tool.function.description.length).toBeGreaterThan(20);
    }
  });

  it("require what the guard requires", () => {
    const required = Object.fromEntries(
      syscallTools(names).map((tool) => [
        tool.function.name,
        (tool.function.parameters as { required?: string[] }).required ?? [],
      ]),
    );
    const expected: Record<SyscallName, string[]> = {
      block_edit: ["verb", "label"],
      block_read: [],
      memory_check: [],
      memory_pin: ["handle", "pinned"],
      memory_write: ["text"],
      memory_search: ["query"],
      memory_read: ["handle"],
      memory_forget: ["handle"],
      process_list: [],
      process_sleep: [],
    };
    expect(required).toMatchObject(expected);
  });
});

describe("names", () => {
  it("are known only as they stand in the table", () => {
    for (const name of names) expect(isSyscallName(name)).toBe(true);
    for (const name of ["", "toString", "__proto__", "constructor", "Memory_Write"])
      expect(isSyscallName(name)).toBe(false);
  });

  it("mark what changes state", () => {
    expect(names.filter((name) => SYSCALLS[name].effect).toSorted()).toEqual([
      "block_edit",
      "memory_forget",
      "memory_pin",
      "memory_write",
    ]);
  });
});
