/**
 * Notes: what a page is about beside its own words, worked out when it is stored and indexed with it.
 *
 * A note says a kind of thing the page names: a turtle is an animal and a pet, San Francisco a city. Use `indexedTerms(terms)` for
 * what the index holds of a page, and `noteTermsAsked(terms)` for the notes that a question looks for.
 * What must hold: a note is a term that no text can hold, so it never matches a word; it follows from the page's terms alone,
 * so it goes when the page goes and need not be stored.
 *
 * Measured by `npm run bench -- search`. Two other notes did not earn their place there: the question that a page answers, and
 * what its "it" or "they" stands for, both of which the neighbouring pages' words already lend to it.
 */
import { kindsAsked, kindsIn } from "#kernel/vm/search/kinds.ts";

/** No word begins with it. */
const MARK = "§";

/** A page's terms in order, then its notes. */
export function indexedTerms(terms: readonly string[]): readonly string[] {
  const kinds = kindsIn(terms);
  return kinds.length === 0 ? terms : [...terms, ...kinds.map((kind) => MARK + kind)];
}

export function noteTermsAsked(terms: readonly string[]): string[] {
  return kindsAsked(terms).map((kind) => MARK + kind);
}
