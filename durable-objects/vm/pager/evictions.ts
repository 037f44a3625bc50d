/**
 * Evictions: all SQL of `evictions` (the ranges that left a thread's body) and of `bodies` (what stands before the rest).
 *
 * A range is named by its summary page. Ranges whose `parent` is 0 are in the thread's stub; folded ones belong to the page of
 * the range that took them in. A body's row holds the frozen bytes of the thread's prefix; `passed` is the pager's
 * (`pager/policy.ts`).
 */
import type { ThreadId } from "#shared/ids.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { buryPage } from "#kernel/vm/page-table.ts";
import type { PagerState } from "#kernel/vm/pager/policy.ts";

export interface EvictedRange {
  readonly page: number;
  readonly thread: ThreadId;
  readonly parent: number;
  readonly messages: number;
  readonly tokens: number;
  readonly firstAt: number;
  readonly lastAt: number;
  /** Inferences of the process when it left. */
  readonly inferences: number;
  /** How many of its messages were forgotten when its summary was made. */
  readonly forgotten: number;
  readonly hints: readonly string[];
}

type RangeRow = {
  page: number;
  thread: string;
  parent: number;
  messages: number;
  tokens: number;
  first_at: number;
  last_at: number;
  inferences: number;
  forgotten: number;
  hints: string;
};

function readRow(row: RangeRow): EvictedRange {
  return {
    page: row.page,
    thread: row.thread as ThreadId,
    parent: row.parent,
    messages: row.messages,
    tokens: row.tokens,
    firstAt: row.first_at,
    lastAt: row.last_at,
    inferences: row.inferences,
    forgotten: row.forgotten,
    hints: JSON.parse(row.hints) as string[],
  };
}

export function putRange(kernel: Kernel, range: EvictedRange): void {
  kernel.sql.exec(
    "INSERT OR REPLACE INTO evictions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    range.page,
    range.thread,
    range.parent,
    range.messages,
    range.tokens,
    range.firstAt,
    range.lastAt,
    range.inferences,
    range.forgotten,
    JSON.stringify(range.hints),
  );
}

/** The ranges of a thread's stub, or those folded into the range of page `parent`; oldest first. */
export function rangesOf(kernel: Kernel, thread: ThreadId, parent = 0): EvictedRange[] {
  return kernel.sql
    .exec<RangeRow>("SELECT * FROM evictions WHERE thread = ? AND parent = ? ORDER BY first_at, page", thread, parent)
    .toArray()
    .map(readRow);
}

export function findRange(kernel: Kernel, page: number): EvictedRange | null {
  const row = kernel.sql.exec<RangeRow>("SELECT * FROM evictions WHERE page = ?", page).toArray()[0];
  return row === undefined ? null : readRow(row);
}

/** What a deleted thread leaves behind goes with it: its frozen bytes, and the summaries of its ranges. Their members stay. */
export function dropBody(kernel: Kernel, thread: ThreadId): void {
  kernel.sql.exec("DELETE FROM bodies WHERE thread = ?", thread);
  const ranges = kernel.sql.exec<{ page: number }>("DELETE FROM evictions WHERE thread = ? RETURNING page", thread);
  for (const { page } of ranges.toArray()) buryPage(kernel, page);
  kernel.prompts.delete(thread);
}

export function dropRange(kernel: Kernel, page: number): void {
  kernel.sql.exec("DELETE FROM evictions WHERE page = ?", page);
}

/** Every range of the process, for an export; one that took others in comes before them. */
export function allRanges(kernel: Kernel): EvictedRange[] {
  return kernel.sql.exec<RangeRow>("SELECT * FROM evictions ORDER BY page DESC").toArray().map(readRow);
}

/** What is frozen in front of a thread's messages. */
export interface FrozenBody {
  readonly thread: ThreadId;
  readonly pinned: string;
  readonly pinnedVersion: number;
  readonly stub: string;
  readonly passed: PagerState["passed"];
}

type BodyRow = { thread: string; pinned: string; pinned_version: number; stub: string; passed: string };

export function readBody(kernel: Kernel, thread: ThreadId): FrozenBody | null {
  const row = kernel.sql.exec<BodyRow>("SELECT * FROM bodies WHERE thread = ?", thread).toArray()[0];
  if (row === undefined) return null;
  return {
    thread,
    pinned: row.pinned,
    pinnedVersion: row.pinned_version,
    stub: row.stub,
    passed: JSON.parse(row.passed) as PagerState["passed"],
  };
}

export function writeBody(kernel: Kernel, body: FrozenBody): void {
  kernel.sql.exec(
    "INSERT OR REPLACE INTO bodies VALUES (?, ?, ?, ?, ?)",
    body.thread,
    body.pinned,
    body.pinnedVersion,
    body.stub,
    JSON.stringify(body.passed),
  );
}

/** Threads whose pinned text was frozen before this version. */
export function threadsFrozenBefore(kernel: Kernel, version: number): ThreadId[] {
  return kernel.sql
    .exec<{ thread: string }>("SELECT thread FROM bodies WHERE pinned_version < ? ORDER BY thread", version)
    .toArray()
    .map((row) => row.thread as ThreadId);
}
