/**
 * Scheduling simulator: programs, a number of slots and a policy, in virtual time. The policy is the production object.
 *
 * Use `simulate(programs, policy, slots)`. What must hold, and is asserted in every run: no slot idles while a call waits; every
 * call starts once and not before its stage; slots times busy time is the service given; the integral over time of the programs in
 * the system is the sum of their stays.
 */
import { BANDS, type Band, type Policy } from "#kernel/sched/policy.ts";
import { Heap, type Timed } from "#bench/scheduling-heap.ts";
import type { Program, SimCall } from "#bench/scheduling-workload.ts";

export interface SimOptions {
  readonly slots: number;
  /** Seconds a call takes when it starts now. */
  readonly service?: (call: SimCall, program: number, now: number) => number;
  readonly band?: (program: Program) => Band;
  /** Told of a call before it is in the line: for oracles. */
  readonly told?: ((id: number, call: SimCall) => void) | undefined;
  /** Told of a call's end, for what keeps a state of its own, such as a cache. */
  readonly ended?: (program: number, now: number) => void;
}

export interface SimOutcome {
  /** Seconds each program took from its arrival to its end; NaN for one that left. */
  readonly stays: Float64Array;
  /** The longest wait of one call. */
  readonly longestWait: number;
  readonly end: number;
  readonly calls: number;
}

interface Live {
  readonly index: number;
  stage: number;
  /** Calls of the stage that wait or run. */
  open: number;
  stageAt: number;
  left: boolean;
  readonly ids: Set<number>;
}

interface Started {
  readonly live: Live;
  readonly call: SimCall;
  readonly enqueuedAt: number;
  startedAt: number;
}

interface Tick extends Timed {
  readonly id: number;
  readonly leaves: Live | null;
}

export function simulate(programs: readonly Program[], policy: Policy, options: SimOptions): SimOutcome {
  return new Simulation(programs, policy, options).run();
}

class Simulation {
  readonly #programs: readonly Program[];
  readonly #policy: Policy;
  readonly #options: SimOptions;
  readonly #stays: Float64Array;
  readonly #calls = new Map<number, Started>();
  readonly #heap = new Heap<Tick>();
  #ids = 0;
  #turns = 0;
  #running = 0;
  #waiting = 0;
  #now = 0;
  #longestWait = 0;
  #busy = 0;
  #given = 0;
  #inSystem = 0;
  #stayed = 0;
  #present = 0;

  constructor(programs: readonly Program[], policy: Policy, options: SimOptions) {
    this.#programs = programs;
    this.#policy = policy;
    this.#options = options;
    this.#stays = new Float64Array(programs.length).fill(Number.NaN);
  }

  run(): SimOutcome {
    let next = 0;
    for (;;) {
      const tick = this.#heap.peek();
      const arriving = this.#programs[next];
      if (tick === undefined && arriving === undefined) break;
      if (arriving !== undefined && (tick === undefined || arriving.arrival <= tick.at)) {
        this.#pass(arriving.arrival);
        this.#present += 1;
        this.#begin({ index: next, stage: -1, open: 0, stageAt: 0, left: false, ids: new Set() });
        next += 1;
      } else if (tick !== undefined) {
        this.#heap.pop();
        this.#pass(tick.at);
        if (tick.leaves === null) this.#finish(tick.id);
        else this.#leave(tick.leaves);
      }
      this.#dispatch();
    }
    this.#check();
    return { stays: this.#stays, longestWait: this.#longestWait, end: this.#now, calls: this.#ids };
  }

  #pass(now: number): void {
    this.#busy += this.#running * (now - this.#now);
    this.#inSystem += this.#present * (now - this.#now);
    this.#now = now;
  }

