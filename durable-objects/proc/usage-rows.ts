/**
 * Usage rows: all SQL of the tables `usage` and `reservations`: what the process used, by day, model and purpose, and what calls
 * under way may still use.
 *
 * A row of usage counts its changes; `reported` is the count up to which the ledger knows it. A reservation whose instance died
 * stays until its day is over: nobody knows what its call cost.
 */
import { NOTHING, type Amount, type UsageRow } from "#shared/ledger-api.ts";
import type { UsageCounts } from "#shared/schema/usage.ts";
import type { Kernel } from "#kernel/kernel.ts";

export interface UsageKey {
  readonly day: number;
  readonly model: string;
  readonly purpose: string;
}

/** Adds to what was used. */
export function addUsage(kernel: Kernel, { day, model, purpose }: UsageKey, counts: UsageCounts): void {
  kernel.sql.exec(
    `INSERT INTO usage VALUES (?, ?, ?, 1, 0, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (day, model, purpose) DO UPDATE SET version = version + 1, calls = calls + excluded.calls,
       input_tokens = input_tokens + excluded.input_tokens, cached_tokens = cached_tokens + excluded.cached_tokens,
       output_tokens = output_tokens + excluded.output_tokens, microdollars = microdollars + excluded.microdollars,
       neurons = neurons + excluded.neurons, ms = ms + excluded.ms`,
    day,
    model,
    purpose,
    counts.calls,
    counts.inputTokens,
    counts.cachedTokens,
    counts.outputTokens,
    counts.microdollars,
    counts.neurons,
    counts.ms,
  );
}

/** Rows the ledger does not know, oldest day first. */
export function unreported(kernel: Kernel, limit: number): UsageRow[] {
  return kernel.sql
    .exec<{
      day: number;
      model: string;
      purpose: string;
      version: number;
      calls: number;
      inputTokens: number;
      cachedTokens: number;
      outputTokens: number;
      microdollars: number;
      neurons: number;
      ms: number;
    }>(
      `SELECT day, model, purpose, version, calls, input_tokens AS inputTokens, cached_tokens AS cachedTokens,
         output_tokens AS outputTokens, microdollars, neurons, ms
       FROM usage WHERE version > reported ORDER BY day, model, purpose LIMIT ?`,
      limit,
    )
    .toArray();
}

export function noteReported(kernel: Kernel, rows: readonly UsageRow[]): void {
  for (const { day, model, purpose, version } of rows) {
    kernel.sql.exec(
      "UPDATE usage SET reported = MAX(reported, ?) WHERE day = ? AND model = ? AND purpose = ?",
      version,
      day,
      model,
      purpose,
    );
  }
}

/** Drops rows of long ago that the ledger knows. */
export function dropReported(kernel: Kernel, before: number): void {
  kernel.sql.exec("DELETE FROM usage WHERE day < ? AND version <= reported", before);
}

export function usedOn(kernel: Kernel, day: number): Amount {
  return kernel.sql
    .exec<{ microdollars: number; tokens: number }>(
      `SELECT COALESCE(SUM(microdollars), 0) AS microdollars, COALESCE(SUM(input_tokens + output_tokens), 0) AS tokens
       FROM usage WHERE day = ?`,
      day,
    )
    .one();
}

/** Stores what a call may use, before it is made; answers the reservation's id. */
export function storeReservation(kernel: Kernel, day: number, amount: Amount): number {
  return kernel.sql
    .exec<{ id: number }>(
      "INSERT INTO reservations (day, boot_id, microdollars, tokens) VALUES (?, ?, ?, ?) RETURNING id",
      day,
      kernel.bootId,
      amount.microdollars,
      amount.tokens,
    )
    .one().id;
}

export function dropReservation(kernel: Kernel, id: number): void {
  kernel.sql.exec("DELETE FROM reservations WHERE id = ?", id);
}

/** What reservations there are, by day; those of earlier days whose instance died are dropped first. */
export function openReservations(kernel: Kernel, today: number): Map<number, Amount> {
  kernel.sql.exec("DELETE FROM reservations WHERE day < ? AND boot_id <> ?", today, kernel.bootId);
  const days = kernel.sql.exec<{ day: number; microdollars: number; tokens: number }>(
    "SELECT day, SUM(microdollars) AS microdollars, SUM(tokens) AS tokens FROM reservations GROUP BY day",
  );
  return new Map([...days].map(({ day, microdollars, tokens }) => [day, { ...NOTHING, microdollars, tokens }]));
}
