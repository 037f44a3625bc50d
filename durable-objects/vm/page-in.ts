/**
 * Page in: maps the pages an instruction needs into the tail of this run's prompt.
 *
 * Pages named by handle come first, then the best of a search over the process's own pages, until the tail's token budget is
 * full. Questions, the process's own answers and this run's own turn are never mapped as evidence. When D1 does not answer,
 * the run goes on with the resident pages and the trace says so.
 */
import { composePageHandle } from "#shared/ids.ts";
import { PAGES_MAPPED, TAIL_TOKENS } from "#shared/limits.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { emit } from "#kernel/proc/events.ts";
import { noteTail, type LiveRun } from "#kernel/proc/live-run.ts";
import type { TraceData } from "#kernel/proc/trace.ts";
import { fault } from "#kernel/vm/fault.ts";
import { withoutDuplicates } from "#kernel/vm/near-duplicates.ts";
import type { ResidentPage } from "#kernel/vm/page.ts";
import { pinnedItems } from "#kernel/vm/pinned.ts";
import { refreshBlocks } from "#kernel/vm/shared-blocks.ts";
import { readPages } from "#kernel/vm/page-table.ts";
import { noteReferences, pageFrame } from "#kernel/vm/reference-log.ts";
import { currentFirst } from "#kernel/vm/supersede.ts";

export async function pageIn(kernel: Kernel, run: LiveRun, data: TraceData): Promise<void> {
  if (run.instruction.kind === "command") return;
  await refreshBlocks(kernel);
  const hits = kernel.index.search({
    text: run.query,
    limit: PAGES_MAPPED,
    now: kernel.now(),
    filter: (page) => kernel.index.isEvidence(page),
  });
  const scores = new Map(hits.map((hit) => [hit.page, hit.score]));
  const hit = currentFirst(kernel, [...scores.keys()], run.query, kernel.now());
  const wanted = [...new Set([...run.named, ...hit])];
  const found = await fault(kernel, wanted);
  const pages = found.ok ? found.value.pages : residentOnly(kernel, wanted);
  const mapped = withinBudget(
    withoutDuplicates(
      pages.filter((page) => page.run !== run.id),
      new Set(run.named),
    ),
  );
  run.tail = mapped.map((page) => page.number);
  for (const number of run.tail) run.mapped.add(number);
  for (const page of mapped) noteReferences(kernel, run, "tail", [pageFrame(page)], whyMapped(run, page));
  // Pinned pages stand in the prompt too, so an answer may cite them, and forgetting one concerns this run.
  for (const item of pinnedItems(kernel)) if (item.shown && item.page !== null) run.mapped.add(item.page);
  noteTail(kernel, run.id, [...run.mapped]); // with what an earlier instance had mapped
  Object.assign(data, {
    pages: mapped.length,
    tokens: mapped.reduce((sum, page) => sum + page.tokens, 0),
    major: found.ok ? found.value.major : 0,
    ...(found.ok ? {} : { degraded: found.error.code }),
  });
  emit(kernel, run, {
    type: "data-page-in",
    data: {
      pages: mapped.map((page) => ({
        handle: composePageHandle(page.number),
        tokens: page.tokens,
        score: scores.get(page.number) ?? null,
        why: whyMapped(run, page),
      })),
      major: found.ok ? found.value.major : 0,
    },
  });
}

function whyMapped(run: LiveRun, page: ResidentPage): "named" | "search" {
  return run.named.includes(page.number) ? "named" : "search";
}

function residentOnly(kernel: Kernel, numbers: readonly number[]): ResidentPage[] {
  return readPages(kernel, numbers).filter((page): page is ResidentPage => page.text !== null);
}

function withinBudget(pages: readonly ResidentPage[]): ResidentPage[] {
  let tokens = 0;
  return pages.filter((page) => {
    if (tokens + page.tokens > TAIL_TOKENS) return false;
    tokens += page.tokens;
    return true;
  });
}
