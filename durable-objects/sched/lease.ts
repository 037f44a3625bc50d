/**
 * Lease: a slot of a model's pool, held until it is given back or expires; and the book of all leases of a pool.
 *
 * The book is stored, so that a pool that restarts knows who holds its slots. The writes are not waited for: what a crash of
 * the machine can lose is a lease of the last moments, whose slot is then free a little early. Nobody waits for a disk to
 * get a slot.
 */
import { LEASE_MS } from "#shared/limits.ts";

export interface Lease {
  readonly lease: string;
  /** Milliseconds the caller waited for it. */
  readonly waitedMs: number;
  /** True while the pool has plenty of slots: the holder may keep the slot a moment for its next inference. */
  readonly mayLinger: boolean;
}

interface Entry {
  readonly holder: string;
  readonly expires: number;
}

const UNCONFIRMED = { allowUnconfirmed: true } as const;
const PREFIX = "lease ";

export class LeaseBook {
  readonly #storage: DurableObjectStorage;
  readonly #leases = new Map<string, Entry>();

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  /** Reads what an earlier instance of the pool stored. */
  async load(): Promise<void> {
    const stored = await this.#storage.list<Entry>({ prefix: PREFIX });
    for (const [key, entry] of stored) this.#leases.set(key.slice(PREFIX.length), entry);
  }

  get size(): number {
    return this.#leases.size;
  }

  /** Milliseconds since 1970 at which the first lease expires, or null when there is none. */
  get nextExpiry(): number | null {
    let next: number | null = null;
    for (const { expires } of this.#leases.values()) next = next === null ? expires : Math.min(next, expires);
    return next;
  }

  grant(holder: string, now: number): string {
    const lease = crypto.randomUUID();
    const entry: Entry = { holder, expires: now + LEASE_MS };
    this.#leases.set(lease, entry);
    void this.#storage.put(PREFIX + lease, entry, UNCONFIRMED);
    return lease;
  }

  /** Answers false when there is no such lease any more. */
  renew(lease: string, now: number): boolean {
    const entry = this.#leases.get(lease);
    if (entry === undefined) return false;
    const renewed: Entry = { ...entry, expires: now + LEASE_MS };
    this.#leases.set(lease, renewed);
    void this.#storage.put(PREFIX + lease, renewed, UNCONFIRMED);
    return true;
  }

  /** Gives a lease back. One that is unknown (expired, given back before) changes nothing. */
  release(lease: string): void {
    if (this.#leases.delete(lease)) void this.#storage.delete(PREFIX + lease, UNCONFIRMED);
  }

  expire(now: number): void {
    for (const [lease, { expires }] of this.#leases) if (expires <= now) this.release(lease);
  }
}
