/**
 * Blocks: labelled texts with a limit, put by a person and edited by a model with five verbs.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { BlockPut, BlockView, Caller, ImportReport, RunView } from "#shared/abi.ts";
import { BLOCK_CHARACTERS, BLOCK_LABEL_CHARACTERS, BLOCKS, BLOCK_DESCRIPTION_CHARACTERS } from "#shared/limits.ts";
import type { Result } from "#shared/result.ts";
import { blockPutSchema, labelSchema } from "#shared/schema/blocks.ts";
import { lines } from "#shared/wire.ts";
import { characters, editedValue, overLimit } from "#kernel/vm/pinned/block-edit.ts";
import { renderPinned } from "#kernel/vm/pinned/pinned.ts";
import { calls, everythingStored, inKernel, installSeam, says, text, useModel } from "#tests/kernel/kernel-seam.ts";
import { ask, callerOf, objectOf, unwrap } from "#tests/kernel/process-client.ts";

installSeam();

async function put(caller: Caller, label: string, block: BlockPut): Promise<Result<BlockView>> {
  return (await objectOf(caller).putBlock(caller, label, block)) as Result<BlockView>;
}

async function read(caller: Caller, label: string): Promise<Result<BlockView>> {
  return (await objectOf(caller).block(caller, label)) as Result<BlockView>;
}

/** One run in which the model makes this one call; answers the call's outcome. */
async function edit(caller: Caller, args: Record<string, unknown>): Promise<RunView["syscalls"][number]> {
  useModel(caller, says([calls(["block_edit", args])], [text("Done.")]));
  const run = await ask(caller, "Please edit.");
  const [call] = run.syscalls;
  if (call === undefined) throw new Error("no system call");
  return call;
}

function detailOf(call: { readonly result: unknown }): string {
  return (call.result as { error: { detail: string } }).error.detail;
}

describe("a person's block", () => {
  it("is put, read, changed with its version, listed and deleted", async () => {
    const caller = callerOf("block-life");
    const first = unwrap(await put(caller, "persona", { value: "Likes tea.\r\nAnd 茶 🍵.", version: 0 }));
    expect(first).toMatchObject({
      label: "persona",
      value: "Likes tea.\nAnd 茶 🍵.",
      characters: 19,
      limit: BLOCK_CHARACTERS,
      readOnly: false,
      version: 1,
      sharedBy: null,
      outOfReach: false,
    });
    expect(unwrap(await read(caller, "persona"))).toEqual(first);
    expect(await put(caller, "persona", { value: "x", version: 0 })).toMatchObject({ error: { code: "conflict" } });
    expect(await put(caller, "persona", { value: "x", version: 2 })).toMatchObject({ error: { code: "conflict" } });
    const second = unwrap(await put(caller, "persona", { limit: 30, readOnly: true, version: 1 }));
    expect(second).toMatchObject({ value: first.value, limit: 30, readOnly: true, version: 2 });
    expect(unwrap(await put(caller, "persona", { limit: 30 })).version).toBe(2);
    unwrap(await put(caller, "a", { value: "" }));
    const list = (await objectOf(caller).blocks(caller)) as Result<{ items: BlockView[] }>;
    expect(unwrap(list).items.map((block) => block.label)).toEqual(["a", "persona"]);
    expect(await objectOf(caller).deleteBlock(caller, "persona")).toEqual({ ok: true, value: { deleted: "persona" } });
    expect(await objectOf(caller).deleteBlock(caller, "persona")).toMatchObject({ error: { code: "not_found" } });
    expect(await everythingStored(caller)).not.toContain("Likes tea");
  });

  it("is refused over its limit, also when the limit shrinks, and beyond the number of blocks", async () => {
    const caller = callerOf("block-limits");
    expect(await put(caller, "b0", { value: "🍵".repeat(BLOCK_CHARACTERS) })).toMatchObject({ ok: true });
    expect(await put(caller, "b0", { value: "🍵".repeat(BLOCK_CHARACTERS + 1) })).toMatchObject({
      error: { code: "payload_too_large" },
    });
    expect(await put(caller, "b0", { limit: BLOCK_CHARACTERS - 1 })).toMatchObject({
      error: { code: "payload_too_large" },
    });
    expect(await put(caller, "b1", {})).toMatchObject({ error: { code: "invalid_request" } });
    for (let number = 1; number < BLOCKS; number += 1) unwrap(await put(caller, `b${number}`, { value: "x" }));
    expect(await put(caller, "one-more", { value: "x" })).toMatchObject({ error: { code: "conflict" } });
    expect(await put(caller, "b3", { value: "y" })).toMatchObject({ ok: true });
  });

  it("has a label and a description within their limits", () => {
    expect(labelSchema.safeParse("文".repeat(BLOCK_LABEL_CHARACTERS)).success).toBe(true);
    expect(labelSchema.safeParse("文".repeat(BLOCK_LABEL_CHARACTERS + 1)).success).toBe(false);
    for (const label of ["", " a", "a b", "-a", "a/b", "a\n"]) expect(labelSchema.safeParse(label).success).toBe(false);
    const described = (length: number): boolean =>
      blockPutSchema.safeParse({ value: "x", description: "d".repeat(length) }).success;
    expect(described(BLOCK_DESCRIPTION_CHARACTERS)).toBe(true);
    expect(described(BLOCK_DESCRIPTION_CHARACTERS + 1)).toBe(false);
  });
});

