/**
 * Page index: the search index of the process's own pages, kept in step with the page table.
 *
 * A cache: `entry` rows in the page table are the authority. At its first use the index is read from segments, many pages a
 * row (`segment-table.ts`), and from the entries of pages that no segment covers. It is private by construction: it lives
 * inside the process's object and holds nothing of anybody else.
 * What must hold: `add` and `remove` are called before the page's row is written, while its old entry can still be read.
 */
import { LATENT_PLACED_AT_ONCE, SEGMENT_CHARACTERS } from "#shared/limits.ts";
import { errorName, logEvent } from "#shared/log.ts";
import type { LatentSample } from "#kernel/vm/search/latent-rows.ts";
import { storedSpace } from "#kernel/vm/search/latent-table.ts";
import type { TermVectors } from "#kernel/vm/search/latent-terms.ts";
import { loadSegment } from "#kernel/vm/search/index-segment.ts";
import type { ResidentPage } from "#kernel/vm/page.ts";
import {
  indexEntry,
  SearchIndex,
  type IndexEntry,
  type SearchHit,
  type SearchQuery,
} from "#kernel/vm/search/search-index.ts";
import {
  dropSegments,
  readSegment,
  saveSegments,
  segmentSpans,
  uncovered,
  type Saved,
} from "#kernel/vm/search/segment-table.ts";

/** No page has a number as high as this. */
const LAST_PAGE = Number.MAX_SAFE_INTEGER;

function entryOf(page: ResidentPage): IndexEntry {
  return indexEntry({
    page: page.number,
    session: page.session,
    speaker: page.speaker,
    role: page.role,
    kind: page.kind,
    at: page.at,
    text: page.text,
  });
}

function termsOf(entry: string | null): readonly string[] | undefined {
  return entry === null ? undefined : (JSON.parse(entry) as IndexEntry).terms;
}

export class PageIndex {
  readonly #sql: SqlStorage;
  #index: SearchIndex | null = null;
  #changes = 0;
  /** What no segment covers beyond the last one. */
  #tail: Saved = { next: 0, characters: 0 };

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  #loaded(): SearchIndex {
    if (this.#index !== null) return this.#index;
    try {
      this.#index = this.#load();
    } catch (error) {
      logEvent("index-segments-dropped", { error: errorName(error) }, "error");
      dropSegments(this.#sql);
      this.#index = this.#load();
    }
    return this.#index;
  }

  #load(): SearchIndex {
    const index = new SearchIndex();
    const spans = segmentSpans(this.#sql);
    for (const { first } of spans) loadSegment(readSegment(this.#sql, first), index);
    for (const gap of uncovered(spans, LAST_PAGE)) {
      this.#tail = saveSegments(this.#sql, gap, gap.last < LAST_PAGE, ({ entry, evidence }) => {
        index.add(entry);
        index.setEvidence(entry.page, evidence);
      });
    }
    // In a large process the pages are placed when it is idle (`latent.ts`): a cold object answers at once.
    if (index.size <= LATENT_PLACED_AT_ONCE) index.useLatent(storedSpace(this.#sql));
    return index;
  }

  /** Counts pages that changed or went: what was learned from their words before is not to be used. */
  get changes(): number {
    return this.#changes;
  }

  get isLoaded(): boolean {
    return this.#index !== null;
  }

  get hasLatent(): boolean {
    return this.#loaded().hasLatent;
  }

  latentSample(): LatentSample {
    return this.#loaded().latentSample();
  }

  /** Takes a latent space in use, which must be the stored one, with pauses. */
  placeLatent(terms: TermVectors): Generator<undefined, void> {
    return this.#loaded().placeLatent(terms);
  }

  /** A page's words changed or go: the space that was learned from them goes too, here and by a trigger in storage. */
  #dropLatent(index: SearchIndex): void {
    this.#changes += 1;
    if (index.hasLatent) index.useLatent(null);
  }

  /** Indexes a page (again) and answers the entry to store in its row. */
  add(page: ResidentPage): string {
    const index = this.#loaded();
    if (this.#tail.characters >= SEGMENT_CHARACTERS)
      this.#tail = saveSegments(this.#sql, { first: this.#tail.next, last: LAST_PAGE }, false);
    const entry = entryOf(page);
    const stored = JSON.stringify(entry);
    const held = index.has(page.number) ? this.#heldEntry(page.number) : null;
    if (held !== null && held !== stored) this.#dropLatent(index);
    index.add(entry, termsOf(held));
    index.setEvidence(page.number, page.evidence === 1);
    this.#tail = { next: this.#tail.next, characters: this.#tail.characters + stored.length };
    return stored;
  }

  /** Whether a page's stored entry is what its words make, and the cache holds the page. */
  verify(page: ResidentPage): "current" | "missing" | "stale" {
    const row = this.#sql.exec<{ entry: string | null }>("SELECT entry FROM pages WHERE number = ?", page.number).one();
    if (row.entry === null || !this.#loaded().has(page.number)) return "missing";
    return row.entry === JSON.stringify(entryOf(page)) ? "current" : "stale";
  }

  /** The entry that a page's words make, without indexing it; `rebuild` must follow. */
  entryFor(page: ResidentPage): string {
    return JSON.stringify(entryOf(page));
  }

  /** Throws away the cache and its segments; the next use builds both from the entries. */
  rebuild(): void {
    dropSegments(this.#sql);
    this.#index = null;
  }

  remove(page: number): void {
    const index = this.#loaded();
    index.remove(page, termsOf(this.#heldEntry(page)));
    this.#dropLatent(index);
  }

  /** What the page's row says it is indexed by. */
  #heldEntry(page: number): string | null {
    const row = this.#sql.exec<{ entry: string | null }>("SELECT entry FROM pages WHERE number = ?", page).toArray()[0];
    return row?.entry ?? null;
  }

  isEvidence(page: number): boolean {
    return this.#loaded().isEvidence(page);
  }

  /** Whether a page passes the query's filters. */
  wanted(query: SearchQuery): (page: number) => boolean {
    return this.#loaded().wanted(query);
  }

  search(query: SearchQuery): SearchHit[] {
    return this.#loaded().search(query);
  }

  get size(): number {
    return this.#loaded().size;
  }

  /** Bytes of memory, about; 0 while the index is not loaded. */
  get bytes(): number {
    return this.#index?.bytes ?? 0;
  }

  /** Forgets the cache; the next use builds it anew. For a transaction that was rolled back. */
  invalidate(): void {
    this.#index = null;
    this.#changes += 1;
  }
}
