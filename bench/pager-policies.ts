/**
 * Pager policies to compare: FIFO, LRU, CLOCK, SIEVE and Belady over frames of different sizes, and the production pager.
 *
 * A policy hears what enters the body and what is used, and says before a call which frames leave. All but the production
 * pager work between two watermarks: nothing leaves up to `high`, then frames leave until `low` holds; equal ones mean "at
 * once". Pure: used by the figures and by the replay of a process's own references.
 *
 * Sources: CLOCK, Corbató 1968; SIEVE, Zhang et al., NSDI 2024; MIN, Belady 1966. With sizes MIN is no longer optimal (the
 * problem is NP-hard): farthest next use first is the usual heuristic, exact only for frames of one size.
 */
import { Pager, type PagerOptions, type PagerState } from "#kernel/vm/pager/policy.ts";

export interface Resident {
  readonly id: number;
  readonly tokens: number;
}

export interface Policy {
  /** What time it is: the index of the event that comes now. Only the policy that sees the future asks. */
  at?(time: number): void;
  /** A frame entered the body; `again` when it had been there before. */
  enter(frame: Resident, again: boolean): void;
  /** A mapped frame was used. */
  use(id: number): void;
  /** Before a call: which frames leave. `faultCost` is what faults cost since the last call, in input-token equivalents. */
  evict(body: readonly Resident[], tokens: number, faultCost: number): readonly number[];
}

export interface Watermarks {
  readonly low: number;
  readonly high: number;
}

/** The order in which a policy would let frames go. */
interface Order {
  enter(id: number): void;
  use(id: number): void;
  /** The next to leave; it is gone from the order. */
  next(): number | undefined;
}

/** A policy between two watermarks. */
class Batched implements Policy {
  readonly #order: Order;
  readonly #marks: Watermarks;

  constructor(order: Order, marks: Watermarks) {
    this.#order = order;
    this.#marks = marks;
  }

  enter(frame: Resident): void {
    this.#order.enter(frame.id);
  }

  use(id: number): void {
    this.#order.use(id);
  }

  evict(body: readonly Resident[], tokens: number): number[] {
    if (tokens <= this.#marks.high) return [];
    const sizes = new Map(body.map((frame) => [frame.id, frame.tokens]));
    const gone: number[] = [];
    let left = tokens;
    while (left > this.#marks.low) {
      const id = this.#order.next();
      if (id === undefined) break;
      gone.push(id);
      left -= sizes.get(id) ?? 0;
    }
    return gone;
  }
}

export function never(): Policy {
  return { enter() {}, use() {}, evict: () => [] };
}

export function fifo(marks: Watermarks): Policy {
  const queue: number[] = [];
  const order = { enter: (id: number) => void queue.push(id), use() {}, next: () => queue.shift() };
  return new Batched(order, marks);
}

export function lru(marks: Watermarks): Policy {
  const touched = new Set<number>();
  const touch = (id: number): void => {
    touched.delete(id);
    touched.add(id);
  };
  const next = (): number | undefined => {
    const [id] = touched;
    if (id !== undefined) touched.delete(id);
    return id;
  };
  return new Batched({ enter: touch, use: touch, next }, marks);
}

/** Second chance: a used frame at the head loses its mark and goes to the end of the queue. */
export function clock(marks: Watermarks): Policy {
  const queue: number[] = [];
  const used = new Set<number>();
  const next = (): number | undefined => {
    for (;;) {
      const id = queue.shift();
      if (id === undefined || !used.delete(id)) return id;
      queue.push(id);
    }
  };
  return new Batched({ enter: (id) => void queue.push(id), use: (id) => void used.add(id), next }, marks);
}

/** A hand goes from the oldest frame to the newest and around; a used frame loses its mark and stays where it is. */
export function sieve(marks: Watermarks): Policy {
  const queue: number[] = [];
  const used = new Set<number>();
  let hand = 0;
  const next = (): number | undefined => {
    while (queue.length > 0) {
      if (hand >= queue.length) hand = 0;
      const id = queue[hand];
      if (id === undefined) return undefined;
      if (!used.delete(id)) {
        queue.splice(hand, 1);
        return id;
      }
      hand += 1;
    }
    return undefined;
  };
  return new Batched({ enter: (id) => void queue.push(id), use: (id) => void used.add(id), next }, marks);
}

/** Farthest next use first, never used again before all, older before newer. `future` says when each frame is wanted, in order. */
export function belady(marks: Watermarks, future: ReadonlyMap<number, readonly number[]>): Policy {
  const held = new Set<number>();
  let now = 0;
  const nextUse = (id: number): number => future.get(id)?.find((time) => time >= now) ?? Infinity;
  const next = (): number | undefined => {
    let [chosen, farthest]: [number | undefined, number] = [undefined, -1];
    for (const id of held) {
      const use = nextUse(id);
      if (use > farthest) [chosen, farthest] = [id, use];
    }
    if (chosen !== undefined) held.delete(chosen);
    return chosen;
  };
  const policy = new Batched({ enter: (id) => void held.add(id), use() {}, next }, marks);
  return Object.assign(policy, {
    at: (time: number) => {
      now = time;
    },
  });
}

/** The production pager. Frames that entered between two calls are one group, as a turn with its calls and results is. */
export class Production implements Policy {
  readonly #pager: Pager;
  readonly #frames = new Map<number, { group: number; referenced: boolean; faults: number }>();
  #state: PagerState;
  #calls = 0;

  constructor(options: PagerOptions) {
    this.#pager = new Pager(options);
    this.#state = this.#pager.start();
  }

  get state(): PagerState {
    return this.#state;
  }

  get watermarks(): Watermarks {
    return this.#pager.watermarks(this.#state);
  }

  enter(frame: Resident, again: boolean): void {
    const faults = (this.#frames.get(frame.id)?.faults ?? 0) + (again ? 1 : 0);
    this.#frames.set(frame.id, { group: this.#calls, referenced: false, faults });
  }

  use(id: number): void {
    const frame = this.#frames.get(id);
    if (frame !== undefined) frame.referenced = true;
  }

  evict(body: readonly Resident[], _tokens: number, faultCost: number): readonly number[] {
    this.#calls += 1;
    const frames = body.map(({ id, tokens }) => {
      const { group = 0, referenced = false, faults = 0 } = this.#frames.get(id) ?? {};
      return { id, tokens, group, referenced, faults, pinned: false, locked: false };
    });
    const step = this.#pager.step(frames, this.#state, { faultCost });
    this.#state = step.state;
    for (const id of step.cleared) this.#change(id, { referenced: false });
    for (const id of step.weakened) this.#change(id, { faults: (this.#frames.get(id)?.faults ?? 0) / 2 });
    return step.evict;
  }

  #change(id: number, change: { referenced?: boolean; faults?: number }): void {
    const frame = this.#frames.get(id);
    if (frame !== undefined) Object.assign(frame, change);
  }
}
