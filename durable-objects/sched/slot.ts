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
import { UNUSED, type CallEnd, type CallReport, type Elsewhere, type SlotAsk } from "#kernel/sched/pool-api.ts";
import { poolsOf } from "#kernel/sched/shards.ts";

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
  /** By model, the shard that took the program's first call; a program without it keeps to its user's home. */
  readonly homes?: Map<string, string>;
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
  const kept = kernel.lingering.get(lingerKey(request))?.pop();
  if (kept === undefined) return null;
  clearTimeout(kept.timer);
  return hold(kernel, request, kept);
}

/** Waits for a slot of the model's pool. A pool that restarts meanwhile is asked again. */
export async function takeSlot(kernel: Kernel, request: SlotRequest): Promise<Result<HeldSlot>> {
  const { holder, band, program, tokens, model, homes } = request;
  const patience = request.patienceMs === undefined ? {} : { patienceMs: request.patienceMs };
  const ticket = crypto.randomUUID();
  const ask: SlotAsk = { holder, band, user: kernel.user, program, tokens, ticket, ...patience };
  const { home, second } = poolsOf(kernel.env, model, kernel.user);
  const known = homes?.get(model);
  let rival = 0;
  // The first call of a program does not wait at its home when the other shard has room: a user keeps to two of them.
  for (const pool of homes === undefined || known !== undefined || second === null ? [] : [home, second]) {
    const offered = await insist<Result<Lease> | Elsewhere>(kernel, request, { pool, ticket }, async (stub) =>
      stub.offer(ask, rival),
    );
    if ("elsewhere" in offered) {
      rival = offered.elsewhere;
      continue;
    }
    return taken(kernel, request, pool, offered);
  }
  const pool = known ?? home;
  const lease = await insist<Result<Lease>>(kernel, request, { pool, ticket }, async (stub) => stub.acquire(ask));
  return taken(kernel, request, pool, lease);
}

/** The program stays with the shard that took its first call. */
function taken(kernel: Kernel, request: SlotRequest, pool: string, lease: Result<Lease>): Result<HeldSlot> {
  if (!lease.ok) return lease;
  request.homes?.set(request.model, pool);
  return success(hold(kernel, request, { pool, lease: lease.value, since: kernel.now(), reports: [] }));
}

type PoolStub = DurableObjectStub<import("#kernel/pool.ts").Pool>;

/** Asks a pool until it answers; it is told when the wait ends early. */
async function insist<Answer>(
  kernel: Kernel,
  { signal }: SlotRequest,
  { pool, ticket }: { readonly pool: string; readonly ticket: string },
  ask: (stub: PoolStub) => Promise<Answer>,
): Promise<Answer | Result<never>> {
  for (let attempt = 1; attempt <= POOL_ATTEMPTS; attempt += 1) {
    signal.throwIfAborted();
    // The withdrawal goes the way of the ask, so that it cannot arrive before it.
    const stub = kernel.env.POOL.getByName(pool);
    const withdraw = (): void => {
      const told = Promise.resolve(stub.withdraw(ticket));
      kernel.background(told.catch((error: unknown) => note("lease-not-withdrawn", error)));
    };
    try {
      return await unlessAborted(signal, Promise.resolve(ask(stub)), withdraw);
    } catch (error) {
      signal.throwIfAborted();
      note("pool-unreachable", error);
      // An ask whose answer was lost may have a slot.
      if (attempt === POOL_ATTEMPTS) withdraw();
    }
  }
  return failed(failure("overloaded", "The pool does not answer.", RETRY_AFTER_SECONDS));
}

type Kept = Omit<KeptSlot, "timer">;

function hold(kernel: Kernel, request: SlotRequest, { pool, lease, since, reports }: Kept): HeldSlot {
  const began = kernel.now();
  let held = true;
  const renewal = setInterval(() => {
    const renewed = Promise.resolve(kernel.env.POOL.getByName(pool).renew(lease.lease));
    kernel.background(renewed.catch((error: unknown) => note("lease-not-renewed", error)));
  }, LEASE_MS / 3);
  const end = (how: CallEnd): void => {
    if (!held) return;
    held = false;
    clearInterval(renewal);
    request.signal.removeEventListener("abort", aborted);
    const used = how.outcome === "unused" ? [] : [reportOf(kernel, request, how, kernel.now() - began)];
    letGo(kernel, request, { pool, lease, since, reports: [...reports, ...used] });
  };
  // What the provider counted is not known yet; what was asked for is the most it can be.
  const aborted = (): void => end({ ...UNUSED, outcome: "cancelled", tokens: request.tokens, programOver: true });
  request.signal.addEventListener("abort", aborted, { once: true });
  if (request.signal.aborted) aborted();
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
  else giveBack(kernel, kept);
}

function linger(kernel: Kernel, request: SlotRequest, kept: Kept): void {
  const key = lingerKey(request);
  const slots = kernel.lingering.get(key) ?? [];
  kernel.lingering.set(key, slots);
  const timer = setTimeout(() => {
    const place = slots.findIndex(({ lease }) => lease === kept.lease);
    if (place < 0) return;
    slots.splice(place, 1);
    giveBack(kernel, kept);
  }, LINGER_MS);
  slots.push({ ...kept, timer });
}

function giveBack(kernel: Kernel, { pool, lease, reports }: Kept): void {
  const released = Promise.resolve(kernel.env.POOL.getByName(pool).release(lease.lease, reports));
  kernel.background(released.catch((error: unknown) => note("lease-not-released", error)));
}

/** A slot serves only calls of its own band, as the pool counts it, but any program of the process, from whatever shard it is. */
function lingerKey({ model, band }: SlotRequest): string {
  return `${model} ${band}`;
}

/** Stops waiting when the signal is aborted; the pool is told, so that neither a place in the line nor a late slot is left. */
async function unlessAborted<Answer>(
  signal: AbortSignal,
  asked: Promise<Answer>,
  withdraw: () => void,
): Promise<Answer> {
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
