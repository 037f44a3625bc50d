/**
 * Document rows: documents in an export, and back. Their pages follow as page rows that name their document.
 *
 * A document that is half taken keeps the state of its reader, so that the rest of it can be sent to where it was imported.
 */
import { z } from "zod";
import { parseDocumentId, type DocumentId } from "#shared/ids.ts";
import { DOCUMENT_BYTES, DOCUMENT_STATE_CHARACTERS, DOCUMENT_TITLE_CHARACTERS, TAGS_PER_PAGE } from "#shared/limits.ts";
import { storableText } from "#shared/schema/text.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { findDocument, insertDocument, type DocumentRow } from "#kernel/vm/documents/documents.ts";

const bytes = z.int().min(0).max(DOCUMENT_BYTES);

export const documentRow = z.strictObject({
  type: z.literal("document"),
  document: z.string(),
  name: storableText.min(1).max(DOCUMENT_TITLE_CHARACTERS),
  title: storableText.max(DOCUMENT_TITLE_CHARACTERS).nullable(),
  mediaType: z.string().max(128),
  state: z.enum(["open", "done"]),
  size: bytes.nullable(),
  bytes,
  position: bytes,
  carry: z.string().max(DOCUMENT_STATE_CHARACTERS).nullable(),
  check: z.strictObject({ from: bytes, sum: z.int().min(0) }),
  headings: z.int().min(0),
  at: z.number().nullable(),
  atText: z.string().max(128).nullable(),
  zoned: z.boolean(),
  tags: z.array(z.string()).max(TAGS_PER_PAGE),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});

export function exportDocuments(kernel: Kernel): z.infer<typeof documentRow>[] {
  return kernel.sql
    .exec<DocumentRow>("SELECT * FROM documents WHERE state <> 'deleting' ORDER BY id")
    .toArray()
    .map((row) => ({
      type: "document",
      document: row.id,
      name: row.name,
      title: row.title,
      mediaType: row.media_type,
      state: row.state === "open" ? "open" : "done",
      size: row.size,
      bytes: row.bytes,
      position: row.position,
      carry: row.carry,
      check: { from: row.check_from, sum: row.check_sum },
      headings: row.headings,
      at: row.at,
      atText: row.at_text,
      zoned: row.zoned === 1,
      tags: JSON.parse(row.tags) as string[],
      createdAt: new Date(row.created_at).toISOString(),
      updatedAt: new Date(row.updated_at).toISOString(),
    }));
}

/** Restores a document without its pages. Answers why not, or null. */
export function restoreDocument(kernel: Kernel, row: z.infer<typeof documentRow>): string | null {
  const id = parseDocumentId(row.document);
  if (id === null) return "document: not a document id";
  if (findDocument(kernel, id) !== null) return "document: already in this process";
  insertDocument(kernel, {
    id,
    name: row.name,
    title: row.title,
    media_type: row.mediaType,
    state: row.state,
    size: row.size,
    bytes: row.bytes,
    position: row.position,
    batch: null,
    carry: row.carry,
    check_from: row.check.from,
    check_sum: row.check.sum,
    pages: 0,
    tokens: 0,
    headings: row.headings,
    first_page: null,
    last_page: null,
    at: row.at,
    at_text: row.atText,
    zoned: row.zoned ? 1 : 0,
    tags: JSON.stringify(row.tags),
    created_at: Date.parse(row.createdAt),
    updated_at: Date.parse(row.updatedAt),
  });
  return null;
}

/** The document that a page row names, when it is here. */
export function documentOfRow(kernel: Kernel, named: string | undefined): DocumentId | null {
  const id = named === undefined ? null : parseDocumentId(named);
  return id === null || findDocument(kernel, id) === null ? null : id;
}
