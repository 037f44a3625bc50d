/**
 * The search index of one process's own pages, wholly in memory: private by construction, because nothing of another process
 * is ever in it.
 *
 * Use `add(indexEntry(page))` when a page is written and at boot, `remove(page)` when it is forgotten, `search(query)` to rank.
 * What must hold: any text is a valid query; a page that shares nothing with the query is not returned, so a query that shares nothing returns an
 * empty list; scores are above 0; the result depends on the pages held, not on the order in which they came.
 */
import { measureFeatures, FEATURES, type FeatureColumns } from "#kernel/vm/search-features.ts";
import { layOut, type HeldPage, type Layout } from "#kernel/vm/search-layout.ts";
import { Postings } from "#kernel/vm/postings.ts";
import { readQuestion } from "#kernel/vm/search-question.ts";
import { ASSISTANT_WEIGHTS, PEER_WEIGHTS, type Weights } from "#kernel/vm/search-weights.ts";
import type { IndexEntry } from "#kernel/vm/search-entry.ts";

export { indexEntry, type IndexEntry } from "#kernel/vm/search-entry.ts";

export interface SearchQuery {
  text: string;
  limit: number;
  kinds?: readonly string[];
  /** UTC milliseconds, both inclusive. Pages without a time are left out when either is given. */
  from?: number;
  to?: number;
  filter?: (page: number) => boolean;
  /** UTC milliseconds; what "last May" and "yesterday" count from. */
  now?: number;
}

export interface SearchHit {
  page: number;
  /** Above 0; comparable within one result only. */
  score: number;
}

/** What a query measures, for fitting weights and for explaining a result. */
export interface Measured {
  pages: readonly HeldPage[];
  columns: FeatureColumns;
}

interface Ranked extends SearchHit {
  order: number;
}

/** Kinds that stand alone: what was remembered before and after a fact is not its context, as it is for a turn. */
const STANDALONE_KINDS: ReadonlySet<string> = new Set(["fact", "note", "instruction", "summary"]);

function sessionKey({ entry }: HeldPage): string {
  return STANDALONE_KINDS.has(entry.kind) ? `page ${entry.page}` : `session ${entry.session}`;
}

function compareHeld(one: HeldPage, other: HeldPage): number {
  return one.entry.order - other.entry.order || one.entry.page - other.entry.page;
}

export class SearchIndex {
  readonly #postings = new Postings();
  readonly #held = new Map<number, HeldPage>();
  readonly #sessions = new Map<string, HeldPage[]>();
  readonly #speakers = new Map<string, number>();
  readonly #freeSlots: number[] = [];
  #slots = 0;
  #rolePages = 0;
  #speakerPages = 0;
  #layout: Layout | null = null;

  get size(): number {
    return this.#held.size;
  }

  has(page: number): boolean {
    return this.#held.has(page);
  }

