/**
 * Fold: a fact that sleep made leads a search to the turn it was made from; the two never take two places.
 *
 * The turn holds the words and what was said around them, so it is what a prompt gets. A long turn that the search did not find
 * itself is left alone: its fact says what was asked for in a fraction of the tokens.
 */
import type { Kernel } from "#kernel/kernel.ts";
import { DERIVED } from "#kernel/vm/sleep/consolidate.ts";
import type { SearchHit } from "#kernel/vm/search/search-index.ts";

/** Tokens above which a turn is not brought in for the sake of one sentence. */
const LONG_TURN_TOKENS = 400;

/** At most `limit` hits, best first, each derived fact in its turn's place or gone. */
export function foldDerived(kernel: Kernel, hits: readonly SearchHit[], limit: number): SearchHit[] {
  if (hits.length === 0) return [];
  const facts = kernel.sql
    .exec<{ number: number; source: number; tokens: number }>(
      `SELECT fact.number, turn.number AS source, turn.tokens FROM pages AS fact
       JOIN pages AS turn ON turn.number = fact.provenance ->> 0 AND turn.deleted = 0 AND turn.evidence = 1
       WHERE fact.kind = 'fact' AND json_array_length(fact.provenance) = 1
         AND fact.number IN (SELECT value FROM json_each(?1)) AND EXISTS (SELECT 1 FROM json_each(fact.tags) WHERE value = ?2)`,
      JSON.stringify(hits.map((hit) => hit.page)),
      DERIVED,
    )
    .toArray();
  const found = new Set(hits.map((hit) => hit.page));
  const turnOf = new Map(
    facts.flatMap(({ number, source, tokens }) =>
      tokens <= LONG_TURN_TOKENS || found.has(source) ? [[number, source] as const] : [],
    ),
  );
  const seen = new Set<number>();
  const folded: SearchHit[] = [];
  for (const hit of hits) {
    const page = turnOf.get(hit.page) ?? hit.page;
    if (seen.has(page)) continue;
    seen.add(page);
    folded.push(page === hit.page ? hit : { ...hit, page });
  }
  return folded.slice(0, limit);
}

/** The same for pages that have no score. */
export function foldNumbers(kernel: Kernel, numbers: readonly number[]): number[] {
  const hits = numbers.map((page) => ({ page, score: 0 }));
  return foldDerived(kernel, hits, hits.length).map((hit) => hit.page);
}
