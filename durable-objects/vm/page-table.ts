/**
 * Page table: all SQL of the object's `pages` table.
 *
 * A page's number never changes and is never used again; every change raises its version and marks it dirty for the
 * write-behind to D1. Bodies of clean pages may be dropped (`dropOldBodies`); `vm/fault.ts` brings them back.
 */
import type { PageKind } from "#shared/abi.ts";
import { pageNumber, parseDocumentId, type DocumentId, type PageHandle } from "#shared/ids.ts";
import { SESSION_GAP_MS } from "#shared/limits.ts";
import { estimateTokens } from "#shared/tokens.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { count } from "#kernel/proc/counters.ts";
import { countDocumentPage } from "#kernel/vm/documents/document-count.ts";
import { dropClaims, noteClaims, type Succession } from "#kernel/vm/statements/claim-table.ts";
import { evidenceOf, type PageRow, type ResidentPage } from "#kernel/vm/page.ts";
import { dropStatements, noteStatements } from "#kernel/vm/statements/statement-table.ts";
import { notePinChange } from "#kernel/vm/pinned/pin-changes.ts";

export const PAGE_COLUMNS =
  "number, kind, role, speaker, text, tokens, version, source, at, at_text, zoned, tags, thread, session, run, evidence, deleted, dirty, created_at, updated_at, referenced_at, pinned, superseded_by, provenance";

export function findPage(kernel: Kernel, handle: PageHandle): PageRow | null {
  const number = pageNumber(handle);
  return number === null ? null : (readPages(kernel, [number])[0] ?? null);
}

/** The living pages of these numbers, in the order of `numbers`. */
export function readPages(kernel: Kernel, numbers: readonly number[]): PageRow[] {
  const rows = kernel.sql
    .exec<PageRow>(
      `SELECT ${PAGE_COLUMNS} FROM pages WHERE deleted = 0 AND number IN (SELECT value FROM json_each(?))`,
      JSON.stringify(numbers),
    )
    .toArray();
  const byNumber = new Map(rows.map((row) => [row.number, row]));
  return numbers.flatMap((number) => byNumber.get(number) ?? []);
}

export type PageDraft = Pick<
  PageRow,
  "kind" | "role" | "speaker" | "source" | "at" | "at_text" | "zoned" | "thread" | "run" | "evidence"
> & {
  readonly text: string;
  readonly tags: readonly string[];
  readonly number?: number;
  readonly createdAt?: number;
  readonly updatedAt?: number;
  readonly version?: number;
  /** Neighbours of its own making: the pages of one document. */
  readonly session?: DocumentId;
  readonly pinned?: 0 | 1;
  readonly supersededBy?: number | null;
  /** Numbers of the pages it was made from. */
  readonly provenance?: readonly number[];
};

/** Kinds that have no neighbours. */
const ALONE: ReadonlySet<PageKind> = new Set(["fact", "note", "instruction", "summary", "tool"]);

/**
 * The session a new page belongs to: that of the thread's newest page, unless more than six hours lie between them.
 * Neighbours in a session lend each other words when pages are searched.
 */
function sessionOf(kernel: Kernel, draft: PageDraft, number: number): string {
  if (draft.session !== undefined) return draft.session;
  const last = kernel.sql
    .exec<{ session: string; at: number | null; kind: string }>(
      // What was made from a page later is no part of the conversation.
      `SELECT session, at, kind FROM pages WHERE thread IS ? AND deleted = 0 AND NOT (kind = 'fact' AND provenance <> '[]')
       ORDER BY number DESC LIMIT 1`,
      draft.thread,
    )
    .toArray()[0];
  const alone = ALONE.has(draft.kind);
  const near =
    last !== undefined && Math.abs((last.at ?? draft.at ?? 0) - (draft.at ?? last.at ?? 0)) <= SESSION_GAP_MS;
  return last !== undefined && near && !alone && last.kind !== "fact" && parseDocumentId(last.session) === null
    ? last.session
    : `${draft.thread ?? ""}/${number.toString(36)}`;
}

