/**
 * Blocks: labelled texts that stand in every prompt: paths, bodies and replies of `/v1/processes/{p}/blocks…`, and the
 * arguments of the system call that edits them.
 *
 * Characters are code points, so an emoji of one code point counts one; line ends are stored as "\n".
 */
import { z } from "zod";
import {
  BLOCK_CHARACTERS,
  BLOCK_CHARACTERS_MOST,
  BLOCK_DESCRIPTION_CHARACTERS,
  BLOCK_LABEL_CHARACTERS,
} from "#shared/limits.ts";
import { processIdSchema } from "#shared/schema/ids.ts";
import { shortText, storableText } from "#shared/schema/text.ts";

/** Letters and digits of any language, then also `-`, `_` and `.`. */
const LABEL = new RegExp(`^[\\p{L}\\p{N}][\\p{L}\\p{N}\\p{M}._-]{0,${BLOCK_LABEL_CHARACTERS - 1}}$`, "u");

export const labelSchema = z.string().regex(LABEL, "is not a label: letters and digits, then also - _ .");

/** Far above any value that fits a limit: the exact limit is the block's own, and is told with the next step. */
const text = storableText.max(8 * BLOCK_CHARACTERS_MOST);
const description = shortText(BLOCK_DESCRIPTION_CHARACTERS);
const limit = z.int().min(1).max(BLOCK_CHARACTERS_MOST);

export const blockPath = z.object({ p: processIdSchema, label: labelSchema });

export const blockPutSchema = z
  .strictObject({
    value: text.optional().meta({ description: "The whole text; needed for a new block" }),
    description: description.optional().meta({ description: "What the block is for" }),
    limit: limit.optional().meta({ description: `Characters the value may have; ${BLOCK_CHARACTERS} when absent` }),
    readOnly: z.boolean().optional().meta({ description: "True when models may not change it" }),
    attach: z
      .strictObject({ process: processIdSchema, label: labelSchema })
      .optional()
      .meta({ description: "Share the block of another process of yours, under this label" }),
    version: z
      .int()
      .min(0)
      .optional()
      .meta({ description: "When given: 409 unless the block is at it; 0 for a new one" }),
  })
  .refine((put) => Object.keys(put).some((field) => field !== "version"), "changes nothing")
  .meta({ id: "BlockPut" });

export const blockSchema = z
  .object({
    label: z.string(),
    description: z.string(),
    value: z.string(),
    characters: z.number(),
    limit: z.number(),
    readOnly: z.boolean(),
    version: z.number(),
    sharedBy: z
      .object({ process: z.string(), label: z.string() })
      .nullable()
      .meta({ description: "The process that owns it, when it is attached" }),
    outOfReach: z.boolean().meta({ description: "True when its owner did not answer; `value` is the last one known" }),
    createdAt: z.string(),
    updatedAt: z.string(),
  })
  .meta({ id: "Block" });

export const blockDeletedSchema = z.object({ deleted: z.string() }).meta({ id: "BlockDeleted" });

/** Which arguments each verb takes besides the label, and which of them it needs. */
const VERBS = {
  create: { needs: ["text"], takes: ["text", "description"] },
  replace: { needs: ["old", "text"], takes: ["old", "text"] },
  insert: { needs: ["text"], takes: ["text", "line"] },
  delete: { needs: [], takes: [] },
  rename: { needs: ["to"], takes: ["to"] },
} as const;

export type BlockVerb = keyof typeof VERBS;

export const blockEditSchema = z
  .strictObject({
    verb: z.enum(["create", "replace", "insert", "delete", "rename"]),
    label: labelSchema.describe("Label of the block"),
    text: text.optional().describe("create: its text; replace: what comes instead; insert: what to add"),
    old: text.min(1).optional().describe("replace: words of the block, exactly as they stand there, that occur once"),
    line: z.int().min(0).optional().describe("insert: after this line; 0 for the beginning, the end when absent"),
    to: labelSchema.optional().describe("rename: the new label"),
    description: description.optional().describe("create: what the block is for"),
  })
  .superRefine((edit, context) => {
    const verb = VERBS[edit.verb];
    const given = Object.entries(edit).flatMap(([name, value]) => (value === undefined ? [] : [name]));
    for (const name of verb.needs) {
      if (!given.includes(name))
        context.addIssue({ code: "custom", message: `${edit.verb} needs ${name}`, path: [name] });
    }
    const known: readonly string[] = ["verb", "label", ...verb.takes];
    for (const name of given) {
      if (!known.includes(name)) {
        context.addIssue({ code: "custom", message: `${edit.verb} takes no ${name}`, path: [name] });
      }
    }
  });

export type BlockEdit = z.infer<typeof blockEditSchema>;

/** What one process asks of another process of the same user: an edit of a block that it has attached. */
export const sharedEditSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("verb"), edit: blockEditSchema }),
  z.strictObject({ kind: z.literal("put"), label: labelSchema, value: text, version: z.int().min(0).optional() }),
]);

export type SharedEdit = z.infer<typeof sharedEditSchema>;
