/**
 * Thread calls: what the edge may do with conversations: list, read, delete.
 */
import type { MessageView, Page, ThreadView } from "#shared/abi.ts";
import { failure } from "#shared/errors.ts";
import { parseThreadId, type RunId, type ThreadId } from "#shared/ids.ts";
import { CANCEL_WAIT_MS } from "#shared/limits.ts";
import { failed, success, type Result } from "#shared/result.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { dropThread, listMessages, listThreads, threadExists } from "#kernel/proc/messages.ts";
import { settled } from "#kernel/proc/run-calls.ts";
import { listLiveRuns } from "#kernel/proc/runs.ts";
import { transact } from "#kernel/proc/transact.ts";
import { cancelRun } from "#kernel/proc/work-thread.ts";

const NO_THREAD = failure("not_found", "There is no such thread.");
const NO_CURSOR = failure("invalid_request", "`cursor` is not one of this list.");

function known(kernel: Kernel, thread: ThreadId): boolean {
  return parseThreadId(thread) !== null && threadExists(kernel, thread);
}

export function list(kernel: Kernel, limit: number, cursor: string | undefined): Result<Page<ThreadView>> {
  if (cursor !== undefined && parseThreadId(cursor) === null) return failed(NO_CURSOR);
  return success(listThreads(kernel, limit, cursor));
}

export function messages(
  kernel: Kernel,
  thread: ThreadId,
  limit: number,
  cursor: string | undefined,
): Result<Page<MessageView>> {
  if (!known(kernel, thread)) return failed(NO_THREAD);
  const after = cursor === undefined ? 0 : Number(cursor);
  if (!Number.isSafeInteger(after) || after < 0) return failed(NO_CURSOR);
  return success(listMessages(kernel, thread, limit, after));
}

/** Deletes a conversation; what runs in it is cancelled first. Memory pages stay. */
export async function remove(kernel: Kernel, thread: ThreadId): Promise<Result<{ readonly deleted: ThreadId }>> {
  if (!known(kernel, thread)) return failed(NO_THREAD);
  for (const row of listLiveRuns(kernel)) {
    if (row.thread !== thread) continue;
    cancelRun(kernel, row.id as RunId);
    await settled(kernel, row.id as RunId, CANCEL_WAIT_MS);
  }
  transact(kernel, () => dropThread(kernel, thread));
  return success({ deleted: thread });
}
