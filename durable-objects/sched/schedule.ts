/**
 * Schedule: asks the model's pool for a slot before an inference, and gives it back after.
 *
 * A command calls no model and needs no slot. A lease is renewed while its inference goes on; one that is neither renewed nor
 * given back (a crash) expires in the pool. While the pool has plenty of slots, a slot lingers a moment with the process, so
 * that the next inference needs no call at all. A pool that restarts while we wait is asked again.
 */
import { failure } from "#shared/errors.ts";
import { LEASE_MS, LINGER_MS, POOL_ATTEMPTS } from "#shared/limits.ts";
import { errorName, logEvent } from "#shared/log.ts";
import { failed, success, type Result } from "#shared/result.ts";
import type { Kernel } from "#kernel/kernel.ts";
import type { LiveRun } from "#kernel/proc/live-run.ts";
import type { TraceData } from "#kernel/proc/trace.ts";
import type { Lease } from "#kernel/sched/lease.ts";
import type { Band } from "#kernel/sched/policy.ts";
import { UNUSED, type CallEnd } from "#kernel/sched/pool-api.ts";
import { routeRun } from "#kernel/sched/route-run.ts";

const RETRY_AFTER_SECONDS = 2;

/** A slot this process holds for a run. */
export interface HeldSlot {
  readonly model: string;
  readonly lease: Lease;
  /** When the pool granted the lease. */
  readonly since: number;
  readonly stopRenewing: () => void;
}

export async function schedule(kernel: Kernel, run: LiveRun, data: TraceData): Promise<Result<HeldSlot | null>> {
  if (run.instruction.kind === "command") return success(null);
  data["band"] = "interactive";
  const routed = await routeRun(kernel, run, data);
  if (!routed.ok) return routed;
  const lingering = kernel.lingering.get(run.model)?.pop();
  if (lingering !== undefined) {
    clearTimeout(lingering.timer);
    data["waitedMs"] = 0;
    return success(hold(kernel, run.model, lingering.lease, lingering.since));
  }
  const holder = `${kernel.user}/${run.id}`;
  const taken = await takeSlot(kernel, { model: run.model, holder, band: "interactive", signal: run.abort.signal });
  if (!taken.ok) return taken;
  data["waitedMs"] = taken.value.lease.waitedMs;
  return taken;
}

/** Who asks for a slot, and how much it hurries. */
export interface SlotRequest {
  readonly model: string;
  readonly holder: string;
  readonly band: Band;
  /** Ends the wait; throws its reason. */
  readonly signal: AbortSignal;
}

/** Waits for a slot of the model's pool. A pool that restarts meanwhile is asked again. */
export async function takeSlot(kernel: Kernel, request: SlotRequest): Promise<Result<HeldSlot>> {
  for (let attempt = 1; attempt <= POOL_ATTEMPTS; attempt += 1) {
    try {
      const asked = kernel.env.POOL.getByName(request.model).acquire(request.holder, request.band);
      const lease = await unlessAborted(kernel, request, Promise.resolve(asked));
      if (!lease.ok) return lease;
      return success(hold(kernel, request.model, lease.value, kernel.now()));
    } catch (error) {
      request.signal.throwIfAborted();
      logEvent("pool-unreachable", { attempt, error: errorName(error) });
    }
  }
  return failed(failure("overloaded", "The pool does not answer.", RETRY_AFTER_SECONDS));
}

function hold(kernel: Kernel, model: string, lease: Lease, since: number): HeldSlot {
  const renew = (): void => {
    const renewed = Promise.resolve(kernel.env.POOL.getByName(model).renew(lease.lease));
    kernel.background(renewed.catch((error: unknown) => logEvent("lease-not-renewed", { error: errorName(error) })));
  };
  const renewal = setInterval(renew, LEASE_MS / 3);
  return { model, lease, since, stopRenewing: () => clearInterval(renewal) };
}

/** Stops waiting when the signal is aborted; a slot that comes later is given back. */
async function unlessAborted(
  kernel: Kernel,
  { model, signal }: SlotRequest,
  asked: Promise<Result<Lease>>,
): Promise<Result<Lease>> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = (): void => {
    kernel.background(
      asked.then((late) => (late.ok ? giveBack(kernel, model, late.value) : undefined)).catch(() => undefined),
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

/** Lets go of the slot without keeping the run waiting. */
export function unschedule(kernel: Kernel, slot: HeldSlot | null, _end: CallEnd = UNUSED): void {
  if (slot === null) return;
  slot.stopRenewing();
  // After a while a slot goes back all the same: its lease is not to expire in use, and the pool may be full by now.
  if (slot.lease.mayLinger && kernel.now() - slot.since < LEASE_MS / 3) linger(kernel, slot);
  else giveBack(kernel, slot.model, slot.lease);
}

function linger(kernel: Kernel, { model, lease, since }: HeldSlot): void {
  const slots = kernel.lingering.get(model) ?? [];
  kernel.lingering.set(model, slots);
  const timer = setTimeout(() => {
    slots.splice(
      slots.findIndex((slot) => slot.lease === lease),
      1,
    );
    giveBack(kernel, model, lease);
  }, LINGER_MS);
  slots.push({ lease, since, timer });
}

function giveBack(kernel: Kernel, model: string, lease: Lease): void {
  const released = Promise.resolve(kernel.env.POOL.getByName(model).release(lease.lease));
  kernel.background(released.catch((error: unknown) => logEvent("lease-not-released", { error: errorName(error) })));
}
