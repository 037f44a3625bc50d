/**
 * Block table: all SQL of the object's `blocks` table: labelled texts that stand in every prompt.
 *
 * A block belongs to this process (`owner` null) or is attached: then the row is a copy of the block `owner_label` of the
 * process `owner` of the same user, and `version` is the owner's. Every write raises the version of the pinned text, so that
 * a prompt frozen before it says what changed.
 */
import type { Kernel } from "#kernel/kernel.ts";
import { notePinChange } from "#kernel/vm/pinned/pin-changes.ts";

export type BlockRow = {
  label: string;
  description: string;
  value: string;
  /** Characters (code points) the value may have. */
  most: number;
  /** 1 when models may not change it here. */
  read_only: number;
  /** 1 at first, and one more with every change; the owner's for an attached block. */
  version: number;
  owner: string | null;
  owner_label: string | null;
  /** 1 when the owner of an attached block did not answer the last time; the value is then the last one known. */
  out_of_reach: number;
  created_at: number;
  updated_at: number;
};

/** Blocks in the order of their labels. */
export function listBlocks(kernel: Kernel): BlockRow[] {
  return kernel.sql.exec<BlockRow>("SELECT * FROM blocks ORDER BY label").toArray();
}

export function findBlock(kernel: Kernel, label: string): BlockRow | null {
  return kernel.sql.exec<BlockRow>("SELECT * FROM blocks WHERE label = ?", label).toArray()[0] ?? null;
}

export function countBlocks(kernel: Kernel): number {
  return kernel.sql.exec<{ blocks: number }>("SELECT COUNT(*) AS blocks FROM blocks").one().blocks;
}

/** Stores a block as it is given, in the place of the one of its label. Call it inside a transaction. */
export function putBlock(kernel: Kernel, block: BlockRow): BlockRow {
  kernel.sql.exec(
    "INSERT OR REPLACE INTO blocks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    block.label,
    block.description,
    block.value,
    block.most,
    block.read_only,
    block.version,
    block.owner,
    block.owner_label,
    block.out_of_reach,
    block.created_at,
    block.updated_at,
  );
  notePinChange(kernel, { block: block.label });
  return block;
}

/** Deletes a block for good: prompts frozen with it are refreshed. Call it inside a transaction. */
export function dropBlock(kernel: Kernel, label: string): void {
  kernel.sql.exec("DELETE FROM blocks WHERE label = ?", label);
  notePinChange(kernel, { block: label, forgotten: true });
}
