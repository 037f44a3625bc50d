/**
 * Fault: brings page bodies to hand.
 *
 * A page whose body is resident is a minor fault (its frame is only referenced); one whose body is not is a major fault and
 * comes from D1, all of them by one query. A body that D1 does not have at the page's version is reported, never made up.
 */
import { failure } from "#shared/errors.ts";
import { errorName, logEvent } from "#shared/log.ts";
import { failed, success, type Result } from "#shared/result.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { count } from "#kernel/proc/counters.ts";
import type { PageRow, ResidentPage } from "#kernel/vm/page.ts";
import { fillFrames, readPages } from "#kernel/vm/page-table.ts";
import { readSwap } from "#kernel/vm/swap.ts";

const RETRY_AFTER_SECONDS = 2;
/** Milliseconds between two writes of when a body was last referenced. */
const REFERENCE_STEP_MS = 3_600_000;

export interface Faulted {
  /** In the order asked for; pages that do not exist are left out. */
  readonly pages: readonly ResidentPage[];
  readonly minor: number;
  readonly major: number;
}

function isResident(page: PageRow): page is ResidentPage {
  return page.text !== null;
}

export async function fault(kernel: Kernel, numbers: readonly number[]): Promise<Result<Faulted>> {
  const rows = readPages(kernel, numbers);
  const absent = rows.filter((row) => !isResident(row));
  const minor = rows.length - absent.length;
  if (minor > 0) {
    count(kernel, "minor-faults", minor);
    kernel.sql.exec(
      // To the hour: which bodies are old does not change within one, and each row written costs.
      "UPDATE pages SET referenced_at = ?1 WHERE number IN (SELECT value FROM json_each(?2)) AND referenced_at < ?1 - ?3",
      kernel.now(),
      JSON.stringify(numbers),
      REFERENCE_STEP_MS,
    );
  }
  if (absent.length === 0) return success({ pages: rows.filter(isResident), minor, major: 0 });
  count(kernel, "major-faults", absent.length);
  let bodies: Map<number, string>;
  try {
    bodies = await readSwap(kernel, absent);
  } catch (error) {
    logEvent("page-in-failed", { pages: absent.length, error: errorName(error) });
    return failed(failure("overloaded", "The memory database does not answer; try again.", RETRY_AFTER_SECONDS));
  }
  fillFrames(kernel, bodies);
  count(kernel, "page-ins", bodies.size);
  // The table is read again: a page may have been edited or forgotten while D1 answered.
  const pages = readPages(kernel, numbers).filter(isResident);
  const lost = absent.filter((row) => !bodies.has(row.number)).length;
  if (lost > 0) logEvent("page-bodies-missing", { pages: lost }, "error");
  return success({ pages, minor, major: bodies.size });
}
