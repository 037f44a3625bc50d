/**
 * Run calls: what the edge may do with runs: start, read, follow, list, cancel, resume.
 */
import type { ExecuteRequest, Page, RunStarted, RunView, TraceEvent } from "#shared/abi.ts";
import { TERMINAL_STATES } from "#shared/abi.ts";
import { failure } from "#shared/errors.ts";
import type { RunId, ThreadId } from "#shared/ids.ts";
import { parseRunId } from "#shared/ids.ts";
import { CANCEL_WAIT_MS } from "#shared/limits.ts";
import type { PageReference, RunReferences } from "#shared/references.ts";
import { failed, success, type Result } from "#shared/result.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { lastEvent, nextChange, readEvents } from "#kernel/proc/events.ts";
import { listRuns, readRun, reopenRun, viewRun, type RunRow } from "#kernel/proc/runs.ts";
import { readTrace } from "#kernel/proc/trace.ts";
import { transact } from "#kernel/proc/transact.ts";
import { cancelRun, workThread, type Cycle } from "#kernel/proc/work-thread.ts";
import { listReferences, readReferences, viewReference } from "#kernel/vm/reference-log.ts";

const NO_RUN = failure("not_found", "There is no such run.");

function find(kernel: Kernel, run: RunId): Result<RunRow> {
  const row = readRun(kernel, run);
  return row === null ? failed(NO_RUN) : success(row);
}

type Submit = (kernel: Kernel, request: ExecuteRequest) => Result<RunStarted>;

export function execute(kernel: Kernel, request: ExecuteRequest, submit: Submit, cycle: Cycle): Result<RunStarted> {
  const started = submit(kernel, request);
  if (started.ok) workThread(kernel, started.value.thread, cycle);
  return started;
}

export function openEvents(kernel: Kernel, run: RunId, after: number | null): Result<ReadableStream<Uint8Array>> {
  const row = find(kernel, run);
  if (!row.ok) return row;
  const known = after === null || (Number.isSafeInteger(after) && after >= 0 && after <= lastEvent(kernel, run));
  if (!known) return failed(failure("invalid_request", "The run has no event of this id."));
  return success(readEvents(kernel, run, after));
}

/** Waits until the run has ended, at most `waitMs` milliseconds. */
export async function settled(kernel: Kernel, run: RunId, waitMs: number): Promise<Result<RunView>> {
  const deadline = kernel.now() + waitMs;
  for (;;) {
    const row = find(kernel, run);
    if (!row.ok) return row;
    const left = deadline - kernel.now();
    if (TERMINAL_STATES.includes(row.value.state) || left <= 0) return success(viewRun(kernel, row.value));
    await nextChange(kernel, run, left);
  }
}

export function list(kernel: Kernel, limit: number, cursor: string | undefined): Result<Page<RunView>> {
  if (cursor !== undefined && parseRunId(cursor) === null) {
    return failed(failure("invalid_request", "`cursor` is not one of this list."));
  }
  return success(listRuns(kernel, limit, cursor));
}

export function traceOf(kernel: Kernel, run: RunId): Result<readonly TraceEvent[]> {
  const row = find(kernel, run);
  return row.ok ? success(readTrace(kernel, run)) : row;
}

export function referencesOf(kernel: Kernel, run: RunId): Result<readonly PageReference[]> {
  const row = find(kernel, run);
  if (!row.ok) return row;
  const noted = kernel.live.get(run)?.references ?? [];
  return success([...(readReferences(kernel, run)?.references ?? []), ...noted].map(viewReference));
}

export function references(kernel: Kernel, limit: number, cursor: string | undefined): Result<Page<RunReferences>> {
  const after = cursor === undefined ? 0 : Number(cursor);
  if (!Number.isSafeInteger(after) || after < 0)
    return failed(failure("invalid_request", "`cursor` is not one of this list."));
  const rows = listReferences(kernel, limit + 1, after);
  const items = rows.slice(0, limit).map((row) => ({
    run: row.run,
    thread: row.thread,
    at: new Date(row.at).toISOString(),
    references: row.references.map(viewReference),
  }));
  const last = rows[limit - 1];
  return success(rows.length > limit && last !== undefined ? { items, cursor: String(last.seq) } : { items });
}

/** Cancels a run and answers it as it ended. A run that had ended stays as it is. */
export function cancel(kernel: Kernel, run: RunId): Promise<Result<RunView>> {
  cancelRun(kernel, run);
  return settled(kernel, run, CANCEL_WAIT_MS);
}

/** Continues an interrupted run from its journal, with another model when one is given: what was done is not done again. */
export function resume(kernel: Kernel, run: RunId, model: string | null, cycle: Cycle): Result<RunStarted> {
  const row = find(kernel, run);
  if (!row.ok) return row;
  if (row.value.state !== "interrupted" || row.value.ephemeral === 1) {
    return failed(failure("conflict", `Only an interrupted run can be resumed; this one is ${row.value.state}.`));
  }
  transact(kernel, () => reopenRun(kernel, run, model));
  const thread = row.value.thread as ThreadId;
  workThread(kernel, thread, cycle);
  return success({ run, thread, process: kernel.process, state: "queued", replayed: false });
}
