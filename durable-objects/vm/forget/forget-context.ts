/**
 * Forget from context: takes what was forgotten out of everything the pager keeps of threads.
 *
 * `forgetFromContext(kernel, gone)` is called at the end of a forgetting, in its transaction, when the messages that said it are
 * scrubbed already. Summaries of ranges that lost a message are made anew from what is left, up to the ranges they were folded
 * into; pages of tools' results whose message was scrubbed go; stubs and prefixes that held any of it are frozen anew. Nothing
 * of it is in any later prompt.
 */
import type { ThreadId } from "#shared/ids.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { findRange, readBody, threadsFrozenBefore, type EvictedRange } from "#kernel/vm/pager/evictions.ts";
import { buryPage } from "#kernel/vm/page-table.ts";
import { pinFloor, refuseOlder } from "#kernel/vm/pinned/pin-changes.ts";
import { freezePrefix } from "#kernel/vm/context/prefix.ts";
import { forgetReferences } from "#kernel/vm/reference-log.ts";
import { FORGOTTEN } from "#kernel/vm/forget/repeats.ts";
import { rebuildRange } from "#kernel/vm/summary/summary-range.ts";

export function forgetFromContext(kernel: Kernel, gone: ReadonlySet<number>): void {
  forgetResults(kernel);
  const [threads, lost] = [new Set<ThreadId>(), new Set(gone)];
  for (let ranges = touchedRanges(kernel, gone); ranges.length > 0; ranges = parentsOf(kernel, ranges)) {
    for (const range of ranges) {
      if (!rebuildRange(kernel, range, lost)) lost.add(range.page);
      threads.add(range.thread);
    }
  }
  forgetInPrefixes(kernel, threads);
}

/** Freezes anew the prefixes of these threads, and every one that may hold what was just forgotten. */
export function forgetInPrefixes(kernel: Kernel, threads: ReadonlySet<ThreadId> = new Set()): void {
  refuseOlder(kernel);
  refreezeForgotten(kernel, threads);
}

/** Freezes anew the prefixes of these threads, and every one that holds pinned words that were forgotten. */
export function refreezeForgotten(kernel: Kernel, threads: ReadonlySet<ThreadId> = new Set()): void {
  for (const thread of new Set([...threads, ...threadsFrozenBefore(kernel, pinFloor(kernel))])) {
    const body = readBody(kernel, thread);
    if (body !== null) freezePrefix(kernel, thread, body.passed);
  }
}

/** Pages made of a tool's result whose message was scrubbed. */
function forgetResults(kernel: Kernel): void {
  const pages = kernel.sql
    .exec<{ number: number }>(
      `SELECT number FROM pages WHERE deleted = 0 AND kind = 'tool' AND run IN (
         SELECT run FROM messages WHERE role = 'tool' AND content = ? AND run IS NOT NULL)`,
      FORGOTTEN,
    )
    .toArray();
  for (const { number } of pages) {
    buryPage(kernel, number);
    forgetReferences(kernel, number);
  }
}

/** Ranges with a message that was forgotten since their summary was made, or that name a page that is gone. */
function touchedRanges(kernel: Kernel, gone: ReadonlySet<number>): EvictedRange[] {
  return kernel.sql
    .exec<{ page: number }>(
      `SELECT page FROM evictions WHERE forgotten < (
         SELECT COUNT(*) FROM messages WHERE messages.evicted = evictions.page AND content = ?1)
       UNION SELECT evictions.page FROM evictions JOIN pages ON pages.number = evictions.page, json_each(pages.provenance) AS member
         WHERE member.value IN (SELECT value FROM json_each(?2))`,
      FORGOTTEN,
      JSON.stringify([...gone]),
    )
    .toArray()
    .flatMap(({ page }) => findRange(kernel, page) ?? []);
}

function parentsOf(kernel: Kernel, ranges: readonly EvictedRange[]): EvictedRange[] {
  const parents = new Set(ranges.map((range) => range.parent).filter((parent) => parent > 0));
  return [...parents].flatMap((parent) => findRange(kernel, parent) ?? []);
}
