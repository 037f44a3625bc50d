/**
 * Alarm: named timers over the object's one alarm.
 *
 * `setTimer` moves a timer's due time; the object's alarm is always the earliest of them. The alarm handler never throws
 * (after six failures the platform forgets an alarm): a timer whose work fails is due again later, with backoff.
 */
import { FLUSH_RETRY_MOST_MS } from "#shared/limits.ts";
import { errorName, logEvent } from "#shared/log.ts";
import type { Kernel } from "#kernel/kernel.ts";

export type TimerName = "heartbeat" | "flush" | "expire";

export type TimerWork = Readonly<Record<TimerName, (kernel: Kernel) => Promise<void> | void>>;

const FIRST_RETRY_MS = 1_000;

/** Sets a timer to `due`, or to the earlier of the two when it is already set. */
export function setTimer(kernel: Kernel, name: TimerName, due: number): void {
  kernel.sql.exec(
    "INSERT INTO timers (name, due) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET due = MIN(due, excluded.due)",
    name,
    due,
  );
  rearm(kernel);
}

export function clearTimer(kernel: Kernel, name: TimerName): void {
  kernel.sql.exec("DELETE FROM timers WHERE name = ?", name);
}

function rearm(kernel: Kernel): void {
  const next = kernel.sql.exec<{ due: number | null }>("SELECT MIN(due) AS due FROM timers").one().due;
  // Awaiting is not needed: the write is part of the same implicit transaction as the row.
  if (next !== null) kernel.background(kernel.storage.setAlarm(Math.max(next, kernel.now() + 1)));
}

/** The alarm handler: does the work of every timer that is due, then arms the next one. */
export async function ringAlarm(kernel: Kernel, work: TimerWork): Promise<void> {
  const due = kernel.sql
    .exec<{ name: TimerName; attempts: number }>("SELECT name, attempts FROM timers WHERE due <= ?", kernel.now())
    .toArray();
  for (const { name, attempts } of due) {
    kernel.sql.exec("DELETE FROM timers WHERE name = ?", name);
    try {
      await work[name](kernel);
    } catch (error) {
      const wait = Math.min(FIRST_RETRY_MS * 2 ** attempts, FLUSH_RETRY_MOST_MS);
      logEvent("timer-failed", { timer: name, attempts, error: errorName(error) });
      kernel.sql.exec(
        "INSERT INTO timers VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET due = MIN(due, excluded.due)",
        name,
        kernel.now() + wait,
        attempts + 1,
      );
    }
  }
  rearm(kernel);
}
