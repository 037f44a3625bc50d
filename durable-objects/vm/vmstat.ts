/**
 * Vmstat: the process's memory in numbers.
 *
 * Pages, resident tokens and dirty pages are read from the page table, mapped tokens from the threads; faults, page-ins,
 * page-outs and evictions are counted since the process began. Of the residency of bodies: `minorFaults`, `majorFaults`,
 * `evictions`, `thrash`. Of the prompts: `contextFaults` (reads of pages that had left), `refaults` (such reads and citations),
 * `prematureEvictions`, `batches`, and the watermarks `lowTokens` and `highTokens` with the `growthTokens` of a call and the
 * prices they follow from.
 * `prefixCacheHitRatio` is what models reported as cached over all prompt tokens, `prefixSharedRatio` what consecutive prompts
 * of a thread began with in common: the most that a cache can have had.
 */
import type { VmStat } from "#shared/inspection.ts";
import { BODY_GROWTH_TOKENS, BODY_HIGHEST_TOKENS, BODY_LOW_TOKENS, BODY_LOWEST_TOKENS } from "#shared/limits.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { readCounters } from "#kernel/proc/counters.ts";
import { residentTokens } from "#kernel/vm/page-table.ts";
import { Pager } from "#kernel/vm/pager/policy.ts";
import { pricesOf } from "#kernel/vm/pager/prices.ts";
import { windowTokens } from "#kernel/vm/pager/window.ts";
import { pagerRecord, tokenRatio } from "#kernel/vm/pager/record.ts";

export function vmstat(kernel: Kernel): VmStat {
  const counters = readCounters(kernel);
  const table = kernel.sql
    .exec<{ pages: number; resident: number; dirty: number; pinned: number; tokens: number }>(
      `SELECT COUNT(*) AS pages, COALESCE(SUM(text IS NOT NULL), 0) AS resident, COALESCE(SUM(dirty), 0) AS dirty,
         COALESCE(SUM(pinned), 0) AS pinned, COALESCE(SUM(tokens), 0) AS tokens FROM pages WHERE deleted = 0`,
    )
    .one();
  return {
    pages: table.pages,
    tokens: table.tokens,
    residentPages: table.resident,
    residentTokens: residentTokens(kernel),
    dirtyPages: table.dirty,
    pinnedPages: table.pinned,
    minorFaults: counters["minor-faults"] ?? 0,
    majorFaults: counters["major-faults"] ?? 0,
    pageIns: counters["page-ins"] ?? 0,
    pageOuts: counters["page-outs"] ?? 0,
    evictions: counters["evictions"] ?? 0,
    // Major faults per evicted body: near 0 while the working set fits, near 1 and above when bodies go out only to come back.
    thrash: ratio(counters["major-faults"] ?? 0, Math.max(1, counters["evictions"] ?? 0), 100),
    searches: counters["searches"] ?? 0,
    flushFailures: counters["flush-failures"] ?? 0,
    ...promptStat(kernel),
  };
}

function promptStat(kernel: Kernel): VmStat {
  const record = pagerRecord(kernel);
  const model = kernel.env.DEFAULT_MODEL;
  const prices = pricesOf(kernel, model);
  const pager = new Pager({
    prices,
    low: BODY_LOW_TOKENS,
    lowest: BODY_LOWEST_TOKENS,
    highest: BODY_HIGHEST_TOKENS,
    ceiling: windowTokens(kernel, model),
    growth: BODY_GROWTH_TOKENS,
  });
  const { low, high } = pager.watermarks({ ...pager.start(), low: record.low, growth: record.growth });
  const mapped = kernel.sql
    .exec<{ tokens: number }>("SELECT COALESCE(SUM(tokens), 0) AS tokens FROM messages WHERE evicted = 0")
    .one().tokens;
  return {
    mappedTokens: mapped,
    lowTokens: low,
    highTokens: high,
    growthTokens: Math.round(record.growth),
    writePrice: prices.write,
    readPrice: prices.read,
    tokenRatio: ratio(tokenRatio(kernel, model), 1, 1e3),
    batches: record.batches,
    unmappedMessages: record.evictedMessages,
    contextFaults: record.faults,
    refaults: record.refaults,
    prematureEvictions: record.premature,
    faultPins: record.pins,
    inferences: record.inferences,
    overflows: record.overflows,
    tailMapped: record.tailMapped,
    tailUsed: record.tailUsed,
    prefixCacheHitRatio: ratio(record.cachedTokens, record.promptTokens, 1e4),
    prefixSharedRatio: ratio(record.sharedTokens, record.sentTokens, 1e4),
  };
}

function ratio(part: number, whole: number, precision: number): number {
  return whole === 0 ? 0 : Math.round((part / whole) * precision) / precision;
}
