/**
 * Whether the evidence supports an answer at all.
 *
 * Use: `isSupported(selection)` before answering; false means "I don't know."
 *
 * What must hold: a question about one person is not supported by what another person said of themselves; a question whose rarest
 * words stand nowhere in the evidence is not supported by the common ones.
 */
import type { ScoredSentence, Selection } from "#workers/local-ai/select.ts";
import { matchTerm } from "#workers/local-ai/select.ts";
import type { Sentence } from "#workers/local-ai/sentences.ts";

/** From a logistic fit on answerable and unanswerable questions, rounded; features that only told one data set's habits are left out. */
const weights: readonly (readonly [string, number])[] = [
  ["bias", 0.0],
  ["own", 0.45],
  ["paged", 0.3],
  ["near", 0.4],
  ["other-own", -0.94],
  ["other-paged", -0.24],
  ["lead", 0.5],
  ["lead-negative", 0.4],
  ["missing", -0.6],
  ["missing-strongest", -1.2],
  ["top-other", -1.1],
  ["strength", 0.99],
  ["best-page-fit", 0.65],
  ["nameless", -0.8],
];

export const supportFeatureNames: readonly string[] = weights.map(([name]) => name);

/** The score of a sentence as if it were about the right person: what it would be worth. */
function worth(scored: ScoredSentence): number {
  return (
    0.3 * scored.own +
    0.4 * scored.paged +
    0.1 * scored.near +
    0.1 * Math.min(2, scored.pairs) +
    0.2 / (1 + scored.sentence.page.rank / 5)
  );
}

interface Best {
  own: number;
  paged: number;
  near: number;
  worth: number;
  pairs: number;
}

function bestOf(sentences: readonly ScoredSentence[]): Best {
  const best: Best = { own: 0, paged: 0, near: 0, worth: 0, pairs: 0 };
  for (const scored of sentences) {
    best.own = Math.max(best.own, scored.own);
    best.paged = Math.max(best.paged, scored.paged);
    best.near = Math.max(best.near, scored.near);
    best.pairs = Math.max(best.pairs, scored.pairs);
    best.worth = Math.max(best.worth, worth(scored));
  }
  return best;
}

function bestMatch(stem: string, sentences: readonly Sentence[]): number {
  let best = 0;
  for (const sentence of sentences) {
    best = Math.max(best, matchTerm(stem, sentence));
    if (best === 1) return 1;
  }
  return best;
}

export function supportFeatures(selection: Selection): number[] {
  const { sentences } = selection;
  const telling = sentences.filter((scored) => !scored.sentence.asks);
  const right = telling.filter((scored) => scored.fit >= 0);
  const mine = bestOf(right);
  const other = bestOf(telling.filter((scored) => scored.fit < 0));
  const top = right[0];
  const everywhere = right.map((scored) => scored.sentence);
  const topPage = top === undefined ? [] : (selection.byPage.get(top.sentence.page.handle) ?? []);
  let [total, missing, heaviest, missingStrongest] = [0, 0, 0, 0];
  for (const [stem, weight] of selection.weights) {
    total += weight;
    missing += weight * (1 - bestMatch(stem, everywhere));
    if (weight > heaviest) [heaviest, missingStrongest] = [weight, 1 - bestMatch(stem, topPage)];
  }
  const best = telling.reduce<ScoredSentence | undefined>(
    (found, scored) => (found === undefined || worth(scored) > worth(found) ? scored : found),
    undefined,
  );
  const lead = mine.worth - other.worth;
  return [
    1,
    mine.own,
    mine.paged,
    mine.near,
    other.own,
    other.paged,
    lead,
    Math.min(0, lead),
    total === 0 ? 1 : missing / total,
    missingStrongest,
    Number((telling[0]?.fit ?? 0) < 0),
    (top?.score ?? 0) / 10,
    best?.fit ?? 0,
    top?.nameless ?? 0,
  ];
}

/** Above 0: supported. */
export function supportScore(selection: Selection): number {
  return supportFeatures(selection).reduce((sum, value, place) => sum + value * (weights[place]?.[1] ?? 0), 0);
}

export function isSupported(selection: Selection): boolean {
  return selection.sentences.length > 0 && supportScore(selection) > 0;
}
