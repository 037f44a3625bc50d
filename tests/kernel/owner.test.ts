/**
 * Ownership: a process answers nobody but its owner, and one that was never spawned is not there and stores nothing.
 */
import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { Caller } from "#shared/abi.ts";
import type { DocumentId, PageHandle, RunId, ThreadId } from "#shared/ids.ts";
import { installSeam, inKernel } from "#tests/kernel/kernel-seam.ts";
import { ask, callerOf, objectOf, request } from "#tests/kernel/process-client.ts";

installSeam();

const handle = "p1" as PageHandle;
const thread = "main" as ThreadId;
const document = "doc_01ARZ3NDEKTSV4RRFFQ69G5FAV" as DocumentId;
const opened = { name: "x", title: null, mediaType: "text/plain", size: null, at: null, tags: [] };
const batch = {
  batch: "one",
  from: 0,
  to: 1,
  bytes: 1,
  pages: [{ text: "Intruder was here.", source: "x" }],
  carry: null,
  check: { from: 0, sum: 0 },
  headings: 0,
  title: null,
  done: true,
};

/** Every method of a process, called by `caller` on the object of `target`. */
async function everyMethod(target: Caller, caller: Caller, run: RunId): Promise<Record<string, unknown>> {
  const object = objectOf(target);
  return {
    execute: await object.execute(request(caller, "hello")),
    executeAndSettle: await object.executeAndSettle(request(caller, "hello"), 0),
    executeAndStream: await object.executeAndStream(request(caller, "hello")),
    events: await object.events(caller, run, null),
    settled: await object.settled(caller, run, 0),
    runs: await object.runs(caller, 10),
    traceOf: await object.traceOf(caller, run),
    referencesOf: await object.referencesOf(caller, run),
    usageOfRuns: await object.usageOfRuns(caller, { from: 0, to: 10, limit: 10, before: null }),
    references: await object.references(caller, 10),
    cancel: await object.cancel(caller, run),
    resume: await object.resume(caller, run),
    writePage: await object.writePage(caller, { text: "Intruder was here." }),
    readPage: await object.readPage(caller, handle),
    editPage: await object.editPage(caller, handle, { text: "changed" }),
    forgetPage: await object.forgetPage(caller, handle),
    pages: await object.pages(caller, { limit: 10 }),
    search: await object.search(caller, { query: "secret", limit: 10 }),
    importRows: await object.importRows(caller, "key", [{ line: 1, row: { text: "Intruder was here." } }]),
    exportRows: await object.exportRows(caller),
    openDocument: await object.openDocument(caller, "key", opened),
    documentProgress: await object.documentProgress(caller, document),
    appendDocument: await object.appendDocument(caller, document, batch),
    readDocument: await object.readDocument(caller, document),
    documents: await object.documents(caller, 10),
    forgetDocument: await object.forgetDocument(caller, document),
    blocks: await object.blocks(caller),
    block: await object.block(caller, "notes"),
    putBlock: await object.putBlock(caller, "notes", { value: "Intruder was here." }),
    deleteBlock: await object.deleteBlock(caller, "notes"),
    sharedBlocks: await object.sharedBlocks(caller, ["notes"]),
    editSharedBlock: await object.editSharedBlock(caller, { kind: "put", label: "notes", value: "changed" }, "key"),
    fsck: await object.fsck(caller, { repair: true }),
    sleepState: await object.sleepState(caller),
    setSleep: await object.setSleep(caller, { enabled: false }),
    sleep: await object.sleep(caller),
    undoSleep: await object.undoSleep(caller, null),
    audit: await object.audit(caller, 10),
    threads: await object.threads(caller, 10),
    messages: await object.messages(caller, thread, 10),
    deleteThread: await object.deleteThread(caller, thread),
    inspect: await object.inspect(caller),
    context: await object.context(caller, thread),
    vmstat: await object.vmstat(caller),
  };
}

function expectNotFound(answers: Record<string, unknown>): void {
  for (const [method, answer] of Object.entries(answers)) {
    expect({ method, answer }).toMatchObject({ method, answer: { ok: false, error: { code: "not_found" } } });
  }
}

describe("ownership", () => {
  it("hides a process from every other user and under every other name", async () => {
    const owner = callerOf("owner");
    const run = await ask(owner, "My secret word is marzipan.");
    const before = await inKernel(owner, (kernel) => kernel.sql.exec("SELECT * FROM pages").toArray());
    for (const stranger of [callerOf("stranger"), callerOf("Owner"), callerOf("owner", "other")]) {
      expectNotFound(await everyMethod(owner, stranger, run.run));
    }
    expect(await inKernel(owner, (kernel) => kernel.sql.exec("SELECT * FROM pages").toArray())).toEqual(before);
  });

  it("names exactly the methods there are", async () => {
    const { Process } = await import("#kernel/process.ts");
    const methods = Object.getOwnPropertyNames(Process.prototype).filter(
      (name) => name !== "constructor" && name !== "alarm",
    );
    const called = await everyMethod(callerOf("methods"), callerOf("nobody-else"), "run_init_x" as RunId);
    expect(Object.keys(called).toSorted()).toEqual(methods.toSorted());
  });

  it("has no process that was never spawned, and stores nothing for it", async () => {
    const caller = callerOf("owner", "ghost");
    expectNotFound(await everyMethod(caller, caller, "run_ghost_01ARZ3NDEKTSV4RRFFQ69G5FAV" as RunId));
    const tables = await runInDurableObject(objectOf(caller), (_instance, ctx) =>
      ctx.storage.sql.exec("SELECT name FROM sqlite_master WHERE name NOT LIKE '_cf_%'").toArray(),
    );
    expect(tables).toEqual([]);
  });

  it("is not brought to life by a stranger's call", async () => {
    const owner = callerOf("unborn");
    expectNotFound(
      await everyMethod(owner, { ...callerOf("stranger"), shard: 7 }, "run_init_01ARZ3NDEKTSV4RRFFQ69G5FAV" as RunId),
    );
    const tables = await runInDurableObject(objectOf(owner), (_instance, ctx) =>
      ctx.storage.sql.exec("SELECT name FROM sqlite_master WHERE name NOT LIKE '_cf_%'").toArray(),
    );
    expect(tables).toEqual([]);
  });

  it("does not know the runs of another process of the same user", async () => {
    const owner = callerOf("two-processes");
    const other = await ask(callerOf("two-processes-b"), "hello");
    const object = objectOf(owner);
    for (const answer of [
      await object.settled(owner, other.run, 0),
      await object.traceOf(owner, other.run),
      await object.cancel(owner, other.run),
    ]) {
      expect(answer).toMatchObject({ ok: false, error: { code: "not_found" } });
    }
  });
});
