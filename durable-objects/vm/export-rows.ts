/**
 * Export rows: the whole process as NDJSON bytes that `import-rows.ts` reads back, nothing lost.
 *
 * Documents, then pages in the order of their numbers, so that an import can give every handle back; then blocks; then threads, what
 * was evicted of them, and their messages; then what sleep-time work knows. Bodies that are not resident come from D1 a batch at a time, so memory stays bounded; when D1 does not give
 * one, the stream fails rather than end short.
 */
import { composePageHandle, parseDocumentId } from "#shared/ids.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { exportDocuments } from "#kernel/vm/documents/document-rows.ts";
import { fault } from "#kernel/vm/fault.ts";
import { exportBlocks } from "#kernel/vm/pinned/block-rows.ts";
import { exportSleep } from "#kernel/vm/sleep/sleep-rows.ts";
import { viewPage } from "#kernel/vm/page.ts";
import { exportEvicted, exportRanges } from "#kernel/vm/summary/range-rows.ts";
import { exportLinks } from "#kernel/vm/forget/run-links.ts";

const BATCH = 100;

export function exportRows(kernel: Kernel): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const batches = exportBatches(kernel);
  return new ReadableStream({
    type: "bytes",
    async pull(controller: ReadableByteStreamController) {
      const { done, value } = await batches.next();
      if (done !== true) {
        controller.enqueue(encoder.encode(value.map((row) => `${JSON.stringify(row)}\n`).join("")));
        return;
      }
      controller.close();
      controller.byobRequest?.respond(0);
    },
  });
}

async function* exportBatches(kernel: Kernel): AsyncGenerator<object[]> {
  const documents = exportDocuments(kernel);
  if (documents.length > 0) yield documents;
  for await (const pages of pageBatches(kernel)) yield pages;
  const blocks = exportBlocks(kernel);
  if (blocks.length > 0) yield blocks;
  const threads = kernel.sql
    .exec<{ id: string; created_at: number }>("SELECT id, created_at FROM threads WHERE ephemeral = 0 ORDER BY id")
    .toArray();
  if (threads.length > 0) {
    yield threads.map((row) => ({ type: "thread", thread: row.id, createdAt: new Date(row.created_at).toISOString() }));
  }
  const ranges = exportRanges(kernel);
  for (let start = 0; start < ranges.length; start += BATCH) yield ranges.slice(start, start + BATCH);
  yield* messageBatches(kernel);
  yield* exportSleep(kernel);
}

async function* pageBatches(kernel: Kernel): AsyncGenerator<object[]> {
  for (let after = 0; ;) {
    const rows = kernel.sql
      .exec<{ number: number; evidence: number }>(
        "SELECT number, evidence FROM pages WHERE deleted = 0 AND number > ? ORDER BY number LIMIT ?",
        after,
        BATCH,
      )
      .toArray();
    if (rows.length === 0) return;
    after = rows.at(-1)?.number ?? after;
    const found = await fault(
      kernel,
      rows.map((row) => row.number),
    );
    if (!found.ok) throw new Error("a page body is out of reach");
    const evidence = new Map(rows.map((row) => [row.number, row.evidence === 1]));
    const links = exportLinks(
      kernel,
      rows.map((row) => row.number),
    );
    yield found.value.pages.map((page) => {
      const { tokens: _tokens, ...view } = viewPage(page);
      const document = parseDocumentId(page.session);
      return {
        type: "page",
        ...view,
        evidence: evidence.get(page.number) ?? true,
        ...links.get(page.number),
        ...(document === null ? {} : { document }),
      };
    });
  }
}

function* messageBatches(kernel: Kernel): Generator<object[]> {
  type Row = {
    id: number;
    thread: string;
    run: string | null;
    role: string;
    content: string;
    tool_calls: string | null;
    tool_call_id: string | null;
    page: number | null;
    evicted: number;
    created_at: number;
  };
  for (let after = 0; ;) {
    const rows = kernel.sql
      .exec<Row>(
        `SELECT id, thread, run, role, content, tool_calls, tool_call_id, page, evicted, created_at FROM messages
         WHERE id > ? AND thread IN (SELECT id FROM threads WHERE ephemeral = 0) ORDER BY id LIMIT ?`,
        after,
        BATCH,
      )
      .toArray();
    if (rows.length === 0) return;
    after = rows.at(-1)?.id ?? after;
    yield rows.map((row) => ({
      type: "message",
      thread: row.thread,
      role: row.role,
      content: row.content,
      ...(row.tool_calls === null ? {} : { toolCalls: JSON.parse(row.tool_calls) as unknown }),
      ...(row.tool_call_id === null ? {} : { toolCallId: row.tool_call_id }),
      page: row.page === null ? null : composePageHandle(row.page),
      ...(row.evicted === 0 ? {} : { evicted: exportEvicted(row.evicted) }),
      ...(row.run === null ? {} : { run: row.run }),
      createdAt: new Date(row.created_at).toISOString(),
    }));
  }
}
