/**
 * Answers that are a stretch of a sentence: what, who, where, why, how, and several of them for lists.
 *
 * Use: `bestSpans(selection)` gives the candidates with their scores, best first, one for each sentence at most.
 *
 * What must hold: verbatim page text; deterministic order; nothing from a sentence twice.
 */
import { featureNames, spanFeatures } from "#workers/local-ai/span-features.ts";
import { spansOf, spanText, type Span } from "#workers/local-ai/spans.ts";
import { spanScore } from "#workers/local-ai/span-weights.ts";
import type { Selection } from "#workers/local-ai/select.ts";
import type { Sentence } from "#workers/local-ai/sentences.ts";

export interface SpanAnswer {
  readonly span: Span;
  readonly text: string;
  readonly score: number;
}

export function bestSpans(selection: Selection): SpanAnswer[] {
  const vector = new Float64Array(featureNames.length);
  const best = new Map<Sentence, { span: Span; score: number }>();
  for (const span of spansOf(selection)) {
    spanFeatures(span, selection, vector);
    const score = spanScore(vector);
    const sentence = span.parsed.scored.sentence;
    const known = best.get(sentence);
    if (known === undefined || score > known.score) best.set(sentence, { span, score });
  }
  return [...best.values()]
    .map(({ span, score }) => ({ span, score, text: spanText(span) }))
    .sort((left, right) => right.score - left.score);
}
