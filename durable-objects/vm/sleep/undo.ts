/**
 * Undo: takes sleep-time work back, one change or all of it, so that what is visible is as it was before.
 *
 * A page that sleep made goes (what rests on it is undone first), a mark that sleep set is set back, unless something else
 * set it since. What was undone is not done again. A page that the person has edited since is theirs and stays.
 */
import { failure } from "#shared/errors.ts";
import { failed, success, type Result } from "#shared/result.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { transact } from "#kernel/proc/transact.ts";
import { flushSoon } from "#kernel/vm/flush.ts";
import { buryPage, markPage, readPages } from "#kernel/vm/page-table.ts";
import { forgetReferences } from "#kernel/vm/reference-log.ts";
import { auditsOn, findAudit, listAudit, setAuditState, type AuditEntry } from "#kernel/vm/sleep/audit.ts";

const BATCH = 200;

/** Takes back one change, or all; answers the ids of what was undone. */
export function undoSleep(kernel: Kernel, entry: number | null): Result<readonly number[]> {
  const undone: number[] = [];
  if (entry !== null) {
    const found = findAudit(kernel, entry);
    if (found === null) return failed(failure("not_found", "There is no such entry in the audit."));
    if (found.state === "kept") return failed(failure("conflict", "The page was edited since; it is yours now."));
    transact(kernel, () => undoEntry(kernel, found, undone));
  } else {
    for (let before: number | null = null; ;) {
      const batch = listAudit(kernel, BATCH, before);
      const last = batch.at(-1);
      if (last === undefined) break;
      before = last.id;
      transact(kernel, () => {
        for (const { id } of batch) {
          const still = findAudit(kernel, id);
          if (still !== null) undoEntry(kernel, still, undone);
        }
      });
    }
  }
  if (undone.length > 0) flushSoon(kernel);
  return success(undone);
}

/** Takes back one change that is done; call it inside a transaction. Notes what was undone in `undone`. */
export function undoEntry(kernel: Kernel, entry: AuditEntry, undone: number[]): void {
  if (entry.state !== "done") return;
  setAuditState(kernel, entry.id, "undone");
  undone.push(entry.id);
  const [page] = readPages(kernel, [entry.page]);
  if (page === undefined) return;
  if (entry.rule !== "fact") {
    // What was found stale is not to be found so again when something else is written.
    if (entry.rule === "stale") kernel.sql.exec("DELETE FROM claims WHERE page = ?", entry.page);
    if (page.superseded_by === entry.after) markPage(kernel, entry.page, { superseded_by: entry.before });
    return;
  }
  for (const other of auditsOn(kernel, entry.page)) undoEntry(kernel, other, undone);
  removeDerived(kernel, entry.page);
}

/** Takes a page that sleep made out of the memory; what it took the place of holds again. */
function removeDerived(kernel: Kernel, number: number): void {
  buryPage(kernel, number);
  forgetReferences(kernel, number);
}
