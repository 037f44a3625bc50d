/**
 * Lease: a slot of a model's pool, held until it is given back or expires; and where a pool stores the leases it gave.
 *
 * They are stored so that a pool that restarts knows who holds its slots. The writes are not waited for: what a crash of the
 * machine can lose is a lease of the last moments, whose slot is then free a little early. Nobody waits for a disk to get a slot.
 */
import { z } from "zod";
import { BANDS, type Band } from "#kernel/sched/policy.ts";
import type { CallReport } from "#kernel/sched/pool-api.ts";

export interface Lease {
  readonly lease: string;
  /** Milliseconds the caller waited for it. */
  readonly waitedMs: number;
  /** True while the pool has plenty of slots: the holder may keep the slot a moment for its next inference. */
  readonly mayLinger: boolean;
}

/** A lease as its pool knows it. Times are milliseconds since 1970. */
export interface LeaseEntry {
  /** The ticket it was asked with. */
  readonly lease: string;
  readonly holder: string;
  readonly user: string;
  readonly program: string;
  readonly band: Band;
  /** Tokens it was given of the rate. */
  readonly tokens: number;
  /** When it was granted. */
  readonly since: number;
  readonly expires: number;
}

/** A slot that stays with its process a moment for the next inference. */
export interface KeptSlot {
  /** Name of the pool's object that granted it. */
  readonly pool: string;
  readonly lease: Lease;
  /** When it was granted. */
  readonly since: number;
  /** Of the calls it served so far. */
  readonly reports: readonly CallReport[];
  readonly timer: ReturnType<typeof setTimeout>;
}

const UNCONFIRMED = { allowUnconfirmed: true } as const;
const PREFIX = "lease ";

const entrySchema: z.ZodType<LeaseEntry> = z.object({
  ...{ lease: z.string(), holder: z.string(), user: z.string(), program: z.string(), band: z.enum(BANDS) },
  ...{ tokens: z.number(), since: z.number(), expires: z.number() },
});

/** What an earlier instance of the pool stored. What is no lease, as an earlier version stored it, is dropped: its slot is free. */
export async function storedLeases(storage: DurableObjectStorage): Promise<LeaseEntry[]> {
  const leases: LeaseEntry[] = [];
  for (const [key, stored] of await storage.list({ prefix: PREFIX })) {
    const read = entrySchema.safeParse(stored);
    if (read.success) leases.push(read.data);
    else void storage.delete(key, UNCONFIRMED);
  }
  return leases;
}

export function storeLease(storage: DurableObjectStorage, entry: LeaseEntry): void {
  void storage.put(PREFIX + entry.lease, entry, UNCONFIRMED);
}

export function forgetLease(storage: DurableObjectStorage, lease: string): void {
  void storage.delete(PREFIX + lease, UNCONFIRMED);
}
