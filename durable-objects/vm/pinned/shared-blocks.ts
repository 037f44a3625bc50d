/**
 * Shared blocks: a block of one process, attached to other processes of the same user.
 *
 * The owner's row is the authority. An attached row is a copy with the owner's version; it is brought up to date at the
 * beginning of every run (`refreshBlocks`, one call for each owner), so an edit anywhere is seen by the others at their next
 * run. An edit of an attached block happens in the owner's object, under its limit and against its version, and is answered
 * once for each key, so that a run that is taken up again does not repeat it. An owner that cannot be reached costs nothing
 * but freshness: the last known value stays, marked as such. The owner is addressed by this process's own user, which is part
 * of the object's name, so no other user's block can be reached.
 */
import type { BlockPut, BlockView, Caller, ProcessApi } from "#shared/abi.ts";
import { failure } from "#shared/errors.ts";
import { parseProcessId, processObjectName, type ProcessId } from "#shared/ids.ts";
import { BLOCK_WAIT_MS, IDEMPOTENCY_MS } from "#shared/limits.ts";
import { errorName, logEvent } from "#shared/log.ts";
import { failed, success, type Result } from "#shared/result.ts";
import type { BlockEdit, SharedEdit } from "#shared/schema/blocks.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { setTimer } from "#kernel/proc/alarm.ts";
import { transact } from "#kernel/proc/transact.ts";
import { dropBlock, findBlock, listBlocks, putBlock, type BlockRow } from "#kernel/vm/pinned/block-table.ts";
import { forgetInPrefixes, refreezeForgotten } from "#kernel/vm/forget/forget-context.ts";
import {
  editOwnBlock,
  noBlock,
  putOwnBlock,
  READ_ONLY_BY_OWNER,
  READ_ONLY_HERE,
  readOnlyBlock,
  tooMany,
  versionConflict,
  viewBlock,
  type Edited,
} from "#kernel/vm/pinned/blocks.ts";

const OUT_OF_REACH = failure(
  "overloaded",
  "The process that shares this block is out of reach. Nothing was changed.",
  1,
);

// ---- At the process that attached a block

/** Brings attached blocks up to date. Never fails: what cannot be read stays as it is last known. */
export async function refreshBlocks(kernel: Kernel): Promise<void> {
  const attached = listBlocks(kernel).filter((block) => block.owner !== null);
  const owners = [...new Set(attached.map((block) => block.owner))];
  await Promise.all(
    owners.map((owner) =>
      refreshFrom(
        kernel,
        owner ?? "",
        attached.filter((block) => block.owner === owner),
      ),
    ),
  );
}

async function refreshFrom(kernel: Kernel, owner: string, blocks: readonly BlockRow[]): Promise<void> {
  const labels = blocks.map((block) => block.owner_label ?? block.label);
  const read = await askOwner(kernel, owner, (api, caller) => api.sharedBlocks(caller, labels));
  transact(kernel, () => {
    blocks.forEach((block, index) => {
      const current = findBlock(kernel, block.label);
      if (current === null || current.owner !== owner || current.owner_label !== block.owner_label) return;
      if (!read.ok) {
        if (current.out_of_reach === 0) putBlock(kernel, { ...current, out_of_reach: 1 });
        return;
      }
      const view = read.value[index] ?? null;
      // What its owner deleted is gone everywhere.
      if (view === null) dropBlock(kernel, current.label);
      else takeCopy(kernel, current, view);
    });
    refreezeForgotten(kernel);
  });
}

/** Stores the owner's state of a block, when it differs. An older one is a late answer and changes nothing. */
function takeCopy(kernel: Kernel, current: BlockRow, view: BlockView): BlockRow {
  const readOnly = (current.read_only & READ_ONLY_HERE) | (view.readOnly ? READ_ONLY_BY_OWNER : 0);
  const same =
    view.version === current.version &&
    view.value === current.value &&
    readOnly === current.read_only &&
    current.out_of_reach === 0;
  const updatedAt = Date.parse(view.updatedAt);
  if (same || (view.version < current.version && updatedAt <= current.updated_at)) return current;
  const stored = putBlock(kernel, {
    ...current,
    value: view.value,
    description: view.description,
    most: view.limit,
    read_only: readOnly,
    version: view.version,
    out_of_reach: 0,
    updated_at: updatedAt,
  });
  // The owner does not say why a line is gone: it may have been forgotten there.
  const lines = new Set(view.value.split("\n"));
  if (current.value.split("\n").some((line) => !lines.has(line))) forgetInPrefixes(kernel);
  return stored;
}

