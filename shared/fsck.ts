/**
 * Fsck: what a check of a process's memory finds, by name, and its report.
 */
import type { PageHandle } from "#shared/ids.ts";

/** Every way in which the stores of a process can disagree. */
export const DIVERGENCES = {
  "missing-in-d1": "written to D1, but not there; the body is still in the process",
  "stale-in-d1": "D1 has an older version than it acknowledged",
  "ahead-in-d1": "D1 has a newer version than the process",
  "body-differs": "D1 has other words under the same version",
  "forgotten-in-d1": "forgotten in D1, alive in the process",
  "body-lost": "the body is neither in the process nor in D1; nothing can bring it back",
  "orphan-in-d1": "alive in D1, unknown to the process",
  "tombstone-stuck": "forgotten, but not on its way to D1",
  "dirty-forever": "not in D1 yet, and nothing is set to write it",
  "not-indexed": "not in the search index",
  "index-stale": "the search index holds other words",
  "index-stray": "the search index holds pages that do not exist",
  "not-noted": "what remembered pages say is not noted for the next one that says it",
  "note-stray": "notes of what a page says, without the page",
  "counter-behind": "the next page number was given out already",
  "run-stray": "pages noted for a run that does not exist",
  "message-stray": "a message tied to a page that does not exist",
  "provenance-stray": "made from a page that does not exist",
  "successor-stray": "superseded by a page that does not exist",
} as const;

export type Divergence = keyof typeof DIVERGENCES;

export interface FsckReport {
  /** Pages looked at by this call. */
  readonly checked: number;
  /** Pages on their way to D1: no divergence. */
  readonly pending: number;
  /** How often each kind was found by this call. */
  readonly counts: Readonly<Partial<Record<Divergence, number>>>;
  /** The first of them; `handle` is null where no page is meant. */
  readonly found: readonly { readonly kind: Divergence; readonly handle: PageHandle | null }[];
  /** How many were mended; 0 unless `repair` was asked. */
  readonly repaired: number;
  /** Where the next call goes on; absent when the check is complete. */
  readonly cursor?: string;
}
