/**
 * Pool: the scheduler of one model's inference slots, shared by every process. One object per model, or per shard of one.
 *
 * A shell: `sched/admission` decides, this object keeps the time, the storage and the open calls of those who wait. A lease expires
 * by itself, so a holder that crashed cannot keep a slot. When this object restarts, those who waited ask again, and its leases
 * and what it learned are read back. Its writes are not waited for: nobody waits for a disk to get a slot.
 */
import { DurableObject } from "cloudflare:workers";
import { failure } from "#shared/errors.ts";
import { LIST_ITEMS_MOST, POOL_STORED_ENDS, POOL_STORED_MS } from "#shared/limits.ts";
import { errorName, logEvent } from "#shared/log.ts";
import { failed, success, type Result } from "#shared/result.ts";
import { Admission } from "#kernel/sched/admission/admission.ts";
import { readState, type Outcome } from "#kernel/sched/admission/outcome.ts";
import { forgetLease, storedLeases, storeLease, type Lease } from "#kernel/sched/lease.ts";
import { openPolicy } from "#kernel/sched/policy.ts";
import { isSlotAsk, readReports, type CallReport, type Elsewhere, type SlotAsk } from "#kernel/sched/pool-api.ts";
import { limitsOf } from "#kernel/sched/pool-limits.ts";
import { listPools, notePool, REGISTRY } from "#kernel/sched/pool-registry.ts";
import { viewHolders, viewPool, type PoolInspection, type PoolView } from "#kernel/sched/pool-view.ts";
import { readPoolName } from "#kernel/sched/shards.ts";

const STATE = "state";
const MALFORMED = failure("invalid_request", "This is no ask for a slot.");
const WITHDRAWN = failure("conflict", "The call was withdrawn.");

