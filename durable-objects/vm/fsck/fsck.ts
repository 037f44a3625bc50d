/**
 * Fsck: whether the page table, the search index, D1 and the notes on pages agree, and how to make them.
 *
 *     1. tables    object only: counters, runs, messages, provenance, successors, notes      (fsck-tables.ts)
 *     2. pages     each page against its row in D1 and its index entry, in chunks            (fsck-pages.ts)
 *     3. orphans   each row of D1 against the page table, in chunks                          (fsck-pages.ts)
 *
 * Use `fsck(kernel, { repair, cursor })` again with the cursor it answers until it answers none. A dry run writes nothing.
 *
 * What must hold: memory is bounded by a chunk, a call by FSCK_PAGES pages; a page that changes while D1 is asked is left for
 * the next check; a repair never brings back what was forgotten, and never drops a page because D1 does not have it.
 */
import type { FsckReport } from "#shared/fsck.ts";
import { failure } from "#shared/errors.ts";
import { FSCK_PAGES } from "#shared/limits.ts";
import { errorName, logEvent } from "#shared/log.ts";
import { failed, success, type Result } from "#shared/result.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { flush } from "#kernel/vm/flush.ts";
import type { Findings } from "#kernel/vm/fsck/fsck-findings.ts";
import { checkOrphans, checkPages } from "#kernel/vm/fsck/fsck-pages.ts";
import { checkTables } from "#kernel/vm/fsck/fsck-tables.ts";
import { SwapFailure } from "#kernel/vm/swap.ts";

const RETRY_AFTER_SECONDS = 2;

export async function fsck(
  kernel: Kernel,
  options: { readonly repair: boolean; readonly cursor?: string },
): Promise<Result<FsckReport>> {
  const place = /^(pages|orphans)-([0-9a-z]*)$/.exec(options.cursor ?? "pages-");
  if (place === null) return failed(failure("invalid_request", "`cursor` is not one of a check."));
  const findings: Findings = {
    repair: options.repair,
    checked: 0,
    pending: 0,
    repaired: 0,
    rebuild: false,
    counts: new Map(),
    found: [],
  };
  let [, phase = "", after = ""] = place;
  try {
    if (options.cursor === undefined) checkTables(kernel, findings);
    while (findings.checked < FSCK_PAGES) {
      const next: string | null =
        phase === "pages" ? await checkPages(kernel, after, findings) : await checkOrphans(kernel, after, findings);
      if (next === null && phase === "orphans") return success(done(kernel, findings, null));
      [phase, after] = next === null ? ["orphans", ""] : [phase, next];
    }
  } catch (error) {
    if (!(error instanceof SwapFailure)) throw error;
    logEvent("fsck-failed", { error: errorName(error) });
    return failed(failure("overloaded", "The memory database does not answer; try again.", RETRY_AFTER_SECONDS));
  }
  return success(done(kernel, findings, `${phase}-${after}`));
}

function done(kernel: Kernel, findings: Findings, cursor: string | null): FsckReport {
  if (findings.repaired > 0) kernel.background(flush(kernel));
  return {
    checked: findings.checked,
    pending: findings.pending,
    counts: Object.fromEntries(findings.counts),
    found: findings.found,
    repaired: findings.repaired,
    ...(cursor === null ? {} : { cursor }),
  };
}
