/**
 * Journal: the named steps of a run, written before they act, so that a run can be taken up again after a crash.
 *
 * A finished step is never repeated: its stored result is used again. An effect stores its change and `done` in one
 * transaction of the object (`runEffect`), so there is no moment at which it may have happened without the journal knowing.
 */
import type { RunId } from "#shared/ids.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { transact } from "#kernel/proc/transact.ts";

type StepRow = { state: "started" | "done"; result: string | null };

/** The stored result of a finished step, or null when it is not finished. */
export function finishedStep(kernel: Kernel, run: RunId, name: string): { readonly result: unknown } | null {
  const row = kernel.sql.exec<StepRow>("SELECT state, result FROM steps WHERE run = ? AND name = ?", run, name).toArray()[0];
  return row?.state === "done" ? { result: row.result === null ? null : JSON.parse(row.result) } : null;
}

/** Notes that a step begins. Answers true when it had begun before: an earlier try of it was cut off. */
export function beginStep(kernel: Kernel, run: RunId, name: string, args: unknown): boolean {
  const again = kernel.sql.exec("SELECT 1 FROM steps WHERE run = ? AND name = ?", run, name).toArray().length > 0;
  kernel.sql.exec(
    `INSERT INTO steps (run, name, arguments, state, started_at) VALUES (?, ?, ?, 'started', ?)
     ON CONFLICT (run, name) DO UPDATE SET started_at = excluded.started_at`,
    run,
    name,
    JSON.stringify(args ?? null),
    kernel.now(),
  );
  return again;
}

/** Notes that a step is done, with its result. */
export function finishStep(kernel: Kernel, run: RunId, name: string, result: unknown): void {
  kernel.sql.exec(
    "UPDATE steps SET state = 'done', result = ?, ended_at = ? WHERE run = ? AND name = ?",
    JSON.stringify(result ?? null),
    kernel.now(),
    run,
    name,
  );
}

/** Runs an effect on the object's own storage exactly once: its change and its `done` are one transaction. */
export function runEffect<Value>(kernel: Kernel, run: RunId, name: string, effect: () => Value): Value {
  return transact(kernel, () => {
    const value = effect();
    finishStep(kernel, run, name, value);
    return value;
  });
}
