/**
 * The search index of one process's own pages, wholly in memory: private by construction, because nothing of another process
 * is ever in it.
 *
 * Use `add(indexEntry(page))` when a page is written and at boot, `remove(page)` when it is forgotten, `search(query)` to rank.
 * What must hold: any text is a valid query; a page that shares nothing with the query is not returned, so a query that shares
 * nothing returns an empty list; scores are above 0; the result depends on the pages held, not on the order in which they came.
 *
 * Parts: `page-columns.ts` holds a page's numbers, `postings.ts` its words, `lexical-columns.ts` works out a question's words
 * over all pages, `search-features.ts` reads a page's features, `top-hits.ts` keeps the best. What a page scores whatever is
 * asked is kept with it and worked out again only where a page is added or removed. A page is scored
 * to the end unless the most it could have is less than what the best have already, so leaving out the rest changes nothing.
 *
 * To index a further text of a page: its terms in `IndexEntry`, a second `Postings` filled and emptied beside the first, its
 * lengths in `page-columns.ts`, its term lists in `index-segment.ts`, and a lexical feature that reads it.
 */
import { FEATURES, FIRST_STATIC, type FeatureName } from "#kernel/vm/search/feature-names.ts";
import { FeatureReader, readStatic } from "#kernel/vm/search/search-features.ts";
import {
  ASSISTANT,
  EMPTY,
  EVIDENCE,
  NONE,
  PageColumns,
  resized,
  USER,
  type HeldEntry,
} from "#kernel/vm/search/page-columns.ts";
import { Postings } from "#kernel/vm/search/postings.ts";
import { readQuestion, type Question } from "#kernel/vm/search/search-question.ts";
import {
  ASSISTANT_WEIGHTS,
  ASSISTANT_WORD_WEIGHTS,
  PEER_WEIGHTS,
  PEER_WORD_WEIGHTS,
  TOPIC_WEIGHTS,
  type Weights,
} from "#kernel/vm/search/search-weights.ts";
import { PageVectors } from "#kernel/vm/search/latent-pages.ts";
import { sampleRows, type LatentSample } from "#kernel/vm/search/latent-rows.ts";
import type { TermVectors } from "#kernel/vm/search/latent-terms.ts";
import { indexedTerms } from "#kernel/vm/search/notes.ts";
import type { IndexEntry } from "#kernel/vm/search/search-entry.ts";
import { TopHits } from "#kernel/vm/search/top-hits.ts";

export { indexEntry, type IndexEntry } from "#kernel/vm/search/search-entry.ts";

export interface SearchQuery {
  text: string;
  limit: number;
  kinds?: readonly string[];
  /** Only what the user said. */
  role?: "user";
  /** By likeness of topic alone, whoever said it and however: for a walk along time. */
  ranking?: "topic";
  /** UTC milliseconds, both inclusive. Pages without a time are left out when either is given. */
  from?: number;
  to?: number;
  /** Asked only of pages that would be among the results. */
  filter?: (page: number) => boolean;
  /** UTC milliseconds; what "last May" and "yesterday" count from. */
  now?: number;
}

export interface SearchHit {
  page: number;
  /** Above 0; comparable within one result only. */
  score: number;
}

/** What a query measures, for fitting weights and for explaining a result: page numbers, and one column a feature beside them. */
export interface Measured {
  pages: readonly number[];
  columns: Record<FeatureName, Float64Array>;
}

/** More than the same sum can differ by when it is added up in another order. */
const ROUNDING = 1e-9;

export class SearchIndex {
  readonly #pages = new PageColumns();
  readonly #postings = new Postings();
  readonly #vectors = new PageVectors();
  readonly #reader = new FeatureReader(this.#pages, this.#postings, this.#vectors);
  readonly #values = new Float64Array(FEATURES.length);
  /** Weighted sum of a page's static features under `#weights`; nothing yet while these are null, before the first search. */
  #standing = new Float64Array(0);
  #weights: Weights | null = null;
  #rolePages = 0;
  #speakerPages = 0;
  /** The names of all speakers, in order; null after a speaker came or went. */
  #speakers: readonly string[] | null = [];

  get size(): number {
    return this.#pages.size;
  }

  /** Bytes of memory: arrays exactly, maps by an estimate. */
  get bytes(): number {
    return (
      this.#pages.bytes + this.#postings.bytes + this.#reader.bytes + this.#vectors.bytes + this.#standing.length * 8
    );
  }

  has(page: number): boolean {
    return this.#pages.slotOf(page) !== undefined;
  }

