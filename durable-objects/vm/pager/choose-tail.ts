/**
 * Choose tail: which of the pages a search found are mapped for one call, within a budget of tokens.
 *
 * `chooseTail(candidates, budget, least)`: candidates are a ranking, best first, without the pages the body already shows. Its
 * scores are read as chances (a softmax over the ranking, which is what they were fitted as), and pages are taken by chance
 * per token while they fit; one that does not fit is passed over. Pages whose chance per token is below `least` are left out:
 * the tail is paid in full at every call. Pure.
 *
 * What must hold: the answer is in the order of the ranking, within the budget, and does not depend on equal scores' sorting.
 */

export interface TailCandidate {
  readonly page: number;
  /** ln(1 + e^x) of the search's sum, as `SearchIndex` answers it; above 0. */
  readonly score: number;
  /** Tokens it takes when mapped. */
  readonly tokens: number;
}

/** The search's sum behind a score: ln(e^score − 1). */
function sumBehind(score: number): number {
  return score > 30 ? score : Math.log(Math.expm1(Math.max(score, Number.MIN_VALUE)));
}

export function chooseTail<Candidate extends TailCandidate>(
  candidates: readonly Candidate[],
  budget: number,
  least = 0,
): Candidate[] {
  const sums = candidates.map(({ score }) => sumBehind(score));
  const top = Math.max(...sums);
  const weights = sums.map((sum) => Math.exp(sum - top));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const worth = weights.map((weight, place) => weight / total / Math.max(1, candidates[place]?.tokens ?? 1));
  const order = [...candidates.keys()].sort((one, other) => (worth[other] ?? 0) - (worth[one] ?? 0) || one - other);
  const chosen = new Set<number>();
  let tokens = 0;
  for (const place of order) {
    const size = candidates[place]?.tokens ?? 0;
    if ((worth[place] ?? 0) < least) break;
    if (tokens + size > budget) continue;
    chosen.add(place);
    tokens += size;
  }
  return candidates.filter((_, place) => chosen.has(place));
}