/** Writes a new page, dirty and indexed. Call it inside the transaction that makes it true. */
export function insertPage(kernel: Kernel, draft: PageDraft): ResidentPage {
  const number = draft.number ?? count(kernel, "page");
  const now = kernel.now();
  const page: ResidentPage = {
    number,
    kind: draft.kind,
    role: draft.role,
    speaker: draft.speaker,
    text: draft.text,
    tokens: estimateTokens(draft.text),
    version: draft.version ?? 1,
    source: draft.source,
    at: draft.at,
    at_text: draft.at_text,
    zoned: draft.zoned,
    tags: JSON.stringify(draft.tags),
    thread: draft.thread,
    session: sessionOf(kernel, draft, number),
    run: draft.run,
    evidence: draft.evidence,
    deleted: 0,
    dirty: 1,
    created_at: draft.createdAt ?? now,
    updated_at: draft.updatedAt ?? now,
    referenced_at: now,
    pinned: draft.pinned ?? 0,
    superseded_by: draft.supersededBy ?? null,
    provenance: JSON.stringify(draft.provenance ?? []),
  };
  const columns = Object.keys(page);
  kernel.sql.exec(
    `INSERT INTO pages (${columns.join(", ")}, entry) VALUES (${columns.map(() => "?").join(", ")}, ?)`,
    ...Object.values(page),
    kernel.index.add(page),
  );
  noteStatements(kernel, page);
  const restored = draft.number !== undefined && draft.supersededBy !== undefined;
  const successions = noteClaims(kernel, page, restored);
  markSuccessions(kernel, successions);
  if (page.pinned === 1) notePinChange(kernel, { page: number });
  return successions.length === 0 ? page : { ...page, ...marksOf(kernel, number) };
}

export type PageChange = Partial<Pick<PageRow, "kind" | "at" | "at_text" | "zoned" | "source" | "evidence">> & {
  readonly text?: string;
  readonly tags?: string;
};

/** Writes a changed page as its next version, dirty and indexed anew. */
export function updatePage(kernel: Kernel, page: ResidentPage, change: PageChange): ResidentPage {
  const next: ResidentPage = { ...page, ...change, version: page.version + 1, dirty: 1, updated_at: kernel.now() };
  next.tokens = estimateTokens(next.text);
  if (change.evidence === undefined && (change.text !== undefined || change.kind !== undefined)) {
    next.evidence = evidenceOf(next);
  }
  kernel.sql.exec(
    `UPDATE pages SET kind = ?, text = ?, tokens = ?, version = ?, source = ?, at = ?, at_text = ?, zoned = ?, tags = ?,
     evidence = ?, dirty = 1, updated_at = ?, entry = ? WHERE number = ?`,
    next.kind,
    next.text,
    next.tokens,
    next.version,
    next.source,
    next.at,
    next.at_text,
    next.zoned,
    next.tags,
    next.evidence,
    next.updated_at,
    kernel.index.add(next),
    next.number,
  );
  dropStatements(kernel, next.number);
  noteStatements(kernel, next);
  markSuccessions(kernel, [...dropClaims(kernel, next.number), ...noteClaims(kernel, next, false)]);
  if (next.pinned === 1) notePinChange(kernel, { page: next.number });
  return { ...next, ...marksOf(kernel, next.number) };
}

/** What its being written changed on the page itself: it may be older than what supersedes it. */
function marksOf(kernel: Kernel, number: number): Pick<PageRow, "superseded_by" | "version"> {
  return kernel.sql
    .exec<Pick<PageRow, "superseded_by" | "version">>(
      "SELECT superseded_by, version FROM pages WHERE number = ?",
      number,
    )
    .one();
}

/** What is said about a page and is no part of its words. */
export type PageMark = Partial<Pick<PageRow, "pinned" | "superseded_by" | "provenance">>;

/**
 * Writes marks as the page's next version. The body need not be resident and the index is not touched; a page that already
 * has the marks stays as it is. Call it inside the transaction that makes it true.
 */
export function markPage(kernel: Kernel, number: number, mark: PageMark): void {
  const [page] = readPages(kernel, [number]);
  if (page === undefined) return;
  const next = { ...page, ...mark };
  if (next.pinned === page.pinned && next.superseded_by === page.superseded_by && next.provenance === page.provenance) {
    return;
  }
  kernel.sql.exec(
    `UPDATE pages SET pinned = ?, superseded_by = ?, provenance = ?, version = version + 1, dirty = 1, updated_at = ? WHERE number = ?`,
    next.pinned,
    next.superseded_by,
    next.provenance,
    kernel.now(),
    number,
  );
  if (page.pinned === 1 || next.pinned === 1) notePinChange(kernel, { page: number });
}

