/**
 * Forget document: deletes a document with all its pages, for good.
 *
 * Pages that a run, a message or another page refers to are forgotten one by one, with everything that was made from them; the
 * others become tombstones in batches. The document stays, marked, until its last page is gone, so that a deletion that was
 * cut off by a crash is finished by the timer.
 */
import { failure } from "#shared/errors.ts";
import type { DocumentId } from "#shared/ids.ts";
import { FORGET_BATCH_PAGES, FORGET_WAIT_MS } from "#shared/limits.ts";
import { errorName, logEvent } from "#shared/log.ts";
import { failed, success, type Result } from "#shared/result.ts";
import type { DocumentForgotten } from "#shared/schema/documents.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { setTimer } from "#kernel/proc/alarm.ts";
import { transact } from "#kernel/proc/transact.ts";
import { findDocument, NO_DOCUMENT, type DocumentRow } from "#kernel/vm/documents/documents.ts";
import { fault } from "#kernel/vm/fault.ts";
import { flush } from "#kernel/vm/flush.ts";
import { forgetInPrefixes } from "#kernel/vm/forget/forget-context.ts";
import { forgetPage } from "#kernel/vm/forget/forget.ts";
import { buryPage, readPages } from "#kernel/vm/page-table.ts";

/** Milliseconds after which a deletion that was cut off goes on. */
const AGAIN_MS = 30_000;

export async function forgetDocument(kernel: Kernel, id: DocumentId): Promise<Result<DocumentForgotten>> {
  const row = findDocument(kernel, id);
  if (row === null) return failed(NO_DOCUMENT);
  transact(kernel, () => {
    kernel.sql.exec(
      "UPDATE documents SET state = 'deleting', carry = NULL, title = NULL, name = '' WHERE id = ?",
      row.id,
    );
    kernel.sql.exec("DELETE FROM replies WHERE key LIKE 'document %' AND reply = ?", row.id);
    setTimer(kernel, "documents", kernel.now() + AGAIN_MS);
  });
  const { pages } = row;
  const going = forgetPages(kernel, row);
  // What is not done in time goes on; when it fails, or the object dies, the timer takes it up.
  kernel.background(going.then(() => flush(kernel), noteFailure));
  let stop = (): void => undefined;
  const waited = new Promise<"waited">((resolve) => {
    const timer = setTimeout(() => resolve("waited"), FORGET_WAIT_MS);
    stop = () => clearTimeout(timer);
  });
  const gone = await Promise.race([going, waited]).finally(() => stop());
  if (gone === false) return failed(failure("overloaded", "The document is being deleted; look again later.", 1));
  return success({ forgotten: row.id, pages, done: gone === true });
}

function noteFailure(error: unknown): void {
  logEvent("forget-document-failed", { error: errorName(error) }, "error");
}

/** Goes on with deletions that were cut off. */
export async function finishForgetting(kernel: Kernel): Promise<void> {
  const rows = kernel.sql.exec<DocumentRow>("SELECT * FROM documents WHERE state = 'deleting'").toArray();
  for (const row of rows) if (!(await forgetPages(kernel, row))) throw new Error("a page is out of reach");
  if (rows.length > 0) await flush(kernel);
}

/** False when some pages could not be read. */
async function forgetPages(kernel: Kernel, document: DocumentRow): Promise<boolean> {
  for (;;) {
    const numbers = kernel.sql
      .exec<{ number: number }>(
        "SELECT number FROM pages WHERE number BETWEEN ? AND ? AND session = ? AND deleted = 0 ORDER BY number LIMIT ?",
        document.first_page ?? 1,
        document.last_page ?? 0,
        document.id,
        FORGET_BATCH_PAGES,
      )
      .toArray()
      .map((row) => row.number);
    if (numbers.length === 0) break;
    const known = referredTo(kernel, numbers);
    // What repeats a page's words elsewhere can only be found with its words at hand.
    if (known.length > 0 && !(await fault(kernel, known)).ok) return false;
    transact(kernel, () => forgetBatch(kernel, numbers, new Set(known)));
    // Others get their turn between two batches.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  kernel.sql.exec("DELETE FROM documents WHERE id = ?", document.id);
  return true;
}

function forgetBatch(kernel: Kernel, numbers: readonly number[], known: ReadonlySet<number>): void {
  for (const page of readPages(kernel, numbers)) {
    if (known.has(page.number)) forgetPage(kernel, { ...page, text: page.text ?? "" });
    else buryPage(kernel, page.number);
  }
  forgetInPrefixes(kernel); // one of them may have been pinned once
}

/** Which of these pages anything else refers to: runs, their log, messages, pages made from them, pins. */
function referredTo(kernel: Kernel, numbers: readonly number[]): number[] {
  return kernel.sql
    .exec<{ page: number }>(
      `WITH asked AS (SELECT value AS page FROM json_each(?1))
       SELECT page FROM asked WHERE page IN (SELECT page FROM run_pages)
         OR page IN (SELECT mapped.value FROM runs, json_each(runs.tail) AS mapped)
         OR page IN (SELECT noted.value ->> 2 FROM page_references, json_each(page_references.pages) AS noted)
         OR page IN (SELECT page FROM messages WHERE page IS NOT NULL)
         OR page IN (SELECT made.value FROM pages, json_each(pages.provenance) AS made WHERE pages.provenance <> '[]')
         OR page IN (SELECT superseded_by FROM pages WHERE superseded_by IS NOT NULL)
         OR page IN (SELECT number FROM pages WHERE number IN (SELECT page FROM asked)
                     AND (pinned = 1 OR superseded_by IS NOT NULL OR run IS NOT NULL))`,
      JSON.stringify(numbers),
    )
    .toArray()
    .map((row) => row.page);
}
