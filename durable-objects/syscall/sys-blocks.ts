/**
 * Block system calls: one edit with five verbs for models, and for commands a look and a pin.
 *
 * An edit of a block that belongs to another process happens there, before the transaction that journals it
 * (`prepareBlockEdit`); its key is the step's, so a step that is repeated after a crash is not done twice.
 */
import type { SyscallArguments } from "#shared/calls.ts";
import { failure } from "#shared/errors.ts";
import { composePageHandle, parsePageHandle } from "#shared/ids.ts";
import { failed, success, type Result } from "#shared/result.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { listBlocks } from "#kernel/vm/pinned/block-table.ts";
import { editOwnBlock, readBlock, viewBlock, type Edited } from "#kernel/vm/pinned/blocks.ts";
import { findPage } from "#kernel/vm/page-table.ts";
import { pinByHand, unpinByHand } from "#kernel/vm/pinned/pin-by-hand.ts";
import { editAttached } from "#kernel/vm/pinned/shared-blocks.ts";

export function prepareBlockEdit(
  kernel: Kernel,
  args: SyscallArguments<"block_edit">,
  key: string,
): Promise<Result<Edited> | null> {
  return editAttached(kernel, args, key);
}

export function editBlock(
  kernel: Kernel,
  args: SyscallArguments<"block_edit">,
  doneElsewhere: Result<Edited> | null,
): Result<unknown> {
  const edited = doneElsewhere ?? editOwnBlock(kernel, args);
  if (!edited.ok) return edited;
  const { label, block } = edited.value;
  if (block === null) return success({ block: label, deleted: true });
  const { value, version, characters, limit } = block;
  return success({ block: label, value, version, characters, limit });
}

export function readBlocks(kernel: Kernel, args: SyscallArguments<"block_read">): Result<unknown> {
  if (args.label === undefined) return success({ blocks: listBlocks(kernel).map(viewBlock) });
  const block = readBlock(kernel, args.label);
  return block.ok ? success({ blocks: [block.value] }) : block;
}

export function pinMemory(kernel: Kernel, args: SyscallArguments<"memory_pin">): Result<unknown> {
  const handle = parsePageHandle(args.handle);
  const page = handle === null ? null : findPage(kernel, handle);
  if (page === null) return failed(failure("not_found", "There is no such page."));
  if (args.pinned) pinByHand(kernel, page.number);
  else unpinByHand(kernel, page.number);
  return success({ handle: composePageHandle(page.number), pinned: args.pinned });
}