/** Gives a page other tags, as its next version; its body need not be resident. */
export function retagPage(kernel: Kernel, number: number, tags: readonly string[]): void {
  kernel.sql.exec(
    "UPDATE pages SET tags = ?, version = version + 1, dirty = 1, updated_at = ? WHERE number = ? AND deleted = 0",
    JSON.stringify(tags),
    kernel.now(),
    number,
  );
}

function markSuccessions(kernel: Kernel, successions: readonly Succession[]): void {
  for (const { number, superseded_by } of successions) markPage(kernel, number, { superseded_by });
}

/**
 * The pages that stand in every prompt, by number. One that a pinned page takes the place of does not, though it is still
 * marked as pinned.
 */
export function pinnedPages(kernel: Kernel): PageRow[] {
  return kernel.sql
    .exec<PageRow>(
      `SELECT ${PAGE_COLUMNS} FROM pages AS page WHERE pinned = 1 AND deleted = 0 AND NOT EXISTS (
         SELECT 1 FROM pages AS newer WHERE newer.number = page.superseded_by AND newer.pinned = 1 AND newer.deleted = 0
       ) ORDER BY number`,
    )
    .toArray();
}

/** Writes what a repetition adds to a page, as its next version; its words and its entry stay. */
export function addToPage(kernel: Kernel, page: PageRow, more: Pick<PageRow, "source" | "tags">): PageRow {
  const next = { ...page, ...more, version: page.version + 1, dirty: 1, updated_at: kernel.now() };
  kernel.sql.exec(
    "UPDATE pages SET source = ?, tags = ?, version = ?, dirty = 1, updated_at = ? WHERE number = ?",
    next.source,
    next.tags,
    next.version,
    next.updated_at,
    next.number,
  );
  return next;
}

/** What a newly said instruction is held against: pinned pages, those a person took out, and the newest `most` of the rest. */
export function comparedStanding(kernel: Kernel, most: number): PageRow[] {
  return kernel.sql
    .exec<PageRow>(
      `SELECT ${PAGE_COLUMNS} FROM pages WHERE deleted = 0 AND number IN (
         SELECT number FROM pages WHERE pinned = 1
         UNION SELECT number FROM pages WHERE kind = 'instruction' AND tags LIKE '%"unpinned"%'
         UNION SELECT number FROM (SELECT number FROM pages WHERE kind = 'instruction' ORDER BY number DESC LIMIT ?)
       ) ORDER BY number`,
      most,
    )
    .toArray();
}

/** Pinned pages and those of kind `instruction`, pinned or not, superseded or not, by number. */
export function standingPages(kernel: Kernel): PageRow[] {
  return kernel.sql
    .exec<PageRow>(
      `SELECT ${PAGE_COLUMNS} FROM pages WHERE deleted = 0 AND number IN (
         SELECT number FROM pages WHERE pinned = 1 UNION SELECT number FROM pages WHERE kind = 'instruction'
       ) ORDER BY number`,
    )
    .toArray();
}

/**
 * Turns a page into a tombstone: nothing of it is left but its number, and a version that outranks every write of it still
 * under way. The tombstone goes to D1 like any change and is dropped here once D1 has it.
 */
export function buryPage(kernel: Kernel, number: number): void {
  // A prompt that was frozen with the page must not be used again.
  const page = readPages(kernel, [number])[0];
  if (page?.pinned === 1) notePinChange(kernel, { page: number, forgotten: true });
  if (page !== undefined) countDocumentPage(kernel, page, -1);
  // Before the row is written over: it says by which terms the page is indexed.
  kernel.index.remove(number);
  kernel.sql.exec(
    `UPDATE pages SET deleted = 1, dirty = 1, version = version + 1, text = '', tokens = 0, kind = 'note', role = NULL, speaker = NULL,
     source = NULL, at = NULL, at_text = NULL, tags = '[]', thread = NULL, session = '', entry = NULL, run = NULL,
     pinned = 0, superseded_by = NULL, provenance = '[]', updated_at = ? WHERE number = ?`,
    kernel.now(),
    number,
  );
  dropStatements(kernel, number);
  markSuccessions(kernel, dropClaims(kernel, number));
}

/** Living pages after a number, in order. */
export function pagesAfter(kernel: Kernel, after: number, limit: number): PageRow[] {
  return kernel.sql
    .exec<PageRow>(
      `SELECT ${PAGE_COLUMNS} FROM pages WHERE deleted = 0 AND number > ? ORDER BY number LIMIT ?`,
      after,
      limit,
    )
    .toArray();
}

