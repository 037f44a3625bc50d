/**
 * Thread calls: what the edge may do with conversations: list, read, delete.
 */
import type { Page } from "#shared/abi.ts";
import type { MessageView, ThreadView } from "#shared/inspection.ts";
import { TERMINAL_STATES } from "#shared/abi.ts";
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

function runsIn(kernel: Kernel, thread: ThreadId): RunId[] {
  return listLiveRuns(kernel)
    .filter((row) => row.thread === thread)
    .map((row) => row.id as RunId);
}

/** Deletes a conversation; what runs in it is cancelled first. Memory pages stay. */
export async function remove(kernel: Kernel, thread: ThreadId): Promise<Result<{ readonly deleted: ThreadId }>> {
  if (!known(kernel, thread)) return failed(NO_THREAD);
  // Again until none is left: an instruction may come in while one is being cancelled.
  for (let live = runsIn(kernel, thread); live.length > 0; live = runsIn(kernel, thread)) {
    for (const run of live.toReversed()) cancelRun(kernel, run); // waiting ones first, so that none begins
    for (const run of live) {
      const ended = await settled(kernel, run, CANCEL_WAIT_MS);
      if (ended.ok && !TERMINAL_STATES.includes(ended.value.status)) {
        return failed(failure("conflict", "A run of this thread does not end; try again."));
      }
    }
  }
  transact(kernel, () => dropThread(kernel, thread));
  return success({ deleted: thread });
}
