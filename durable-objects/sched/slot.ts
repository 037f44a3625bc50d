/**
 * Slot: a slot of a model's pool as a process holds it, from the ask to the report.
 *
 * `takeSlot` waits for one, `end` tells what became of the call and lets go. A lease is renewed while its inference goes on; one that
 * is neither renewed nor given back (a crash) expires in the pool. A slot whose run is aborted goes back at once, whatever its
 * provider still does. While the pool has plenty of slots, a slot lingers a moment with the process, so that the next inference
 * needs no call at all; all calls it served are reported when it goes back. A pool that restarts while we wait is asked again.
 */
import { failure } from "#shared/errors.ts";
import { LEASE_MS, LINGER_CALLS, LINGER_MS, POOL_ATTEMPTS } from "#shared/limits.ts";
import { errorName, logEvent } from "#shared/log.ts";
import { failed, success, type Result } from "#shared/result.ts";
import type { Kernel } from "#kernel/kernel.ts";
import type { KeptSlot, Lease } from "#kernel/sched/lease.ts";
import type { Band } from "#kernel/sched/policy.ts";
import { UNUSED, type CallEnd, type CallReport } from "#kernel/sched/pool-api.ts";
import { poolName } from "#kernel/sched/shards.ts";

const RETRY_AFTER_SECONDS = 2;

/** Who asks for a slot, and how much it hurries. */
export interface SlotRequest {
  readonly model: string;
  readonly holder: string;
  readonly band: Band;
  /** The run, or the piece of background work, that the call belongs to. */
  readonly program: string;
  /** Tokens the call may take of the provider's rate; 0 when nobody counts them. */
  readonly tokens: number;
  /** Milliseconds it waits for the end of a pause that the provider asked for; any when absent. */
  readonly patienceMs?: number;
  /** Ends the wait; throws its reason. Gives the slot back while it is held. */
  readonly signal: AbortSignal;
}

/** A slot in use. */
export interface HeldSlot {
  readonly lease: Lease;
  /** Tells how the call ended, and lets go without keeping the run waiting. Only the first time counts. */
  readonly end: (end: CallEnd) => void;
}

/** A slot that lingers from an inference of a moment ago, or null. */
export function lingeringSlot(kernel: Kernel, request: SlotRequest): HeldSlot | null {
  const kept = kernel.lingering.get(lingerKey(kernel, request))?.pop();
  if (kept === undefined) return null;
  clearTimeout(kept.timer);
  return hold(kernel, request, kept);
}

/** Waits for a slot of the model's pool. A pool that restarts meanwhile is asked again. */
export async function takeSlot(kernel: Kernel, request: SlotRequest): Promise<Result<HeldSlot>> {
  const { signal, holder, band, program, tokens } = request;
  const patience = request.patienceMs === undefined ? {} : { patienceMs: request.patienceMs };
  const ticket = crypto.randomUUID();
  const pool = poolOf(kernel, request);
  const withdraw = (): void => {
    kernel.background(
      Promise.resolve(pool.withdraw(ticket)).catch((error: unknown) => note("lease-not-withdrawn", error)),
    );
  };
  for (let attempt = 1; attempt <= POOL_ATTEMPTS; attempt += 1) {
    signal.throwIfAborted();
    try {
      const asked = Promise.resolve(
        pool.acquire({ holder, band, user: kernel.user, program, tokens, ticket, ...patience }),
      );
      const lease = await unlessAborted(signal, asked, withdraw);
      if (!lease.ok) return lease;
      return success(hold(kernel, request, { lease: lease.value, since: kernel.now(), reports: [] }));
    } catch (error) {
      signal.throwIfAborted();
      note("pool-unreachable", error);
    }
  }
  return failed(failure("overloaded", "The pool does not answer.", RETRY_AFTER_SECONDS));
}

type Kept = Omit<KeptSlot, "timer">;

function hold(kernel: Kernel, request: SlotRequest, { lease, since, reports }: Kept): HeldSlot {
  const began = kernel.now();
  let held = true;
  const renewal = setInterval(() => {
    const renewed = Promise.resolve(poolOf(kernel, request).renew(lease.lease));
    kernel.background(renewed.catch((error: unknown) => note("lease-not-renewed", error)));
  }, LEASE_MS / 3);
  const end = (how: CallEnd): void => {
    if (!held) return;
    held = false;
    clearInterval(renewal);
    request.signal.removeEventListener("abort", aborted);
    const used = how.outcome === "unused" ? [] : [reportOf(kernel, request, how, kernel.now() - began)];
    letGo(kernel, request, { lease, since, reports: [...reports, ...used] });
  };
  // What the provider counted is not known yet; what was asked for is the most it can be.
  const aborted = (): void => end({ ...UNUSED, outcome: "cancelled", tokens: request.tokens, programOver: true });
  request.signal.addEventListener("abort", aborted, { once: true });
  return { lease, end };
}

function reportOf(kernel: Kernel, { program }: SlotRequest, how: CallEnd, ms: number): CallReport {
  return { user: kernel.user, program, seconds: ms / 1_000, ...how };
}

/** Keeps the slot for the next inference, or gives it back. */
function letGo(kernel: Kernel, request: SlotRequest, kept: Kept): void {
  const last = kept.reports.at(-1)?.outcome ?? "answered";
  // After a while it goes back all the same: its lease is not to expire in use, and the pool may be full by now.
  const young = kernel.now() - kept.since < LEASE_MS / 3 && kept.reports.length < LINGER_CALLS;
  if (kept.lease.mayLinger && last === "answered" && young) linger(kernel, request, kept);
  else giveBack(kernel, request, kept);
}

function linger(kernel: Kernel, request: SlotRequest, kept: Kept): void {
  const key = lingerKey(kernel, request);
  const slots = kernel.lingering.get(key) ?? [];
  kernel.lingering.set(key, slots);
  const timer = setTimeout(() => {
    const place = slots.findIndex(({ lease }) => lease === kept.lease);
    if (place < 0) return;
    slots.splice(place, 1);
    giveBack(kernel, request, kept);
  }, LINGER_MS);
  slots.push({ ...kept, timer });
}

function giveBack(kernel: Kernel, request: SlotRequest, { lease, reports }: Kept): void {
  const released = Promise.resolve(poolOf(kernel, request).release(lease.lease, reports));
  kernel.background(released.catch((error: unknown) => note("lease-not-released", error)));
}

/** A slot serves only calls of its own band: the pool counts it there. */
function lingerKey(kernel: Kernel, { model, band }: SlotRequest): string {
  return `${poolName(kernel.env, model, kernel.user)} ${band}`;
}

function poolOf(kernel: Kernel, { model }: SlotRequest): DurableObjectStub<import("#kernel/pool.ts").Pool> {
  return kernel.env.POOL.getByName(poolName(kernel.env, model, kernel.user));
}

/** Stops waiting when the signal is aborted; the pool is told, so that neither a place in the line nor a late slot is left. */
async function unlessAborted(
  signal: AbortSignal,
  asked: Promise<Result<Lease>>,
  withdraw: () => void,
): Promise<Result<Lease>> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = (): void => {
    asked.catch(() => undefined);
    withdraw();
    reject(signal.reason);
  };
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([asked, promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

function note(event: string, error: unknown): void {
  logEvent(event, { error: errorName(error) });
}
