/**
 * Admission: who gets a slot of a model, and when. The whole of a pool's decisions, as a value that is told what happens.
 *
 * Pure: no clock, timer, randomness or I/O. Every call is told the time (milliseconds since 1970; when it goes back, time stands still
 * inside for that moment and goes on from there) and answers an `Outcome`: tickets that now have a slot, tickets that are refused, leases that are held no more. The Pool object carries it out and calls `expire` at
 * `due`; the simulator does the same with a clock of its own. Calls are decided at once when something happens: there is no tick.
 *
 * What must hold: no more leases are granted than there are slots; a lease is given back, expires or is withdrawn, never lost; nobody
 * waits while a slot is free and rates, pauses and the reserve allow a start; nobody waits longer than `waitMost`. A lease is
 * named by the ticket it was asked with, so that asking again answers the same lease, and withdrawing frees what was granted.
 *
 *     who is next      the policy, of the bands that may start
 *     how many         `Pace`: slots that grow with answers and halve when the provider throttles; pauses it asks for
 *     the reserve      the last slots are for interactive calls, until a lower one has aged (`AGED_MS`)
 *     rates            one bucket of requests, one of tokens. A call that the policy took and the tokens do not suffice for is held:
 *                      a higher band may pass it, for `RATE_PATIENCE_MS`; its own band and lower ones may not
 */
import { failure, type Failure } from "#shared/errors.ts";
import {
  LEASE_MS,
  LINGER_FREE_SLOTS,
  LINGER_PERCENT,
  POOL_QUEUE,
  RATE_PATIENCE_MS,
  RESERVED_PART,
  RESERVED_SLOTS_FROM,
} from "#shared/limits.ts";
import { Bucket } from "#kernel/sched/admission/bucket.ts";
import { Line, type Waiter } from "#kernel/sched/admission/line.ts";
import { agedAfter, sound, waitMost, type AdmissionState, type Outcome } from "#kernel/sched/admission/outcome.ts";
import { Pace } from "#kernel/sched/admission/pace.ts";
import { Tally } from "#kernel/sched/admission/tally.ts";
import type { LeaseEntry } from "#kernel/sched/lease.ts";
import { BANDS, type Band, type Call, type Policy } from "#kernel/sched/policy.ts";
import type { CallReport, SlotAsk } from "#kernel/sched/pool-api.ts";
import type { PoolLimits } from "#kernel/sched/pool-limits.ts";

interface Held {
  readonly entry: LeaseEntry;
  readonly call: Call;
}

const RETRY_AFTER_SECONDS = 2;
const PAUSED = "The model's provider asked to wait.";
const FULL = failure("overloaded", "Too many inferences are waiting for this model.", RETRY_AFTER_SECONDS);
const TOO_LONG = failure("overloaded", "No slot of this model became free in time.", RETRY_AFTER_SECONDS);

export class Admission {
  readonly policy: Policy;
  readonly pace: Pace;
  readonly line = new Line();
  readonly tally: Tally;
  #limits: PoolLimits;
  #requests: Bucket | null;
  #tokens: Bucket | null;
  /** In the order in which they expire. */
  readonly #leases = new Map<string, Held>();
  readonly #leased: Record<Band, number> = { interactive: 0, normal: 0, batch: 0 };
  /** Calls the policy took that wait for tokens, at most one a band, the highest band first. */
  #held: Waiter[] = [];
  #calls = 0;
  /** The time inside: what is told, and what a clock that went back owes. */
  #time: number;
  #owed = 0;

  /** `leases` and `state` are what an earlier instance left. */
  constructor(
    limits: PoolLimits,
    policy: Policy,
    now: number,
    earlier: { readonly leases?: readonly LeaseEntry[]; readonly state?: AdmissionState | null } = {},
  ) {
    const state = earlier.state ?? null;
    this.policy = policy;
    this.#limits = limits;
    this.#time = now;
    this.pace = new Pace(limits.slots, now, state?.pace ?? null);
    this.tally = new Tally(now, state?.today ?? null);
    this.#requests = bucketOf(limits.requestsPerMinute, now, state?.requests);
    this.#tokens = bucketOf(limits.tokensPerMinute, now, state?.tokens);
    if (state !== null && state.policy.name === policy.name) policy.restore(state.policy.learned);
    policy.resize(this.pace.slots);
    for (const entry of (earlier.leases ?? []).toSorted((one, other) => one.expires - other.expires)) {
      const bounded = { ...entry, expires: Math.min(entry.expires, now + LEASE_MS) };
      const call = this.#callOf(bounded, Math.min(entry.since, now));
      policy.start(call, now / 1_000);
      this.#hold({ entry: bounded, call });
    }
  }

