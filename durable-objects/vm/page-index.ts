/**
 * Page index: the search index of the process's own pages, kept in step with the page table.
 *
 * A cache: `entry` rows in the page table are the authority. At its first use the index is read from segments, many pages a
 * row (`segment-table.ts`), and from the entries of pages that no segment covers. It is private by construction: it lives
 * inside the process's object and holds nothing of anybody else.
 * What must hold: `add` and `remove` are called before the page's row is written, while its old entry can still be read.
 */
import { SEGMENT_CHARACTERS } from "#shared/limits.ts";
import { errorName, logEvent } from "#shared/log.ts";
import { loadSegment } from "#kernel/vm/index-segment.ts";
import type { ResidentPage } from "#kernel/vm/page.ts";
import { indexEntry, SearchIndex, type IndexEntry, type SearchHit, type SearchQuery } from "#kernel/vm/search-index.ts";
import {
  dropSegments,
  readSegment,
  saveSegments,
  segmentSpans,
  uncovered,
  type Saved,
} from "#kernel/vm/segment-table.ts";

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

export class PageIndex {
  readonly #sql: SqlStorage;
  #index: SearchIndex | null = null;
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
    return index;
  }

  /** Indexes a page (again) and answers the entry to store in its row. */
  add(page: ResidentPage): string {
    const index = this.#loaded();
    if (this.#tail.characters >= SEGMENT_CHARACTERS)
      this.#tail = saveSegments(this.#sql, { first: this.#tail.next, last: LAST_PAGE }, false);
    const entry = entryOf(page);
    index.add(entry, index.has(page.number) ? this.#heldTerms(page.number) : undefined);
    index.setEvidence(page.number, page.evidence === 1);
    const stored = JSON.stringify(entry);
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
    this.#loaded().remove(page, this.#heldTerms(page));
  }

  /** The terms that the page's row says it is indexed by. */
  #heldTerms(page: number): readonly string[] | undefined {
    const row = this.#sql.exec<{ entry: string | null }>("SELECT entry FROM pages WHERE number = ?", page).toArray()[0];
    return row === undefined || row.entry === null ? undefined : (JSON.parse(row.entry) as IndexEntry).terms;
  }

  isEvidence(page: number): boolean {
    return this.#loaded().isEvidence(page);
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
  }
}
