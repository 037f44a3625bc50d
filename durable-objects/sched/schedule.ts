/**
 * Schedule: asks the model's pool for a slot before an inference, and gives it back after.
 *
 * A command calls no model and needs no slot. A lease is renewed while its inference goes on; one that is neither renewed nor
 * given back (a crash) expires in the pool. A pool that restarts while we wait is asked again.
 */
import { failure } from "#shared/errors.ts";
import { LEASE_MS, POOL_ATTEMPTS } from "#shared/limits.ts";
import { errorName, logEvent } from "#shared/log.ts";
import { failed, success, type Result } from "#shared/result.ts";
import type { Kernel } from "#kernel/kernel.ts";
import type { LiveRun } from "#kernel/proc/live-run.ts";
import type { TraceData } from "#kernel/proc/trace.ts";
import type { Lease } from "#kernel/sched/lease.ts";

const RETRY_AFTER_SECONDS = 2;

/** Renewals of the leases that this instance holds. */
const renewals = new Map<string, ReturnType<typeof setInterval>>();

export async function schedule(kernel: Kernel, run: LiveRun, data: TraceData): Promise<Result<Lease | null>> {
  if (run.instruction.kind === "command") return success(null);
  data["band"] = "interactive";
  for (let attempt = 1; attempt <= POOL_ATTEMPTS; attempt += 1) {
    try {
      const asked = kernel.env.POOL.getByName(run.model).acquire(`${kernel.user}/${run.id}`, "interactive");
      const lease = await unlessAborted(kernel, run, Promise.resolve(asked));
      if (lease.ok) {
        data["waitedMs"] = lease.value.waitedMs;
        keepRenewed(kernel, run, lease.value);
      }
      return lease;
    } catch (error) {
      run.abort.signal.throwIfAborted();
      logEvent("pool-unreachable", { attempt, error: errorName(error) });
    }
  }
  return failed(failure("overloaded", "The pool does not answer.", RETRY_AFTER_SECONDS));
}

function keepRenewed(kernel: Kernel, run: LiveRun, lease: Lease): void {
  const renew = (): void => {
    const renewed = Promise.resolve(kernel.env.POOL.getByName(run.model).renew(lease.lease));
    kernel.background(renewed.catch((error: unknown) => logEvent("lease-not-renewed", { error: errorName(error) })));
  };
  renewals.set(lease.lease, setInterval(renew, LEASE_MS / 3));
}

/** Stops waiting when the run is cancelled; a slot that comes later is given back. */
async function unlessAborted(kernel: Kernel, run: LiveRun, asked: Promise<Result<Lease>>): Promise<Result<Lease>> {
  const { signal } = run.abort;
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = (): void => {
    kernel.background(
      asked.then((late) => (late.ok ? unschedule(kernel, run, late.value) : undefined)).catch(() => undefined),
    );
    reject(signal.reason);
  };
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([asked, promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** Gives the slot back without keeping the run waiting. */
export function unschedule(kernel: Kernel, run: LiveRun, lease: Lease | null): void {
  if (lease === null) return;
  const renewal = renewals.get(lease.lease);
  if (renewal !== undefined) clearInterval(renewal);
  renewals.delete(lease.lease);
  const released = kernel.env.POOL.getByName(run.model).release(lease.lease);
  kernel.background(
    Promise.resolve(released).catch((error: unknown) => logEvent("lease-not-released", { error: errorName(error) })),
  );
}
