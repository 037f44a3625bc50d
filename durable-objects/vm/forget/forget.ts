/**
 * Forget: deletes a page for good.
 *
 * The page becomes a tombstone that is written to D1 over its body. What was made from it goes too: the turn that carried
 * the same words, and, in every run that created, showed or quoted the page, the instruction, answer, step results, event
 * chunks and messages; and the pages made from it; summaries, stubs and frozen prefixes are made anew without it
 * (`forget-context.ts`). Runs that merely had it in their prompt are scrubbed when their answer repeats its words. (Time
 * Travel of D1 and point-in-time recovery of the object keep 30 days; the docs say so.)
 */
import type { RunId } from "#shared/ids.ts";
import { composePageHandle } from "#shared/ids.ts";
import { FORGET_ANSWERS, QUERY_CHARACTERS } from "#shared/limits.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { notePages, type LiveRun } from "#kernel/proc/live-run.ts";
import { forgetFromContext } from "#kernel/vm/forget/forget-context.ts";
import { forgetInBlocks, remakeStanding, sourcesOf, standingFrom } from "#kernel/vm/pinned/forget-standing.ts";
import type { PageRow, ResidentPage } from "#kernel/vm/page.ts";
import { buryPage, readPages } from "#kernel/vm/page-table.ts";
import { forgetReferences } from "#kernel/vm/reference-log.ts";
import { FORGOTTEN, repeats } from "#kernel/vm/forget/repeats.ts";
import { scrubRun } from "#kernel/vm/forget/scrub.ts";
import { forgetAudit } from "#kernel/vm/sleep/audit.ts";

/** Forgets one page; call it inside a transaction. Answers the numbers of all pages that went. */
export function forgetPage(kernel: Kernel, page: ResidentPage): number[] {
  const gone = new Set<number>();
  const queue = [page, ...sourcesOf(kernel, page)];
  const standing: PageRow[] = [];
  for (const one of queue) {
    if (gone.has(one.number)) continue;
    const affected = [...affectedRuns(kernel, one), ...importedAnswers(kernel, one)];
    const same = sameWords(
      kernel,
      one,
      affected.map(({ run }) => run),
    );
    for (const number of [one.number, ...same]) gone.add(number);
    for (const { run, touched } of affected) forgetInRun(kernel, run, one, touched);
    const recognised = standingFrom(kernel, [one.number, ...same], page.text);
    standing.push(...recognised);
    queue.push(...madeFrom(kernel, [one.number, ...same]), ...recognised);
    scrubReplies(kernel, one);
  }
  for (const number of gone) {
    buryPage(kernel, number);
    forgetReferences(kernel, number);
    forgetAudit(kernel, number);
  }
  kernel.sql.exec(
    "UPDATE messages SET content = ?, tool_calls = NULL, page = NULL WHERE page IN (SELECT value FROM json_each(?))",
    FORGOTTEN,
    JSON.stringify([...gone]),
  );
  forgetInBlocks(kernel, page.text);
  for (const one of standing) remakeStanding(kernel, one, gone);
  forgetFromContext(kernel, gone);
  return [...gone];
}

/**
 * Pages made from these: what was drawn from them says it again. A summary of what left a prompt is made anew instead, and of
 * what was recognised as standing only that goes which repeats the page (`forget-standing.ts`).
 */
function madeFrom(kernel: Kernel, numbers: readonly number[]): ResidentPage[] {
  const rows = kernel.sql
    .exec<{ number: number }>(
      `SELECT DISTINCT number FROM pages, json_each(pages.provenance) AS source
       WHERE provenance <> '[]' AND deleted = 0 AND source.value IN (SELECT value FROM json_each(?))
       AND kind <> 'instruction' AND number NOT IN (SELECT page FROM evictions)`,
      JSON.stringify(numbers),
    )
    .toArray();
  return readPages(
    kernel,
    rows.map((row) => row.number),
  ).map((page) => ({ ...page, text: page.text ?? "" }));
}

/**
 * An ended run is scrubbed at once. A live one, such as the one that forgets, is scrubbed when it ends (`proc/retire.ts`): for
 * certain when it touched the page, and when it only had it mapped, if what it says repeats the page.
 */
function forgetInRun(kernel: Kernel, run: RunId, page: ResidentPage, touched: boolean): void {
  const live = kernel.live.get(run);
  if (live === undefined) return scrubRun(kernel, run, false);
  live.forgotten.push(page.text);
  scrubResults(live, page);
  if (!touched) {
    // What it inferred with the page in its prompt is not to be said again after a crash.
    kernel.sql.exec("DELETE FROM steps WHERE run = ? AND name LIKE 'infer %'", run);
    return;
  }
  notePages(kernel, run, [page.number], "forgotten");
  live.scrub = true;
}

/** What a live run's calls were answered of the page is in none of its later prompts. */
function scrubResults(live: LiveRun, page: ResidentPage): void {
  const handle = `"handle":"${composePageHandle(page.number)}"`;
  for (const [index, message] of live.messages.entries()) {
    if (message.role !== "tool") continue;
    if (!message.content.includes(handle) && !repeats(message.content, page.text)) continue;
    live.messages[index] = { ...message, content: JSON.stringify({ forgotten: true }) };
  }
}

/**
 * Runs that created, showed or quoted the page; those that had it mapped and repeat its words; and those that have it mapped
 * and are still under way, whose answer nobody knows yet.
 */
function affectedRuns(kernel: Kernel, page: ResidentPage): { readonly run: RunId; readonly touched: boolean }[] {
  const rows = kernel.sql
    .exec<{ run: string; how: number; words: string }>(
      `SELECT id AS run, MAX(how) AS how, COALESCE(output || ' ' || (instruction ->> '$.text'), '') AS words FROM (
         SELECT run AS id, how <> 'mapped' AS how FROM run_pages WHERE page = ?1
         UNION SELECT runs.id, 0 FROM runs, json_each(runs.tail) AS mapped WHERE mapped.value = ?1
         UNION SELECT ?2, 1
       ) LEFT JOIN runs USING (id) WHERE id IS NOT NULL GROUP BY id`,
      page.number,
      page.run,
    )
    .toArray();
  return rows
    .map((row) => ({ run: row.run as RunId, touched: row.how === 1 || repeats(row.words, page.text) }))
    .filter(({ run, touched }) => touched || kernel.live.has(run));
}

/** Runs of an import whose answers repeat the page: what was in their prompts is not exported. */
function importedAnswers(kernel: Kernel, page: ResidentPage): { readonly run: RunId; readonly touched: boolean }[] {
  const hits = kernel.index.search({
    text: page.text.slice(0, QUERY_CHARACTERS),
    limit: FORGET_ANSWERS,
    now: kernel.now(),
    kinds: ["assistant"],
  });
  return kernel.sql
    .exec<{ run: string; text: string | null }>(
      `SELECT run, text FROM pages WHERE run IS NOT NULL AND run NOT IN (SELECT id FROM runs)
       AND number IN (SELECT value FROM json_each(?))`,
      JSON.stringify(hits.map((hit) => hit.page)),
    )
    .toArray()
    .filter((row) => row.text !== null && repeats(row.text, page.text))
    .map((row) => ({ run: row.run as RunId, touched: true }));
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
