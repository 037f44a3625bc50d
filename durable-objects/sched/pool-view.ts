/**
 * Pool view: what a pool shows of itself: its slots, its line and its leases, never what anybody asked a model.
 */
import type { Admission } from "#kernel/sched/admission/admission.ts";
import type { Bucket } from "#kernel/sched/admission/bucket.ts";
import { BANDS, type Band } from "#kernel/sched/policy.ts";

export interface PoolView {
  /** Name of the pool's object: the model, and the shard when there are several. */
  readonly pool: string;
  readonly policy: string;
  /** Calls that may run at once, as the provider takes them now. */
  readonly slots: number;
  /** The most there can be. */
  readonly slotsMost: number;
  /** Slots that only interactive calls get. */
  readonly reserved: number;
  readonly leased: number;
  readonly waiting: number;
  readonly bands: Readonly<Record<Band, { readonly leased: number; readonly waiting: number }>>;
  /** Milliseconds the first in line has waited; 0 when nobody does. */
  readonly oldestWaitMs: number;
  /** Milliseconds since 1970 until which the provider asked to wait, or null. */
  readonly pausedUntil: number | null;
  readonly requests: BucketView | null;
  readonly tokens: BucketView | null;
  readonly today: DayView;
}

export interface BucketView {
  readonly perMinute: number;
  /** What can be used now; below zero when more was used than there was. */
  readonly level: number;
}

/** Since midnight UTC. */
export interface DayView {
  readonly day: string;
  readonly calls: number;
  readonly tokens: number;
  readonly throttled: number;
  readonly failed: number;
  /** Asks that got no slot. */
  readonly refused: number;
  readonly meanWaitMs: number;
}

/** Somebody who has a slot or waits for one. */
export interface HolderView {
  readonly holder: string;
  readonly user: string;
  readonly band: Band;
  readonly state: "leased" | "waiting";
  /** Milliseconds since 1970 since when. */
  readonly since: number;
}

/** A pool, and who is at it. */
export interface PoolInspection {
  readonly view: PoolView;
  readonly holders: readonly HolderView[];
}

export function viewPool(pool: string, admission: Admission, told: number): PoolView {
  const now = admission.time(told);
  const waiting = admission.line.counts();
  const { leased, pace } = admission;
  const { requests, tokens } = admission.levels(now);
  const { granted, waitedMs, calls, day, failed, refused, throttled, tokens: used } = admission.tally.today(now);
  const since = BANDS.map((band) => admission.line.oldest(band)?.since ?? now);
  return {
    pool,
    policy: admission.policy.name,
    slots: pace.slots,
    slotsMost: pace.most,
    reserved: admission.reserved,
    leased: BANDS.reduce((sum, band) => sum + leased[band], 0),
    waiting: admission.line.size,
    bands: {
      interactive: { leased: leased.interactive, waiting: waiting.interactive },
      normal: { leased: leased.normal, waiting: waiting.normal },
      batch: { leased: leased.batch, waiting: waiting.batch },
    },
    oldestWaitMs: Math.max(0, now - Math.min(...since)),
    pausedUntil: pace.pausedUntil(now),
    requests: viewBucket(requests, now),
    tokens: viewBucket(tokens, now),
    today: {
      ...{ day, calls, tokens: used, throttled, failed, refused },
      meanWaitMs: granted === 0 ? 0 : Math.round(waitedMs / granted),
    },
  };
}

/** Who has a slot or waits: of everybody, or of one user; at most `most`. */
export function viewHolders(admission: Admission, user: string | null, most: number): HolderView[] {
  const holders: HolderView[] = [];
  for (const { holder, user: of, band, since } of admission.leases) {
    if (user === null || of === user) holders.push({ holder, user: of, band, state: "leased", since });
  }
  for (const { ask, since } of admission.line.all()) {
    if (user !== null && ask.user !== user) continue;
    holders.push({ holder: ask.holder, user: ask.user, band: ask.band, state: "waiting", since });
  }
  return holders.slice(0, most);
}

function viewBucket(bucket: Bucket | null, now: number): BucketView | null {
  return bucket === null ? null : { perMinute: bucket.perMinute, level: Math.floor(bucket.level(now)) };
}
