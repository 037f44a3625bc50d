/**
 * Segment table: all SQL of the object's `index_segments` table, many pages of the search index a row.
 *
 * A row covers every living page from `first` to `last`. It is a cache of the `entry` column of `pages`: triggers of the schema
 * delete the row of a page whose entry, evidence or life changes, so a row that is there is right, whoever wrote the change, and
 * no word of a forgotten page stays in one.
 */
import { SEGMENT_BYTES, SEGMENT_CHARACTERS } from "#shared/limits.ts";
import { encodeSegment, type SegmentPage } from "#kernel/vm/search/index-segment.ts";
import type { IndexEntry } from "#kernel/vm/search/search-entry.ts";

/** Rows read at once; an entry may be as long as a page. */
const READ_PAGES = 200;

/** Page numbers, both inclusive. */
export interface PageSpan {
  readonly first: number;
  readonly last: number;
}

export function segmentSpans(sql: SqlStorage): PageSpan[] {
  return sql.exec<{ first: number; last: number }>("SELECT first, last FROM index_segments ORDER BY first").toArray();
}

export function readSegment(sql: SqlStorage, first: number): Uint8Array {
  const row = sql.exec<{ data: ArrayBuffer }>("SELECT data FROM index_segments WHERE first = ?", first).one();
  return new Uint8Array(row.data);
}

export function dropSegments(sql: SqlStorage): void {
  sql.exec("DELETE FROM index_segments");
}

/** The numbers that no segment covers; the last gap is open: it ends at `most`. */
export function uncovered(spans: readonly PageSpan[], most: number): PageSpan[] {
  const gaps: PageSpan[] = [];
  let first = 0;
  for (const span of spans) {
    if (span.first > first) gaps.push({ first, last: span.first - 1 });
    first = span.last + 1;
  }
  return [...gaps, { first, last: most }];
}

/** The living pages of a span, read a few at a time, so that segments can be written in between. */
function* entriesOf(sql: SqlStorage, { first, last }: PageSpan): Generator<SegmentPage & { characters: number }> {
  for (let next = first; ;) {
    const rows = sql
      .exec<{ number: number; evidence: number; entry: string }>(
        `SELECT number, evidence, entry FROM pages
         WHERE deleted = 0 AND entry IS NOT NULL AND number BETWEEN ? AND ? ORDER BY number LIMIT ?`,
        next,
        last,
        READ_PAGES,
      )
      .toArray();
    for (const { evidence, entry } of rows)
      yield { entry: JSON.parse(entry) as IndexEntry, evidence: evidence === 1, characters: entry.length };
    if (rows.length < READ_PAGES) return;
    next = (rows.at(-1)?.number ?? last) + 1;
  }
}

export interface Saved {
  /** The first number that no segment covers, and the characters of all entries from there on. */
  readonly next: number;
  readonly characters: number;
}

/**
 * Reads the pages of an uncovered span, shows each to `visit`, and writes them as segments. Pages that do not fill a segment are
 * written only when the span is `closed`: no page will be added to it.
 */
export function saveSegments(
  sql: SqlStorage,
  span: PageSpan,
  closed: boolean,
  visit: (page: SegmentPage) => void = () => {},
): Saved {
  let batch: SegmentPage[] = [];
  let characters = 0;
  let next = span.first;
  const save = (last: number): void => {
    writeSegment(sql, { first: next, last }, batch);
    batch = [];
    characters = 0;
    next = last + 1;
  };
  for (const page of entriesOf(sql, span)) {
    visit(page);
    batch.push(page);
    characters += page.characters;
    if (characters >= SEGMENT_CHARACTERS) save(page.entry.page);
  }
  if (closed && batch.length > 0) save(span.last);
  return { next, characters };
}

/** One segment, or more when it would be longer than a row may be. */
function writeSegment(sql: SqlStorage, span: PageSpan, pages: readonly SegmentPage[]): void {
  const data = encodeSegment(pages);
  if (data.byteLength <= SEGMENT_BYTES || pages.length < 2) {
    sql.exec("INSERT INTO index_segments VALUES (?, ?, ?)", span.first, span.last, data);
    return;
  }
  const half = pages.length >> 1;
  const middle = pages[half]?.entry.page ?? span.last;
  writeSegment(sql, { first: span.first, last: middle - 1 }, pages.slice(0, half));
  writeSegment(sql, { first: middle, last: span.last }, pages.slice(half));
}
