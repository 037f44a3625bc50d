/**
 * Shared blocks: one block in several processes of one user, and in no process of another.
 */
import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { BlockPut, BlockView, Caller, RunView } from "#shared/abi.ts";
import { processObjectName } from "#shared/ids.ts";
import type { Result } from "#shared/result.ts";
import { upgradeSchema, writeMeta } from "#kernel/proc/schema.ts";
import { renderPinned } from "#kernel/vm/pinned/pinned.ts";
import { calls, inKernel, installSeam, says, text, useEnv, useModel } from "#tests/kernel/kernel-seam.ts";
import { ask, callerOf, objectOf, unwrap } from "#tests/kernel/process-client.ts";

installSeam();

/** A process besides `init`, as spawning leaves it. */
async function spawn(user: string, process: string): Promise<Caller> {
  const caller = callerOf(user, process);
  await runInDurableObject(objectOf(caller), (_, state) => {
    upgradeSchema(state.storage);
    writeMeta(state.storage.sql, "name", processObjectName(caller.user, caller.process));
    writeMeta(state.storage.sql, "shard", "0");
    writeMeta(state.storage.sql, "created", "0");
  });
  return caller;
}

async function put(caller: Caller, label: string, block: BlockPut): Promise<Result<BlockView>> {
  return (await objectOf(caller).putBlock(caller, label, block)) as Result<BlockView>;
}

async function read(caller: Caller, label: string): Promise<Result<BlockView>> {
  return (await objectOf(caller).block(caller, label)) as Result<BlockView>;
}

const attachTeam = { attach: { process: "init", label: "team" } };

/** `init` and `work` of a user; `work` has the block `team` of `init` under the label `shared`. */
async function pair(user: string, readOnly = false): Promise<{ init: Caller; work: Caller }> {
  const init = callerOf(user);
  unwrap(await put(init, "team", { value: "Ann and Bo", description: "Who is who", limit: 40 }));
  const work = await spawn(user, "work");
  unwrap(await put(work, "shared", { ...attachTeam, ...(readOnly ? { readOnly } : {}) }));
  return { init, work };
}

async function run(caller: Caller, args?: Record<string, unknown>): Promise<RunView> {
  useModel(caller, args === undefined ? says([text("Hello.")]) : says([calls(["block_edit", args])], [text("Done.")]));
  return ask(caller, "Please.");
}

describe("an attached block", () => {
  it("shows its owner's value and limit, and stands in the prompt of both", async () => {
    const { work } = await pair("share-view");
    expect(unwrap(await read(work, "shared"))).toMatchObject({
      value: "Ann and Bo",
      description: "Who is who",
      limit: 40,
      readOnly: false,
      sharedBy: { process: "init", label: "team" },
    });
    expect(await inKernel(work, (kernel) => renderPinned(kernel).text)).toContain("Ann and Bo");
  });

  it("follows its owner at the next run", async () => {
    const { init, work } = await pair("share-follow");
    unwrap(await put(init, "team", { value: "Ann, Bo and Cy" }));
    expect(unwrap(await read(work, "shared")).value).toBe("Ann and Bo");
    await run(work);
    expect(unwrap(await read(work, "shared"))).toMatchObject({ value: "Ann, Bo and Cy", version: 2 });
    const before = await inKernel(work, (kernel) => renderPinned(kernel));
    await run(work);
    expect(await inKernel(work, (kernel) => renderPinned(kernel))).toEqual(before);
    await objectOf(init).deleteBlock(init, "team");
    unwrap(await put(init, "team", { value: "A new team" }));
    await run(work);
    expect(unwrap(await read(work, "shared")).value).toBe("A new team");
    await objectOf(init).deleteBlock(init, "team");
    await run(work);
    expect(await read(work, "shared")).toMatchObject({ error: { code: "not_found" } });
  });

  it("is edited in its owner's object, once, within the owner's limit", async () => {
    const { init, work } = await pair("share-edit");
    const edited = await run(work, { verb: "replace", label: "shared", old: "Bo", text: "Bert" });
    expect(edited.syscalls).toMatchObject([{ ok: true, result: { block: "shared", value: "Ann and Bert" } }]);
    expect(unwrap(await read(init, "team"))).toMatchObject({ value: "Ann and Bert", version: 2 });
    expect(unwrap(await read(work, "shared"))).toMatchObject({ value: "Ann and Bert", version: 2 });
    const over = await run(work, { verb: "insert", label: "shared", text: "x".repeat(40) });
    expect(over.syscalls).toMatchObject([{ ok: false, result: { error: { code: "payload_too_large" } } }]);
    // The owner edits meanwhile: what is not there any more cannot be replaced, and nothing is lost.
    unwrap(await put(init, "team", { value: "Cy" }));
    const stale = await run(work, { verb: "replace", label: "shared", old: "Bert", text: "B." });
    expect(stale.syscalls).toMatchObject([{ ok: false, result: { error: { code: "invalid_request" } } }]);
    expect(unwrap(await read(init, "team")).value).toBe("Cy");
    // The same key is the same edit.
    const change = { kind: "verb", edit: { verb: "insert", label: "team", text: "Di" } } as const;
    await objectOf(init).editSharedBlock(init, change, "key");
    await objectOf(init).editSharedBlock(init, change, "key");
    expect(unwrap(await read(init, "team")).value).toBe("Cy\nDi");
  });

  it("is changed by a person from either side, against the owner's version", async () => {
    const { init, work } = await pair("share-put");
    expect(unwrap(await put(work, "shared", { value: "From work", version: 1 }))).toMatchObject({ version: 2 });
    expect(unwrap(await read(init, "team")).value).toBe("From work");
    unwrap(await put(init, "team", { value: "From init" }));
    expect(await put(work, "shared", { value: "Late", version: 2 })).toMatchObject({ error: { code: "conflict" } });
    expect(await put(work, "shared", { limit: 9 })).toMatchObject({ error: { code: "conflict" } });
    expect(unwrap(await read(init, "team")).value).toBe("From init");
  });

  it("may be read-only on one side or by its owner", async () => {
    const { init, work } = await pair("share-rights", true);
    const refused = await run(work, { verb: "insert", label: "shared", text: "x" });
    expect(refused.syscalls).toMatchObject([{ ok: false, result: { error: { code: "forbidden" } } }]);
    expect(await put(work, "shared", { value: "x" })).toMatchObject({ error: { code: "forbidden" } });
    expect((await run(init, { verb: "insert", label: "team", text: "Cy" })).syscalls).toMatchObject([{ ok: true }]);
    unwrap(await put(work, "shared", { readOnly: false }));
    unwrap(await put(init, "team", { readOnly: true }));
    await run(work);
    expect(unwrap(await read(work, "shared")).readOnly).toBe(true);
    const again = await run(work, { verb: "insert", label: "shared", text: "x" });
    expect(again.syscalls).toMatchObject([{ ok: false, result: { error: { code: "forbidden" } } }]);
  });

  it("is let go of here without a change there, and keeps its label to itself", async () => {
    const { init, work } = await pair("share-detach");
    expect((await run(work, { verb: "rename", label: "shared", to: "crew" })).syscalls).toMatchObject([{ ok: true }]);
    expect(unwrap(await read(work, "crew")).sharedBy).toEqual({ process: "init", label: "team" });
    await objectOf(work).deleteBlock(work, "crew");
    expect(unwrap(await read(init, "team")).value).toBe("Ann and Bo");
  });

  it("cannot be attached twice over, to itself, from nowhere, or over another block", async () => {
    const { init, work } = await pair("share-refused");
    const third = await spawn("share-refused", "third");
    unwrap(await put(work, "own", { value: "mine" }));
    const attach = (process: string, label: string): BlockPut => ({ attach: { process, label } });
    expect(await put(third, "x", attach("work", "shared"))).toMatchObject({ error: { code: "conflict" } });
    expect(await put(init, "x", attach("init", "team"))).toMatchObject({ error: { code: "invalid_request" } });
    expect(await put(third, "x", attach("init", "nothing"))).toMatchObject({ error: { code: "not_found" } });
    expect(await put(third, "x", attach("no-such", "team"))).toMatchObject({ error: { code: "not_found" } });
    expect(await put(work, "own", attachTeam)).toMatchObject({ error: { code: "conflict" } });
    expect(await put(work, "y", { ...attachTeam, value: "x" })).toMatchObject({ error: { code: "invalid_request" } });
  });
});

