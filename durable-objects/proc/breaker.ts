/**
 * Breaker: stops background work that keeps failing, for longer each time, also across restarts.
 *
 * `isOpen` before the work, `noteSuccess` or `noteFailure` after it. Three failures in a row open the breaker; when the pause is
 * over one more try is let through, and its failure opens it again for twice as long.
 */
import { BREAKER_FAILURES, BREAKER_MOST_MS, BREAKER_MS } from "#shared/limits.ts";
import type { Kernel } from "#kernel/kernel.ts";

function read(kernel: Kernel, name: string): { failures: number; open_until: number } {
  const row = kernel.sql
    .exec<{ failures: number; open_until: number }>("SELECT failures, open_until FROM breakers WHERE name = ?", name)
    .toArray()[0];
  return row ?? { failures: 0, open_until: 0 };
}

/** When the next try may be made: a time gone by unless the breaker is open. */
export function openUntil(kernel: Kernel, name: string): number {
  return read(kernel, name).open_until;
}

export function noteSuccess(kernel: Kernel, name: string): void {
  kernel.sql.exec("DELETE FROM breakers WHERE name = ?", name);
}

/** Answers how many failures there were in a row. */
export function noteFailure(kernel: Kernel, name: string): number {
  const failures = read(kernel, name).failures + 1;
  const over = failures - BREAKER_FAILURES;
  const pause = over < 0 ? 0 : Math.min(BREAKER_MS * 2 ** Math.min(over, 20), BREAKER_MOST_MS);
  kernel.sql.exec(
    "INSERT INTO breakers VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET failures = excluded.failures, open_until = excluded.open_until",
    name,
    failures,
    pause === 0 ? 0 : kernel.now() + pause,
  );
  return failures;
}