  /** Adds a page, or replaces what is held of it. `heldTerms` are the terms it is held with, if the caller knows them. */
  add(entry: IndexEntry, heldTerms?: readonly string[]): void {
    this.remove(entry.page, heldTerms);
    const { terms, ...rest } = entry;
    const slot = this.addHeld({ ...rest, length: terms.length });
    const counts = this.#postings.add(slot, indexedTerms(terms));
    this.#vectors.place(slot, counts);
  }

  /** The page's numbers without its words, which must follow at the slot it answers: `idOf` and `addCount` of `postings`. */
  addHeld(held: HeldEntry): number {
    const speakers = this.#pages.speakers.size;
    const slot = this.#pages.add(held);
    this.#count(slot, 1);
    if (this.#pages.speakers.size !== speakers) this.#speakers = null;
    this.#standAround(slot);
    return slot;
  }

  get postings(): Postings {
    return this.#postings;
  }

  /**
   * Forgets a page with all its words; nothing happens when it is not held. `heldTerms` are the terms it was added with: without
   * them every term of the index is looked through.
   */
  remove(page: number, heldTerms?: readonly string[]): void {
    const slot = this.#pages.slotOf(page);
    if (slot === undefined) return;
    this.#postings.remove(slot, heldTerms === undefined ? undefined : indexedTerms(heldTerms));
    this.#vectors.clear(slot);
    this.#count(slot, -1);
    const speakers = this.#pages.speakers.size;
    const [before, after] = [this.#pages.previous[slot] ?? NONE, this.#pages.next[slot] ?? NONE];
    this.#pages.remove(slot);
    if (this.#pages.speakers.size !== speakers) this.#speakers = null;
    const neighbour = before === NONE ? after : before;
    if (neighbour !== NONE) this.#standAround(neighbour);
  }

  /** Marks whether a page can support an answer. */
  setEvidence(page: number, evidence: boolean): void {
    const slot = this.#pages.slotOf(page);
    if (slot === undefined) return;
    const flags = this.#pages.flags[slot] ?? 0;
    this.#pages.flags[slot] = evidence ? flags | EVIDENCE : flags & ~EVIDENCE;
  }

  isEvidence(page: number): boolean {
    const slot = this.#pages.slotOf(page);
    return slot === undefined || ((this.#pages.flags[slot] ?? 0) & EVIDENCE) !== 0;
  }

  /** Ranked pages, best first; equal scores by page order. */
  search(query: SearchQuery): SearchHit[] {
    if (query.limit <= 0 || this.size === 0) return [];
    const topic = query.ranking === "topic";
    const weights = topic ? TOPIC_WEIGHTS : this.#useWeights();
    this.#reader.ask(this.#questionOf(query.text, query.now), weights);
    const hits = new TopHits(Math.min(query.limit, this.size), this.#pages);
    this.#rank(topic, hits, this.#wanted(query));
    return hits.ranked().map(({ slot, score }) => ({ page: this.#pages.page[slot] ?? 0, score: softplus(score) }));
  }

  /** What is dear to work out is asked only of a page that is among the best if it has the most of it: first latent, then settled. */
  #rank(topic: boolean, hits: TopHits, wanted: (slot: number) => boolean): void {
    const reader = this.#reader;
    const { used, previous } = this.#pages;
    const unsettled = reader.unsettledMost + ROUNDING;
    const latentMost = reader.latentMost + ROUNDING;
    for (let slot = 0; slot < used; slot += 1) {
      const standing = topic ? 0 : (this.#standing[slot] ?? 0);
      const { least } = hits;
      if (!reader.isTouched(slot) && standing + reader.weighWordless(slot) + unsettled + latentMost < least) continue;
      if (previous[slot] === EMPTY) continue;
      let plain = standing + reader.weigh(slot);
      const open = reader.isSettled(slot) ? 0 : unsettled;
      if (plain + open + latentMost < least) continue;
      const latent = reader.weighLatent(slot);
      if (open > 0) {
        if (plain + open + latent < least) continue;
        reader.settle(slot);
        plain = standing + reader.weigh(slot);
      }
      if (!reader.isRelated(slot) || (topic && plain <= 0)) continue;
      const score = plain + latent;
      if (hits.admits(score, slot) && wanted(slot)) hits.add(score, slot);
    }
  }

  /** Whether a page passes the query's filters; one that is not held does not. */
  wanted(query: SearchQuery): (page: number) => boolean {
    const wanted = this.#wanted(query);
    return (page) => {
      const slot = this.#pages.slotOf(page);
      return slot !== undefined && wanted(slot);
    };
  }

  /** The sample that a latent space of these pages is learned from. */
  latentSample(): LatentSample {
    return sampleRows(this.#pages, this.#postings);
  }

  /** Takes a latent space in use, or none, at once. */
  useLatent(terms: TermVectors | null): void {
    if (terms === null) return this.#vectors.drop();
    const work = this.placeLatent(terms);
    while (work.next().done !== true);
  }

  /** Takes a latent space in use, with a pause after some of the pages; those still to be placed are found by their words. */
  placeLatent(terms: TermVectors): Generator<undefined, void> {
    return this.#vectors.useTerms(terms, this.#postings, this.#pages.used);
  }

  get hasLatent(): boolean {
    return this.#vectors.hasSpace;
  }

  /** Every feature of every page for a query: what `search` weighs. */
  measure(text: string, now?: number): Measured {
    this.#reader.ask(this.#questionOf(text, now), {});
    const slots = Array.from({ length: this.#pages.used }, (_, slot) => slot).filter((slot) => this.#pages.has(slot));
    const columns = FEATURES.map(() => new Float64Array(slots.length));
    slots.forEach((slot, row) => {
      this.#reader.read(slot, this.#values);
      readStatic(this.#pages, slot, this.#values);
      this.#values.forEach((value, place) => columns[place]?.fill(value, row, row + 1));
    });
    return {
      pages: slots.map((slot) => this.#pages.page[slot] ?? 0),
      columns: Object.fromEntries(FEATURES.map((name, place) => [name, columns[place]])) as Measured["columns"],
    };
  }

  #questionOf(text: string, now?: number): Question {
    this.#speakers ??= this.#pages.speakers.all().sort();
    return readQuestion(text, this.#speakers, now);
  }

  /**
   * A user's chat with an assistant asks for other weights than people talking to each other. The larger kind decides, so that a
   * few questions of the user do not turn the weights of a long imported conversation.
   */
  #useWeights(): Weights {
    const assistant = this.#rolePages > this.#speakerPages || this.#speakerPages === 0;
    const weights = this.#vectors.hasSpace
      ? assistant
        ? ASSISTANT_WEIGHTS
        : PEER_WEIGHTS
      : assistant
        ? ASSISTANT_WORD_WEIGHTS
        : PEER_WORD_WEIGHTS;
    if (weights === this.#weights) return weights;
    this.#weights = weights;
    this.#standing = new Float64Array(this.#pages.capacity);
    for (let slot = 0; slot < this.#pages.used; slot += 1) this.#stand(slot, weights);
    return weights;
  }

  /** Works out the standing score of a page and of those whose place in their session a change of it can touch. */
  #standAround(slot: number): void {
    const weights = this.#weights;
    if (weights === null) return;
    if (this.#standing.length < this.#pages.capacity)
      this.#standing = resized(this.#standing, new Float64Array(this.#pages.capacity));
    this.#pages.forEachNear(slot, (near) => this.#stand(near, weights));
  }

  #stand(slot: number, weights: Weights): void {
    readStatic(this.#pages, slot, this.#values);
    let sum = 0;
    for (let place = FIRST_STATIC; place < FEATURES.length; place += 1)
      sum += (weights[FEATURES[place] ?? "user"] ?? 0) * (this.#values[place] ?? 0);
    this.#standing[slot] = sum;
  }

  /** The query's filters as one question about a slot, the dearest last. */
  #wanted({ kinds, role, from, to, filter }: SearchQuery): (slot: number) => boolean {
    const pages = this.#pages;
    const allowed = kinds === undefined ? null : new Set(kinds.map((kind) => pages.kinds.find(kind) ?? NONE));
    return (slot) => {
      const at = pages.at[slot] ?? NaN;
      if (allowed !== null && !allowed.has(pages.kind[slot] ?? NONE)) return false;
      if (role === "user" && ((pages.flags[slot] ?? 0) & USER) === 0) return false;
      // Not `at < from`: a page without a time compares as NaN.
      if (from !== undefined && !(at >= from)) return false;
      if (to !== undefined && !(at <= to)) return false;
      return filter === undefined || filter(pages.page[slot] ?? 0);
    };
  }

  #count(slot: number, change: 1 | -1): void {
    if (((this.#pages.flags[slot] ?? 0) & (USER | ASSISTANT)) !== 0) this.#rolePages += change;
    else if (this.#pages.speaker[slot] !== NONE) this.#speakerPages += change;
  }
}

/** ln(1 + e^x): keeps the order and makes every score positive. */
function softplus(value: number): number {
  return value > 30 ? value : Math.log1p(Math.exp(value));
}
