/**
 * Fsck of tables: what the object alone can tell: counters, runs, messages, provenance, successors, notes and the index's size.
 *
 * Each check is one statement over an index or one pass over a table, however many pages there are.
 */
import type { Divergence } from "#shared/fsck.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { raiseCounter, readCounter } from "#kernel/proc/counters.ts";
import { transact } from "#kernel/proc/transact.ts";
import { flushSoon } from "#kernel/vm/flush.ts";
import { note, type Findings } from "#kernel/vm/fsck/fsck-findings.ts";
import { markPage, requeuePage } from "#kernel/vm/page-table.ts";

export function checkTables(kernel: Kernel, findings: Findings): void {
  transact(kernel, () => {
    checkCounter(kernel, findings);
    checkDirty(kernel, findings);
    checkLinks(kernel, findings);
    checkStrays(kernel, findings);
  });
  const living =
    numbers(kernel, "SELECT COUNT(*) AS number FROM pages WHERE deleted = 0 AND entry IS NOT NULL")[0] ?? 0;
  if (kernel.index.size > living) note(findings, "index-stray", null, () => kernel.index.rebuild());
}

function numbers(kernel: Kernel, query: string): number[] {
  return kernel.sql
    .exec<{ number: number }>(query)
    .toArray()
    .map((row) => row.number);
}

function checkCounter(kernel: Kernel, findings: Findings): void {
  const highest = numbers(kernel, "SELECT COALESCE(MAX(number), 0) AS number FROM pages")[0] ?? 0;
  if (readCounter(kernel, "page") < highest) {
    note(findings, "counter-behind", highest, () => raiseCounter(kernel, "page", highest));
  }
}

function checkDirty(kernel: Kernel, findings: Findings): void {
  const timed = kernel.sql.exec("SELECT 1 FROM timers WHERE name = 'flush'").toArray().length > 0;
  const [first] = numbers(kernel, "SELECT number FROM pages WHERE dirty = 1 ORDER BY number LIMIT 1");
  if (first !== undefined && !timed && kernel.flushing === null) {
    note(findings, "dirty-forever", first, () => flushSoon(kernel));
  }
  for (const number of numbers(kernel, "SELECT number FROM pages WHERE deleted = 1 AND dirty = 0")) {
    note(findings, "tombstone-stuck", number, () => requeuePage(kernel, number, null, 1));
  }
}

function checkLinks(kernel: Kernel, findings: Findings): void {
  const lost = numbers(
    kernel,
    `SELECT number FROM pages WHERE deleted = 0 AND superseded_by IS NOT NULL
     AND superseded_by NOT IN (SELECT number FROM pages WHERE deleted = 0)`,
  );
  for (const number of lost) {
    note(findings, "successor-stray", number, () => markPage(kernel, number, { superseded_by: null }));
  }
  const made = kernel.sql
    .exec<{ number: number; kept: string }>(
      `SELECT page.number, json_group_array(source.value) FILTER (WHERE source.value IN (SELECT number FROM pages WHERE deleted = 0)) AS kept
       FROM pages AS page, json_each(page.provenance) AS source
       WHERE page.deleted = 0 AND page.provenance <> '[]' GROUP BY page.number
       HAVING COUNT(*) > COUNT(*) FILTER (WHERE source.value IN (SELECT number FROM pages WHERE deleted = 0))`,
    )
    .toArray();
  for (const { number, kept } of made) {
    note(findings, "provenance-stray", number, () => markPage(kernel, number, { provenance: kept }));
  }
}

/** Runs of another process whose pages or messages were imported. */
const IMPORTED = "SELECT run FROM pages WHERE run IS NOT NULL UNION SELECT run FROM messages WHERE run IS NOT NULL";
const LIVING = "SELECT number FROM pages WHERE deleted = 0";

/** Rows of other tables that speak of what does not exist, and how they are mended. */
const STRAYS: readonly {
  readonly kind: Divergence;
  readonly table: string;
  readonly where: string;
  readonly mend: string;
}[] = [
  {
    kind: "run-stray",
    table: "run_pages",
    where: `run NOT IN (SELECT id FROM runs) AND run NOT IN (${IMPORTED})`,
    mend: "DELETE FROM run_pages",
  },
  {
    kind: "message-stray",
    table: "messages",
    where: `page IS NOT NULL AND page NOT IN (${LIVING})`,
    mend: "UPDATE messages SET page = NULL",
  },
  { kind: "note-stray", table: "statements", where: `page NOT IN (${LIVING})`, mend: "DELETE FROM statements" },
  { kind: "note-stray", table: "claims", where: `page NOT IN (${LIVING})`, mend: "DELETE FROM claims" },
];

function checkStrays(kernel: Kernel, findings: Findings): void {
  for (const { kind, table, where, mend } of STRAYS) {
    const pages = numbers(kernel, `SELECT DISTINCT page AS number FROM ${table} WHERE ${where}`);
    // The first statement mends them all; the others are counted with it.
    for (const [index, page] of pages.entries()) {
      note(findings, kind, page, () => {
        if (index === 0) kernel.sql.exec(`${mend} WHERE ${where}`);
      });
    }
  }
}
