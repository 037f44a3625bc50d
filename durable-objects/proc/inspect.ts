/**
 * Inspect: a process as `ps` shows it.
 */
import type { ProcessView } from "#shared/inspection.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { readMeta } from "#kernel/proc/schema.ts";

export function inspectProcess(kernel: Kernel): ProcessView {
  const row = kernel.sql
    .exec<{ threads: number; pages: number; live: number }>(
      `SELECT (SELECT COUNT(*) FROM threads WHERE ephemeral = 0) AS threads,
         (SELECT COUNT(*) FROM pages WHERE deleted = 0 AND kind <> 'assistant') AS pages,
         (SELECT COUNT(*) FROM runs WHERE state IN ('queued', 'running', 'waiting')) AS live`,
    )
    .one();
  return {
    process: kernel.process,
    state: row.live > 0 ? "running" : "idle",
    threads: row.threads,
    pages: row.pages,
    liveRuns: row.live,
    createdAt: new Date(Number(readMeta(kernel.sql, "created") ?? "0")).toISOString(),
  };
}
