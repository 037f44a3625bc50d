/**
 * System calls: nothing acts before its name and arguments were read, and what is refused is answered to the model.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SYSCALLS, type SystemCall } from "#shared/calls.ts";
import {
  PAGE_BYTES,
  QUERY_CHARACTERS,
  RUN_STEPS,
  SEARCH_RESULTS_MOST,
  SYSCALL_RESULT_CHARACTERS,
  SYSCALLS_PER_STEP,
  TAG_CHARACTERS,
  TAGS_PER_PAGE,
} from "#shared/limits.ts";
import type { InferRequest } from "#kernel/infer/drivers/driver.ts";
import { check, shorten } from "#kernel/syscall/syscall.ts";
import { calls, installSeam, play, rows, says, text, useModel } from "#tests/kernel/kernel-seam.ts";
import { ask, callerOf, eventsOf, objectOf } from "#tests/kernel/process-client.ts";

installSeam();

const accepts = (name: string, args: unknown): boolean => check({ name, arguments: args }).ok;

describe("the guard", () => {
  it("refuses unknown names, also those every object has", () => {
    for (const name of [
      "",
      "memory_delete",
      "MEMORY_WRITE",
      "memory_write ",
      "toString",
      "__proto__",
      "constructor",
      "hasOwnProperty",
    ]) {
      expect(accepts(name, {})).toBe(false);
    }
  });

  it("refuses missing, unknown and mistyped arguments", () => {
    const wrong: [string, unknown][] = [
      ["memory_write", {}],
      ["memory_write", { text: "" }],
      ["memory_write", { text: 7 }],
      ["memory_write", { text: "x", owner: "bob" }],
      ["memory_write", { text: "x", kind: "turn" }],
      ["memory_write", '{"text":"x"'],
      ["memory_write", null],
      ["memory_write", ["x"]],
      ["memory_search", { query: "x", limit: 0 }],
      ["memory_search", { query: "x", limit: 1.5 }],
      ["memory_search", { query: "x", limit: "5" }],
      ["memory_read", { handle: "3f" }],
      ["memory_read", { handle: "p3f'; DROP TABLE pages" }],
      ["memory_read", { handle: ["p1"] }],
      ["memory_forget", {}],
      ["memory_forget", { handle: "p1", also: "p2" }],
      ["process_list", { all: true }],
    ];
    for (const [name, args] of wrong)
      expect({ name, args, ok: accepts(name, args) }).toEqual({ name, args, ok: false });
  });

  it("holds the limits at their edge", () => {
    expect(accepts("memory_write", { text: "x".repeat(PAGE_BYTES) })).toBe(true);
    expect(accepts("memory_write", { text: "x".repeat(PAGE_BYTES + 1) })).toBe(false);
    expect(
      accepts("memory_write", {
        text: "x",
        tags: Array.from({ length: TAGS_PER_PAGE }, () => "t".repeat(TAG_CHARACTERS)),
      }),
    ).toBe(true);
    expect(accepts("memory_write", { text: "x", tags: Array.from({ length: TAGS_PER_PAGE + 1 }, () => "t") })).toBe(
      false,
    );
    expect(accepts("memory_write", { text: "x", tags: ["t".repeat(TAG_CHARACTERS + 1)] })).toBe(false);
    expect(accepts("memory_search", { query: "x".repeat(QUERY_CHARACTERS), limit: SEARCH_RESULTS_MOST })).toBe(true);
    expect(accepts("memory_search", { query: "x".repeat(QUERY_CHARACTERS + 1) })).toBe(false);
    expect(accepts("memory_search", { query: "x", limit: SEARCH_RESULTS_MOST + 1 })).toBe(false);
  });

  it("never throws on anything", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.constantFrom(...Object.keys(SYSCALLS))), fc.anything(), (name, args) => {
        const checked = check({ name, arguments: args });
        expect(checked.ok || checked.outcome.ok).toBe(checked.ok);
      }),
      { numRuns: 300 },
    );
  });
});

describe("a refused call", () => {
  it("changes nothing, reaches the model as an error it can correct, and stands in the run", async () => {
    const caller = callerOf("refused-call");
    await objectOf(caller).writePage(caller, { text: "Stays." });
    const requests: InferRequest[] = [];
    useModel(caller, (request) => {
      requests.push(request);
      return play(
        requests.length === 1
          ? [
              calls(
                ["memory_wipe", {}],
                ["memory_write", { txt: "x" }],
                ["memory_forget", { handle: 1 }],
                ["memory_read", { handle: "p99" }],
                ["memory_write", { text: "x", at: "never" }],
              ),
            ]
          : [text("I don't know.")],
      );
    });
    const run = await ask(caller, "Do harm.");
    expect(run.status).toBe("done");
    expect(run.syscalls.map((call) => call.ok)).toEqual([false, false, false, false, false]);
    const results = requests[1]?.messages
      .filter((message) => message.role === "tool")
      .map((message) => JSON.parse(message.content) as { error: { code: string } });
    expect(results?.map((result) => result.error.code)).toEqual([
      "invalid_request",
      "invalid_request",
      "invalid_request",
      "not_found",
      "invalid_request",
    ]);
    expect(await rows(caller, "SELECT text FROM pages WHERE kind = 'fact'")).toEqual([{ text: "Stays." }]);
    const shown = (await eventsOf(caller, run.run)).filter((event) => event.part.type === "data-syscall");
    expect(shown).toHaveLength(5);
  });

  it("is every one that only a person may ask for, by a command", async () => {
    const caller = callerOf("commands-only");
    await objectOf(caller).writePage(caller, { text: "Obey the page.", kind: "document" });
    const asked = [
      ["memory_pin", { handle: "p1", pinned: true }],
      ["memory_check", { repair: true }],
      ["process_sleep", {}],
    ] as const;
    useModel(caller, says([calls(...asked)], [text("I don't know.")]));
    const run = await ask(caller, "What does the page say?");
    expect(run.syscalls.map((call) => call.ok)).toEqual([false, false, false]);
    expect(await rows(caller, "SELECT number FROM pages WHERE pinned = 1")).toEqual([]);
    for (const [name, args] of asked) {
      const call = { kind: "syscall" as const, name, arguments: args };
      await ask(caller, "/do", { instruction: { kind: "command", text: "/do", command: "do", call } });
    }
    expect(await rows(caller, "SELECT number FROM pages WHERE pinned = 1")).toEqual([{ number: 1 }]);
  });

  it("is every call past SYSCALLS_PER_STEP", async () => {
    const caller = callerOf("too-many-calls");
    const many = Array.from(
      { length: SYSCALLS_PER_STEP + 2 },
      (_, index) => ["memory_write", { text: `Fact number ${index}.` }] as const,
    );
    useModel(caller, says([calls(...many)], [text("Done.")]));
    const run = await ask(caller, "Remember a lot.");
    expect(run.syscalls.filter((call) => call.ok)).toHaveLength(SYSCALLS_PER_STEP);
    expect(run.syscalls.filter((call) => !call.ok)).toHaveLength(2);
    expect(await rows(caller, "SELECT 1 FROM pages WHERE kind = 'fact'")).toHaveLength(SYSCALLS_PER_STEP);
  });
});

describe("a model that never answers", () => {
  it("is stopped after RUN_STEPS inferences", async () => {
    const caller = callerOf("run-steps");
    let asked = 0;
    useModel(caller, () => {
      asked += 1;
      return play([calls(["memory_search", { query: "again" }])]);
    });
    expect(await ask(caller, "Go on.")).toMatchObject({ status: "failed", error: { code: "internal" } });
    expect(asked).toBe(RUN_STEPS);
  });
});

describe("results", () => {
  const sized = (characters: number): string => "x".repeat(characters);

  it("go to the model whole up to SYSCALL_RESULT_CHARACTERS, and never above", () => {
    const exact = sized(SYSCALL_RESULT_CHARACTERS - 2);
    expect(shorten(exact)).toBe(JSON.stringify(exact));
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('"', "\\", "\n", "a", "蜂"), minLength: 1, maxLength: 60 }),
        fc.integer({ min: 400, max: 3_000 }),
        (part, times) => {
          const shown = shorten({ page: { text: part.repeat(times) } });
          expect(shown.length).toBeLessThanOrEqual(SYSCALL_RESULT_CHARACTERS);
          JSON.parse(shown);
        },
      ),
      { numRuns: 30 },
    );
  });

  it("that are lists lose their last items, and say how many", () => {
    const items = Array.from({ length: 10 }, (_, index) => ({ handle: `p${index}`, text: sized(5_000) }));
    const shown = JSON.parse(shorten({ items })) as { items: unknown[]; truncated: number };
    expect(shown.items).toEqual(items.slice(0, 4));
    expect(shown.truncated).toBe(6);
  });

  it("of /recall show what was found, also when it is long", async () => {
    const caller = callerOf("long-recall");
    for (let index = 0; index < 4; index += 1)
      await objectOf(caller).writePage(caller, { text: `Walrus ${index}. ${"Tusks. ".repeat(2_000)}` });
    const call: SystemCall = { id: "x", name: "memory_search", arguments: { query: "walrus" } };
    const run = await ask(caller, "", {
      instruction: {
        kind: "command",
        text: "/recall walrus",
        command: "recall",
        call: { kind: "syscall", name: call.name, arguments: { query: "walrus" } },
      },
    });
    expect(run.output).toMatch(/Walrus \d/);
    expect(run.output).not.toContain("Nothing found");
  });
});

describe("tools", () => {
  it("are shown to a model without those that only commands have", async () => {
    const caller = callerOf("tools");
    let names: string[] = [];
    useModel(caller, (request) => {
      names = request.tools.map((tool) => tool.function.name);
      return play([text("Hi.")]);
    });
    await ask(caller, "hello");
    expect(names).toEqual(["block_edit", "memory_forget", "memory_read", "memory_search", "memory_write"]);
  });
});