/** Calls the owner within a time limit; any way of not being answered is the same failure. */
async function askOwner<Value>(
  kernel: Kernel,
  owner: string,
  call: (api: OwnerApi, caller: Caller) => Promise<Result<Value>>,
): Promise<Result<Value>> {
  const process = parseProcessId(owner);
  if (process === null || process === kernel.process) return failed(failure("not_found", "There is no such process."));
  const caller: Caller = { user: kernel.user, process, shard: kernel.shard };
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<Result<Value>>((resolve) => {
    timer = setTimeout(() => resolve(failed(OUT_OF_REACH)), BLOCK_WAIT_MS);
  });
  try {
    return await Promise.race([call(ownerApi(kernel, process), caller), late]);
  } catch (error) {
    logEvent("block-owner-failed", { error: errorName(error) }, "warn");
    return failed(OUT_OF_REACH);
  } finally {
    if (timer !== undefined) clearTimeout(timer);
  }
}

type OwnerApi = Pick<ProcessApi, "sharedBlocks" | "editSharedBlock">;

function ownerApi(kernel: Kernel, process: ProcessId): OwnerApi {
  const stub: unknown = kernel.env.PROCESS.getByName(processObjectName(kernel.user, process));
  if (!isOwnerApi(stub)) throw new TypeError("the PROCESS binding is not a process");
  return stub;
}

function isOwnerApi(stub: unknown): stub is OwnerApi {
  return typeof stub === "object" && stub !== null && typeof Reflect.get(stub, "sharedBlocks") === "function";
}

/** Creates, replaces or attaches a block by a person's hand. */
export async function putAnyBlock(kernel: Kernel, label: string, put: BlockPut): Promise<Result<BlockView>> {
  if (put.attach !== undefined) return attachBlock(kernel, label, put, put.attach);
  const current = findBlock(kernel, label);
  if (current?.owner !== null && current?.owner !== undefined) return putAttached(kernel, current, put);
  const written = transact(kernel, () => putOwnBlock(kernel, label, put));
  return written.ok ? success(viewBlock(written.value)) : written;
}

async function attachBlock(
  kernel: Kernel,
  label: string,
  put: BlockPut,
  from: { readonly process: string; readonly label: string },
): Promise<Result<BlockView>> {
  const { attach: _attach, readOnly, version, ...more } = put;
  if (Object.values(more).some((field) => field !== undefined)) {
    return failed(failure("invalid_request", "An attached block has its owner's value, limit and description."));
  }
  if (from.process === kernel.process) {
    return failed(failure("invalid_request", "The block is this process's own."));
  }
  const read = await askOwner(kernel, from.process, (api, caller) => api.sharedBlocks(caller, [from.label]));
  if (!read.ok) return read;
  const view = read.value[0] ?? null;
  if (view === null) return failed(failure("not_found", "That process has no such block."));
  if (view.sharedBy !== null) {
    return failed(failure("conflict", `That block is itself attached. Attach it from ${view.sharedBy.process}.`));
  }
  return transact(kernel, () => {
    const current = findBlock(kernel, label);
    const other = current !== null && (current.owner !== from.process || current.owner_label !== from.label);
    const refused = other
      ? failure("conflict", `There is another block "${label}" already. Delete or rename it first.`)
      : (versionConflict(current, version) ?? (current === null ? tooMany(kernel) : null));
    if (refused !== null) return failed(refused);
    const now = kernel.now();
    const copy = putBlock(kernel, {
      label,
      description: view.description,
      value: view.value,
      most: view.limit,
      read_only: (readOnly === true ? READ_ONLY_HERE : 0) | (view.readOnly ? READ_ONLY_BY_OWNER : 0),
      version: view.version,
      owner: from.process,
      owner_label: from.label,
      out_of_reach: 0,
      created_at: current?.created_at ?? now,
      updated_at: Date.parse(view.updatedAt),
    });
    return success(viewBlock(copy));
  });
}

