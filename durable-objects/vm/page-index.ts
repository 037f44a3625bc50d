/**
 * Page index: the search index of the process's own pages, kept in step with the page table.
 *
 * A cache: `entry` rows in the page table are the authority, and the index is built from them at its first use. It is private
 * by construction: it lives inside the process's object and holds nothing of anybody else.
 */
import { indexEntry, SearchIndex, type IndexEntry, type SearchHit, type SearchQuery } from "#kernel/vm/search-index.ts";
import type { ResidentPage } from "#kernel/vm/page.ts";

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
  /** Pages that are found when asked for, but never support an answer: questions and the process's own words. */
  readonly #notEvidence = new Set<number>();

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  #loaded(): SearchIndex {
    if (this.#index !== null) return this.#index;
    const index = new SearchIndex();
    const rows = this.#sql.exec<{ number: number; evidence: number; entry: string | null }>(
      "SELECT number, evidence, entry FROM pages WHERE deleted = 0 ORDER BY number",
    );
    for (const row of rows) {
      if (row.entry !== null) index.add(JSON.parse(row.entry) as IndexEntry);
      if (row.evidence === 0) this.#notEvidence.add(row.number);
    }
    this.#index = index;
    return index;
  }

  /** Indexes a page (again) and answers the entry to store in its row. */
  add(page: ResidentPage): string {
    const entry = entryOf(page);
    this.#loaded().add(entry);
    if (page.evidence === 0) this.#notEvidence.add(page.number);
    else this.#notEvidence.delete(page.number);
    return JSON.stringify(entry);
  }

  /** Whether a page's stored entry is what its words make, and the cache holds the page. */
  verify(page: ResidentPage): "current" | "missing" | "stale" {
    const row = this.#sql.exec<{ entry: string | null }>("SELECT entry FROM pages WHERE number = ?", page.number).one();
    if (row.entry === null) return "missing";
    return row.entry === JSON.stringify(entryOf(page)) ? "current" : "stale";
  }

  remove(page: number): void {
    this.#loaded().remove(page);
    this.#notEvidence.delete(page);
  }

  isEvidence(page: number): boolean {
    return !this.#notEvidence.has(page);
  }

  search(query: SearchQuery): SearchHit[] {
    return this.#loaded().search(query);
  }

  get size(): number {
    return this.#loaded().size;
  }

  /** Forgets the cache; the next use builds it from the page table. For a transaction that was rolled back. */
  invalidate(): void {
    this.#index = null;
    this.#notEvidence.clear();
  }
}
