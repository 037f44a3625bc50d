/**
 * Admission model: drives an admission with random steps beside a naive model of it, a list of who waits and a list of who holds.
 *
 * The model knows nothing of policies or paces. It checks what any pool must hold after every step: every answer is to somebody who
 * asked, no more slots are granted than there are, nobody waits while a slot could be had, nobody waits too long, nothing leaks.
 */
import fc from "fast-check";
import { LEASE_MS, POOL_QUEUE, RETRY_AFTER_MOST_MS } from "#shared/limits.ts";
import { Admission } from "#kernel/sched/admission/admission.ts";
import { agedAfter, waitMost, type Outcome } from "#kernel/sched/admission/outcome.ts";
import { BANDS, openPolicy, type Band, type PolicyName } from "#kernel/sched/policy.ts";
import type { CallOutcome, CallReport, SlotAsk } from "#kernel/sched/pool-api.ts";
import type { PoolLimits } from "#kernel/sched/pool-limits.ts";

/** Milliseconds by which a timer may ring late: times are rounded up. */
const TIMER_SLACK_MS = 3;

export const START = 1_900_000_000_000;

export type Step =
  | {
      readonly act: "ask";
      readonly band: Band;
      readonly who: number;
      readonly tokens: number;
      /** The load of another shard that could take it. */
      readonly rival: number | null;
    }
  | { readonly act: "again" | "crash" | "renew"; readonly pick: number }
  | { readonly act: "withdraw"; readonly pick: number }
  | {
      readonly act: "release";
      readonly pick: number;
      readonly outcome: CallOutcome;
      readonly retryAfterMs: number | null;
      readonly calls: number;
    }
  | { readonly act: "pass"; readonly ms: number }
  | { readonly act: "back"; readonly ms: number }
  | { readonly act: "resize"; readonly slots: number }
  | { readonly act: "restart" };

const pick = fc.nat(1_000);
const outcomes: readonly CallOutcome[] = ["answered", "answered", "throttled", "failed", "cancelled", "unused"];

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      act: fc.constant("ask" as const),
      band: fc.constantFrom(...BANDS),
      who: fc.nat(3),
      tokens: fc.constantFrom(0, 10, 500, 100_000),
      rival: fc.constantFrom(null, null, null, 0, 1, 5),
    }),
  },
  {
    weight: 7,
    arbitrary: fc.record({
      act: fc.constant("release" as const),
      pick,
      outcome: fc.constantFrom(...outcomes),
      retryAfterMs: fc.constantFrom(null, null, 0, 700, 20_000, 10_000_000),
      calls: fc.constantFrom(0, 1, 1, 3),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ act: fc.constantFrom("again" as const, "crash" as const, "renew" as const), pick }),
  },
  { weight: 1, arbitrary: fc.record({ act: fc.constant("crash" as const), pick }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant("withdraw" as const), pick }) },
  {
    weight: 5,
    arbitrary: fc.record({ act: fc.constant("pass" as const), ms: fc.constantFrom(1, 300, 2_000, 20_000, 70_000) }),
  },
  {
    weight: 1,
    arbitrary: fc.oneof(
      fc.record({ act: fc.constant("back" as const), ms: fc.constantFrom(5, 5_000, 3_600_000) }),
      fc.record({ act: fc.constant("pass" as const), ms: fc.constantFrom(700_000, 3_600_000) }),
      fc.record({ act: fc.constant("resize" as const), slots: fc.integer({ min: 1, max: 12 }) }),
      fc.record({ act: fc.constant("restart" as const) }),
    ),
  },
);

export const schedule = fc.record({
  limits: fc.record({
    slots: fc.integer({ min: 1, max: 8 }),
    reserved: fc.constantFrom(null, 0, 1, 3),
    requestsPerMinute: fc.constantFrom(null, null, 3, 600),
    tokensPerMinute: fc.constantFrom(null, null, 6_000, 1_000_000),
  }),
  steps: fc.array(step, { maxLength: 60, size: "max" }),
});

interface Waiting {
  readonly ask: SlotAsk;
  readonly since: number;
}

/** Throws when something does not hold. */
function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

export class AdmissionModel {
  readonly #policy: PolicyName;
  #admission: Admission;
  /** Time goes on even where the clock that is told goes back by `#behind`. */
  #now = START;
  #behind = 0;
  #asked = 0;
  readonly waiting = new Map<string, Waiting>();
  /** Ticket → when its lease expires. */
  readonly leases = new Map<string, number>();
  /** Holders that still act. */
  #alive: string[] = [];
  answered = 0;
  longestWaitMs = 0;

  constructor(limits: PoolLimits, policy: PolicyName) {
    this.#policy = policy;
    this.#admission = new Admission(limits, openPolicy(policy, { slots: limits.slots }), this.#told);
  }

