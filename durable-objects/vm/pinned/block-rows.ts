/**
 * Block rows: blocks in an export, and back.
 *
 * A row holds all of a block. One that is attached comes back attached, with its last known value, until its owner is asked at
 * the next run. A label that is in use with another text is not overwritten.
 */
import { z } from "zod";
import { BLOCK_CHARACTERS_MOST, BLOCK_DESCRIPTION_CHARACTERS } from "#shared/limits.ts";
import { labelSchema } from "#shared/schema/blocks.ts";
import { processIdSchema } from "#shared/schema/ids.ts";
import { shortText, storableText } from "#shared/schema/text.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { normalLines, overLimit } from "#kernel/vm/pinned/block-edit.ts";
import { findBlock, listBlocks, putBlock } from "#kernel/vm/pinned/block-table.ts";
import { READ_ONLY_BY_OWNER, READ_ONLY_HERE, tooMany } from "#kernel/vm/pinned/blocks.ts";

export const blockRow = z.strictObject({
  type: z.literal("block"),
  label: labelSchema,
  description: shortText(BLOCK_DESCRIPTION_CHARACTERS).default(""),
  value: storableText,
  limit: z.int().min(1).max(BLOCK_CHARACTERS_MOST).default(BLOCK_CHARACTERS_MOST),
  readOnly: z.boolean().default(false),
  ownerReadOnly: z.boolean().default(false),
  version: z.int().min(1).default(1),
  sharedBy: z.strictObject({ process: processIdSchema, label: labelSchema }).nullish(),
  createdAt: z.iso.datetime().optional(),
  updatedAt: z.iso.datetime().optional(),
});

export function exportBlocks(kernel: Kernel): object[] {
  return listBlocks(kernel).map((block) => ({
    type: "block",
    label: block.label,
    description: block.description,
    value: block.value,
    limit: block.most,
    readOnly: (block.read_only & READ_ONLY_HERE) !== 0,
    ...((block.read_only & READ_ONLY_BY_OWNER) === 0 ? {} : { ownerReadOnly: true }),
    version: block.version,
    ...(block.owner === null ? {} : { sharedBy: { process: block.owner, label: block.owner_label } }),
    createdAt: new Date(block.created_at).toISOString(),
    updatedAt: new Date(block.updated_at).toISOString(),
  }));
}

/** Takes a block in; answers why not, or null. Call it inside a transaction. */
export function takeBlock(kernel: Kernel, row: z.infer<typeof blockRow>): string | null {
  const value = normalLines(row.value);
  const current = findBlock(kernel, row.label);
  if (current !== null) return current.value === value ? null : "label: already used for another block";
  const refused = tooMany(kernel) ?? overLimit({ label: row.label, most: row.limit }, value);
  if (refused !== null) return refused.detail;
  const now = kernel.now();
  putBlock(kernel, {
    label: row.label,
    description: row.description,
    value,
    most: row.limit,
    read_only: (row.readOnly ? READ_ONLY_HERE : 0) | (row.ownerReadOnly ? READ_ONLY_BY_OWNER : 0),
    version: row.version,
    owner: row.sharedBy?.process ?? null,
    owner_label: row.sharedBy?.label ?? null,
    // Nobody has asked its owner yet.
    out_of_reach: row.sharedBy === undefined || row.sharedBy === null ? 0 : 1,
    created_at: row.createdAt === undefined ? now : Date.parse(row.createdAt),
    updated_at: row.updatedAt === undefined ? now : Date.parse(row.updatedAt),
  });
  return null;
}