/** Whether the table has the page, or its tombstone. */
export function isKnown(kernel: Kernel, number: number): boolean {
  return kernel.sql.exec("SELECT 1 FROM pages WHERE number = ?", number).toArray().length > 0;
}

/** Sets where a page stands with D1: its version (unchanged when null), and whether it is still to be written. */
export function requeuePage(kernel: Kernel, number: number, version: number | null, dirty: 0 | 1): void {
  kernel.sql.exec(
    "UPDATE pages SET version = COALESCE(?, version), dirty = ? WHERE number = ?",
    version,
    dirty,
    number,
  );
}

/** Writes a page's index entry anew; the index must be rebuilt after it. */
export function reindexPage(kernel: Kernel, page: ResidentPage): void {
  kernel.sql.exec("UPDATE pages SET entry = ? WHERE number = ?", kernel.index.entryFor(page), page.number);
}

/** Dirty pages and tombstones, oldest number first. One whose body is not resident was only marked; D1 has its words. */
export function dirtyPages(kernel: Kernel, limit: number): PageRow[] {
  return kernel.sql
    .exec<PageRow>(`SELECT ${PAGE_COLUMNS} FROM pages WHERE dirty = 1 ORDER BY number LIMIT ?`, limit)
    .toArray();
}

/** Marks what D1 acknowledged as clean, unless it changed meanwhile; drops acknowledged tombstones. */
export function markClean(kernel: Kernel, written: readonly Pick<PageRow, "number" | "version">[]): void {
  const pairs = JSON.stringify(written.map((page) => [page.number, page.version]));
  const matches = "(number, version) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))";
  kernel.sql.exec(`DELETE FROM pages WHERE deleted = 1 AND ${matches}`, pairs);
  kernel.sql.exec(`UPDATE pages SET dirty = 0 WHERE ${matches}`, pairs);
}

/** Puts bodies read from D1 back into their frames. */
export function fillFrames(kernel: Kernel, bodies: ReadonlyMap<number, string>): void {
  const pairs = JSON.stringify([...bodies]);
  kernel.sql.exec(
    `UPDATE pages SET referenced_at = ?, text = body.text FROM (SELECT value ->> 0 AS number, value ->> 1 AS text FROM json_each(?)) AS body
     WHERE pages.number = body.number AND pages.text IS NULL`,
    kernel.now(),
    pairs,
  );
}

/** Drops the least recently referenced clean bodies, never pinned or standing ones, until at most `tokens` are resident. Answers how many it dropped. */
export function dropOldBodies(kernel: Kernel, tokens: number): number {
  const resident = residentTokens(kernel);
  if (resident <= tokens) return 0;
  const rows = kernel.sql
    .exec<{ number: number }>(
      `SELECT number FROM (
         SELECT number, SUM(tokens) OVER (ORDER BY referenced_at, number) - tokens AS freed
         FROM pages WHERE text IS NOT NULL AND dirty = 0 AND deleted = 0 AND pinned = 0 AND kind <> 'instruction'
       ) WHERE freed < ?`,
      resident - tokens,
    )
    .toArray();
  kernel.sql.exec(
    "UPDATE pages SET text = NULL WHERE number IN (SELECT value FROM json_each(?))",
    JSON.stringify(rows.map((row) => row.number)),
  );
  return rows.length;
}

export function residentTokens(kernel: Kernel): number {
  return kernel.sql
    .exec<{ tokens: number }>(
      "SELECT COALESCE(SUM(tokens), 0) AS tokens FROM pages WHERE text IS NOT NULL AND deleted = 0",
    )
    .one().tokens;
}

/** Numbers of living pages after `after`, of one kind or of every kind but the process's own words. */
export function listPageNumbers(kernel: Kernel, kind: PageKind | undefined, after: number, limit: number): number[] {
  const where = kind === undefined ? "kind <> 'assistant'" : "kind = ?3";
  return kernel.sql
    .exec<{ number: number }>(
      `SELECT number FROM pages WHERE deleted = 0 AND number > ?1 AND ${where} ORDER BY number LIMIT ?2`,
      ...(kind === undefined ? [after, limit] : [after, limit, kind]),
    )
    .toArray()
    .map((row) => row.number);
}
