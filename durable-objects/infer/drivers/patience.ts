/**
 * Patience: waits for a provider no longer than its silence may last, and no longer than the caller wants it.
 */
import { DriverError } from "#kernel/infer/drivers/faults.ts";

/** The value of `work`; rejects with `timeout` after `ms` milliseconds, and at once when the signal is aborted. */
export async function within<Value>(work: Promise<Value>, signal: AbortSignal, ms: number): Promise<Value> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new DriverError("timeout")), ms);
  const abort = (): void => reject(new DriverError("aborted"));
  signal.addEventListener("abort", abort, { once: true });
  try {
    if (signal.aborted) abort();
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
}