  get #told(): number {
    return this.#now - this.#behind;
  }

  take(one: Step): void {
    const admission = this.#admission;
    if (one.act === "ask") this.#ask(one);
    else if (one.act === "pass") this.pass(one.ms);
    else if (one.act === "back") this.#back(one.ms);
    else if (one.act === "resize")
      this.#follow(admission.configure({ ...admission.limits, slots: one.slots }, this.#told));
    else if (one.act === "restart") this.#restart();
    else if (one.act === "withdraw") this.#withdraw(one.pick);
    else if (one.act === "release") this.#release(one);
    else this.#holderDoes(one.act, one.pick);
    this.#check();
  }

  /** Time passes; what is due on the way is done on the way, as the object's timer does. */
  pass(ms: number): void {
    const until = this.#now + ms;
    for (let due = this.#due(); due !== null && due <= until; due = this.#due()) {
      must(due > this.#now, "the timer stands still");
      this.#nothingUntil(due - TIMER_SLACK_MS);
      this.#now = due;
      this.#follow(this.#admission.expire(this.#told));
      this.#check();
    }
    this.#nothingUntil(until - TIMER_SLACK_MS);
    this.#now = until;
    this.#follow(this.#admission.expire(this.#told));
  }

  /** No timer rings until then, so nobody who waits may be owed anything by then: a wake-up would be lost. */
  #nothingUntil(until: number): void {
    if (until <= this.#now) return;
    const waited = this.waiting.size > 0;
    this.#now = until;
    const outcome = this.#admission.expire(this.#told);
    this.#follow(outcome);
    const { granted, refused, closed } = outcome;
    must(granted.length + refused.length === 0, "somebody was answered long after it could be");
    must(!waited || closed.length === 0, "a lease ended unseen while somebody waited");
  }

  /** The clock goes back, and something happens before it has caught up: no clock tells more. */
  #back(ms: number): void {
    this.#behind += ms;
    this.#follow(this.#admission.expire(this.#told));
  }

  #due(): number | null {
    const due = this.#admission.due(this.#told);
    return due === null ? null : due + this.#behind;
  }

  /** Everybody who holds a slot crashes; in the end everybody who waits was answered and every slot is free. */
  finish(): void {
    this.#alive = [];
    for (let turn = 0; this.waiting.size > 0; turn += 1) {
      must(turn < 1_000, "somebody waits for ever");
      this.pass(10_000);
    }
    this.pass(LEASE_MS);
    this.#check();
    must(this.leases.size === 0, "a lease leaked");
    must(this.answered === this.#asked, "somebody was never answered");
    this.#fill();
  }

  /** All slots can be had again, once no rate and no pause keeps anybody. */
  #fill(): void {
    this.pass(RETRY_AFTER_MOST_MS);
    const free = { requestsPerMinute: null, tokensPerMinute: null };
    this.#follow(this.#admission.configure({ ...this.#admission.limits, ...free }, this.#told));
    const { slots } = this.#admission.pace;
    for (let slot = 0; slot < slots; slot += 1) this.#ask({ band: "interactive", who: slot, tokens: 0, rival: null });
    for (let turn = 0; this.leases.size < slots; turn += 1) {
      must(turn < 1_000, "a slot leaked");
      for (const lease of this.leases.keys()) this.#admission.renew(lease, this.#told);
      for (const lease of this.leases.keys()) this.leases.set(lease, this.#now + LEASE_MS);
      this.pass(1_000);
    }
    this.#check();
  }

  #ask({ band, who, tokens, rival }: Omit<Extract<Step, { act: "ask" }>, "act">): void {
    this.#asked += 1;
    const ticket = `t${this.#asked}`;
    const [user, program] = [`u${who % 2}`, `p${who}`];
    const ask = { holder: ticket, band, user, program, tokens, ticket };
    this.waiting.set(ticket, { ask, since: this.#now });
    if (rival === null) return void this.#follow(this.#admission.ask(ask, this.#told));
    const { elsewhere, outcome } = this.#admission.offer(ask, rival, this.#told);
    if (elsewhere !== null) this.#answeredTo(ticket);
    this.#follow(outcome);
  }

  #release(one: Extract<Step, { act: "release" }>): void {
    const lease = this.#alive[one.pick % Math.max(1, this.#alive.length)];
    if (lease === undefined) return;
    this.#alive = this.#alive.filter((alive) => alive !== lease);
    const { outcome, retryAfterMs } = one;
    const report: CallReport = {
      ...{ user: "u0", program: "p0", seconds: 1, tokens: 100 },
      ...{ outcome, retryAfterMs, programOver: false },
    };
    const reports = Array.from({ length: one.calls }, () => report);
    const held = this.leases.delete(lease);
    const closed = this.#follow(this.#admission.ended(lease, reports, this.#told), lease);
    must(closed.includes(lease) === held, "a lease that is given back is held no more");
    this.#follow(this.#admission.ended(lease, reports, this.#told)); // and a second time changes nothing
  }

  #withdraw(which: number): void {
    const tickets = [...this.waiting.keys(), ...this.#alive];
    const ticket = tickets[which % Math.max(1, tickets.length)];
    if (ticket === undefined) return;
    if (this.waiting.delete(ticket)) this.answered += 1;
    this.leases.delete(ticket);
    this.#alive = this.#alive.filter((alive) => alive !== ticket);
    this.#follow(this.#admission.withdraw(ticket, this.#told), ticket);
  }

  #holderDoes(act: "again" | "crash" | "renew", which: number): void {
    const tickets = act === "again" ? [...this.waiting.keys()] : this.#alive;
    const ticket = tickets[which % Math.max(1, tickets.length)];
    if (ticket === undefined) return;
    const waiting = this.waiting.get(ticket);
    if (act === "crash") this.#alive = this.#alive.filter((alive) => alive !== ticket);
    else if (act === "again" && waiting !== undefined) this.#follow(this.#admission.ask(waiting.ask, this.#told));
    else if (this.#admission.renew(ticket, this.#told) !== null) {
      must(this.leases.has(ticket), "a lease that nobody holds was renewed");
      this.leases.set(ticket, this.#now + LEASE_MS);
    }
  }

  /** The object dies; what it stored is read back, and those who waited ask again with the same ticket. */
  #restart(): void {
    const old = this.#admission;
    const state: unknown = JSON.parse(JSON.stringify(old.snapshot(this.#told)));
    const policy = openPolicy(this.#policy, { slots: old.limits.slots });
    const earlier = { leases: old.leases, state: state as ReturnType<Admission["snapshot"]> };
    this.#admission = new Admission(old.limits, policy, this.#told, earlier);
    // Its times were those of the old one's clock: what is left of a lease is a whole one at the most.
    const left = new Map(this.#admission.leases.map(({ lease, expires }) => [lease, expires + this.#behind]));
    for (const lease of this.leases.keys()) this.leases.set(lease, left.get(lease) ?? 0);
    for (const { ask } of [...this.waiting.values()]) {
      this.waiting.set(ask.ticket, { ask, since: this.#now });
      this.#follow(this.#admission.ask(ask, this.#told));
    }
  }

  /** Does to the model what the outcome says, and answers the leases it closed. `own` may be closed for no reason of time. */
  #follow({ granted, refused, closed }: Outcome, own?: string): readonly string[] {
    for (const lease of closed) {
      const expires = this.leases.get(lease);
      must(lease === own || (expires !== undefined && expires <= this.#now), `the lease ${lease} ended too soon`);
      this.leases.delete(lease);
    }
    for (const { entry } of granted) {
      this.#answeredTo(entry.lease);
      this.leases.set(entry.lease, this.#now + LEASE_MS);
      this.#alive.push(entry.lease);
    }
    for (const { ticket } of refused) {
      const { since, ask } = this.#answeredTo(ticket);
      const tooLong = this.#now - since >= waitMost(ask.band);
      must(tooLong || this.waiting.size >= POOL_QUEUE, "refused without a reason");
    }
    if (granted.length > 0) must(this.leases.size <= this.#admission.pace.slots, "more leases than slots");
    return closed;
  }

  #answeredTo(ticket: string): Waiting {
    const waiting = this.waiting.get(ticket);
    if (waiting === undefined) throw new Error(`an answer to nobody: ${ticket}`);
    this.waiting.delete(ticket);
    this.answered += 1;
    this.longestWaitMs = Math.max(this.longestWaitMs, this.#now - waiting.since);
    return waiting;
  }

  #check(): void {
    const admission = this.#admission;
    const { line, leased, policy, pace } = admission;
    must(line.size === this.waiting.size, "the line and the model differ");
    must(policy.waiting <= line.size, "the policy has more calls than wait");
    must(admission.leases.length === this.leases.size, "the leases and the model differ");
    must(BANDS.reduce((sum, band) => sum + leased[band], 0) === this.leases.size, "the bands do not add up");
    if (this.waiting.size === 0) return;
    must(this.#due() !== null, "somebody waits and no timer is set");
    const inside = admission.time(this.#told);
    const { requests, tokens } = admission.levels(inside);
    const allowed = [requests, tokens].every((bucket) => bucket === null || bucket.level(inside) >= bucket.capacity);
    if (!allowed || !pace.steady || pace.pausedUntil(inside) !== null) return;
    const now = this.#now;
    const free = pace.slots - this.leases.size;
    for (const { ask, since } of this.waiting.values()) {
      must(now - since <= waitMost(ask.band), "somebody waits too long");
      const mayStart = ask.band === "interactive" || free > admission.reserved || now - since >= agedAfter(ask.band);
      must(free <= 0 || !mayStart, "somebody waits though a slot is free");
    }
  }
}
