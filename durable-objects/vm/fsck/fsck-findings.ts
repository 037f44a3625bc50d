/**
 * Fsck findings: what one call of a check has found and mended so far; a bounded list, and counts of all.
 */
import type { Divergence } from "#shared/fsck.ts";
import { composePageHandle, type PageHandle } from "#shared/ids.ts";
import { FSCK_FOUND } from "#shared/limits.ts";

/** What a check has found so far. */
export interface Findings {
  readonly repair: boolean;
  checked: number;
  pending: number;
  repaired: number;
  /** Index entries were mended: the index is to be built anew from them. */
  rebuild: boolean;
  readonly counts: Map<Divergence, number>;
  readonly found: { kind: Divergence; handle: PageHandle | null }[];
}

/** Notes a divergence; `mend` is called when a repair was asked for. */
export function note(findings: Findings, kind: Divergence, page: number | null, mend: (() => void) | null): void {
  findings.counts.set(kind, (findings.counts.get(kind) ?? 0) + 1);
  if (findings.found.length < FSCK_FOUND) {
    findings.found.push({ kind, handle: page === null ? null : composePageHandle(page) });
  }
  if (!findings.repair || mend === null) return;
  mend();
  findings.repaired += 1;
}
