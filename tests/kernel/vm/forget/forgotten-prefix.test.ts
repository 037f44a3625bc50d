/**
 * Forgotten prefix: no frozen prefix keeps words that were forgotten, also when they had left the pinned text before.
 */
import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { BlockPut, BlockView, Caller, PageView } from "#shared/abi.ts";
import { processObjectName, type DocumentId, type PageHandle } from "#shared/ids.ts";
import type { Result } from "#shared/result.ts";
import type { DocumentProgress } from "#shared/schema/documents.ts";
import { upgradeSchema, writeMeta } from "#kernel/proc/schema.ts";
import { everythingStored, inKernel, installSeam, says, text, useModel } from "#tests/kernel/kernel-seam.ts";
import { ask, callerOf, objectOf, unwrap } from "#tests/kernel/process-client.ts";

installSeam();

const WORD = /quetzalcoatl/i;

async function write(caller: Caller, words: string): Promise<PageHandle> {
  const page = { text: words, kind: "fact" as const, at: "2024-03-03" };
  return unwrap((await objectOf(caller).writePage(caller, page)) as Result<PageView>).handle;
}

async function pin(caller: Caller, handle: PageHandle, pinned: boolean): Promise<void> {
  unwrap((await objectOf(caller).editPage(caller, handle, { pinned })) as Result<PageView>);
}

async function put(caller: Caller, label: string, block: BlockPut): Promise<void> {
  unwrap((await objectOf(caller).putBlock(caller, label, block)) as Result<BlockView>);
}

/** The frozen bytes of all threads. */
const frozen = (caller: Caller): Promise<string> =>
  inKernel(caller, (kernel) => JSON.stringify(kernel.sql.exec("SELECT pinned, stub FROM bodies").toArray()));

async function forget(caller: Caller, handle: PageHandle): Promise<void> {
  unwrap((await objectOf(caller).forgetPage(caller, handle)) as Result<unknown>);
}

/** A process whose thread `main` is frozen with what is pinned now. */
async function freeze(caller: Caller): Promise<void> {
  useModel(caller, says([text("Hello.")]));
  await ask(caller, "Good morning to you.");
  expect(await frozen(caller)).toMatch(WORD);
}

describe("what was pinned when a prompt was frozen", () => {
  it("leaves it when it is forgotten after it was unpinned", async () => {
    const caller = callerOf("prefix-unpinned");
    const handle = await write(caller, "The cat of the neighbours is called Quetzalcoatl the Third.");
    await pin(caller, handle, true);
    await freeze(caller);
    await pin(caller, handle, false);
    expect(await frozen(caller)).toMatch(WORD); // the bytes stay, for the provider's cache
    await forget(caller, handle);
    expect(await frozen(caller)).not.toMatch(WORD);
    expect(await everythingStored(caller)).not.toMatch(WORD);
  });

  it("leaves it when the block that said it says something else by then", async () => {
    const caller = callerOf("prefix-block");
    const words = "The cat of the neighbours is called Quetzalcoatl the Third.";
    const handle = await write(caller, words);
    await put(caller, "animals", { value: words });
    await freeze(caller);
    await put(caller, "animals", { value: "No cats." });
    await forget(caller, handle);
    expect(await everythingStored(caller)).not.toMatch(WORD);
  });

  it("leaves it with a document, when its page was unpinned before", async () => {
    const caller = callerOf("prefix-document");
    const described = { name: "a.md", title: null, mediaType: "text/markdown", size: null, at: null, tags: [] };
    const { view } = unwrap(
      (await objectOf(caller).openDocument(caller, "key", described)) as Result<DocumentProgress>,
    );
    const id = view.document as DocumentId;
    const batch = { batch: "one", from: 0, to: 9, bytes: 9, headings: 0, done: true, carry: null, title: null };
    const pages = [{ text: "Of Quetzalcoatl nobody speaks.", source: "a.md" }];
    unwrap(
      (await objectOf(caller).appendDocument(caller, id, {
        ...batch,
        pages,
        check: { from: 0, sum: 0 },
      })) as Result<unknown>,
    );
    await pin(caller, "p1" as PageHandle, true);
    await freeze(caller);
    await pin(caller, "p1" as PageHandle, false);
    await inKernel(caller, (kernel) => {
      // As when the thread that showed it, and the log of its runs, are gone long since.
      for (const table of ["run_pages", "page_references"]) kernel.sql.exec(`DELETE FROM ${table}`);
      kernel.sql.exec("UPDATE runs SET tail = '[]'");
    });
    unwrap((await objectOf(caller).forgetDocument(caller, id)) as Result<unknown>);
    expect(await everythingStored(caller)).not.toMatch(WORD);
  });
});

describe("an attached block", () => {
  it("leaves no line in a frozen prompt here that its owner forgot", async () => {
    const init = callerOf("prefix-shared");
    const words = "The cat of the neighbours is called Quetzalcoatl the Third.";
    const handle = await write(init, words);
    await put(init, "team", { value: `${words}\nAnn and Bo.` });
    const work = callerOf("prefix-shared", "work");
    await runInDurableObject(objectOf(work), (_, state) => {
      upgradeSchema(state.storage);
      writeMeta(state.storage.sql, "name", processObjectName(work.user, work.process));
      writeMeta(state.storage.sql, "shard", "0");
      writeMeta(state.storage.sql, "created", "0");
    });
    await put(work, "shared", { attach: { process: "init", label: "team" } });
    await freeze(work);
    await forget(init, handle);
    await ask(work, "Good evening to you."); // the next run asks the owner
    expect(await everythingStored(work)).not.toMatch(WORD);
    expect(await everythingStored(work)).toContain("Ann and Bo.");
  });
});