describe("a model's edit", () => {
  it("creates, replaces, inserts, renames and deletes", async () => {
    const caller = callerOf("block-verbs");
    expect(await edit(caller, { verb: "create", label: "plan", text: "one\nthree" })).toMatchObject({ ok: true });
    expect(await edit(caller, { verb: "insert", label: "plan", line: 1, text: "two" })).toMatchObject({
      ok: true,
      result: { block: "plan", value: "one\ntwo\nthree", version: 2 },
    });
    expect(await edit(caller, { verb: "insert", label: "plan", text: "four" })).toMatchObject({ ok: true });
    expect(await edit(caller, { verb: "replace", label: "plan", old: "two\r\nthree", text: "2" })).toMatchObject({
      ok: true,
      result: { value: "one\n2\nfour" },
    });
    expect(await edit(caller, { verb: "rename", label: "plan", to: "计划" })).toMatchObject({ ok: true });
    expect(await inKernel(caller, (kernel) => renderPinned(kernel).text)).toContain('{"block":"计划"');
    expect(await edit(caller, { verb: "delete", label: "计划" })).toMatchObject({ ok: true });
    expect(await inKernel(caller, (kernel) => renderPinned(kernel).text)).toBe("");
  });

  it("over the limit is refused with the sizes and what to do next", async () => {
    const caller = callerOf("block-over");
    unwrap(await put(caller, "small", { value: "12345", limit: 10 }));
    expect(await edit(caller, { verb: "insert", label: "small", text: "6789" })).toMatchObject({ ok: true });
    const refused = await edit(caller, { verb: "replace", label: "small", old: "6789", text: "678901" });
    expect(refused).toMatchObject({ ok: false, result: { error: { code: "payload_too_large" } } });
    expect(refused.result).not.toHaveProperty("error.retryAfter");
    expect(detailOf(refused)).toMatch(/12 characters; its limit is 10.*again.*Shorten.*at least 2 .*memory_write/);
    expect(unwrap(await read(caller, "small")).value).toBe("12345\n6789");
  });

  it("names the words exactly, and once", async () => {
    const caller = callerOf("block-exact");
    unwrap(await put(caller, "notes", { value: "tea, tea and coffee: aaa" }));
    const absent = await edit(caller, { verb: "replace", label: "notes", old: "Tea", text: "x" });
    expect(detailOf(absent)).toContain("not in block");
    const twice = await edit(caller, { verb: "replace", label: "notes", old: "tea", text: "x" });
    expect(detailOf(twice)).toContain("2 times");
    const overlapping = await edit(caller, { verb: "replace", label: "notes", old: "aa", text: "x" });
    expect(detailOf(overlapping)).toContain("2 times");
    const beyond = await edit(caller, { verb: "insert", label: "notes", line: 2, text: "x" });
    expect(detailOf(beyond)).toContain("0 to 1");
    const unknown = await edit(caller, { verb: "replace", label: "note", old: "tea", text: "x" });
    expect(detailOf(unknown)).toContain("There are: notes.");
    const again = await edit(caller, { verb: "create", label: "notes", text: "x" });
    expect(detailOf(again)).toContain("already");
    expect(unwrap(await read(caller, "notes")).version).toBe(1);
  });

  it("of a read-only block is refused for every verb", async () => {
    const caller = callerOf("block-read-only");
    unwrap(await put(caller, "rules", { value: "Be kind.", readOnly: true }));
    for (const args of [
      { verb: "replace", old: "kind", text: "rude" },
      { verb: "insert", text: "x" },
      { verb: "rename", to: "other" },
      { verb: "delete" },
    ]) {
      expect(await edit(caller, { label: "rules", ...args })).toMatchObject({
        ok: false,
        result: { error: { code: "forbidden" } },
      });
    }
    expect(unwrap(await read(caller, "rules"))).toMatchObject({ value: "Be kind.", version: 1 });
  });

  it("with arguments its verb does not take is refused by the guard", async () => {
    const caller = callerOf("block-guard");
    for (const args of [
      { verb: "create", label: "x" },
      { verb: "create", label: "x", text: "y", line: 1 },
      { verb: "replace", label: "x", text: "y" },
      { verb: "replace", label: "x", old: "", text: "y" },
      { verb: "rename", label: "x" },
      { verb: "delete", label: "x", text: "y" },
      { verb: "drop", label: "x" },
      { verb: "delete", label: "a b" },
    ]) {
      expect(detailOf(await edit(caller, args))).toContain("Wrong arguments for block_edit");
    }
  });
});

