/**
 * Counters: durable integers of a process: the next page number, and what `vmstat` shows.
 *
 * `page` is never reset, so a handle is never used twice, not even after its page was forgotten.
 */
import type { Kernel } from "#kernel/kernel.ts";

export type CounterName =
  | "page"
  | "pin-version"
  | "pin-floor"
  | "minor-faults"
  | "major-faults"
  | "page-ins"
  | "page-outs"
  | "evictions"
  | "searches"
  | "flush-failures"
  | "consolidated"
  | "summaries"
  | "summary-failures"
  | "background-tokens";

/** Adds to a counter and answers its new value. */
export function count(kernel: Kernel, name: CounterName, amount = 1): number {
  const row = kernel.sql
    .exec<{ value: number }>(
      "INSERT INTO counters VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value RETURNING value",
      name,
      amount,
    )
    .one();
  return row.value;
}

/** The value of a counter, without touching it. */
export function readCounter(kernel: Kernel, name: CounterName): number {
  const row = kernel.sql.exec<{ value: number }>("SELECT value FROM counters WHERE name = ?", name).toArray()[0];
  return row?.value ?? 0;
}

/** Raises a counter to at least `value`. */
export function raiseCounter(kernel: Kernel, name: CounterName, value: number): void {
  kernel.sql.exec(
    "INSERT INTO counters VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = MAX(value, excluded.value)",
    name,
    value,
  );
}

export function readCounters(kernel: Kernel): Record<string, number> {
  const counters: Record<string, number> = {};
  for (const row of kernel.sql.exec<{ name: string; value: number }>("SELECT name, value FROM counters")) {
    counters[row.name] = row.value;
  }
  return counters;
}
