/**
 * Runs: all SQL of the `runs` table, and a run as the API shows it.
 *
 * States move as `queued → running → done | failed | cancelled | interrupted`; only `moveRun` changes a state, and only from
 * a state that is not terminal (`reopenRun`, for resume, is the one exception).
 */
import type { Citation, Page, RunState, RunView, SyscallView } from "#shared/abi.ts";
import type { Failure } from "#shared/errors.ts";
import type { RunId, ThreadId } from "#shared/ids.ts";
import type { Priority } from "#shared/priority.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { readRunUsage, viewUsage, type RunUsage, type RunUsageRow } from "#kernel/proc/run-usage.ts";

export type RunRow = {
  id: string;
  thread: string;
  state: RunState;
  instruction: string;
  /** The model that answers, or answered last. */
  model: string;
  /** The model that whoever made the run asked for, or null. */
  asked: string | null;
  /** 1 when another model may stand in for it. */
  fallback: number;
  priority: Priority;
  conversation: string | null;
  reply: string | null;
  idempotency_key: string | null;
  body_hash: string;
  boot_id: string | null;
  recoveries: number;
  ephemeral: number;
  created_at: number;
  started_at: number | null;
  finished_at: number | null;
  output: string;
  citations: string;
  abstained: number;
  error: string | null;
} & RunUsageRow;

export function readRun(kernel: Kernel, run: RunId): RunRow | null {
  return kernel.sql.exec<RunRow>("SELECT * FROM runs WHERE id = ?", run).toArray()[0] ?? null;
}

export function findRunByKey(kernel: Kernel, key: string): RunRow | null {
  return kernel.sql.exec<RunRow>("SELECT * FROM runs WHERE idempotency_key = ?", key).toArray()[0] ?? null;
}

/** The id of the run admitted last: ids sort by admission, so a new one must be above it. */
export function newestRun(kernel: Kernel): string | null {
  return kernel.sql.exec<{ id: string | null }>("SELECT MAX(id) AS id FROM runs").one().id;
}

export type NewRun = Pick<
  RunRow,
  | "id"
  | "thread"
  | "instruction"
  | "model"
  | "asked"
  | "fallback"
  | "priority"
  | "conversation"
  | "reply"
  | "idempotency_key"
  | "body_hash"
  | "ephemeral"
>;

