/**
 * Pin changes: the version of the pinned text and its redo log.
 *
 * Every change of a block or of the pinned pages raises the version by one and leaves a row that names what changed, never its
 * words. A prompt that was frozen at an older version is brought up to date in its tail (`pinned.ts`). What was deleted for
 * good raises the floor as well: a text frozen below it still holds words that are to be gone.
 */
import { PIN_CHANGES } from "#shared/limits.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { count, raiseCounter, readCounter } from "#kernel/proc/counters.ts";

export interface PinChange {
  readonly block?: string;
  readonly page?: number;
  /** True when its words must not be shown any more, not even from a frozen prompt. */
  readonly forgotten?: boolean;
}

/** Notes one change. Call it inside the transaction that makes it true. */
export function notePinChange(kernel: Kernel, change: PinChange): void {
  const version = count(kernel, "pin-version");
  kernel.sql.exec("INSERT INTO pin_changes VALUES (?, ?, ?)", version, change.block ?? null, change.page ?? null);
  kernel.sql.exec("DELETE FROM pin_changes WHERE version <= ?", version - PIN_CHANGES);
  if (change.forgotten === true) raiseCounter(kernel, "pin-floor", version);
}

/**
 * Has every text that was frozen before the present version refused: what was just forgotten may have stood in the pinned text
 * earlier, in a page that was unpinned since or a block that says something else by now.
 */
export function refuseOlder(kernel: Kernel): void {
  const version = pinVersion(kernel);
  if (version > 0) raiseCounter(kernel, "pin-floor", version);
}

/** The present version of the pinned text; 0 before anything was pinned. */
export function pinVersion(kernel: Kernel): number {
  return readCounter(kernel, "pin-version");
}

/** The version below which a frozen text must not be used again. */
export function pinFloor(kernel: Kernel): number {
  return readCounter(kernel, "pin-floor");
}

/** Whether a text frozen at this version holds words that were forgotten since: it must not be used again. */
export function holdsForgotten(kernel: Kernel, version: number): boolean {
  return version < pinFloor(kernel);
}

/** What changed after a version, each thing once, or null when the log does not reach back that far. */
export function pinChangesSince(kernel: Kernel, since: number): { blocks: string[]; pages: number[] } | null {
  const rows = kernel.sql
    .exec<{ version: number; block: string | null; page: number | null }>(
      "SELECT version, block, page FROM pin_changes WHERE version > ? ORDER BY version",
      since,
    )
    .toArray();
  if (rows.length < pinVersion(kernel) - since) return null;
  const unique = <Value>(values: readonly (Value | null)[]): Value[] => [
    ...new Set(values.filter((value) => value !== null)),
  ];
  return { blocks: unique(rows.map((row) => row.block)), pages: unique(rows.map((row) => row.page)) };
}