/** A person changes an attached block: its value in the owner's object, its right here. */
async function putAttached(kernel: Kernel, current: BlockRow, put: BlockPut): Promise<Result<BlockView>> {
  const owner = current.owner ?? "";
  if (put.limit !== undefined || put.description !== undefined) {
    return failed(failure("conflict", `Limit and description are set in process ${owner}, which owns the block.`));
  }
  const attachedReadOnly = put.readOnly ?? (current.read_only & READ_ONLY_HERE) !== 0;
  if (put.value !== undefined) {
    if (attachedReadOnly)
      return failed(failure("forbidden", `The block is attached read-only; change it in ${owner}.`));
    const label = current.owner_label ?? current.label;
    const change: SharedEdit = {
      kind: "put",
      label,
      value: put.value,
      ...(put.version === undefined ? {} : { version: put.version }),
    };
    const key = crypto.randomUUID();
    const edited = await askOwner(kernel, owner, (api, caller) => api.editSharedBlock(caller, change, key));
    if (!edited.ok) return edited;
    if (edited.value !== null) storeCopy(kernel, current, edited.value);
  }
  return transact(kernel, () => {
    const now = findBlock(kernel, current.label);
    if (now === null) return failed(noBlock(kernel, current.label));
    const readOnly = (attachedReadOnly ? READ_ONLY_HERE : 0) | (now.read_only & READ_ONLY_BY_OWNER);
    return success(viewBlock(readOnly === now.read_only ? now : putBlock(kernel, { ...now, read_only: readOnly })));
  });
}

function storeCopy(kernel: Kernel, attached: BlockRow, view: BlockView): void {
  transact(kernel, () => {
    const current = findBlock(kernel, attached.label);
    if (current !== null && current.owner === attached.owner) takeCopy(kernel, current, view);
  });
}

/**
 * A model's edit of the words of an attached block, done in the owner's object; null when the edit is this process's own
 * affair. Call it before the transaction that journals the edit; `key` names the step, so that it happens once.
 */
export async function editAttached(kernel: Kernel, edit: BlockEdit, key: string): Promise<Result<Edited> | null> {
  const current = findBlock(kernel, edit.label);
  if (current === null || current.owner === null) return null;
  if (edit.verb !== "replace" && edit.verb !== "insert") return null;
  if (current.read_only !== 0) return failed(readOnlyBlock(current));
  const change: SharedEdit = { kind: "verb", edit: { ...edit, label: current.owner_label ?? current.label } };
  const edited = await askOwner(kernel, current.owner, (api, caller) => api.editSharedBlock(caller, change, key));
  if (!edited.ok) return edited;
  if (edited.value !== null) storeCopy(kernel, current, edited.value);
  const now = findBlock(kernel, current.label);
  return success({ label: current.label, block: now === null ? null : viewBlock(now) });
}

// ---- At the owner

/** The present state of these blocks; null for one that is not there. */
export function readShared(kernel: Kernel, labels: readonly string[]): (BlockView | null)[] {
  return labels.map((label) => {
    const block = findBlock(kernel, label);
    return block === null ? null : viewBlock(block);
  });
}

/** An edit that another process of the user asks for; the same key is answered as it was the first time. */
export function editShared(kernel: Kernel, change: SharedEdit, key: string): Result<BlockView | null> {
  const name = `block ${key}`;
  const known = kernel.sql.exec<{ reply: string }>("SELECT reply FROM replies WHERE key = ?", name).toArray()[0];
  if (known !== undefined) return success(readShared(kernel, [known.reply])[0] ?? null);
  return transact(kernel, () => {
    const label = change.kind === "put" ? change.label : change.edit.label;
    const current = findBlock(kernel, label);
    if (current === null || current.owner !== null) return failed(noBlock(kernel, label));
    const edited = change.kind === "put" ? putShared(kernel, current, change) : editOwnBlock(kernel, change.edit);
    if (!edited.ok) return edited;
    // The label only: a remembered reply must not outlive the words it would hold.
    kernel.sql.exec("INSERT INTO replies VALUES (?, '', ?, ?)", name, label, kernel.now());
    setTimer(kernel, "expire", kernel.now() + IDEMPOTENCY_MS + 1);
    return success(edited.value.block);
  });
}

function putShared(kernel: Kernel, current: BlockRow, change: SharedEdit & { kind: "put" }): Result<Edited> {
  const written = putOwnBlock(kernel, current.label, {
    value: change.value,
    ...(change.version === undefined ? {} : { version: change.version }),
  });
  return written.ok ? success({ label: current.label, block: viewBlock(written.value) }) : written;
}
