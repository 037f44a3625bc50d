/**
 * Documents: long texts as pages, taken batch by batch, in one request or many.
 *
 * A batch carries pages, the position they were read up to, and the state of the reader there; it is stored in one transaction.
 * So a document can always be read on from its position, and a batch that comes again changes nothing. The pages of a document
 * are one session, named after it: neighbours lend each other words when pages are searched.
 */
import type { Page } from "#shared/abi.ts";
import { failure } from "#shared/errors.ts";
import { composeDocumentId, nextUlid, parseDocumentId, type DocumentId } from "#shared/ids.ts";
import { DOCUMENTS, IDEMPOTENCY_MS, PAGE_BYTES } from "#shared/limits.ts";
import { failed, success, type Result } from "#shared/result.ts";
import {
  documentBatchSchema,
  newDocumentSchema,
  type DocumentBatch,
  type DocumentProgress,
  type DocumentView,
  type NewDocument,
} from "#shared/schema/documents.ts";
import { isStorable } from "#shared/schema/text.ts";
import { sha256 } from "#shared/sha256.ts";
import { estimateTokens, utf8Bytes } from "#shared/tokens.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { setTimer } from "#kernel/proc/alarm.ts";
import { transact } from "#kernel/proc/transact.ts";
import { flushSoon } from "#kernel/vm/flush.ts";
import { isoDate } from "#kernel/vm/page.ts";
import { insertPage } from "#kernel/vm/page-table.ts";
import { readDate } from "#kernel/vm/write-page.ts";

export const NO_DOCUMENT = failure("not_found", "There is no such document.");

export type DocumentRow = {
  id: DocumentId;
  name: string;
  title: string | null;
  media_type: string;
  state: "open" | "done" | "deleting";
  size: number | null;
  bytes: number;
  position: number;
  batch: string | null;
  carry: string | null;
  check_from: number;
  check_sum: number;
  pages: number;
  tokens: number;
  headings: number;
  first_page: number | null;
  last_page: number | null;
  at: number | null;
  at_text: string | null;
  zoned: number;
  tags: string;
  created_at: number;
  updated_at: number;
};

/** Opens a document. The same key answers the document that it opened; with another description it is a conflict. */
export async function openDocument(
  kernel: Kernel,
  key: string,
  described: NewDocument,
): Promise<Result<DocumentProgress>> {
  const read = newDocumentSchema.safeParse(described);
  if (!read.success) return failed(failure("invalid_request", "The document is malformed."));
  const date = readDate(read.data.at);
  if (!date.ok) return date;
  const hash = await sha256(JSON.stringify(read.data));
  const known = knownDocument(kernel, key);
  if (known !== null && known.hash !== hash) {
    return failed(failure("conflict", "This Idempotency-Key was used with another document."));
  }
  const found = known === null ? null : findDocument(kernel, known.id);
  if (found !== null) return success(progressOf(found));
  const count = kernel.sql.exec<{ count: number }>("SELECT COUNT(*) AS count FROM documents").one().count;
  if (count >= DOCUMENTS) return failed(failure("quota_exceeded", `A process holds ${DOCUMENTS} documents at most.`));
  return transact(kernel, () => {
    const document = makeDocument(kernel, { ...read.data, ...date.value, tags: JSON.stringify(read.data.tags) });
    const now = kernel.now();
    kernel.sql.exec("INSERT OR REPLACE INTO replies VALUES (?, ?, ?, ?)", `document ${key}`, hash, document.id, now);
    setTimer(kernel, "expire", now + IDEMPOTENCY_MS + 1);
    return success(progressOf(document));
  });
}

function knownDocument(kernel: Kernel, key: string): { readonly hash: string; readonly id: DocumentId } | null {
  const row = kernel.sql
    .exec<{ hash: string; reply: string }>(
      "SELECT hash, reply FROM replies WHERE key = ? AND created_at > ?",
      `document ${key}`,
      kernel.now() - IDEMPOTENCY_MS,
    )
    .toArray()[0];
  const id = row === undefined ? null : parseDocumentId(row.reply);
  return row === undefined || id === null ? null : { hash: row.hash, id };
}

function makeDocument(
  kernel: Kernel,
  fields: Pick<DocumentRow, "name" | "title" | "size" | "at" | "at_text" | "zoned" | "tags"> & { mediaType: string },
): DocumentRow {
  const last = kernel.sql.exec<{ id: string | null }>("SELECT MAX(id) AS id FROM documents").one().id;
  const now = kernel.now();
  const row: DocumentRow = {
    id: composeDocumentId(nextUlid(last?.slice("doc_".length) ?? null, now)),
    name: fields.name,
    title: fields.title,
    media_type: fields.mediaType,
    state: "open",
    size: fields.size,
    bytes: 0,
    position: 0,
    batch: null,
    carry: null,
    check_from: 0,
    check_sum: 0,
    pages: 0,
    tokens: 0,
    headings: 0,
    first_page: null,
    last_page: null,
    at: fields.at,
    at_text: fields.at_text,
    zoned: fields.zoned,
    tags: fields.tags,
    created_at: now,
    updated_at: now,
  };
  insertDocument(kernel, row);
  return row;
}

