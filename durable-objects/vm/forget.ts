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
import { wake } from "#kernel/proc/events.ts";
import type { ResidentPage } from "#kernel/vm/page.ts";
import { buryPage } from "#kernel/vm/page-table.ts";
import { FORGOTTEN, repeats } from "#kernel/vm/repeats.ts";


/** Forgets one page; call it inside a transaction. Answers the numbers of all pages that went. */
export function forgetPage(kernel: Kernel, page: ResidentPage): number[] {
  const runs = scrubbedRuns(kernel, page);
  const gone = new Set([page.number, ...sameWords(kernel, page, runs)]);
  for (const number of gone) buryPage(kernel, number);
  for (const run of runs) {
    scrubRun(kernel, run);
    kernel.live.get(run)?.forgotten.push(page.text);
  }
  kernel.sql.exec(
    "UPDATE messages SET content = ?, tool_calls = NULL, page = NULL WHERE page IN (SELECT value FROM json_each(?))",
    FORGOTTEN,
    JSON.stringify([...gone]),
  );
  scrubReplies(kernel, page);
  return [...gone];
}

/** Runs that created, showed or quoted the page, and those that had it mapped and repeat its words. */
function scrubbedRuns(kernel: Kernel, page: ResidentPage): RunId[] {
  const rows = kernel.sql
    .exec<{ run: string; how: string; output: string }>(
      `SELECT run_pages.run AS run, MAX(how <> 'mapped') AS how, output FROM run_pages JOIN runs ON runs.id = run_pages.run
       WHERE page = ?1 GROUP BY run_pages.run
       UNION SELECT id, 1, output FROM runs WHERE id = ?2`,
      page.number,
      page.run,
    )
    .toArray();
  return rows.filter((row) => Number(row.how) === 1 || repeats(row.output, page.text)).map((row) => row.run as RunId);
}

/** Pages of the same runs (the turn that said it, the answer that repeated it) that carry the page's words. */
function sameWords(kernel: Kernel, page: ResidentPage, runs: readonly RunId[]): number[] {
  const rows = kernel.sql
    .exec<{ number: number; text: string | null; kind: string }>(
      `SELECT number, text, kind FROM pages WHERE deleted = 0 AND run IN (SELECT value FROM json_each(?)) AND kind IN ('turn', 'assistant')`,
      JSON.stringify(runs),
    )
    .toArray();
  const tag = `[${composePageHandle(page.number)}]`;
  return rows
    .filter((row) => row.text !== null && (repeats(row.text, page.text) || row.text.includes(tag)))
    .map((row) => row.number);
}

/** Takes every stored word out of a run; what is left says that it ran and that its content was forgotten. */
function scrubRun(kernel: Kernel, run: RunId): void {
  kernel.sql.exec(
    `UPDATE runs SET instruction = json_object('kind', 'language', 'text', ?1), output = CASE output WHEN '' THEN '' ELSE ?1 END,
     citations = '[]', conversation = NULL, error = NULL WHERE id = ?2`,
    FORGOTTEN,
    run,
  );
  kernel.sql.exec("UPDATE steps SET arguments = NULL, result = NULL WHERE run = ?", run);
  kernel.sql.exec("UPDATE messages SET content = ? WHERE run = ?", FORGOTTEN, run);
  kernel.sql.exec(
    `UPDATE messages SET tool_calls = (
       SELECT json_group_array(json_object('id', value ->> 'id', 'name', value ->> 'name', 'arguments', json('{}'))) FROM json_each(messages.tool_calls)
     ) WHERE run = ? AND tool_calls IS NOT NULL`,
    run,
  );
  scrubEvents(kernel, run);
  wake(kernel, run);
}

/** Event ids stay, so that a reader can still resume; text and data of the run's parts go. */
function scrubEvents(kernel: Kernel, run: RunId): void {
  kernel.sql.exec(
    `UPDATE events SET part = CASE
       WHEN part ->> '$.type' = 'text-delta' THEN json_set(part, '$.delta', ?1)
       WHEN part ->> '$.type' IN ('data-syscall', 'data-citation') THEN json_set(part, '$.data', json_object('forgotten', json('true')))
       WHEN part ->> '$.type' = 'error' THEN json_set(part, '$.errorText', ?1)
       ELSE part END
     WHERE run = ?2`,
    FORGOTTEN,
    run,
  );
}

/** Remembered replies of `POST /v1/memory` that show the page. */
function scrubReplies(kernel: Kernel, page: ResidentPage): void {
  kernel.sql.exec(
    "DELETE FROM replies WHERE key LIKE 'page %' AND reply ->> '$.handle' = ?",
    composePageHandle(page.number),
  );
}
