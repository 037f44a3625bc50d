/**
 * Blocks: what a process does with its labelled texts: show, list, put, edit, delete.
 *
 * Every change is synchronous and belongs inside a transaction. A person (`putOwnBlock`, `deleteBlock`) may change anything; a
 * model's edit (`editOwnBlock`) is refused when the block is read-only or would grow over its limit. Words of a block that is
 * attached belong to another process: `shared-blocks.ts` takes those changes there.
 */
import type { BlockPut, BlockView } from "#shared/abi.ts";
import { failure, type Failure } from "#shared/errors.ts";
import { BLOCK_CHARACTERS, BLOCKS } from "#shared/limits.ts";
import { failed, success, type Result } from "#shared/result.ts";
import type { BlockEdit } from "#shared/schema/blocks.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { characters, editedValue, normalLines, overLimit } from "#kernel/vm/pinned/block-edit.ts";
import { refreezeForgotten } from "#kernel/vm/forget/forget-context.ts";
import {
  countBlocks,
  dropBlock,
  findBlock,
  listBlocks,
  putBlock,
  type BlockRow,
} from "#kernel/vm/pinned/block-table.ts";

/** `read_only` is a set: the process's own wish, and that of the owner of an attached block. */
export const READ_ONLY_HERE = 1;
export const READ_ONLY_BY_OWNER = 2;

export function viewBlock(block: BlockRow): BlockView {
  return {
    label: block.label,
    description: block.description,
    value: block.value,
    characters: characters(block.value),
    limit: block.most,
    readOnly: block.read_only !== 0,
    version: block.version,
    sharedBy: block.owner === null ? null : { process: block.owner, label: block.owner_label ?? block.label },
    outOfReach: block.out_of_reach === 1,
    createdAt: new Date(block.created_at).toISOString(),
    updatedAt: new Date(block.updated_at).toISOString(),
  };
}

export function noBlock(kernel: Kernel, label: string): Failure {
  const labels = listBlocks(kernel).map((block) => block.label);
  const there = labels.length === 0 ? "There are none yet; create makes one." : `There are: ${labels.join(", ")}.`;
  return failure("not_found", `There is no block "${label}". ${there}`);
}

export function readBlock(kernel: Kernel, label: string): Result<BlockView> {
  const block = findBlock(kernel, label);
  return block === null ? failed(noBlock(kernel, label)) : success(viewBlock(block));
}

/** Refuses a change when the caller saw another version. 0 is that of a block that is not there. */
export function versionConflict(current: BlockRow | null, version: number | undefined): Failure | null {
  if (version === undefined || version === (current?.version ?? 0)) return null;
  return failure(
    "conflict",
    current === null ? "There is no such block any more." : `The block is at version ${current.version}.`,
  );
}

/** One block more, or null when there is room for it. */
export function tooMany(kernel: Kernel): Failure | null {
  if (countBlocks(kernel) < BLOCKS) return null;
  return failure("conflict", `There are ${BLOCKS} blocks already. Delete one, or add to one that is there.`);
}

/** Creates or replaces a block of this process, by a person's hand. */
export function putOwnBlock(kernel: Kernel, label: string, put: BlockPut): Result<BlockRow> {
  const current = findBlock(kernel, label);
  const refused = versionConflict(current, put.version) ?? (current === null ? tooMany(kernel) : null);
  if (refused !== null) return failed(refused);
  const value = put.value === undefined ? current?.value : normalLines(put.value);
  if (value === undefined) return failed(failure("invalid_request", "`value` is missing: there is no such block yet."));
  const most = put.limit ?? current?.most ?? BLOCK_CHARACTERS;
  const over = overLimit({ label, most }, value);
  if (over !== null) return failed(over);
  const readOnly = put.readOnly === undefined ? (current?.read_only ?? 0) : put.readOnly ? READ_ONLY_HERE : 0;
  return success(
    change(kernel, label, current, {
      value,
      most,
      description: put.description ?? current?.description ?? "",
      read_only: readOnly,
    }),
  );
}