  /** Sends the calls of the program's next stage. */
  #begin(live: Live): void {
    live.stage += 1;
    live.stageAt = this.#now;
    const program = this.#program(live);
    const calls = program.stages[live.stage] ?? [];
    live.open = calls.length;
    for (const call of calls) {
      this.#ids += 1;
      this.#calls.set(this.#ids, { live, call, enqueuedAt: this.#now, startedAt: Number.NaN });
      live.ids.add(this.#ids);
      this.#waiting += 1;
      this.#options.told?.(this.#ids, call);
      this.#policy.enqueue({
        ...{ id: this.#ids, user: `user ${program.user}`, program: `program ${live.index}`, enqueuedAt: this.#now },
        band: this.#options.band?.(program) ?? "normal",
      });
    }
    if (program.leaves?.stage === live.stage) this.#at(this.#now + program.leaves.after, 0, live);
  }

  #dispatch(): void {
    while (this.#running < this.#options.slots && this.#waiting > 0) {
      const taken = this.#policy.take(this.#now, BANDS);
      const started = taken === null ? undefined : this.#calls.get(taken.id);
      if (taken === null || started === undefined) throw new Error("a slot idles while a call waits");
      if (!Number.isNaN(started.startedAt)) throw new Error("a call starts twice");
      if (started.enqueuedAt < started.live.stageAt) throw new Error("a call starts before its stage");
      started.startedAt = this.#now;
      this.#waiting -= 1;
      this.#running += 1;
      this.#longestWait = Math.max(this.#longestWait, this.#now - started.enqueuedAt);
      const { call, live } = started;
      const seconds = this.#options.service?.(call, live.index, this.#now) ?? call.first + call.rest;
      this.#at(this.#now + seconds, taken.id, null);
    }
    if (this.#policy.waiting !== this.#waiting) throw new Error("the line lost a call");
  }

  #finish(id: number): void {
    const started = this.#calls.get(id);
    if (started === undefined) return;
    const { live } = started;
    this.#stop(id, started);
    live.open -= 1;
    const over = live.open === 0 && live.stage === this.#program(live).stages.length - 1;
    this.#policy.end(id, { seconds: this.#now - started.startedAt, programOver: over, learn: true }, this.#now);
    this.#options.ended?.(live.index, this.#now);
    if (over) this.#depart(live, true);
    else if (live.open === 0) this.#begin(live);
  }

  /** Ends the program in the middle: its waiting calls leave the line, its running ones free their slots. */
  #leave(live: Live): void {
    if (live.left || live.stage !== this.#program(live).leaves?.stage || live.open === 0) return;
    live.left = true;
    for (const id of live.ids) {
      const started = this.#calls.get(id);
      if (started === undefined) continue;
      if (Number.isNaN(started.startedAt)) {
        if (!this.#policy.withdraw(id)) throw new Error("a waiting call is not in the line");
        this.#waiting -= 1;
        this.#calls.delete(id);
      } else {
        this.#stop(id, started);
        const seconds = this.#now - started.startedAt;
        this.#policy.end(id, { seconds, programOver: true, learn: false }, this.#now);
      }
    }
    this.#depart(live, false);
  }

  #stop(id: number, started: Started): void {
    this.#calls.delete(id);
    started.live.ids.delete(id);
    this.#running -= 1;
    this.#given += this.#now - started.startedAt;
  }

  #depart(live: Live, done: boolean): void {
    this.#present -= 1;
    const stay = this.#now - this.#program(live).arrival;
    this.#stayed += stay;
    if (done) this.#stays[live.index] = stay;
  }

  #at(at: number, id: number, leaves: Live | null): void {
    this.#turns += 1;
    this.#heap.push({ at, turn: this.#turns, id, leaves });
  }

  #program(live: Live): Program {
    const program = this.#programs[live.index];
    if (program === undefined) throw new Error("no such program");
    return program;
  }

  #check(): void {
    const near = (one: number, other: number): boolean => Math.abs(one - other) <= 1e-6 * Math.max(1, one, other);
    if (this.#present !== 0 || this.#running !== 0 || this.#waiting !== 0) throw new Error("a program was left behind");
    if (!near(this.#busy, this.#given)) throw new Error("busy time is not the service given");
    if (!near(this.#inSystem, this.#stayed)) throw new Error("programs in the system do not add up to their stays");
  }
}
