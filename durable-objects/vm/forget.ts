/**
 * Forget: deletes a page for good.
 *
 * The page becomes a tombstone that is written to D1 over its body. What was made from it goes too: the turn that carried
 * the same words, and, in every run that created, showed or quoted the page, the instruction, answer, step results, event
 * chunks and messages; and summaries, stubs and frozen prefixes are made anew without it (`forget-context.ts`). Runs that merely had it in their prompt are scrubbed when their answer repeats its words. (Time
 * Travel of D1 and point-in-time recovery of the object keep 30 days; the docs say so.)
 */
import type { RunId } from "#shared/ids.ts";
import { composePageHandle } from "#shared/ids.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { notePages } from "#kernel/proc/live-run.ts";
import { forgetFromContext } from "#kernel/vm/forget-context.ts";
import type { ResidentPage } from "#kernel/vm/page.ts";
import { buryPage } from "#kernel/vm/page-table.ts";
import { forgetReferences } from "#kernel/vm/reference-log.ts";
import { FORGOTTEN, repeats } from "#kernel/vm/repeats.ts";
import { scrubRun } from "#kernel/vm/scrub.ts";

/** Forgets one page; call it inside a transaction. Answers the numbers of all pages that went. */
export function forgetPage(kernel: Kernel, page: ResidentPage): number[] {
  const affected = affectedRuns(kernel, page);
  const runs = affected.map(({ run }) => run);
  const gone = new Set([page.number, ...sameWords(kernel, page, runs)]);
  for (const number of gone) {
    buryPage(kernel, number);
    forgetReferences(kernel, number);
  }
  for (const { run, touched } of affected) forgetInRun(kernel, run, page, touched);
  kernel.sql.exec(
    "UPDATE messages SET content = ?, tool_calls = NULL, page = NULL WHERE page IN (SELECT value FROM json_each(?))",
    FORGOTTEN,
    JSON.stringify([...gone]),
  );
  forgetFromContext(kernel, gone);
  scrubReplies(kernel, page);
  return [...gone];
}

/**
 * An ended run is scrubbed at once. A live one, such as the one that forgets, is scrubbed when it ends (`proc/retire.ts`): for
 * certain when it touched the page, and when it only had it mapped, if what it says repeats the page.
 */
function forgetInRun(kernel: Kernel, run: RunId, page: ResidentPage, touched: boolean): void {
  const live = kernel.live.get(run);
  if (live === undefined) return scrubRun(kernel, run, false);
  live.forgotten.push(page.text);
  if (!touched) {
    // What it inferred with the page in its prompt is not to be said again after a crash.
    kernel.sql.exec("DELETE FROM steps WHERE run = ? AND name LIKE 'infer %'", run);
    return;
  }
  notePages(kernel, run, [page.number], "forgotten");
  live.scrub = true;
}

/**
 * Runs that created, showed or quoted the page; those that had it mapped and repeat its words; and those that have it mapped
 * and are still under way, whose answer nobody knows yet.
 */
function affectedRuns(kernel: Kernel, page: ResidentPage): { readonly run: RunId; readonly touched: boolean }[] {
  const rows = kernel.sql
    .exec<{ run: string; how: number; words: string }>(
      `SELECT id AS run, MAX(how) AS how, output || ' ' || (instruction ->> '$.text') AS words FROM (
         SELECT run AS id, how <> 'mapped' AS how FROM run_pages WHERE page = ?1
         UNION SELECT runs.id, 0 FROM runs, json_each(runs.tail) AS mapped WHERE mapped.value = ?1
         UNION SELECT ?2, 1
       ) JOIN runs USING (id) GROUP BY id`,
      page.number,
      page.run,
    )
    .toArray();
  return rows
    .map((row) => ({ run: row.run as RunId, touched: row.how === 1 || repeats(row.words, page.text) }))
    .filter(({ run, touched }) => touched || kernel.live.has(run));
}

/**
 * Pages of the same runs (the turn that said it, the answer that repeated it) that carry the page's words. What the run that
 * wrote the page keeps beside it as no evidence is the same thing in other words.
 */
function sameWords(kernel: Kernel, page: ResidentPage, runs: readonly RunId[]): number[] {
  const rows = kernel.sql
    .exec<{ number: number; text: string | null; run: string; evidence: number }>(
      `SELECT number, text, run, evidence FROM pages WHERE deleted = 0 AND run IN (SELECT value FROM json_each(?)) AND kind IN ('turn', 'assistant')`,
      JSON.stringify(runs),
    )
    .toArray();
  const tag = `[${composePageHandle(page.number)}]`;
  const wrote = new Set([page.run, ...writers(kernel, page)]);
  return rows
    .filter((row) => {
      const beside = wrote.has(row.run) && row.evidence === 0;
      return beside || (row.text !== null && (repeats(row.text, page.text) || row.text.includes(tag)));
    })
    .map((row) => row.number);
}

/** Runs that said what the page says, the first and those that repeated it. */
function writers(kernel: Kernel, page: ResidentPage): string[] {
  return kernel.sql
    .exec<{ run: string }>("SELECT run FROM run_pages WHERE page = ? AND how = 'created'", page.number)
    .toArray()
    .map((row) => row.run);
}

/** Remembered replies of `POST /v1/memory` that show the page. */
function scrubReplies(kernel: Kernel, page: ResidentPage): void {
  kernel.sql.exec(
    "DELETE FROM replies WHERE key LIKE 'page %' AND reply ->> '$.handle' = ?",
    composePageHandle(page.number),
  );
}
