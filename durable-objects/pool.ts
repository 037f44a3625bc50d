/**
 * Pool: the scheduler of one model's inference slots, shared by every process. One object per model.
 *
 * A lease expires by itself, so a holder that crashed cannot keep a slot. Waiting callers hold an open call; when this object
 * restarts they ask again, and its leases are read back from storage.
 */
import { DurableObject } from "cloudflare:workers";
import { failure } from "#shared/errors.ts";
import { LINGER_PERCENT, POOL_QUEUE, POOL_SLOTS, POOL_WAIT_MS } from "#shared/limits.ts";
import { failed, success, type Result } from "#shared/result.ts";
import { LeaseBook, type Lease } from "#kernel/sched/lease.ts";
import { nextInLine, type Band, type Waiting } from "#kernel/sched/policy.ts";

export interface PoolView {
  readonly slots: number;
  readonly leased: number;
  readonly waiting: number;
}

interface Waiter extends Waiting {
  readonly holder: string;
  readonly since: number;
  readonly timer: ReturnType<typeof setTimeout>;
  readonly grant: (lease: Result<Lease>) => void;
}

const RETRY_AFTER_SECONDS = 2;

export class Pool extends DurableObject<Cloudflare.Env> {
  readonly #waiters: Waiter[] = [];
  readonly #leases: LeaseBook;
  #tickets = 0;
  #slots = POOL_SLOTS;

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env);
    this.#leases = new LeaseBook(ctx.storage);
    void ctx.blockConcurrencyWhile(() => this.#leases.load());
  }

  /** Waits for a slot. Answers `overloaded` when the line is full or the wait too long. */
  async acquire(holder: string, band: Band): Promise<Result<Lease>> {
    const now = Date.now();
    this.#leases.expire(now);
    if (this.#waiters.length === 0 && this.#leases.size < this.#slots) return success(this.#grant(holder, now));
    if (this.#waiters.length >= POOL_QUEUE) {
      return failed(failure("overloaded", "Too many inferences are waiting for this model.", RETRY_AFTER_SECONDS));
    }
    await this.#wakeAtExpiry();
    return new Promise((resolve) => this.#wait(holder, band, now, resolve));
  }

  /** Holds a slot for another lease's time. Answers false when the lease has expired. */
  renew(lease: string): boolean {
    this.#leases.expire(Date.now());
    return this.#leases.renew(lease, Date.now());
  }

  /** Gives a slot back. */
  release(lease: string): void {
    this.#leases.release(lease);
    this.#serve();
  }

  view(): PoolView {
    this.#leases.expire(Date.now());
    return { slots: this.#slots, leased: this.#leases.size, waiting: this.#waiters.length };
  }

  /** Sets how many inferences may run at once. */
  resize(slots: number): void {
    this.#slots = slots;
    this.#serve();
  }

  override async alarm(): Promise<void> {
    this.#serve();
    if (this.#waiters.length > 0) await this.#wakeAtExpiry();
  }

  #wait(holder: string, band: Band, since: number, grant: Waiter["grant"]): void {
    this.#tickets += 1;
    const waiter: Waiter = {
      holder,
      band,
      ticket: this.#tickets,
      since,
      grant,
      timer: setTimeout(() => this.#giveUp(waiter), POOL_WAIT_MS),
    };
    this.#waiters.push(waiter);
    this.#serve(); // a slot may have become free while the alarm was set
  }

  #grant(holder: string, since: number): Lease {
    const now = Date.now();
    const lease = this.#leases.grant(holder, now);
    return { lease, waitedMs: now - since, mayLinger: this.#leases.size <= (this.#slots * LINGER_PERCENT) / 100 };
  }

  #serve(): void {
    this.#leases.expire(Date.now());
    while (this.#waiters.length > 0 && this.#leases.size < this.#slots) {
      const [waiter] = this.#waiters.splice(nextInLine(this.#waiters), 1);
      if (waiter === undefined) return;
      clearTimeout(waiter.timer);
      waiter.grant(success(this.#grant(waiter.holder, waiter.since)));
    }
  }

  #giveUp(waiter: Waiter): void {
    const index = this.#waiters.indexOf(waiter);
    if (index < 0) return;
    this.#waiters.splice(index, 1);
    waiter.grant(failed(failure("overloaded", "No slot of this model became free in time.", RETRY_AFTER_SECONDS)));
  }

  /** While somebody waits, an alarm looks after leases whose holder crashed. */
  async #wakeAtExpiry(): Promise<void> {
    await this.ctx.storage.setAlarm((this.#leases.nextExpiry ?? Date.now()) + 1);
  }
}
