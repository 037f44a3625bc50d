/**
 * Process calls: all that `process.ts` reaches of the kernel, as one module.
 *
 * The shell loads it with `import()` when the first object of its isolate comes to life, so that the edge, which shares the
 * Worker with the kernel, starts without it (docs/decisions/0010-modules.md). That is why it re-exports, which no other module
 * does: nothing that belongs to the kernel may be imported by the shell itself, but types.
 */
export { boot } from "#kernel/boot.ts";
export { cycle, submit } from "#kernel/cycle.ts";
export { refuseOverBudget } from "#kernel/proc/budget.ts";
export { ringAlarm } from "#kernel/proc/alarm.ts";
export { inspectProcess } from "#kernel/proc/inspect.ts";
export * as runs from "#kernel/proc/run-calls.ts";
export * as threads from "#kernel/proc/thread-calls.ts";
export { usageOfRuns } from "#kernel/proc/usage-of-runs.ts";
export { TIMER_WORK } from "#kernel/proc/timer-work.ts";
export { transact } from "#kernel/proc/transact.ts";
export { listBlocks } from "#kernel/vm/pinned/block-table.ts";
export { deleteBlock, readBlock, viewBlock } from "#kernel/vm/pinned/blocks.ts";
export { viewContext } from "#kernel/vm/context/context-view.ts";
export * as documents from "#kernel/vm/documents/documents.ts";
export { exportRows } from "#kernel/vm/export-rows.ts";
export { forgetDocument } from "#kernel/vm/forget/forget-document.ts";
export { fsck } from "#kernel/vm/fsck/fsck.ts";
export { importRows } from "#kernel/vm/import-rows.ts";
export { addPage, editPage, forget, listPages, readPage } from "#kernel/vm/memory.ts";
export { searchPages } from "#kernel/vm/search/search.ts";
export { editShared, putAnyBlock, readShared } from "#kernel/vm/pinned/shared-blocks.ts";
export * as sleep from "#kernel/vm/sleep/sleep-calls.ts";
export { vmstat } from "#kernel/vm/vmstat.ts";
