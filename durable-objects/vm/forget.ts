/**
 * Forget: deletes a page for good.
 *
 * The page becomes a tombstone that is written to D1 over its body. What was made from it goes too: the turn that carried
 * the same words, and, in every run that created, showed or quoted the page, the instruction, answer, step results, event
 * chunks and messages. Runs that merely had it in their prompt are scrubbed when their answer repeats its words. (Time
 * Travel of D1 and point-in-time recovery of the object keep 30 days; the docs say so.)
 */
import type { RunId } from "#shared/ids.ts";
import { composePageHandle } from "#shared/ids.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { notePages } from "#kernel/proc/live-run.ts";
import type { ResidentPage } from "#kernel/vm/page.ts";
import { buryPage } from "#kernel/vm/page-table.ts";
import { FORGOTTEN, repeats } from "#kernel/vm/repeats.ts";
import { scrubRun } from "#kernel/vm/scrub.ts";

/** Forgets one page; call it inside a transaction. Answers the numbers of all pages that went. */
export function forgetPage(kernel: Kernel, page: ResidentPage): number[] {
  const runs = scrubbedRuns(kernel, page);
  const gone = new Set([page.number, ...sameWords(kernel, page, runs)]);
  for (const number of gone) buryPage(kernel, number);
  for (const run of runs) forgetInRun(kernel, run, page);
  kernel.sql.exec(
    "UPDATE messages SET content = ?, tool_calls = NULL, page = NULL WHERE page IN (SELECT value FROM json_each(?))",
    FORGOTTEN,
    JSON.stringify([...gone]),
  );
  scrubReplies(kernel, page);
  return [...gone];
}

/** An ended run is scrubbed at once; a live one, such as the one that forgets, when it ends (`proc/retire.ts`). */
function forgetInRun(kernel: Kernel, run: RunId, page: ResidentPage): void {
  const live = kernel.live.get(run);
  if (live === undefined) return scrubRun(kernel, run, false);
  notePages(kernel, run, [page.number], "forgotten");
  live.scrub = true;
  live.forgotten.push(page.text);
}

/**
 * Runs that created, showed or quoted the page; those that had it mapped and repeat its words; and those that have it mapped
 * and are still under way, whose answer nobody knows yet.
 */
function scrubbedRuns(kernel: Kernel, page: ResidentPage): RunId[] {
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
    .filter((row) => row.how === 1 || kernel.live.has(row.run as RunId) || repeats(row.words, page.text))
    .map((row) => row.run as RunId);
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
  return rows
    .filter((row) => {
      const beside = row.run === page.run && row.evidence === 0;
      return beside || (row.text !== null && (repeats(row.text, page.text) || row.text.includes(tag)));
    })
    .map((row) => row.number);
}

/** Remembered replies of `POST /v1/memory` that show the page. */
function scrubReplies(kernel: Kernel, page: ResidentPage): void {
  kernel.sql.exec(
    "DELETE FROM replies WHERE key LIKE 'page %' AND reply ->> '$.handle' = ?",
    composePageHandle(page.number),
  );
}