describe("edits as such", () => {
  const block = { label: "x", most: 50 };

  it("replace one place and nothing else", () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ minLength: 1 }), fc.string(), fc.string(), (before, old, after, text) => {
        const value = before + old + after;
        const edited = editedValue({ ...block, value }, { verb: "replace", label: "x", old, text });
        const plain = [value, old, text].every((part) => !part.includes("\r"));
        if (!plain) return;
        const places = value.split("").filter((_, place) => value.startsWith(old, place)).length;
        expect(edited.ok).toBe(places === 1);
        if (edited.ok) expect(edited.value).toBe(before + text + after);
      }),
    );
  });

  it("count code points, whatever they are", () => {
    expect(characters("a茶🍵")).toBe(3);
    expect(overLimit(block, "🍵".repeat(50))).toBeNull();
    expect(overLimit(block, "茶".repeat(51))?.detail).toContain("51 characters");
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        expect(characters(text)).toBe(Array.from(text).length);
      }),
    );
  });

  it("insert a line wherever there is one", () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-z]{1,5}$/)), fc.nat({ max: 8 }), (rows, line) => {
        const edited = editedValue(
          { ...block, value: rows.join("\n") },
          { verb: "insert", label: "x", text: "NEW", line },
        );
        expect(edited.ok).toBe(line <= rows.length);
        if (edited.ok) expect(edited.value.split("\n")[line]).toBe("NEW");
      }),
    );
  });
});

describe("commands", () => {
  it("show and change blocks, in the language they were typed in", async () => {
    const caller = callerOf("block-commands");
    const command = (text: string, name: string, args: Record<string, unknown>): Promise<RunView> =>
      ask(caller, text, {
        instruction: { kind: "command", text, command: "block", call: { kind: "syscall", name, arguments: args } },
      });
    expect((await command("/block", "block_read", {})).output).toBe("There are no blocks.");
    expect((await command("/block …", "block_edit", { verb: "create", label: "a", text: "茶" })).output).toBe(
      "a (1/2000):\n茶",
    );
    expect((await command("/block", "block_read", {})).output).toContain("a (1/2000)\n茶");
    expect((await command("/记忆块 …", "block_edit", { verb: "delete", label: "a" })).output).toBe("已删除记忆块 a。");
    expect((await command("/block a", "block_read", { label: "a" })).output).toContain('no block "a"');
  });
});

describe("export and import", () => {
  it("give blocks back as they were, and overwrite none", async () => {
    const from = callerOf("block-export");
    const to = callerOf("block-import");
    unwrap(await put(from, "rules", { value: "Be kind 🎌.", description: "House rules", limit: 70, readOnly: true }));
    unwrap(await put(from, "plan", { value: "one" }));
    unwrap(await put(from, "plan", { value: "two" }));
    const rowsOf = async (caller: Caller): Promise<Record<string, unknown>[]> => {
      const stream = unwrap((await objectOf(caller).exportRows(caller)) as Result<ReadableStream<Uint8Array>>);
      const found: Record<string, unknown>[] = [];
      for await (const line of stream.pipeThrough(lines())) found.push(JSON.parse(line) as Record<string, unknown>);
      return found;
    };
    const written = await rowsOf(from);
    const numbered = written.map((row, index) => ({ line: index + 1, row }));
    expect(unwrap((await objectOf(to).importRows(to, "k", numbered)) as Result<ImportReport>).skipped).toEqual([]);
    expect(await rowsOf(to)).toEqual(written);
    expect(unwrap((await objectOf(to).importRows(to, "again", numbered)) as Result<ImportReport>).imported).toBe(2);
    unwrap(await put(to, "plan", { value: "mine" }));
    const report = unwrap((await objectOf(to).importRows(to, "third", numbered)) as Result<ImportReport>);
    expect(report.skipped).toMatchObject([{ reason: "label: already used for another block" }]);
    expect(unwrap(await read(to, "plan")).value).toBe("mine");
  });
});
