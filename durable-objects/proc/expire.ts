/**
 * Expire: drops what is kept for a day only: event chunks and step results of ended runs, and remembered replies.
 *
 * The run's row, its answer, its trace and its pages stay.
 */
import { EVENTS_MS, IDEMPOTENCY_MS } from "#shared/limits.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { setTimer } from "#kernel/proc/alarm.ts";

export function expire(kernel: Kernel): void {
  const now = kernel.now();
  const old = "SELECT id FROM runs WHERE finished_at < ?";
  kernel.sql.exec(`DELETE FROM events WHERE run IN (${old})`, now - EVENTS_MS);
  kernel.sql.exec("UPDATE runs SET idempotency_key = NULL WHERE idempotency_key IS NOT NULL AND created_at < ? AND finished_at IS NOT NULL", now - IDEMPOTENCY_MS);
  kernel.sql.exec("DELETE FROM replies WHERE created_at < ?", now - IDEMPOTENCY_MS);
  const left = kernel.sql.exec<{ oldest: number | null }>(
    "SELECT MIN(finished_at) AS oldest FROM runs WHERE finished_at >= ?",
    now - EVENTS_MS,
  ).one().oldest;
  if (left !== null) setTimer(kernel, "expire", left + EVENTS_MS + 1);
}