  /** Somebody asks for a slot. A ticket that has one gets the same again; one that waits keeps its place. */
  ask(ask: SlotAsk, told: number): Outcome {
    const outcome = this.expire(told);
    const now = this.time(told);
    const known = this.#leases.get(ask.ticket);
    if (known !== undefined) {
      const decided = outcome.granted.some(({ entry }) => entry.lease === ask.ticket);
      if (!decided) outcome.granted.push(this.#grantOf(known.entry, 0, now));
      return outcome;
    }
    if (this.line.find(ask.ticket) !== undefined) return outcome;
    const pauseMs = (this.pace.pausedUntil(now) ?? now) - now;
    const paused = pauseMs > (ask.patienceMs ?? Infinity);
    // Of a line that fills up nobody gets more than is left for all others: one user alone never fills it.
    const full = this.line.ofUser(ask.user) >= POOL_QUEUE - this.line.size;
    if (paused || full) {
      const error = paused ? failure("model_unavailable", PAUSED, Math.ceil(pauseMs / 1_000)) : FULL;
      this.#refuse(ask.ticket, error, outcome, now);
      return outcome;
    }
    const call = this.#callOf(ask, now);
    this.policy.enqueue(call);
    this.line.add({ ask, call, since: now, taken: false });
    return this.#dispatch(outcome, now);
  }

  /**
   * As `ask`, for a call that another shard could take. Where the line is full, or it would have to wait and the load (calls that run
   * or wait, per slot) is not below the rival's, it does not stay and the load is answered.
   */
  offer(ask: SlotAsk, rival: number, told: number): { readonly elsewhere: number | null; readonly outcome: Outcome } {
    const load = (this.#leases.size + this.line.size) / Math.max(1, this.pace.slots);
    const outcome = this.ask(ask, told);
    const full = outcome.refused.findIndex(({ ticket, error }) => ticket === ask.ticket && error === FULL);
    if (full >= 0) outcome.refused.splice(full, 1);
    if (full >= 0) return { elsewhere: load, outcome };
    const waiter = this.line.find(ask.ticket);
    if (waiter === undefined || load < rival) return { elsewhere: null, outcome };
    this.#leave(waiter, this.time(told));
    return { elsewhere: load, outcome: this.#dispatch(outcome, this.time(told)) };
  }

  /** A slot is given back, with a report of every call it served, in order. One that is unknown changes nothing. */
  ended(lease: string, reports: readonly CallReport[], told: number): Outcome {
    const held = this.#leases.get(lease);
    const outcome = this.expire(told);
    const now = this.time(told);
    if (held === undefined || !this.#leases.has(lease)) return outcome;
    this.#close(lease, outcome);
    const [first, ...more] = reports.map(sound);
    const { user, program, band, tokens, since: grantedAt } = held.entry;
    this.#settle(held.call, first ?? { ...UNUSED, user, program }, { asked: tokens, since: grantedAt }, now);
    for (const report of more) {
      const since = now - report.seconds * 1_000;
      const call = this.#callOf({ ...report, band }, since);
      this.policy.start(call, since / 1_000);
      this.#requests?.take(1, now);
      this.#settle(call, report, { asked: 0, since }, now);
    }
    this.policy.resize(this.pace.slots);
    return this.#dispatch(outcome, now);
  }

  /** Whoever asked with this ticket wants nothing any more: it leaves the line, or its slot is free. */
  withdraw(ticket: string, told: number): Outcome {
    const waiter = this.line.find(ticket);
    if (waiter === undefined) return this.ended(ticket, [], told);
    this.#leave(waiter, this.time(told));
    return this.expire(told);
  }

  /** Holds a slot for another lease's time. Answers the entry to store, or null when the lease has expired. */
  renew(lease: string, told: number): LeaseEntry | null {
    const now = this.time(told);
    const held = this.#leases.get(lease);
    if (held === undefined || held.entry.expires <= now) return null;
    const entry = { ...held.entry, expires: now + LEASE_MS };
    this.#leases.delete(lease); // to the end: they are kept in the order in which they expire
    this.#leases.set(lease, { ...held, entry });
    return entry;
  }

  /** Time has passed: leases of crashed holders end, those who waited too long are refused, whoever can start does. */
  expire(told: number): Outcome {
    const now = this.time(told);
    const outcome: Outcome = { granted: [], refused: [], closed: [] };
    for (const { entry, call } of this.#leases.values()) {
      if (entry.expires > now) break;
      this.#close(entry.lease, outcome);
      const seconds = (now - entry.since) / 1_000;
      this.policy.end(call.id, { seconds, programOver: true, learn: false }, now / 1_000);
    }
    this.#dispatch(outcome, now); // before anybody is refused: a slot that is free by now serves who waited longest
    for (const band of BANDS) {
      for (let waiter = this.line.oldest(band); waiter !== undefined; waiter = this.line.oldest(band)) {
        if (now - waiter.since < waitMost(band)) break;
        this.#leave(waiter, now);
        this.#refuse(waiter.ask.ticket, TOO_LONG, outcome, now);
      }
    }
    return this.#dispatch(outcome, now);
  }

  /** When `expire` has something to do that no other call brings about, or null while nobody waits. */
  due(told: number): number | null {
    if (this.line.size === 0) return null;
    const now = this.time(told);
    const free = this.pace.slots > this.#leases.size;
    const times = free ? [this.pace.due(now), this.#requests?.when(1, now) ?? null] : [];
    for (const band of BANDS) {
      const oldest = this.line.oldest(band);
      if (oldest !== undefined) times.push(oldest.since + waitMost(band), oldest.since + agedAfter(band));
    }
    for (const waiter of this.#held) {
      times.push(this.#tokens?.when(waiter.ask.tokens, now) ?? null, waiter.since + RATE_PATIENCE_MS);
    }
    times.push(this.#leases.values().next().value?.entry.expires ?? null);
    const ahead = times.filter((time) => time !== null && time > now).map(Number);
    return ahead.length === 0 ? null : Math.min(...ahead) - this.#owed;
  }

  /** The time inside, which never goes back. */
  time(told: number): number {
    if (told + this.#owed < this.#time) this.#owed = this.#time - told;
    this.#time = told + this.#owed;
    return this.#time;
  }

  /** Other limits from now on, such as after a deployment. */
  configure(limits: PoolLimits, told: number): Outcome {
    const now = this.time(told);
    this.#limits = limits;
    this.pace.resize(limits.slots);
    this.policy.resize(this.pace.slots);
    this.#requests = bucketOf(limits.requestsPerMinute, now, this.#requests?.level(now));
    this.#tokens = bucketOf(limits.tokensPerMinute, now, this.#tokens?.level(now));
    return this.expire(told);
  }

  snapshot(told: number): AdmissionState {
    const now = this.time(told);
    return {
      policy: { name: this.policy.name, learned: this.policy.snapshot() },
      pace: this.pace.state(),
      requests: this.#requests?.level(now) ?? null,
      tokens: this.#tokens?.level(now) ?? null,
      today: { ...this.tally.today(now) },
    };
  }

  get limits(): PoolLimits {
    return this.#limits;
  }

  get leases(): LeaseEntry[] {
    return Array.from(this.#leases.values(), ({ entry }) => entry);
  }

  /** Leases of each band. */
  get leased(): Readonly<Record<Band, number>> {
    return this.#leased;
  }

  /** Slots that only interactive calls get. */
  get reserved(): number {
    const { slots } = this.pace;
    const { reserved } = this.#limits;
    if (reserved !== null) return Math.min(reserved, Math.max(0, slots - 1));
    return slots < RESERVED_SLOTS_FROM ? 0 : Math.max(1, Math.floor(slots / RESERVED_PART));
  }

  /** At the time inside. */
  levels(now: number): { readonly requests: Bucket | null; readonly tokens: Bucket | null } {
    this.#requests?.level(now);
    this.#tokens?.level(now);
    return { requests: this.#requests, tokens: this.#tokens };
  }

  #dispatch(outcome: Outcome, now: number): Outcome {
    for (let waiter = this.#next(now); waiter !== null; waiter = this.#next(now)) this.#grant(waiter, outcome, now);
    return outcome;
  }

  /** The call that starts now, or null when none may. */
  #next(now: number): Waiter | null {
    const free = this.pace.slots - this.#leases.size;
    if (this.line.size === 0 || free <= 0 || this.pace.startable(now) <= 0) return null;
    if (this.#requests?.affords(1, now) === false) return null;
    let bands: readonly Band[] = free > this.reserved || this.#someoneAged(now) ? BANDS : ["interactive"];
    for (;;) {
      for (const held of this.#held) {
        if (!bands.includes(held.ask.band)) continue;
        if (this.#tokens?.affords(held.ask.tokens, now) !== false) return held;
        const mayBePassed = now - held.since < RATE_PATIENCE_MS;
        bands = mayBePassed ? BANDS.slice(0, BANDS.indexOf(held.ask.band)) : [];
        if (bands.length === 0) return null;
      }
      const call = this.policy.take(now / 1_000, bands);
      const waiter = call === null ? undefined : this.line.byCall(call.id);
      if (waiter === undefined) return null;
      waiter.taken = true;
      this.#held = [waiter, ...this.#held].toSorted((one, other) => rank(one) - rank(other));
    }
  }

  /** Whether a call below interactive has waited so long that the reserve is open to it. */
  #someoneAged(now: number): boolean {
    return (["normal", "batch"] as const).some((band) => {
      const oldest = this.line.oldest(band);
      return oldest !== undefined && now - oldest.since >= agedAfter(band);
    });
  }

  #grant(waiter: Waiter, outcome: Outcome, now: number): void {
    const { ask, call, since } = waiter;
    this.line.remove(waiter);
    this.#held = this.#held.filter((held) => held !== waiter);
    this.#requests?.take(1, now);
    this.#tokens?.take(ask.tokens, now);
    const { ticket, holder, user, program, band, tokens } = ask;
    const entry = { lease: ticket, holder, user, program, band, tokens, since: now, expires: now + LEASE_MS };
    this.#hold({ entry, call });
    this.pace.started(ticket, now);
    const waitedMs = now - since;
    this.tally.granted(waitedMs, now);
    outcome.granted.push(this.#grantOf(entry, waitedMs, now));
  }

  #grantOf(entry: LeaseEntry, waitedMs: number, now: number): Outcome["granted"][number] {
    return { entry, lease: { lease: entry.lease, waitedMs, mayLinger: this.#mayLinger(now) } };
  }

  /** Slots linger only while nothing is scarce: a lingering one is lost to others, and its calls ask for no tokens. */
  #mayLinger(now: number): boolean {
    const { slots, steady } = this.pace;
    const leased = this.#leases.size;
    const plenty = leased <= (slots * LINGER_PERCENT) / 100 && slots - leased >= LINGER_FREE_SLOTS;
    const full = [this.#requests, this.#tokens].every(
      (bucket) => bucket === null || bucket.level(now) >= bucket.capacity / 2,
    );
    return plenty && full && steady && this.line.size === 0;
  }

  #settle(call: Call, report: CallReport, { asked, since }: { asked: number; since: number }, now: number): void {
    const { outcome, seconds, programOver } = report;
    this.tally.reported(report, now);
    this.#tokens?.take(report.tokens - asked, now);
    if (outcome === "unused") this.#requests?.take(-1, now);
    if (outcome === "answered") this.pace.answered(since, now);
    if (outcome === "throttled") this.pace.throttled(since, now, report.retryAfterMs);
    if (outcome === "failed") this.pace.failed(since, now);
    this.policy.end(call.id, { seconds, programOver, learn: outcome === "answered" }, now / 1_000);
  }

  #callOf({ user, program, band }: Pick<SlotAsk, "user" | "program" | "band">, since: number): Call {
    this.#calls += 1;
    return { id: this.#calls, user, program, band, enqueuedAt: since / 1_000 };
  }

  #hold(held: Held): void {
    this.#leases.set(held.entry.lease, held);
    this.#leased[held.entry.band] += 1;
  }

  #close(lease: string, outcome: Outcome): void {
    const held = this.#leases.get(lease);
    if (held === undefined) return;
    this.#leases.delete(lease);
    this.#leased[held.entry.band] -= 1;
    this.pace.gone(lease);
    outcome.closed.push(lease);
  }

  /** A waiting call leaves unserved. */
  #leave(waiter: Waiter, now: number): void {
    this.line.remove(waiter);
    this.#held = this.#held.filter((held) => held !== waiter);
    if (!waiter.taken) this.policy.withdraw(waiter.call.id);
    else this.policy.end(waiter.call.id, { seconds: 0, programOver: false, learn: false }, now / 1_000);
  }

  #refuse(ticket: string, error: Failure, outcome: Outcome, now: number): void {
    this.tally.refused(now);
    outcome.refused.push({ ticket, error });
  }
}

const UNUSED = { outcome: "unused", seconds: 0, tokens: 0, retryAfterMs: null, programOver: false } as const;

function bucketOf(perMinute: number | null, now: number, level: number | null | undefined): Bucket | null {
  return perMinute === null ? null : new Bucket(perMinute, now, level ?? Infinity);
}

function rank(waiter: Waiter): number {
  return BANDS.indexOf(waiter.ask.band);
}
