/**
 * Alarm: named timers over the object's one alarm.
 *
 * `setTimer` moves a timer's due time; the object's alarm is always the earliest of them. The alarm handler never throws
 * (after six failures the platform forgets an alarm): a timer whose work fails is due again later, with backoff.
 */
import { FLUSH_RETRY_MOST_MS } from "#shared/limits.ts";
import { errorName, logEvent } from "#shared/log.ts";
import type { Kernel } from "#kernel/kernel.ts";

export type TimerName =
  | "heartbeat"
  | "flush"
  | "expire"
  | "summarise"
  | "documents"
  | "latent"
  | "embed"
  | "idle"
  | "usage";

export type TimerWork = Readonly<Record<TimerName, (kernel: Kernel) => Promise<void> | void>>;

const FIRST_RETRY_MS = 1_000;
/** Milliseconds after which work that was cut off is begun again. */
const WORK_MS = 60_000;

/** Sets a timer to `due`, or to the earlier of the two when it is already set. Its own work may set it to any time. */
export function setTimer(kernel: Kernel, name: TimerName, due: number): void {
  const set = kernel.timers.get(name);
  if (set !== undefined && set <= due) return; // the usual case: no write
  kernel.timers.set(name, due);
  kernel.sql.exec(
    `INSERT INTO timers (name, due) VALUES (?, ?) ON CONFLICT (name) DO UPDATE
     SET due = CASE working WHEN 1 THEN excluded.due ELSE MIN(due, excluded.due) END, attempts = 0, working = 0`,
    name,
    due,
  );
  rearm(kernel);
}

export function clearTimer(kernel: Kernel, name: TimerName): void {
  kernel.timers.delete(name);
  kernel.sql.exec("DELETE FROM timers WHERE name = ?", name);
}

function rearm(kernel: Kernel): void {
  const next = kernel.sql.exec<{ due: number | null }>("SELECT MIN(due) AS due FROM timers").one().due;
  if (next === null || (kernel.alarmAt !== null && kernel.alarmAt <= next)) return;
  kernel.alarmAt = next;
  // Awaiting is not needed: the write is part of the same implicit transaction as the row.
  kernel.background(kernel.storage.setAlarm(Math.max(next, kernel.now() + 1)));
}

/** The alarm handler: does the work of every timer that is due, then arms the next one. */
export async function ringAlarm(kernel: Kernel, work: TimerWork): Promise<void> {
  kernel.alarmAt = null;
  kernel.timers.clear();
  const now = kernel.now();
  const due = kernel.sql
    .exec<{ name: TimerName; attempts: number }>("SELECT name, attempts FROM timers WHERE due <= ?", now)
    .toArray();
  for (const { name, attempts } of due) {
    // Until its work is done the timer stays, later: an object that dies in mid-work is woken for it again.
    kernel.sql.exec("UPDATE timers SET due = ?, working = 1 WHERE name = ?", now + WORK_MS, name);
    kernel.timers.delete(name); // what was set while others worked is done now
    try {
      await work[name](kernel);
      kernel.sql.exec("DELETE FROM timers WHERE name = ? AND working = 1", name);
    } catch (error) {
      const wait = Math.min(FIRST_RETRY_MS * 2 ** attempts, FLUSH_RETRY_MOST_MS);
      logEvent("timer-failed", { timer: name, attempts, error: errorName(error) });
      kernel.sql.exec(
        "UPDATE timers SET due = ?, attempts = ?, working = 0 WHERE name = ?",
        kernel.now() + wait,
        attempts + 1,
        name,
      );
      kernel.timers.delete(name);
    }
  }
  rearm(kernel);
}
