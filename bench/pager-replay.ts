/**
 * Pager replay: a stream of frames, calls and uses through one policy, and what that costs and keeps.
 *
 * Use `replay(events, policy, options)`. A prompt is prefix, body, tail. A provider's cache holds the prefix and the body of the
 * call before, up to the first frame that changed; the tail is new in every call. Prices are input-token equivalents a token.
 * Pure and deterministic.
 *
 * Definitions. Residency: share of the wanted frames that were in the body when they were wanted, averaged over the moments.
 * Coverage: the same for body and tail together. A fault: a wanted frame that was in neither; it enters the body before the call
 * goes out, without a call of its own. Evictions: distinct (frame, stay in the body) pairs. Premature: an eviction whose frame
 * was wanted within PREMATURE_CALLS calls. Resent: tokens neither cached nor new.
 */
import type { Policy, Resident } from "#bench/pager-policies.ts";
import { faultCost } from "#kernel/vm/pager/policy.ts";

export type ReplayEvent =
  | { readonly kind: "enter"; readonly frame: Resident }
  | { readonly kind: "call" }
  | { readonly kind: "wanted"; readonly moment: number; readonly frames: readonly Resident[] };

/** What is mapped for one call beside the body. */
export interface Tail {
  readonly ids: ReadonlySet<number>;
  readonly tokens: number;
}

export interface ReplayOptions {
  readonly prefix: number;
  readonly write: number;
  readonly read: number;
  /** Tokens of the note that stands at the head of the body once something has left; 0 for none. Every batch rewrites it. */
  readonly stub?: number;
  readonly tail?: (moment: number, body: ReadonlySet<number>) => Tail;
  /** False: a wanted frame that is mapped nowhere does not enter the body. */
  readonly faultsEnter?: boolean;
}

export interface Moment {
  readonly moment: number;
  readonly residency: number;
  readonly coverage: number;
}

export interface ReplayOutcome {
  readonly moments: readonly Moment[];
  readonly calls: number;
  readonly tokens: number;
  readonly cached: number;
  readonly tailTokens: number;
  readonly resent: number;
  /** Input-token equivalents of all calls. */
  readonly cost: number;
  readonly wanted: number;
  readonly faults: number;
  readonly evictions: number;
  readonly premature: number;
  /** What the faults would cost as calls of their own (`faultCost` of the pager's policy); not part of `cost`. */
  readonly faultCost: number;
}

/** Tokens of the call that reads a page back. */
const FAULT_OUTPUT = 40;

export const PREMATURE_CALLS = 20;

export function replay(events: readonly ReplayEvent[], policy: Policy, options: ReplayOptions): ReplayOutcome {
  const run = new Replay(policy, options);
  events.forEach((event, time) => {
    policy.at?.(time);
    if (event.kind === "enter") run.enter(event.frame);
    else if (event.kind === "call") run.plain();
    else run.wanted(event.moment, event.frames);
  });
  return run.outcome();
}

/** When each frame is wanted, as indices of events: what `belady` looks into. */
export function futureOf(events: readonly ReplayEvent[]): Map<number, number[]> {
  const future = new Map<number, number[]>();
  events.forEach((event, time) => {
    if (event.kind !== "wanted") return;
    for (const { id } of event.frames) future.set(id, [...(future.get(id) ?? []), time]);
  });
  return future;
}

const NONE: ReadonlySet<number> = new Set();

class Replay {
  readonly #policy: Policy;
  readonly #options: ReplayOptions;
  #body: Resident[] = [];
  readonly #mapped = new Set<number>();
  readonly #seen = new Set<number>();
  readonly #leftAt = new Map<number, number>();
  readonly #moments: Moment[] = [];
  #bodyTokens = 0;
  /** How many frames at the head of the body the last call already sent, and whether its note still stands. */
  #same = 0;
  #stub = 0;
  #stubSent = false;
  #new = 0;
  #faultCost = 0;
  #totals = { calls: 0, tokens: 0, cached: 0, tailTokens: 0, resent: 0, cost: 0, faultCost: 0 };
  #counts = { wanted: 0, faults: 0, evictions: 0, premature: 0 };