  /** Adds a page, or replaces what is held of it. */
  add(entry: IndexEntry): void {
    this.remove(entry.page);
    const { terms, ...rest } = entry;
    const held: HeldPage = { slot: this.#freeSlots.pop() ?? this.#slots++, entry: rest, length: terms.length };
    this.#postings.add(held.slot, terms);
    this.#held.set(entry.page, held);
    this.#placeInSession(held);
    this.#count(held, 1);
    this.#layout = null;
  }

  /** Forgets a page with all its words; nothing happens when it is not held. */
  remove(page: number): void {
    const held = this.#held.get(page);
    if (held === undefined) return;
    this.#postings.remove(held.slot);
    this.#held.delete(page);
    const key = sessionKey(held);
    const session = this.#sessions.get(key) ?? [];
    session.splice(session.indexOf(held), 1);
    if (session.length === 0) this.#sessions.delete(key);
    this.#count(held, -1);
    this.#freeSlots.push(held.slot);
    this.#layout = null;
  }

  /** Ranked pages, best first; equal scores by page order. */
  search(query: SearchQuery): SearchHit[] {
    if (query.limit <= 0 || this.#held.size === 0) return [];
    const { pages, columns } = this.measure(query.text, query.now);
    const weights = this.#weights();
    const ranked: Ranked[] = [];
    const totals = weigh(columns, weights, pages.length);
    for (let position = 0; position < pages.length; position += 1) {
      const held = pages[position];
      if (held === undefined || !isRelated(columns, position) || !isWanted(held, query)) continue;
      ranked.push({ page: held.entry.page, order: held.entry.order, score: totals[position] ?? 0 });
    }
    ranked.sort((one, other) => other.score - one.score || one.order - other.order || one.page - other.page);
    return ranked.slice(0, query.limit).map(({ page, score }) => ({ page, score: softplus(score) }));
  }

  /** Every feature of every page for a query: what `search` weighs. */
  measure(text: string, now?: number): Measured {
    this.#layout ??= layOut(this.#sessions.values(), this.#slots);
    const question = readQuestion(text, [...this.#speakers.keys()].sort(), now);
    return { pages: this.#layout.pages, columns: measureFeatures(question, this.#layout, this.#postings) };
  }

  /**
   * A user's chat with an assistant asks for other weights than people talking to each other. The larger kind decides, so that a
   * few questions of the user do not turn the weights of a long imported conversation.
   */
  #weights(): Weights {
    return this.#rolePages > this.#speakerPages || this.#speakerPages === 0 ? ASSISTANT_WEIGHTS : PEER_WEIGHTS;
  }

  #placeInSession(held: HeldPage): void {
    const key = sessionKey(held);
    const session = this.#sessions.get(key);
    if (session === undefined) {
      this.#sessions.set(key, [held]);
      return;
    }
    let index = session.length;
    while (index > 0) {
      const before = session[index - 1];
      if (before === undefined || compareHeld(before, held) < 0) break;
      index -= 1;
    }
    session.splice(index, 0, held);
  }

  #count(held: HeldPage, change: 1 | -1): void {
    const { role, speaker } = held.entry;
    if (role === "user" || role === "assistant") this.#rolePages += change;
    else if (speaker !== null) this.#speakerPages += change;
    if (speaker === null) return;
    const pages = (this.#speakers.get(speaker) ?? 0) + change;
    if (pages === 0) this.#speakers.delete(speaker);
    else this.#speakers.set(speaker, pages);
  }
}

/** The weighted sum of every feature, by position. */
export function weigh(columns: FeatureColumns, weights: Weights, size: number): Float64Array {
  const totals = new Float64Array(size);
  for (const name of FEATURES) {
    const weight = weights[name] ?? 0;
    if (weight === 0) continue;
    const column = columns[name];
    for (let position = 0; position < size; position += 1)
      totals[position] = (totals[position] ?? 0) + weight * (column[position] ?? 0);
  }
  return totals;
}

/** Shares a word, a related or alike word, the person or the date with the question; form alone (length, a question mark) is no relation. */
function isRelated(columns: FeatureColumns, position: number): boolean {
  return (
    (columns.near2[position] ?? 0) > 0 ||
    (columns.mates[position] ?? 0) > 0 ||
    (columns.spelling[position] ?? 0) > 0 ||
    (columns.speaker[position] ?? 0) > 0 ||
    (columns.date[position] ?? 0) > 0
  );
}

function isWanted(held: HeldPage, query: SearchQuery): boolean {
  const { page, kind, at } = held.entry;
  if (query.kinds !== undefined && !query.kinds.includes(kind)) return false;
  if (query.from !== undefined && (at === null || at < query.from)) return false;
  if (query.to !== undefined && (at === null || at > query.to)) return false;
  return query.filter === undefined || query.filter(page);
}

/** ln(1 + e^x): keeps the order and makes every score positive. */
function softplus(value: number): number {
  return value > 30 ? value : Math.log1p(Math.exp(value));
}
