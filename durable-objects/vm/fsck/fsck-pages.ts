/**
 * Fsck of pages: each page against its row in D1 and its index entry, and each row of D1 against the page table.
 *
 * What must hold: only pages that were clean before and after D1 was asked, at one version, are judged; a tombstone in D1 wins
 * over a living page, because forgetting is never undone.
 */
import { composePageHandle, pageNumber, parsePageHandle } from "#shared/ids.ts";
import { FSCK_CHUNK } from "#shared/limits.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { transact } from "#kernel/proc/transact.ts";
import { forgetPage } from "#kernel/vm/forget/forget.ts";
import { note, type Findings } from "#kernel/vm/fsck/fsck-findings.ts";
import type { PageRow, ResidentPage } from "#kernel/vm/page.ts";
import { isKnown, pagesAfter, reindexPage, requeuePage } from "#kernel/vm/page-table.ts";
import { hasStatements, isRemembered, noteStatements } from "#kernel/vm/statements/statement-table.ts";
import { buryInSwap, listSwap, readSwapRows, type SwapRow } from "#kernel/vm/swap.ts";

/** Checks the next chunk of pages; answers where to go on, or null at the end. */
export async function checkPages(kernel: Kernel, after: string, findings: Findings): Promise<string | null> {
  const from = after === "" ? 0 : Number.parseInt(after, 36);
  const before = pagesAfter(kernel, from, FSCK_CHUNK);
  const last = before.at(-1);
  if (last === undefined) return null;
  const stored = await readSwapRows(
    kernel,
    before.filter((page) => page.dirty === 0).map((page) => page.number),
  );
  transact(kernel, () => {
    const now = new Map(pagesAfter(kernel, from, FSCK_CHUNK).map((page) => [page.number, page]));
    for (const page of before) {
      findings.checked += 1;
      const current = now.get(page.number);
      if (current === undefined) continue;
      if (current.dirty === 1) findings.pending += 1;
      checkIndex(kernel, current, stored.get(page.number), findings);
      if (page.dirty === 0 && current.dirty === 0 && current.version === page.version) {
        checkStored(kernel, current, stored.get(page.number), findings);
      }
    }
  });
  if (findings.rebuild) kernel.index.rebuild();
  findings.rebuild = false;
  return before.length < FSCK_CHUNK ? null : last.number.toString(36);
}

function isResident(page: PageRow): page is ResidentPage {
  return page.text !== null;
}

function checkStored(kernel: Kernel, page: PageRow, row: SwapRow | undefined, findings: Findings): void {
  const { number } = page;
  const requeue = (version: number) => (): void => requeuePage(kernel, number, version, 1);
  if (row === undefined) {
    if (isResident(page)) return note(findings, "missing-in-d1", number, requeue(page.version));
    return note(findings, "body-lost", number, null);
  }
  if (row.deleted === 1) {
    return note(findings, "forgotten-in-d1", number, () => {
      requeuePage(kernel, number, row.version, 1); // its tombstone must outrank the one there
      forgetPage(kernel, { ...page, text: page.text ?? "" });
    });
  }
  if (row.version < page.version) return note(findings, "stale-in-d1", number, requeue(page.version));
  if (row.version > page.version) {
    // Where the body is only there, what is there holds; what was here and is not is lost to the newer.
    const mend = isResident(page) ? requeue(row.version + 1) : () => requeuePage(kernel, number, row.version, 0);
    return note(findings, "ahead-in-d1", number, mend);
  }
  if (isResident(page) && row.body !== page.text) note(findings, "body-differs", number, requeue(page.version + 1));
}

function checkIndex(kernel: Kernel, page: PageRow, row: SwapRow | undefined, findings: Findings): void {
  const text = page.text ?? (row?.deleted === 0 && row.version >= page.version ? row.body : null);
  if (text === null) return;
  const whole: ResidentPage = { ...page, text };
  const state = kernel.index.verify(whole);
  const mend = (): void => {
    reindexPage(kernel, whole);
    findings.rebuild = true;
  };
  if (state !== "current") note(findings, state === "missing" ? "not-indexed" : "index-stale", page.number, mend);
  if (isRemembered(page.kind) && !hasStatements(kernel, page.number)) {
    note(findings, "not-noted", page.number, () => noteStatements(kernel, whole));
  }
}

/** Checks the next chunk of D1's rows; answers where to go on, or null at the end. */
export async function checkOrphans(kernel: Kernel, after: string, findings: Findings): Promise<string | null> {
  const rows = await listSwap(kernel, after, FSCK_CHUNK);
  const orphans = rows.filter((row) => row.deleted === 0 && !isKnown(kernel, numberOf(row.handle)));
  for (const row of orphans) note(findings, "orphan-in-d1", numberOf(row.handle), null);
  if (findings.repair && orphans.length > 0) {
    await buryInSwap(kernel, orphans);
    findings.repaired += orphans.length;
  }
  findings.checked += rows.length;
  return rows.length < FSCK_CHUNK ? null : (rows.at(-1)?.handle ?? null);
}

function numberOf(handle: string): number {
  const parsed = parsePageHandle(handle);
  const number = parsed === null ? null : pageNumber(parsed);
  return number !== null && composePageHandle(number) === handle ? number : -1;
}