export function insertDocument(kernel: Kernel, row: DocumentRow): void {
  const columns = Object.keys(row);
  kernel.sql.exec(
    `INSERT INTO documents (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`,
    ...Object.values(row),
  );
}

export function findDocument(kernel: Kernel, id: DocumentId): DocumentRow | null {
  return kernel.sql.exec<DocumentRow>("SELECT * FROM documents WHERE id = ?", id).toArray()[0] ?? null;
}

export function documentProgress(kernel: Kernel, id: DocumentId): Result<DocumentProgress> {
  const row = findDocument(kernel, id);
  return row === null ? failed(NO_DOCUMENT) : success(progressOf(row));
}

export function readDocument(kernel: Kernel, id: DocumentId): Result<DocumentView> {
  const row = findDocument(kernel, id);
  return row === null ? failed(NO_DOCUMENT) : success(viewDocument(row));
}

/** Oldest first. */
export function listDocuments(kernel: Kernel, limit: number, cursor?: string): Result<Page<DocumentView>> {
  if (cursor !== undefined && parseDocumentId(cursor) === null) {
    return failed(failure("invalid_request", "`cursor` is not one of this list."));
  }
  const rows = kernel.sql
    .exec<DocumentRow>("SELECT * FROM documents WHERE id > ? ORDER BY id LIMIT ?", cursor ?? "", limit + 1)
    .toArray();
  const items = rows.slice(0, limit).map(viewDocument);
  const last = items.at(-1)?.document;
  return success({ items, ...(rows.length > limit && last !== undefined ? { cursor: last } : {}) });
}

/** Takes a batch of a document: its pages and the reader's state after them, together or not at all. */
export function appendDocument(kernel: Kernel, id: DocumentId, given: DocumentBatch): Result<DocumentView> {
  const read = documentBatchSchema.safeParse(given);
  if (!read.success || !read.data.pages.every(({ text }) => isStorable(text) && utf8Bytes(text) <= PAGE_BYTES)) {
    return failed(failure("invalid_request", "Not a batch of pages."));
  }
  const batch = read.data;
  const row = findDocument(kernel, id);
  if (row === null || row.state === "deleting") return failed(NO_DOCUMENT);
  if (row.batch === batch.batch) return success(viewDocument(row));
  if (row.state !== "open" || row.position !== batch.from || batch.to < batch.from) {
    return failed(failure("conflict", "Another request is writing this document."));
  }
  const next = transact(kernel, () => takeBatch(kernel, row, batch));
  flushSoon(kernel);
  return success(viewDocument(next));
}

function takeBatch(kernel: Kernel, row: DocumentRow, batch: DocumentBatch): DocumentRow {
  const tags = JSON.parse(row.tags) as string[];
  const { at, at_text, zoned, id: session } = row;
  const dated = { at, at_text, zoned };
  const numbers = batch.pages.map(({ text, source }) => {
    const kind = "document" as const;
    const origin = { role: null, speaker: null, thread: null, run: null, source };
    return insertPage(kernel, { kind, text, tags, evidence: 1, session, ...origin, ...dated }).number;
  });
  const next: DocumentRow = {
    ...row,
    title: row.title ?? batch.title,
    state: batch.done ? "done" : "open",
    bytes: batch.bytes,
    position: batch.to,
    batch: batch.batch,
    carry: batch.done ? null : batch.carry,
    check_from: batch.check.from,
    check_sum: batch.check.sum,
    pages: row.pages + numbers.length,
    tokens: row.tokens + batch.pages.reduce((sum, { text }) => sum + estimateTokens(text), 0),
    headings: batch.headings,
    first_page: row.first_page ?? numbers[0] ?? null,
    last_page: numbers.at(-1) ?? row.last_page,
    updated_at: kernel.now(),
  };
  const columns = Object.keys(next);
  kernel.sql.exec(
    `UPDATE documents SET ${columns.map((column) => `${column} = ?`).join(", ")} WHERE id = ?`,
    ...Object.values(next),
    row.id,
  );
  return next;
}

function progressOf(row: DocumentRow): DocumentProgress {
  const check = { from: row.check_from, sum: row.check_sum };
  return { view: viewDocument(row), position: row.position, carry: row.carry, check };
}

export function viewDocument(row: DocumentRow): DocumentView {
  return {
    document: row.id,
    name: row.name,
    title: row.title,
    mediaType: row.media_type,
    state: row.state,
    bytes: row.bytes,
    size: row.state === "done" ? row.bytes : row.size,
    pages: row.pages,
    tokens: row.tokens,
    headings: row.headings,
    at: isoDate(row.at, row.zoned === 1),
    tags: JSON.parse(row.tags) as string[],
    createdAt: new Date(row.created_at).toISOString(),
    updatedAt: new Date(row.updated_at).toISOString(),
  };
}
