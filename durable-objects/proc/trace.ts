/**
 * Trace: every stage of a run with its times, for `GET /v1/runs/:id/trace` and the tests that hold the order.
 *
 * `stage` wraps one function of `cycle.ts`: it records `<name>-start`, runs it, and records `<name>-end` with how long it
 * took, also when it throws. Data are counts and names, never a prompt or a page's text.
 *
 * Rows are collected and stored with the run's next change (`storeTrace`), because a write of its own before a call to the
 * outside would make that call wait for the disk. A crash can cost the trace of the stage it cut off, nothing else.
 */
import type { TraceEvent } from "#shared/abi.ts";
import type { RunId } from "#shared/ids.ts";
import type { Kernel } from "#kernel/kernel.ts";
import type { LiveRun } from "#kernel/proc/live-run.ts";

export type StageName =
  | "admit"
  | "refine"
  | "page-in"
  | "schedule"
  | "infer"
  | "syscall"
  | "verify"
  | "page-out"
  | "retire";

export type TraceData = Record<string, unknown>;

export interface TraceRow {
  readonly id: number;
  readonly at: number;
  readonly event: string;
  readonly data: string;
}

/** Records one event. */
export function trace(
  kernel: Kernel,
  run: Pick<LiveRun, "nextTrace" | "untraced">,
  event: string,
  data: TraceData = {},
): void {
  run.untraced.push({ id: run.nextTrace, at: kernel.now(), event, data: JSON.stringify(data) });
  run.nextTrace += 1;
}

/** Stores what was recorded; call it where the run is written anyway. */
export function storeTrace(kernel: Kernel, run: Pick<LiveRun, "id" | "untraced">): void {
  const rows = run.untraced.splice(0);
  if (rows.length === 0) return;
  kernel.sql.exec(
    `INSERT INTO trace SELECT ?, value ->> 'id', value ->> 'at', value ->> 'event', value ->> 'data' FROM json_each(?)`,
    run.id,
    JSON.stringify(rows),
  );
}

/** Runs one stage between its two events. What the stage puts into `data` is recorded with its end. */
export async function stage<Value>(
  kernel: Kernel,
  run: LiveRun,
  name: StageName,
  work: (data: TraceData) => Promise<Value> | Value,
): Promise<Value> {
  run.abort.signal.throwIfAborted();
  const started = performance.now();
  const data: TraceData = {};
  trace(kernel, run, `${name}-start`);
  try {
    return await work(data);
  } catch (error) {
    data["threw"] = error instanceof Error ? error.name : "unknown";
    throw error;
  } finally {
    trace(kernel, run, `${name}-end`, { ...data, ms: Math.round((performance.now() - started) * 100) / 100 });
  }
}

export function readTrace(kernel: Kernel, run: RunId): TraceEvent[] {
  const stored = kernel.sql
    .exec<{ id: number; at: number; event: string; data: string }>(
      "SELECT id, at, event, data FROM trace WHERE run = ? ORDER BY id",
      run,
    )
    .toArray();
  return [...stored, ...(kernel.live.get(run)?.untraced ?? [])].map((row) => ({
    id: row.id,
    at: new Date(row.at).toISOString(),
    event: row.event,
    data: JSON.parse(row.data) as TraceData,
  }));
}
