/**
 * Audit: what sleep-time work did, one row a change: when, by which rule or model, from which pages, before and after. All SQL of `audit`.
 *
 * A row holds numbers and rules, never words, so there is nothing in it to forget but the row itself. Its key says what was
 * done to which version of which page: what has a key, done or undone, is not done again.
 */
import type { Kernel } from "#kernel/kernel.ts";

export type AuditRule = "fact" | "duplicate" | "stale";

/** `kept`: the person edited the page since, so it is theirs now and cannot be undone. */
export type AuditState = "done" | "undone" | "kept";

export interface AuditEntry {
  readonly id: number;
  readonly at: number;
  readonly rule: AuditRule;
  /** The model that said so, or null for a rule. */
  readonly model: string | null;
  readonly key: string;
  /** The page that was made or marked. */
  readonly page: number;
  /** The page it was made from, or that the mark rests on; a mark's `after` is the same. */
  readonly source: number;
  /** What the page was superseded by; null for nothing, and for a page that was not there. */
  readonly before: number | null;
  readonly after: number | null;
  readonly state: AuditState;
}

type AuditRow = {
  id: number;
  at: number;
  rule: string;
  model: string | null;
  key: string;
  page: number;
  source: number;
  before: number | null;
  after: number | null;
  state: string;
};

function readRow(row: AuditRow): AuditEntry {
  return {
    ...row,
    rule: row.rule as AuditRule,
    state: row.state as AuditState,
  };
}

/** Whether this was done before, also when it was undone since. */
export function isAudited(kernel: Kernel, key: string): boolean {
  return kernel.sql.exec("SELECT 1 FROM audit WHERE key = ?", key).toArray().length > 0;
}

/** Notes a change; call it in the transaction that makes it. Answers false when its key is known. */
export function noteAudit(
  kernel: Kernel,
  entry: Omit<AuditEntry, "id" | "at" | "state"> & Partial<AuditEntry>,
): boolean {
  const written = kernel.sql.exec(
    "INSERT OR IGNORE INTO audit (at, rule, model, key, page, source, before, after, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    entry.at ?? kernel.now(),
    entry.rule,
    entry.model,
    entry.key,
    entry.page,
    entry.source,
    entry.before,
    entry.after,
    entry.state ?? "done",
  );
  return written.rowsWritten > 0;
}

export function findAudit(kernel: Kernel, id: number): AuditEntry | null {
  const row = kernel.sql.exec<AuditRow>("SELECT * FROM audit WHERE id = ?", id).toArray()[0];
  return row === undefined ? null : readRow(row);
}

/** Entries below `before` (all when null), newest first. */
export function listAudit(kernel: Kernel, limit: number, before: number | null): AuditEntry[] {
  return kernel.sql
    .exec<AuditRow>(
      "SELECT * FROM audit WHERE id < ? ORDER BY id DESC LIMIT ?",
      before ?? Number.MAX_SAFE_INTEGER,
      limit,
    )
    .toArray()
    .map(readRow);
}

/** Entries above `after`, oldest first. */
export function auditsAfter(kernel: Kernel, after: number, limit: number): AuditEntry[] {
  return kernel.sql
    .exec<AuditRow>("SELECT * FROM audit WHERE id > ? ORDER BY id LIMIT ?", after, limit)
    .toArray()
    .map(readRow);
}

/** What is done to a page and what rests on it: before a page that was made goes, that is undone. Newest first. */
export function auditsOn(kernel: Kernel, page: number): AuditEntry[] {
  return kernel.sql
    .exec<AuditRow>("SELECT * FROM audit WHERE state = 'done' AND (page = ?1 OR source = ?1) ORDER BY id DESC", page)
    .toArray()
    .map(readRow);
}

export function setAuditState(kernel: Kernel, id: number, state: AuditState): void {
  kernel.sql.exec("UPDATE audit SET state = ? WHERE id = ?", state, id);
}

/** The person edited a page that sleep had made: from now on it is theirs. */
export function keepEdited(kernel: Kernel, page: number): void {
  kernel.sql.exec("UPDATE audit SET state = 'kept' WHERE page = ? AND rule = 'fact' AND state = 'done'", page);
}

/** Drops every row that names a page: call it when the page is forgotten. */
export function forgetAudit(kernel: Kernel, page: number): void {
  kernel.sql.exec("DELETE FROM audit WHERE page = ?1 OR source = ?1 OR before = ?1", page);
}
