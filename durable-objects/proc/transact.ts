/**
 * Transact: one transaction of the object's storage, with the caches kept honest.
 *
 * When the work throws, SQLite takes its writes back; the caches (search index, pager, timers) are then thrown away and built
 * anew at their next use.
 */
import type { Kernel } from "#kernel/kernel.ts";

export function transact<Value>(kernel: Kernel, work: () => Value): Value {
  try {
    return kernel.storage.transactionSync(work);
  } catch (error) {
    kernel.index.invalidate();
    kernel.pager = null;
    kernel.budget = null;
    kernel.timers.clear();
    kernel.alarmAt = null;
    throw error;
  }
}
