/**
 * Expire: drops what is kept for a day only: event chunks and idempotency keys of ended runs, and remembered replies.
 *
 * The run's row, its answer, its steps, its trace and its pages stay. Whatever is left sets the timer for its own day.
 */
import { EVENTS_MS, IDEMPOTENCY_MS } from "#shared/limits.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { setTimer } from "#kernel/proc/alarm.ts";

export function expire(kernel: Kernel): void {
  const now = kernel.now();
  // By the runs that have events, those of a day: there is no end to the others.
  const old = "SELECT id FROM runs WHERE id IN (SELECT DISTINCT run FROM events) AND finished_at < ?";
  kernel.sql.exec(`DELETE FROM events WHERE run IN (${old})`, now - EVENTS_MS);
  kernel.sql.exec(
    "UPDATE runs SET idempotency_key = NULL WHERE idempotency_key IS NOT NULL AND created_at < ? AND finished_at IS NOT NULL",
    now - IDEMPOTENCY_MS,
  );
  kernel.sql.exec("DELETE FROM replies WHERE created_at < ?", now - IDEMPOTENCY_MS);
  const left = kernel.sql
    .exec<{ due: number | null }>(
      `SELECT MIN(due) AS due FROM (
         SELECT MIN(finished_at) + ?1 AS due FROM runs WHERE id IN (SELECT run FROM events)
         UNION ALL SELECT MIN(created_at) + ?2 FROM runs WHERE idempotency_key IS NOT NULL AND finished_at IS NOT NULL
         UNION ALL SELECT MIN(created_at) + ?2 FROM replies)`,
      EVENTS_MS,
      IDEMPOTENCY_MS,
    )
    .one().due;
  if (left !== null) setTimer(kernel, "expire", left + 1);
}
