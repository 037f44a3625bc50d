/** Bodies, queries and replies of `/v1/memory…`. */
import { z } from "zod";
import { PAGE_KINDS } from "#shared/abi.ts";
import {
  LIST_ITEMS_MOST,
  PAGE_BYTES,
  QUERY_CHARACTERS,
  SEARCH_RESULTS,
  SEARCH_RESULTS_MOST,
  SOURCE_CHARACTERS,
  TAG_CHARACTERS,
  TAGS_PER_PAGE,
} from "#shared/limits.ts";
import { processQuery } from "#shared/schema/ids.ts";
import { countGiven, listQuery } from "#shared/schema/list.ts";
import { clientText, shortText } from "#shared/schema/text.ts";

export const pageKindSchema = z.enum([...PAGE_KINDS, "assistant"]);

const tags = z.array(clientText(TAG_CHARACTERS)).max(TAGS_PER_PAGE);
const at = z
  .string()
  .min(1)
  .max(64)
  .nullable()
  .meta({ description: 'ISO 8601, or a written date such as "1:56 pm on 8 May, 2023"; null for none' });
const source = shortText(SOURCE_CHARACTERS).min(1);

/** Only a person's own words and notes can be added by hand; turns and tool results come from runs and imports. */
export const pageBodySchema = z
  .strictObject({
    text: clientText(PAGE_BYTES),
    kind: z.enum(PAGE_KINDS).optional().meta({ description: "fact when absent" }),
    tags: tags.optional(),
    at: at.optional(),
    source: source.optional().meta({ description: "Where it comes from; comes back on the page" }),
  })
  .meta({ id: "PageBody" });

export type PageBody = z.infer<typeof pageBodySchema>;

export const pageEditSchema = z
  .strictObject({
    text: clientText(PAGE_BYTES).optional(),
    kind: z.enum(PAGE_KINDS).optional(),
    tags: tags.optional(),
    at: at.optional(),
    source: source.nullable().optional(),
    pinned: z.boolean().optional().meta({ description: "True puts it into every prompt, false takes it out for good" }),
    version: z.int().min(1).optional().meta({ description: "When given: 409 unless the page is at this version" }),
  })
  .refine((edit) => Object.keys(edit).some((field) => field !== "version"), "changes nothing")
  .meta({ id: "PageEdit" });

export const pageSchema = z
  .object({
    handle: z.string(),
    kind: pageKindSchema,
    text: z.string(),
    role: z.enum(["user", "assistant", "tool", "system"]).nullable(),
    speaker: z.string().nullable(),
    source: z.string().nullable(),
    at: z.string().nullable(),
    atText: z.string().nullable().meta({ description: "The date as it was given" }),
    tags: z.array(z.string()).readonly(),
    thread: z.string().nullable(),
    version: z.number(),
    tokens: z.number(),
    createdAt: z.string(),
    updatedAt: z.string(),
    pinned: z.boolean().meta({ description: "True while it stands in every prompt" }),
    supersededBy: z
      .string()
      .nullable()
      .meta({ description: "The page that says the newer thing; null while this one holds" }),
    provenance: z.array(z.string()).readonly().meta({ description: "The pages it was made from" }),
  })
  .meta({ id: "Page" });

export const forgottenSchema = z.object({ forgotten: z.string() }).meta({ id: "Forgotten" });

export const pageListQuery = listQuery.extend({ ...processQuery.shape, kind: pageKindSchema.optional() });

const date = z.string().min(1).max(64).optional();

export const searchQuery = z.object({
  ...processQuery.shape,
  q: shortText(QUERY_CHARACTERS).meta({ description: "Any text" }),
  k: countGiven(SEARCH_RESULTS_MOST)
    .optional()
    .meta({ description: `Results at most; ${SEARCH_RESULTS} when absent` }),
  limit: countGiven(LIST_ITEMS_MOST).optional().meta({ description: "The same as k" }),
  kind: pageKindSchema.optional(),
  from: date.meta({ description: "Earliest date" }),
  to: date.meta({ description: "Latest date; a date without a time includes its day" }),
  tags: z
    .union([z.string(), z.array(z.string())])
    .transform((value) =>
      (Array.isArray(value) ? value : [value]).flatMap((item) => item.split(",")).filter((tag) => tag.trim() !== ""),
    )
    .pipe(z.array(z.string().max(TAG_CHARACTERS)).max(TAGS_PER_PAGE))
    .optional()
    .meta({ description: "Tags the page must have, separated by commas" }),
});

export const searchItemSchema = z
  .object({
    handle: z.string(),
    score: z.number(),
    snippet: z.string(),
    text: z.string(),
    kind: pageKindSchema,
    speaker: z.string().nullable(),
    source: z.string().nullable(),
    at: z.string().nullable(),
    supersededBy: z
      .string()
      .nullable()
      .meta({ description: "The page that says the newer thing; null while this one holds" }),
  })
  .meta({ id: "SearchItem" });

export const importReportSchema = z
  .object({
    imported: z.number().meta({ description: "Rows imported, now or by an earlier try with the same key" }),
    pages: z.number().meta({ description: "Pages they made" }),
    skipped: z
      .array(z.object({ line: z.number(), reason: z.string() }))
      .readonly()
      .meta({ description: "Rows that were left out, the first 500" }),
    skippedRows: z.number().meta({ description: "Rows that were left out, all of them" }),
    handles: z.array(z.string()).readonly(),
  })
  .meta({ id: "ImportReport" });

export type ImportReply = z.infer<typeof importReportSchema>;
