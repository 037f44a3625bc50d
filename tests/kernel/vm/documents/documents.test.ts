/**
 * Documents in the object: batches that come twice or at the wrong place, their limits, and a deletion that was cut off.
 */
import { describe, expect, it } from "vitest";
import type { Caller } from "#shared/abi.ts";
import type { DocumentId } from "#shared/ids.ts";
import {
  DOCUMENT_BATCH_PAGES_MOST,
  DOCUMENT_STATE_CHARACTERS,
  FORGET_BATCH_PAGES,
  PAGE_BYTES,
} from "#shared/limits.ts";
import type { DocumentBatch, DocumentProgress, DocumentView, NewDocument } from "#shared/schema/documents.ts";
import type { Result } from "#shared/result.ts";
import { TIMER_WORK } from "#kernel/proc/timer-work.ts";
import { everythingStored, inKernel, installSeam, rows, useCrash } from "#tests/kernel/kernel-seam.ts";
import { callerOf, objectOf, unwrap } from "#tests/kernel/process-client.ts";

installSeam();

const NEW: NewDocument = { name: "n", title: null, mediaType: "text/plain", size: null, at: null, tags: [] };

async function open(caller: Caller, key = "key"): Promise<DocumentId> {
  const opened = unwrap((await objectOf(caller).openDocument(caller, key, NEW)) as Result<DocumentProgress>);
  return opened.view.document as DocumentId;
}

const pagesOf = (count: number, text = "A line about copper."): DocumentBatch["pages"] =>
  Array.from({ length: count }, (_, index) => ({ text: `${text} ${index}`, source: "n#char=0" }));

function batch(from: number, to: number, more: Partial<DocumentBatch> = {}): DocumentBatch {
  const check = { from: 0, sum: 0 };
  return {
    batch: `${from}-${to}`,
    from,
    to,
    bytes: to,
    pages: pagesOf(2),
    carry: "{}",
    check,
    headings: 0,
    title: null,
    done: false,
    ...more,
  };
}

async function append(caller: Caller, document: DocumentId, what: DocumentBatch): Promise<Result<DocumentView>> {
  return (await objectOf(caller).appendDocument(caller, document, what)) as Result<DocumentView>;
}

/** How a call ends whose object may die in it. */
async function outcome(call: () => Promise<unknown>): Promise<"answered" | "died"> {
  try {
    await call();
    return "answered";
  } catch {
    return "died";
  }
}

describe("a batch of a document", () => {
  it("is taken once, and only where the document stands", async () => {
    const caller = callerOf("batches");
    const document = await open(caller);
    expect(unwrap(await append(caller, document, batch(0, 10)))).toMatchObject({ bytes: 10, pages: 2 });
    expect(unwrap(await append(caller, document, batch(0, 10)))).toMatchObject({ bytes: 10, pages: 2 });
    for (const wrong of [batch(0, 10, { batch: "other" }), batch(5, 20), batch(20, 30), batch(10, 5)]) {
      expect(await append(caller, document, wrong)).toMatchObject({ ok: false, error: { code: "conflict" } });
    }
    expect(unwrap(await append(caller, document, batch(10, 20, { done: true })))).toMatchObject({
      state: "done",
      pages: 4,
    });
    expect(await append(caller, document, batch(20, 30))).toMatchObject({ ok: false, error: { code: "conflict" } });
  });

  it("has limits, to the edge", async () => {
    const caller = callerOf("batch-limits");
    const document = await open(caller);
    const fits = batch(0, 1, {
      pages: [...pagesOf(DOCUMENT_BATCH_PAGES_MOST - 1, "x"), { text: "y".repeat(PAGE_BYTES), source: "n" }],
      carry: "c".repeat(DOCUMENT_STATE_CHARACTERS),
    });
    expect(unwrap(await append(caller, document, fits)).pages).toBe(DOCUMENT_BATCH_PAGES_MOST);
    for (const more of [
      { pages: pagesOf(DOCUMENT_BATCH_PAGES_MOST + 1, "x") },
      { pages: [{ text: "蜂".repeat(PAGE_BYTES / 3 + 1), source: "n" }] },
      { pages: [{ text: "a\u0000b", source: "n" }] },
      { carry: "c".repeat(DOCUMENT_STATE_CHARACTERS + 1) },
    ]) {
      expect(await append(caller, document, batch(1, 2, more))).toMatchObject({
        ok: false,
        error: { code: "invalid_request" },
      });
    }
  });
});

describe("deleting a document", () => {
  it("is finished by the timer when it was cut off", async () => {
    const caller = callerOf("cut-deletion");
    const document = await open(caller);
    await append(caller, document, batch(0, 1, { pages: pagesOf(FORGET_BATCH_PAGES + 50), done: true }));
    await objectOf(caller).writePage(caller, { text: "This stays." });
    await inKernel(caller, (kernel) => kernel.sql.exec("UPDATE documents SET state = 'deleting'").toArray());
    expect(await append(caller, document, batch(1, 2))).toMatchObject({ ok: false, error: { code: "not_found" } });
    await inKernel(caller, (kernel) => TIMER_WORK.documents(kernel));
    expect(await rows(caller, "SELECT * FROM documents")).toEqual([]);
    expect(await everythingStored(caller)).not.toContain("copper");
    expect(await rows(caller, "SELECT text FROM pages WHERE deleted = 0")).toEqual([{ text: "This stays." }]);
  });

  it("goes on after the machine stopped in the middle", async () => {
    const caller = callerOf("crashed-deletion");
    let stop = false;
    let buried = 0;
    useCrash((statement) => {
      if (stop && statement.includes("SET deleted = 1")) buried += 1;
      return stop && buried > FORGET_BATCH_PAGES + 10;
    });
    const document = await open(caller);
    await append(caller, document, batch(0, 1, { pages: pagesOf(2 * FORGET_BATCH_PAGES), done: true }));
    stop = true;
    const died = await outcome(() => objectOf(caller).forgetDocument(caller, document));
    expect(died).toBe("died");
    useCrash(null);
    const left = await rows<{ state: string; pages: number }>(caller, "SELECT state, pages FROM documents");
    expect(left).toEqual([{ state: "deleting", pages: FORGET_BATCH_PAGES }]);
    await inKernel(caller, (kernel) => TIMER_WORK.documents(kernel));
    expect(await rows(caller, "SELECT id FROM documents")).toEqual([]);
    expect(await everythingStored(caller)).not.toContain("copper");
  });
});
