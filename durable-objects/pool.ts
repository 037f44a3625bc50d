/**
 * Pool: the scheduler of one model's inference slots, shared by every process. One object per model.
 *
 * A lease is stored before it is granted and expires by itself, so a holder that crashed cannot keep a slot, and a restart
 * of this object cannot hand out more slots than there are. Waiting callers hold an open call; when the object restarts
 * they ask again.
 */
import { DurableObject } from "cloudflare:workers";
import { failure } from "#shared/errors.ts";
import { LEASE_MS, POOL_QUEUE, POOL_SLOTS, POOL_WAIT_MS } from "#shared/limits.ts";
import { failed, success, type Result } from "#shared/result.ts";
import { nextInLine, type Band, type Waiting } from "#kernel/sched/policy.ts";

export interface Lease {
  readonly lease: string;
  /** Milliseconds the caller waited. */
  readonly waitedMs: number;
}

export interface PoolView {
  readonly slots: number;
  readonly leased: number;
  readonly waiting: number;
}

interface Waiter extends Waiting {
  readonly holder: string;
  readonly since: number;
  readonly grant: (lease: Result<Lease>) => void;
}

const RETRY_AFTER_SECONDS = 2;

export class Pool extends DurableObject<Cloudflare.Env> {
  readonly #waiters: Waiter[] = [];
  #tickets = 0;
  #slots = POOL_SLOTS;

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS leases (id TEXT PRIMARY KEY, holder TEXT NOT NULL, expires INTEGER NOT NULL) WITHOUT ROWID");
  }

  /** Waits for a slot. Answers `overloaded` when the line is full or the wait too long. */
  acquire(holder: string, band: Band): Promise<Result<Lease>> {
    const now = Date.now();
    this.#expire(now);
    if (this.#waiters.length === 0 && this.#leased() < this.#slots) return Promise.resolve(success(this.#grant(holder, now)));
    if (this.#waiters.length >= POOL_QUEUE) {
      return Promise.resolve(failed(failure("overloaded", "Too many inferences are waiting for this model.", RETRY_AFTER_SECONDS)));
    }
    return new Promise((resolve) => {
      this.#tickets += 1;
      const waiter: Waiter = { holder, band, ticket: this.#tickets, since: now, grant: resolve };
      this.#waiters.push(waiter);
      setTimeout(() => this.#giveUp(waiter), POOL_WAIT_MS);
      void this.ctx.storage.setAlarm(this.#nextExpiry());
    });
  }

  /** Gives a slot back. Unknown leases (expired, or given back before) are ignored. */
  release(lease: string): void {
    this.ctx.storage.sql.exec("DELETE FROM leases WHERE id = ?", lease);
    this.#serve(Date.now());
  }

  view(): PoolView {
    this.#expire(Date.now());
    return { slots: this.#slots, leased: this.#leased(), waiting: this.#waiters.length };
  }

  /** Sets how many inferences may run at once. */
  resize(slots: number): void {
    this.#slots = slots;
    this.#serve(Date.now());
  }

  override alarm(): void {
    this.#serve(Date.now());
    if (this.#waiters.length > 0) void this.ctx.storage.setAlarm(this.#nextExpiry());
  }

  #grant(holder: string, since: number): Lease {
    const now = Date.now();
    const lease = crypto.randomUUID();
    this.ctx.storage.sql.exec("INSERT INTO leases VALUES (?, ?, ?)", lease, holder, now + LEASE_MS);
    return { lease, waitedMs: now - since };
  }

  #serve(now: number): void {
    this.#expire(now);
    while (this.#waiters.length > 0 && this.#leased() < this.#slots) {
      const [waiter] = this.#waiters.splice(nextInLine(this.#waiters), 1);
      waiter?.grant(success(this.#grant(waiter.holder, waiter.since)));
    }
  }

  #giveUp(waiter: Waiter): void {
    const index = this.#waiters.indexOf(waiter);
    if (index < 0) return;
    this.#waiters.splice(index, 1);
    waiter.grant(failed(failure("overloaded", "No slot of this model became free in time.", RETRY_AFTER_SECONDS)));
  }

  #expire(now: number): void {
    this.ctx.storage.sql.exec("DELETE FROM leases WHERE expires <= ?", now);
  }

  #leased(): number {
    return this.ctx.storage.sql.exec<{ leased: number }>("SELECT COUNT(*) AS leased FROM leases").one().leased;
  }

  #nextExpiry(): number {
    const row = this.ctx.storage.sql.exec<{ next: number | null }>("SELECT MIN(expires) AS next FROM leases").one();
    return (row.next ?? Date.now()) + 1;
  }
}
