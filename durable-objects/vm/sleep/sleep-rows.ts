/**
 * Sleep rows: what sleep-time work knows, in exports and imports: its settings, how far it came, and the audit.
 *
 * An entry of the audit is taken when the pages it names are here by the handles of the export; the cursor when as many pages
 * lie before it. So a process that was moved as a whole goes on where it was, and one that took pages in beside its own looks
 * at them anew.
 */
import { z } from "zod";
import { composePageHandle, pageNumber, parsePageHandle } from "#shared/ids.ts";
import { SLEEP_MODEL_TOKENS_MOST } from "#shared/limits.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { readMeta } from "#kernel/proc/schema.ts";
import { provenanceOf } from "#kernel/vm/page.ts";
import { readPages } from "#kernel/vm/page-table.ts";
import { auditsAfter, noteAudit, type AuditEntry } from "#kernel/vm/sleep/audit.ts";
import { isDerived } from "#kernel/vm/sleep/consolidate.ts";
import { changeSleep, moveCursor, readCursor, sleepSettings, type SleepCursor } from "#kernel/vm/sleep/settings.ts";

const handle = z.string().max(16);
const place = z.strictObject({ after: handle.nullable(), pages: z.int().min(0) });

export const sleepRow = z.strictObject({
  type: z.literal("sleep"),
  enabled: z.boolean(),
  modelTokensPerDay: z.int().min(0).max(SLEEP_MODEL_TOKENS_MOST),
  rules: place,
  model: place,
});

export const auditRow = z.strictObject({
  type: z.literal("audit"),
  at: z.iso.datetime(),
  rule: z.enum(["fact", "duplicate", "stale"]),
  model: z.string().max(200).nullable(),
  key: z.string().min(1).max(200),
  page: handle,
  source: handle,
  before: handle.nullable(),
  after: handle.nullable(),
  state: z.enum(["done", "undone", "kept"]),
});

const BATCH = 100;

const handleOf = (number: number | null): string | null => (number === null ? null : composePageHandle(number));

function pagesUpTo(kernel: Kernel, number: number): number {
  const count = "SELECT COUNT(*) AS pages FROM pages WHERE deleted = 0 AND number <= ?";
  return kernel.sql.exec<{ pages: number }>(count, number).one().pages;
}

function placeOf(kernel: Kernel, name: SleepCursor): z.infer<typeof place> {
  const cursor = readCursor(kernel, name);
  return { after: cursor === 0 ? null : composePageHandle(cursor), pages: pagesUpTo(kernel, cursor) };
}

/** Nothing for a process that never slept and was never told how to. */
export function* exportSleep(kernel: Kernel): Generator<object[]> {
  for (let after = 0; ;) {
    const batch = auditsAfter(kernel, after, BATCH);
    if (batch.length > 0) yield batch.map(exportEntry);
    if (batch.length < BATCH) break;
    after = batch.at(-1)?.id ?? after;
  }
  if (readMeta(kernel.sql, "sleep") === null && readCursor(kernel, "sleep-cursor") === 0) return;
  const [rules, model] = [placeOf(kernel, "sleep-cursor"), placeOf(kernel, "sleep-model-cursor")];
  yield [{ type: "sleep", ...sleepSettings(kernel), rules, model }];
}

function exportEntry(entry: AuditEntry): z.infer<typeof auditRow> {
  return {
    type: "audit",
    at: new Date(entry.at).toISOString(),
    rule: entry.rule,
    model: entry.model,
    key: entry.key,
    page: composePageHandle(entry.page),
    source: composePageHandle(entry.source),
    before: handleOf(entry.before),
    after: handleOf(entry.after),
    state: entry.state,
  };
}

function numberOf(text: string | null): number | null {
  const parsed = text === null ? null : parsePageHandle(text);
  return parsed === null ? null : pageNumber(parsed);
}

export function restoreSleep(kernel: Kernel, row: z.infer<typeof sleepRow>): void {
  if (readMeta(kernel.sql, "sleep") === null) {
    changeSleep(kernel, { enabled: row.enabled, modelTokensPerDay: row.modelTokensPerDay });
  }
  for (const [name, { after, pages }] of [
    ["sleep-cursor", row.rules],
    ["sleep-model-cursor", row.model],
  ] as const) {
    const cursor = numberOf(after);
    if (cursor !== null && pagesUpTo(kernel, cursor) === pages) moveCursor(kernel, name, cursor);
  }
}

/** Whether a page is as this change left it. */
function shows(
  kernel: Kernel,
  rule: AuditEntry["rule"],
  { page, source, after }: Pick<AuditEntry, "page" | "source" | "after">,
): boolean {
  const [found] = readPages(kernel, [page]);
  if (found === undefined) return false;
  return rule === "fact"
    ? found.kind === "fact" && isDerived(found) && provenanceOf(found).includes(source)
    : found.superseded_by === after;
}

/** Answers why an entry cannot be taken, or null. */
export function restoreAudit(kernel: Kernel, row: z.infer<typeof auditRow>): string | null {
  const page = numberOf(row.page);
  const source = numberOf(row.source);
  if (page === null || source === null) return "page: not a handle";
  const named = row.state === "undone" ? [source] : [page, source];
  if (readPages(kernel, named).length < new Set(named).size) return "page: not in this process";
  const [before, after] = [numberOf(row.before), numberOf(row.after)];
  // A handle may be another page's here, and undoing must never touch that.
  if (row.state === "done" && !shows(kernel, row.rule, { page, source, after })) return "page: another one here";
  const { rule, model, key, state } = row;
  noteAudit(kernel, { rule, model, key, page, source, before, after, state, at: Date.parse(row.at) });
  return null;
}
