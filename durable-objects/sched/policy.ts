/**
 * Policy: which waiting inference gets the next slot. Pure; first come, first served within a band, bands in order.
 */
export const BANDS = ["interactive", "normal", "batch"] as const;

export type Band = (typeof BANDS)[number];

export interface Waiting {
  readonly band: Band;
  /** Order of arrival. */
  readonly ticket: number;
}

/** The index of the next to be served, or -1 when nobody waits. */
export function nextInLine(waiting: readonly Waiting[]): number {
  let best = -1;
  for (const [index, candidate] of waiting.entries()) {
    const current = waiting[best];
    if (
      current === undefined ||
      rank(candidate) < rank(current) ||
      (rank(candidate) === rank(current) && candidate.ticket < current.ticket)
    ) {
      best = index;
    }
  }
  return best;
}

function rank(waiting: Waiting): number {
  return BANDS.indexOf(waiting.band);
}