describe("another user", () => {
  it("can neither attach, read nor edit it", async () => {
    const { init } = await pair("share-alice");
    const mallory = callerOf("share-mallory");
    // Whatever name is given, it is looked for among the caller's own processes.
    expect(await put(mallory, "x", attachTeam)).toMatchObject({ ok: false });
    for (const process of ["share-alice/init", "../share-alice/init", "init\n"]) {
      expect(await put(mallory, "x", { attach: { process, label: "team" } })).toMatchObject({
        error: { code: "not_found" },
      });
    }
    const object = objectOf(init);
    expect(await object.sharedBlocks(mallory, ["team"])).toMatchObject({ error: { code: "not_found" } });
    const change = { kind: "put", label: "team", value: "stolen" } as const;
    expect(await object.editSharedBlock(mallory, change, "k")).toMatchObject({ error: { code: "not_found" } });
    expect(unwrap(await read(init, "team")).value).toBe("Ann and Bo");
  });
});

describe("an owner out of reach", () => {
  it("leaves the last known value, says so, and refuses edits until it is back", async () => {
    const user = "share-away";
    let away = false;
    useEnv((env) => ({
      ...env,
      PROCESS: new Proxy(env.PROCESS, {
        get: (target, property) =>
          property === "getByName" && away
            ? () => ({
                sharedBlocks: () => Promise.reject(new Error("gone")),
                editSharedBlock: () => Promise.reject(new Error("gone")),
              })
            : (Reflect.get(target, property) as (...args: unknown[]) => unknown).bind(target),
      }),
    }));
    const { init, work } = await pair(user);
    useEnv(null);
    away = true;
    await run(work);
    expect(unwrap(await read(work, "shared"))).toMatchObject({ value: "Ann and Bo", outOfReach: true });
    expect(await inKernel(work, (kernel) => renderPinned(kernel).text)).toContain("out of reach");
    const refused = await run(work, { verb: "insert", label: "shared", text: "Cy" });
    expect(refused.syscalls).toMatchObject([{ ok: false, result: { error: { code: "overloaded" } } }]);
    away = false;
    const back = await run(work, { verb: "insert", label: "shared", text: "Cy" });
    expect(back.syscalls).toMatchObject([{ ok: true }]);
    expect(unwrap(await read(work, "shared"))).toMatchObject({ value: "Ann and Bo\nCy", outOfReach: false });
    expect(unwrap(await read(init, "team")).value).toBe("Ann and Bo\nCy");
  });
});