type Change = Partial<Pick<BlockRow, "value" | "most" | "description" | "read_only">>;

/** Writes a block of this process, one version later; the same again changes nothing. */
function change(kernel: Kernel, label: string, current: BlockRow | null, changed: Change): BlockRow {
  const now = kernel.now();
  const base: BlockRow = current ?? {
    label,
    description: "",
    value: "",
    most: BLOCK_CHARACTERS,
    read_only: 0,
    version: 0,
    owner: null,
    owner_label: null,
    out_of_reach: 0,
    created_at: now,
    updated_at: now,
  };
  const next = { ...base, ...changed };
  const same =
    next.value === base.value &&
    next.most === base.most &&
    next.description === base.description &&
    next.read_only === base.read_only;
  if (current !== null && same) return current;
  return putBlock(kernel, { ...next, version: base.version + 1, updated_at: now });
}

export interface Edited {
  readonly label: string;
  /** Null when it was deleted. */
  readonly block: BlockView | null;
}

/** One verb of a model on this process's own blocks, or on the label of an attached one. */
export function editOwnBlock(kernel: Kernel, edit: BlockEdit): Result<Edited> {
  const current = findBlock(kernel, edit.label);
  if (edit.verb === "create") return createBlock(kernel, edit, current);
  if (current === null) return failed(noBlock(kernel, edit.label));
  if (edit.verb === "rename") return renameBlock(kernel, current, edit.to ?? "");
  const guarded = (current.read_only & READ_ONLY_HERE) !== 0;
  if (guarded || (current.read_only !== 0 && edit.verb !== "delete")) return failed(readOnlyBlock(current));
  if (edit.verb === "delete") {
    dropBlock(kernel, current.label);
    refreezeForgotten(kernel);
    return success({ label: current.label, block: null });
  }
  const value = editedValue(current, edit);
  if (!value.ok) return value;
  const over = overLimit(current, value.value);
  if (over !== null) return failed(over);
  return success({
    label: current.label,
    block: viewBlock(change(kernel, current.label, current, { value: value.value })),
  });
}

export function readOnlyBlock(block: Pick<BlockRow, "label">): Failure {
  return failure(
    "forbidden",
    `Block "${block.label}" is read-only: only the person changes it. Use memory_write for what is to be remembered, or tell the person.`,
  );
}

function createBlock(kernel: Kernel, edit: BlockEdit, current: BlockRow | null): Result<Edited> {
  if (current !== null) {
    return failed(failure("conflict", `There is a block "${edit.label}" already. Use replace or insert to change it.`));
  }
  const value = normalLines(edit.text ?? "");
  const refused = tooMany(kernel) ?? overLimit({ label: edit.label, most: BLOCK_CHARACTERS }, value);
  if (refused !== null) return failed(refused);
  const block = change(kernel, edit.label, null, { value, description: edit.description ?? "" });
  return success({ label: edit.label, block: viewBlock(block) });
}

/** The label is this process's own affair, also that of an attached block. */
function renameBlock(kernel: Kernel, current: BlockRow, to: string): Result<Edited> {
  if ((current.read_only & READ_ONLY_HERE) !== 0) return failed(readOnlyBlock(current));
  if (to === current.label) return success({ label: to, block: viewBlock(current) });
  if (findBlock(kernel, to) !== null) return failed(failure("conflict", `There is a block "${to}" already.`));
  dropBlock(kernel, current.label);
  const version = current.owner === null ? current.version + 1 : current.version;
  return success({
    label: to,
    block: viewBlock(putBlock(kernel, { ...current, label: to, version, updated_at: kernel.now() })),
  });
}

/** Deletes a block by a person's hand; an attached one is only let go of. */
export function deleteBlock(kernel: Kernel, label: string): Result<{ readonly deleted: string }> {
  if (findBlock(kernel, label) === null) return failed(noBlock(kernel, label));
  dropBlock(kernel, label);
  refreezeForgotten(kernel);
  return success({ deleted: label });
}
