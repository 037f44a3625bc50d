/**
 * Scheduling shards: one line and its slots, split over several Pool objects, in virtual time. Each has the production policy.
 *
 * Use `simulateShards(programs, options)`. Programs go to a shard by their user, or to the emptier of two; the slots are split evenly
 * once, or every few seconds by demand. What must hold, and is asserted: in all shards together never more calls run than there
 * are slots; no slot of a shard idles while a call waits in it.
 */
import { BANDS, openPolicy, type Policy } from "#kernel/sched/policy.ts";
import { splitSlots } from "#bench/scheduling-split.ts";
import { Heap, type Timed } from "#bench/scheduling-heap.ts";
import type { Program, SimCall } from "#bench/scheduling-workload.ts";

export interface ShardOptions {
  readonly slots: number;
  readonly shards: number;
  /**
   * `user`: the user's home shard. `second`: the home, but a program that finds no free slot there goes to the user's second shard
   * when that is emptier, and stays there. `two`: every program to the emptier of two that its own name gives.
   */
  readonly route: "user" | "second" | "two";
  /** Seconds between two splits of the slots by demand; null to split evenly once. */
  readonly rebalance: number | null;
}

export interface ShardOutcome {
  readonly stays: Float64Array;
  readonly longestWait: number;
}

interface Shard {
  readonly policy: Policy;
  slots: number;
  running: number;
  readonly calls: Map<number, Begun>;
}

interface Begun {
  readonly live: Live;
  readonly call: SimCall;
  readonly enqueuedAt: number;
  startedAt: number;
}

interface Live {
  readonly index: number;
  readonly program: Program;
  readonly shard: Shard;
  stage: number;
  open: number;
}

interface Tick extends Timed {
  readonly kind: "arrive" | "end" | "split";
  readonly id: number;
  readonly shard: Shard | null;
}

export function simulateShards(programs: readonly Program[], options: ShardOptions): ShardOutcome {
  return new Sharded(programs, options).run();
}

class Sharded {
  readonly #programs: readonly Program[];
  readonly #options: ShardOptions;
  readonly #shards: Shard[];
  readonly #heap = new Heap<Tick>();
  readonly #stays: Float64Array;
  #ids = 0;
  #turns = 0;
  #left: number;
  #longestWait = 0;

  constructor(programs: readonly Program[], options: ShardOptions) {
    const { slots, shards } = options;
    this.#programs = programs;
    this.#options = options;
    this.#left = programs.length;
    this.#stays = new Float64Array(programs.length).fill(Number.NaN);
    this.#shards = Array.from({ length: shards }, (_, index) => {
      const share = Math.floor(slots / shards) + (index < slots % shards ? 1 : 0);
      return { policy: openPolicy("ervd", { slots: share }), slots: share, running: 0, calls: new Map() };
    });
  }

  run(): ShardOutcome {
    for (const [index, { arrival }] of this.#programs.entries()) this.#at(arrival, "arrive", index, null);
    if (this.#options.rebalance !== null) this.#at(this.#options.rebalance, "split", 0, null);
    for (let tick = this.#heap.pop(); tick !== undefined && this.#left > 0; tick = this.#heap.pop()) {
      if (tick.kind === "arrive") this.#arrive(tick.id, tick.at);
      else if (tick.kind === "split") this.#split(tick.at);
      else if (tick.shard !== null) this.#end(tick.shard, tick.id, tick.at);
    }
    return { stays: this.#stays, longestWait: this.#longestWait };
  }

  #arrive(index: number, now: number): void {
    const program = this.#programs[index];
    if (program === undefined) return;
    const live: Live = { index, program, shard: this.#shardOf(program, index), stage: -1, open: 0 };
    this.#begin(live, now);
    this.#serve(live.shard, now);
  }

  #shardOf({ user }: Program, index: number): Shard {
    const at = (hash: number): Shard => {
      const shard = this.#shards[hash % this.#shards.length];
      if (shard === undefined) throw new Error("there is no shard");
      return shard;
    };
    const { route } = this.#options;
    const home = at(route === "two" ? mixed(index, 1) : mixed(user, 1));
    if (route === "user" || this.#shards.length === 1) return home;
    const second = at(route === "two" ? mixed(index, 2) : mixed(user, 2));
    const load = ({ running, slots, policy }: Shard): number => (running + policy.waiting) / slots;
    if (route === "second" && load(home) < 1) return home;
    return load(second) < load(home) ? second : home;
  }

  #begin(live: Live, now: number): void {
    live.stage += 1;
    const calls = live.program.stages[live.stage] ?? [];
    live.open = calls.length;
    for (const call of calls) {
      this.#ids += 1;
      live.shard.calls.set(this.#ids, { live, call, enqueuedAt: now, startedAt: Number.NaN });
      const [user, program] = [`user ${live.program.user}`, `program ${live.index}`];
      live.shard.policy.enqueue({ id: this.#ids, user, program, band: "normal", enqueuedAt: now });
    }
  }

  #serve(shard: Shard, now: number): void {
    while (shard.running < shard.slots && shard.policy.waiting > 0) {
      const taken = shard.policy.take(now, BANDS);
      const begun = taken === null ? undefined : shard.calls.get(taken.id);
      if (taken === null || begun === undefined) throw new Error("a slot idles while a call waits");
      begun.startedAt = now;
      shard.running += 1;
      this.#longestWait = Math.max(this.#longestWait, now - begun.enqueuedAt);
      this.#at(now + begun.call.first + begun.call.rest, "end", taken.id, shard);
    }
  }

  #end(shard: Shard, id: number, now: number): void {
    const begun = shard.calls.get(id);
    if (begun === undefined) return;
    const { live } = begun;
    shard.calls.delete(id);
    shard.running -= 1;
    live.open -= 1;
    const over = live.open === 0 && live.stage === live.program.stages.length - 1;
    shard.policy.end(id, { seconds: now - begun.startedAt, programOver: over, learn: true }, now);
    if (over) {
      this.#stays[live.index] = now - live.program.arrival;
      this.#left -= 1;
    } else if (live.open === 0) this.#begin(live, now);
    this.#serve(shard, now);
  }

  #split(now: number): void {
    const { slots, rebalance } = this.#options;
    const split = splitSlots(
      slots,
      this.#shards.map(({ running, policy }) => ({ running, waiting: policy.waiting })),
    );
    for (const [index, shard] of this.#shards.entries()) {
      shard.slots = split[index] ?? 1;
      shard.policy.resize(shard.slots);
    }
    for (const shard of this.#shards) this.#serve(shard, now);
    const running = this.#shards.reduce((sum, shard) => sum + shard.running, 0);
    if (running > slots) throw new Error("more calls run than there are slots");
    if (rebalance !== null) this.#at(now + rebalance, "split", 0, null);
  }

  #at(at: number, kind: Tick["kind"], id: number, shard: Shard | null): void {
    this.#turns += 1;
    this.#heap.push({ at, turn: this.#turns, kind, id, shard });
  }
}

function mixed(value: number, salt: number): number {
  let word = Math.imul(value ^ (salt * 0x9e3779b9), 0x85ebca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
  return (word ^ (word >>> 16)) >>> 0;
}