  constructor(policy: Policy, options: ReplayOptions) {
    this.#policy = policy;
    this.#options = options;
  }

  enter(frame: Resident): void {
    if (this.#mapped.has(frame.id)) return;
    this.#body.push(frame);
    this.#mapped.add(frame.id);
    this.#bodyTokens += frame.tokens;
    this.#new += frame.tokens;
    this.#policy.enter(frame, this.#seen.has(frame.id));
    this.#seen.add(frame.id);
  }

  wanted(moment: number, frames: readonly Resident[]): void {
    this.#evict();
    const tail = this.#options.tail?.(moment, this.#mapped) ?? { ids: NONE, tokens: 0 };
    const inBody = frames.filter(({ id }) => this.#mapped.has(id));
    const missing = frames.filter((frame) => !inBody.includes(frame) && !tail.ids.has(frame.id));
    const share = (held: number): number => (frames.length === 0 ? 1 : held / frames.length);
    this.#moments.push({
      moment,
      residency: share(inBody.length),
      coverage: share(frames.length - missing.length),
    });
    this.#counts.wanted += frames.length;
    this.#counts.faults += missing.length;
    for (const { id } of frames) this.#countPremature(id);
    for (const { id } of inBody) this.#policy.use(id);
    for (const frame of missing) {
      const cost = faultCost(this.#options.prefix + this.#bodyTokens, frame.tokens, FAULT_OUTPUT, this.#options);
      this.#faultCost += cost;
      this.#totals.faultCost += cost;
      if (this.#options.faultsEnter !== false) this.enter(frame);
    }
    this.#send(tail);
  }

  /** A call that wants nothing of what has left. */
  plain(): void {
    this.#evict();
    this.#send({ ids: NONE, tokens: 0 });
  }

  #countPremature(id: number): void {
    const left = this.#leftAt.get(id);
    if (left !== undefined && this.#totals.calls - left <= PREMATURE_CALLS) this.#counts.premature += 1;
    this.#leftAt.delete(id);
  }

  #evict(): void {
    const gone = new Set(this.#policy.evict(this.#body, this.#bodyTokens, this.#faultCost));
    this.#faultCost = 0;
    if (gone.size === 0) return;
    const first = this.#body.findIndex(({ id }) => gone.has(id));
    if (first >= 0) this.#same = Math.min(this.#same, first);
    for (const frame of this.#body) {
      if (!gone.has(frame.id)) continue;
      this.#mapped.delete(frame.id);
      this.#leftAt.set(frame.id, this.#totals.calls);
      this.#bodyTokens -= frame.tokens;
      this.#counts.evictions += 1;
    }
    this.#body = this.#body.filter(({ id }) => this.#mapped.has(id));
    this.#stub = this.#options.stub ?? 0;
    this.#stubSent = false;
  }

  #send(tail: Tail): void {
    const { prefix, write, read } = this.#options;
    const kept = this.#stub === 0 || this.#stubSent;
    const sent = kept ? this.#body.slice(0, this.#same).reduce((sum, frame) => sum + frame.tokens, this.#stub) : 0;
    const cached = this.#totals.calls === 0 ? 0 : prefix + sent;
    const tokens = prefix + this.#stub + this.#bodyTokens + tail.tokens;
    this.#totals.calls += 1;
    this.#totals.tokens += tokens;
    this.#totals.cached += cached;
    this.#totals.tailTokens += tail.tokens;
    this.#totals.resent += Math.max(0, tokens - cached - tail.tokens - this.#new);
    this.#totals.cost += read * cached + write * (tokens - cached);
    this.#same = this.#body.length;
    this.#stubSent = true;
    this.#new = 0;
  }

  outcome(): ReplayOutcome {
    return { moments: this.#moments, ...this.#totals, ...this.#counts };
  }
}
