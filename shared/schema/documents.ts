/** Queries and replies of `/v1/memory/documents…`, and what the edge and the object say to each other about a document. */
import { z } from "zod";
import {
  DOCUMENT_BATCH_PAGES_MOST,
  DOCUMENT_BYTES,
  DOCUMENT_STATE_CHARACTERS,
  DOCUMENT_TITLE_CHARACTERS,
  PAGE_BYTES,
  SOURCE_CHARACTERS,
  TAG_CHARACTERS,
  TAGS_PER_PAGE,
} from "#shared/limits.ts";
import { processQuery } from "#shared/schema/ids.ts";
import { clientText, shortText } from "#shared/schema/text.ts";

/** A whole number of bytes in a query string. */
const byteQuery = z
  .string()
  .regex(/^[0-9]{1,10}$/, "is not a whole number")
  .transform(Number)
  .pipe(z.int().max(DOCUMENT_BYTES));

const name = shortText(DOCUMENT_TITLE_CHARACTERS).min(1);

export const documentQuery = z.object({
  ...processQuery.shape,
  name: name.optional().meta({ description: "File name; comes back in every page's source" }),
  title: name.optional().meta({ description: "Stands before the headings of every page" }),
  size: byteQuery.optional().meta({
    description:
      "Bytes of the whole document, when it comes in several requests; without it, the document ends with this one",
  }),
  at: z.string().min(1).max(64).optional().meta({ description: "Date of the document, ISO 8601 or written" }),
  tags: z
    .string()
    .transform((value) => value.split(",").filter((tag) => tag.trim() !== ""))
    .pipe(z.array(clientText(TAG_CHARACTERS)).max(TAGS_PER_PAGE))
    .optional()
    .meta({ description: "Tags of every page, separated by commas" }),
});

export const documentPartQuery = z.object({
  ...processQuery.shape,
  offset: byteQuery.meta({ description: "Bytes of the document before this request's body" }),
});

const states = z.enum(["open", "done", "deleting"]);

export const documentSchema = z
  .object({
    document: z.string(),
    name: z.string(),
    title: z.string().nullable(),
    mediaType: z.string(),
    state: states.meta({ description: "open while more of it is expected" }),
    bytes: z.number().meta({ description: "Bytes taken so far: the offset to go on from" }),
    size: z.number().nullable().meta({ description: "Bytes of the whole document, when known" }),
    pages: z.number(),
    tokens: z.number(),
    headings: z.number(),
    at: z.string().nullable(),
    tags: z.array(z.string()).readonly(),
    createdAt: z.string(),
    updatedAt: z.string(),
  })
  .meta({ id: "Document" });

export type DocumentView = z.infer<typeof documentSchema>;

export const documentForgottenSchema = z
  .object({
    forgotten: z.string(),
    pages: z.number().meta({ description: "Pages that it had" }),
    done: z.boolean().meta({ description: "false while the last of a very long document are still being deleted" }),
  })
  .meta({ id: "DocumentForgotten" });

export type DocumentForgotten = z.infer<typeof documentForgottenSchema>;

/** What the edge asks the object to open. */
export const newDocumentSchema = z.strictObject({
  name,
  title: name.nullable(),
  mediaType: z.string().max(128),
  size: z.int().min(0).max(DOCUMENT_BYTES).nullable(),
  at: z.string().max(64).nullable(),
  tags: z.array(z.string().min(1)).max(TAGS_PER_PAGE),
});

export type NewDocument = z.infer<typeof newDocumentSchema>;

/** A checksum over the bytes of one request: `sum` is over those from `from` to the document's position. */
const check = z.strictObject({ from: z.int().min(0), sum: z.int().min(0) });

export type DocumentCheck = z.infer<typeof check>;

/** How far a document was taken, and all that is needed to read on. */
export interface DocumentProgress {
  readonly view: DocumentView;
  /** Bytes of a text, printed pages of a PDF. */
  readonly position: number;
  readonly carry: string | null;
  readonly check: DocumentCheck;
}

/** Pages of a document, and the state of its reader after them: stored together or not at all. */
export const documentBatchSchema = z.strictObject({
  /** Random: a batch that comes twice is taken once. */
  batch: z.string().min(1).max(64),
  from: z.int().min(0),
  to: z.int().min(0),
  bytes: z.int().min(0).max(DOCUMENT_BYTES),
  pages: z
    .array(
      z.strictObject({
        text: z.string().min(1).max(PAGE_BYTES),
        source: z.string().min(1).max(SOURCE_CHARACTERS),
      }),
    )
    .max(DOCUMENT_BATCH_PAGES_MOST),
  carry: z.string().max(DOCUMENT_STATE_CHARACTERS).nullable(),
  check,
  headings: z.int().min(0),
  title: z.string().max(DOCUMENT_TITLE_CHARACTERS).nullable(),
  done: z.boolean(),
});

export type DocumentBatch = z.infer<typeof documentBatchSchema>;
