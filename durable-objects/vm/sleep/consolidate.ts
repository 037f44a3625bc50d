/**
 * Consolidate: one unit of sleep-time work: everything that the rules make of one page, in one transaction.
 *
 * A turn's telling sentences become pages of kind `fact` with the turn as their provenance, unless something remembered says
 * the same. A remembered page that says what an older one says takes its place. Nothing is dropped: pages are added and
 * marks are set, each with its row in the audit, and the cursor moves on with them.
 */
import type { Kernel } from "#kernel/kernel.ts";
import { noteClaims } from "#kernel/vm/statements/claim-table.ts";
import { rememberedAs } from "#kernel/vm/statements/near-duplicates.ts";
import type { PageRow, ResidentPage } from "#kernel/vm/page.ts";
import { insertPage, markPage, readPages, type PageDraft } from "#kernel/vm/page-table.ts";
import { factSentences } from "#kernel/vm/sleep/fact-sentences.ts";
import { isAudited, noteAudit } from "#kernel/vm/sleep/audit.ts";
import { isRemembered, keysOf, pagesSaying } from "#kernel/vm/statements/statement-table.ts";

/** Tag of a page that sleep made. */
export const DERIVED = "derived";

export function isDerived(page: Pick<PageRow, "tags">): boolean {
  return (JSON.parse(page.tags) as string[]).includes(DERIVED);
}

export interface Consolidated {
  facts: number;
  duplicates: number;
  stale: number;
}

/** Does what the rules say about a page; call it inside a transaction. The page must be living, its body at hand. */
export function consolidatePage(kernel: Kernel, page: ResidentPage, done: Consolidated): void {
  if (isTurn(page)) {
    for (const { ordinal, text } of factSentences(page.text)) {
      const key = `fact ${page.number}.${page.version} ${ordinal}`;
      if (addFact(kernel, page, text, { key, model: null }) !== null) done.facts += 1;
    }
  }
  if (isRemembered(page.kind)) done.duplicates += markRepeated(kernel, page);
  done.stale += markStale(kernel, page);
}

/**
 * Pages are held against what was said later when they are written (`claim-table.ts`); one that was written before that was done is
 * held against it now. Answers how many marks that set.
 */
function markStale(kernel: Kernel, page: ResidentPage): number {
  if (kernel.sql.exec("SELECT 1 FROM claims WHERE page = ? LIMIT 1", page.number).toArray().length > 0) return 0;
  const marks = new Map(
    noteClaims(kernel, page, page.superseded_by !== null).map(({ number, superseded_by }) => [number, superseded_by]),
  );
  let marked = 0;
  for (const { number, superseded_by: before } of readPages(kernel, [...marks.keys()])) {
    const after = marks.get(number) ?? null;
    if (after === before || after === null) continue;
    const key = `stale ${number} ${after}`;
    const entry = { rule: "stale", model: null, key, page: number, source: after, before, after } as const;
    if (!noteAudit(kernel, entry)) continue;
    markPage(kernel, number, { superseded_by: after });
    marked += 1;
  }
  return marked;
}

/** What a person said, here or in an imported conversation. */
function isTurn(page: PageRow): boolean {
  return page.kind === "turn" && page.evidence === 1 && (page.role === "user" || page.role === null);
}

/** Makes a fact page from a page, or answers null when that was done before or says nothing new. */
export function addFact(
  kernel: Kernel,
  page: ResidentPage,
  text: string,
  by: { readonly key: string; readonly model: string | null },
): ResidentPage | null {
  if (isAudited(kernel, by.key)) return null;
  const draft: PageDraft = {
    kind: "fact",
    text,
    role: page.role,
    speaker: page.speaker,
    source: page.source,
    at: page.at,
    at_text: page.at_text,
    zoned: page.zoned,
    thread: page.thread,
    run: page.run,
    evidence: 1,
    tags: [DERIVED],
    provenance: [page.number],
  };
  if (rememberedAs(kernel, draft) !== null) return null;
  const fact = insertPage(kernel, draft);
  noteAudit(kernel, { rule: "fact", ...by, page: fact.number, source: page.number, before: null, after: null });
  markRepeated(kernel, fact);
  return fact;
}

/** Marks older pages that say no more than this one. Answers how many. */
function markRepeated(kernel: Kernel, page: ResidentPage): number {
  if (page.superseded_by !== null) return 0;
  const { whole } = keysOf(page);
  let marked = 0;
  for (const older of readPages(kernel, pagesSaying(kernel, page))) {
    const same = older.text !== null && keysOf({ ...older, text: older.text }).whole === whole;
    if (!same || older.number >= page.number || older.kind !== page.kind || older.superseded_by !== null) continue;
    if (older.pinned === 1 || (older.source ?? page.source) !== (page.source ?? older.source)) continue;
    const key = `duplicate ${older.number}.${older.version} ${page.number}.${page.version}`;
    const entry = { rule: "duplicate", model: null, key, page: older.number, source: page.number } as const;
    if (!noteAudit(kernel, { ...entry, before: null, after: page.number })) continue;
    markPage(kernel, older.number, { superseded_by: page.number });
    marked += 1;
  }
  return marked;
}
