/**
 * Journal: the named steps of a run, written before they act, so that a run can be taken up again after a crash.
 *
 * A finished step is never repeated: its stored result is used again. An effect stores its change and `done` in one
 * transaction of the object, so there is no moment at which it may have happened without the journal knowing.
 */
import type { RunId } from "#shared/ids.ts";
import type { Kernel } from "#kernel/kernel.ts";

type StepRow = { state: "started" | "done"; result: string | null };

/** The name of a run's inference, counted from 0. */
export function inferenceStep(number: number): string {
  return `infer ${number}`;
}

/** The stored result of a finished step, or null when it is not finished. */
export function finishedStep(kernel: Kernel, run: RunId, name: string): { readonly result: unknown } | null {
  const row = kernel.sql
    .exec<StepRow>("SELECT state, result FROM steps WHERE run = ? AND name = ?", run, name)
    .toArray()[0];
  return row?.state === "done" ? { result: row.result === null ? null : JSON.parse(row.result) } : null;
}

/** Notes that a step begins, with what it was asked to do. */
export function beginStep(kernel: Kernel, run: RunId, name: string, args: unknown): void {
  kernel.sql.exec(
    `INSERT INTO steps (run, name, arguments, state, started_at) VALUES (?, ?, ?, 'started', ?)
     ON CONFLICT (run, name) DO UPDATE SET started_at = excluded.started_at`,
    run,
    name,
    JSON.stringify(args ?? null),
    kernel.now(),
  );
}

/**
 * Notes that a step is done, with its result. A pure step needs no beginning: cut off, it is simply done again. For an
 * effect, call it inside the transaction of its change.
 */
export function finishStep(kernel: Kernel, run: RunId, name: string, result: unknown): void {
  const now = kernel.now();
  kernel.sql.exec(
    `INSERT INTO steps (run, name, result, state, started_at, ended_at) VALUES (?, ?, ?, 'done', ?, ?)
     ON CONFLICT (run, name) DO UPDATE SET state = 'done', result = excluded.result, ended_at = excluded.ended_at`,
    run,
    name,
    JSON.stringify(result ?? null),
    now,
    now,
  );
}
