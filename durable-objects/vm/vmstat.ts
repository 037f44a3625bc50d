/**
 * Vmstat: the process's memory in numbers.
 *
 * Pages, resident tokens and dirty pages are read from the page table; faults, page-ins, page-outs and evictions are
 * counters since the process began. `prefixCacheHitRatio` is what models reported as cached over all prompt tokens.
 */
import type { VmStat } from "#shared/abi.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { readCounters } from "#kernel/proc/counters.ts";
import { residentTokens } from "#kernel/vm/page-table.ts";

export function vmstat(kernel: Kernel): VmStat {
  const counters = readCounters(kernel);
  const table = kernel.sql
    .exec<{ pages: number; resident: number; dirty: number; tokens: number }>(
      `SELECT COUNT(*) AS pages, COALESCE(SUM(text IS NOT NULL), 0) AS resident, COALESCE(SUM(dirty), 0) AS dirty,
         COALESCE(SUM(tokens), 0) AS tokens FROM pages WHERE deleted = 0`,
    )
    .one();
  const prompt = counters["prompt-tokens"] ?? 0;
  return {
    pages: table.pages,
    tokens: table.tokens,
    residentPages: table.resident,
    residentTokens: residentTokens(kernel),
    dirtyPages: table.dirty,
    minorFaults: counters["minor-faults"] ?? 0,
    majorFaults: counters["major-faults"] ?? 0,
    pageIns: counters["page-ins"] ?? 0,
    pageOuts: counters["page-outs"] ?? 0,
    evictions: counters["evictions"] ?? 0,
    unmappedMessages: counters["unmapped-messages"] ?? 0,
    // Major faults per evicted body: near 0 while the working set fits, near 1 and above when bodies go out only to come back.
    thrash: Math.round(((counters["major-faults"] ?? 0) / Math.max(1, counters["evictions"] ?? 0)) * 100) / 100,
    searches: counters["searches"] ?? 0,
    flushFailures: counters["flush-failures"] ?? 0,
    prefixCacheHitRatio: prompt === 0 ? 0 : Math.round(((counters["cached-tokens"] ?? 0) / prompt) * 1e4) / 1e4,
  };
}
