/**
 * Process system calls: what `ps` shows.
 */
import type { ProcessView } from "#shared/inspection.ts";
import { success, type Result } from "#shared/result.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { inspectProcess } from "#kernel/proc/inspect.ts";

export function listProcesses(kernel: Kernel): Result<{ items: ProcessView[] }> {
  return success({ items: [inspectProcess(kernel)] });
}