export function insertRun(kernel: Kernel, run: NewRun): void {
  kernel.sql.exec(
    `INSERT INTO runs (id, thread, state, instruction, model, asked, fallback, priority, conversation, reply, idempotency_key, body_hash, ephemeral, created_at)
     VALUES (?, ?, 'queued', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    run.id,
    run.thread,
    run.instruction,
    run.model,
    run.asked,
    run.fallback,
    run.priority,
    run.conversation,
    run.reply,
    run.idempotency_key,
    run.body_hash,
    run.ephemeral,
    kernel.now(),
  );
}

/** Moves a run to a state it can be in next. Answers false when the run had already ended. */
export function moveRun(kernel: Kernel, run: RunId, state: RunState, error: Failure | null = null): boolean {
  const ended = state === "done" || state === "failed" || state === "cancelled" || state === "interrupted";
  const now = kernel.now();
  return (
    kernel.sql
      .exec(
        `UPDATE runs SET state = ?, boot_id = ?, started_at = COALESCE(started_at, ?), finished_at = ?, error = ?,
           conversation = CASE WHEN ?4 IS NULL THEN conversation END
         WHERE id = ? AND state IN ('queued', 'running', 'waiting') RETURNING 1`,
        state,
        kernel.bootId,
        state === "running" ? now : null,
        ended ? now : null,
        error === null ? null : JSON.stringify(error),
        run,
      )
      .toArray().length > 0
  );
}

/** Puts an interrupted run back into its thread's queue; from here on with another model, and no third, when one is given. */
export function reopenRun(kernel: Kernel, run: RunId, model: string | null): void {
  kernel.sql.exec(
    `UPDATE runs SET state = 'queued', finished_at = NULL, error = NULL, recoveries = 0,
       model = COALESCE(?2, model), asked = COALESCE(?2, asked), fallback = CASE WHEN ?2 IS NULL THEN fallback ELSE 0 END
     WHERE id = ?1 AND state = 'interrupted'`,
    run,
    model,
  );
}

/** Stores which model a run asks from now on. */
export function saveModel(kernel: Kernel, run: RunId, model: string): void {
  kernel.sql.exec("UPDATE runs SET model = ? WHERE id = ?", model, run);
}

/** Counts one more recovery of an orphaned run and answers how many there were. */
export function countRecovery(kernel: Kernel, run: RunId): number {
  return kernel.sql
    .exec<{ recoveries: number }>(
      "UPDATE runs SET recoveries = recoveries + 1, state = 'queued' WHERE id = ? RETURNING recoveries",
      run,
    )
    .one().recoveries;
}

export interface RunAnswer {
  readonly output: string;
  readonly citations: readonly Citation[];
  readonly abstained: boolean;
}

/** Stores what a run answered. */
export function saveAnswer(kernel: Kernel, run: RunId, answer: RunAnswer): void {
  kernel.sql.exec(
    "UPDATE runs SET output = ?, citations = ?, abstained = ? WHERE id = ?",
    answer.output,
    JSON.stringify(answer.citations),
    answer.abstained ? 1 : 0,
    run,
  );
}

/** Stores what the calls of a run used until now. */
export function saveRunUsage(kernel: Kernel, run: RunId, usage: RunUsage): void {
  kernel.sql.exec(
    `UPDATE runs SET input_tokens = ?, cached_tokens = ?, output_tokens = ?, microdollars = ?, neurons = ?, models = ? WHERE id = ?`,
    usage.inputTokens,
    usage.cachedTokens,
    usage.outputTokens,
    usage.microdollars,
    usage.neurons,
    JSON.stringify(usage.models),
    run,
  );
}

/** The oldest queued run of a thread. */
export function nextQueuedRun(kernel: Kernel, thread: ThreadId): RunRow | null {
  return (
    kernel.sql
      .exec<RunRow>(
        // The list of states is what lets it use the index of live runs; without it every run there ever was is read.
        `SELECT * FROM runs WHERE state IN ('queued', 'running', 'waiting') AND state = 'queued' AND thread = ? ORDER BY id LIMIT 1`,
        thread,
      )
      .toArray()[0] ?? null
  );
}

/** How many runs have not ended, in the thread (null: in the process). */
export function liveRuns(kernel: Kernel, thread: ThreadId | null): number {
  return kernel.sql
    .exec<{ live: number }>(
      "SELECT COUNT(*) AS live FROM runs WHERE state IN ('queued', 'running', 'waiting') AND (thread = ?1 OR ?1 IS NULL)",
      thread,
    )
    .one().live;
}

/** Runs that have not ended, oldest first. */
export function listLiveRuns(kernel: Kernel): RunRow[] {
  return kernel.sql
    .exec<RunRow>("SELECT * FROM runs WHERE state IN ('queued', 'running', 'waiting') ORDER BY id")
    .toArray();
}

function syscallsOf(kernel: Kernel, run: RunId): SyscallView[] {
  return kernel.sql
    .exec<{ name: string; arguments: string | null; result: string | null }>(
      "SELECT name, arguments, result FROM steps WHERE run = ? AND name LIKE 'syscall %' AND state = 'done' ORDER BY started_at, name",
      run,
    )
    .toArray()
    .map((row) => {
      const call = JSON.parse(row.arguments ?? "null") as { id: string; name: string; arguments: unknown } | null;
      const outcome = JSON.parse(row.result ?? "null") as { ok: boolean; result: unknown } | null;
      return {
        id: call?.id ?? row.name,
        name: call?.name ?? "",
        arguments: call?.arguments ?? null,
        ok: outcome?.ok ?? false,
        result: outcome?.result ?? null,
      };
    });
}

function iso(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}

/** A run as the API shows it. */
export function viewRun(kernel: Kernel, row: RunRow): RunView {
  const run = row.id as RunId;
  const instruction = JSON.parse(row.instruction) as { text: string };
  const end = row.finished_at ?? kernel.now();
  return {
    run,
    thread: row.thread as ThreadId,
    process: kernel.process,
    status: row.state,
    input: instruction.text,
    output: row.output,
    citations: JSON.parse(row.citations) as Citation[],
    syscalls: syscallsOf(kernel, run),
    usage: viewUsage(readRunUsage(row), row.model, row.started_at === null ? 0 : end - row.started_at),
    abstained: row.abstained === 1,
    error: row.error === null ? null : (JSON.parse(row.error) as RunView["error"]),
    createdAt: new Date(row.created_at).toISOString(),
    startedAt: iso(row.started_at),
    finishedAt: iso(row.finished_at),
  };
}

/** Runs, newest first. The cursor is the id of the last one seen. */
export function listRuns(kernel: Kernel, limit: number, cursor: string | undefined): Page<RunView> {
  const rows = kernel.sql
    .exec<RunRow>("SELECT * FROM runs WHERE id < ? ORDER BY id DESC LIMIT ?", cursor ?? "run_\u{10ffff}", limit + 1)
    .toArray();
  const items = rows.slice(0, limit).map((row) => viewRun(kernel, row));
  const last = items.at(-1);
  return rows.length > limit && last !== undefined ? { items, cursor: last.run } : { items };
}