export class Pool extends DurableObject<Cloudflare.Env> {
  readonly #name: string;
  readonly #waiters = new Map<string, (lease: Result<Lease>) => void>();
  #admission!: Admission;
  #timer: { readonly due: number; readonly handle: ReturnType<typeof setTimeout> } | null = null;
  #ends = 0;
  #registered = false;
  #storedAt = Date.now();

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env);
    this.#name = ctx.id.name ?? "";
    void ctx.blockConcurrencyWhile(() => this.#open());
  }

  /** Waits for a slot. Answers `overloaded` when the line is full or the wait too long, `model_unavailable` when a pause is. */
  acquire(ask: SlotAsk): Promise<Result<Lease>> {
    if (!isSlotAsk(ask)) return Promise.resolve(failed(MALFORMED));
    this.#register();
    return new Promise((resolve) => {
      this.#expect(ask.ticket, resolve);
      this.#carryOut(this.#admission.ask(ask, Date.now()));
    });
  }

  /** As `acquire`, for a call that another shard could take: it waits here only where the load is below the `rival`'s. */
  offer(ask: SlotAsk, rival: number): Promise<Result<Lease> | Elsewhere> {
    if (!isSlotAsk(ask)) return Promise.resolve(failed(MALFORMED));
    this.#register();
    return new Promise((resolve) => {
      this.#expect(ask.ticket, resolve);
      const { elsewhere, outcome } = this.#admission.offer(ask, rival, Date.now());
      if (elsewhere !== null && this.#waiters.delete(ask.ticket)) resolve({ elsewhere });
      this.#carryOut(outcome);
    });
  }

  /** Holds a slot for another lease's time. Answers false when the lease has expired. */
  renew(lease: string): boolean {
    const renewed = this.#admission.renew(lease, Date.now());
    if (renewed !== null) storeLease(this.ctx.storage, renewed);
    return renewed !== null;
  }

  /** Gives a slot back and tells of every call it served, in order. */
  release(lease: string, reports: readonly CallReport[]): void {
    this.#carryOut(this.#admission.ended(lease, readReports(reports), Date.now()));
    this.#store();
  }

  /** Whoever asked with this ticket wants nothing any more, whether it waits or has its slot by now. */
  withdraw(ticket: string): void {
    this.#answer(ticket, failed(WITHDRAWN)); // an open call that nobody answers would keep the object
    this.#carryOut(this.#admission.withdraw(ticket, Date.now()));
  }

  view(): PoolView {
    const now = Date.now();
    this.#carryOut(this.#admission.expire(now));
    return viewPool(this.#name, this.#admission, now);
  }

  /** The view, and who is at it: everybody, or one user's own. */
  inspect(user: string | null): PoolInspection {
    return { view: this.view(), holders: viewHolders(this.#admission, user, LIST_ITEMS_MOST) };
  }

  /** Sets how many inferences may run at once, until the object restarts. */
  resize(slots: number): void {
    this.#carryOut(this.#admission.configure({ ...this.#admission.limits, slots }, Date.now()));
  }

  /** Another pool is in use: only the registry is told. */
  register(pool: string): Promise<void> {
    return notePool(this.ctx.storage, pool, Date.now());
  }

  /** Pools in use: only the registry knows. */
  registered(): Promise<string[]> {
    return listPools(this.ctx.storage, Date.now());
  }

  /** Once per life of the object, behind its first call; a registry that is away learns it the next time. */
  #register(): void {
    if (this.#registered) return;
    this.#registered = true;
    const told = Promise.resolve(this.env.POOL.getByName(REGISTRY).register(this.#name));
    this.ctx.waitUntil(told.catch((error: unknown) => logEvent("pool-not-registered", { error: errorName(error) })));
  }

  async #open(): Promise<void> {
    const { storage } = this.ctx;
    const [leases, stored] = await Promise.all([storedLeases(storage), storage.get(STATE)]);
    const { model, shard } = readPoolName(this.#name);
    const limits = limitsOf(this.env, model, shard);
    const policy = openPolicy("ervd", { slots: limits.slots });
    this.#admission = new Admission(limits, policy, Date.now(), { leases, state: readState(stored) });
  }

  #carryOut({ granted, refused, closed }: Outcome): void {
    const { storage } = this.ctx;
    for (const lease of closed) forgetLease(storage, lease);
    for (const { entry, lease } of granted) {
      storeLease(storage, entry);
      this.#answer(entry.lease, success(lease));
    }
    for (const { ticket, error } of refused) this.#answer(ticket, failed(error));
    this.#wakeWhenDue();
  }

  /** A call that asks again with its ticket takes the place of the earlier one, whose caller lost it. */
  #expect(ticket: string, resolve: (lease: Result<Lease>) => void): void {
    this.#answer(ticket, failed(WITHDRAWN));
    this.#waiters.set(ticket, resolve);
  }

  #answer(ticket: string, lease: Result<Lease>): void {
    this.#waiters.get(ticket)?.(lease);
    this.#waiters.delete(ticket);
  }

  /** One timer, for the next thing that time alone brings about. It lives as long as somebody's open call does. */
  #wakeWhenDue(): void {
    const now = Date.now();
    const due = this.#admission.due(now);
    if (due === this.#timer?.due) return;
    if (this.#timer !== null) clearTimeout(this.#timer.handle);
    this.#timer = null;
    if (due === null) return;
    const handle = setTimeout(() => {
      this.#timer = null;
      this.#carryOut(this.#admission.expire(Date.now()));
    }, due - now);
    this.#timer = { due, handle };
  }

  /** What was learned is stored now and then, and when nobody is left: an object that nobody calls is soon gone from memory. */
  #store(): void {
    const now = Date.now();
    this.#ends += 1;
    const idle = Object.values(this.#admission.leased).every((leases) => leases === 0);
    if (!idle && this.#ends < POOL_STORED_ENDS && now - this.#storedAt < POOL_STORED_MS) return;
    [this.#ends, this.#storedAt] = [0, now];
    void this.ctx.storage.put(STATE, this.#admission.snapshot(now), { allowUnconfirmed: true });
  }
}
