/**
 * Scheduling provider: programs behind the production admission, in front of a provider that throttles above limits nobody told it.
 *
 * Use `simulateProvider(programs, options)`. The provider takes so many calls at once and so many tokens a minute (a bucket of ten
 * seconds of them); one more is sent away after a fifth of a second, with or without a time to wait. Who was sent away asks again.
 * `told` false is a client without a pace of its own: each call waits what it was asked to, or twice as long every time.
 * What must hold, and is asserted: every call of every program is answered once, and a stage begins when the one before ended.
 */
import { Admission } from "#kernel/sched/admission/admission.ts";
import type { Outcome } from "#kernel/sched/admission/outcome.ts";
import { Bucket } from "#kernel/sched/admission/bucket.ts";
import type { Policy } from "#kernel/sched/policy.ts";
import type { CallReport } from "#kernel/sched/pool-api.ts";
import type { PoolLimits } from "#kernel/sched/pool-limits.ts";
import { Heap, type Timed } from "#bench/scheduling-heap.ts";
import type { Program, SimCall } from "#bench/scheduling-workload.ts";

export interface ProviderOptions {
  /** What the pool was told. */
  readonly limits: PoolLimits;
  readonly atOnce: number;
  readonly tokensPerMinute: number | null;
  /** Whether the provider says how long to wait. */
  readonly retryAfter: boolean;
  /** Whether the pool hears that a call was sent away. */
  readonly told: boolean;
}

export interface ProviderOutcome {
  readonly stays: Float64Array;
  readonly longestWait: number;
  readonly attempts: number;
  readonly throttled: number;
}

interface Open {
  readonly program: number;
  readonly call: SimCall;
  readonly since: number;
  attempts: number;
  /** Milliseconds at which the attempt began. */
  begunAt: number;
  accepted: boolean;
  retryAfterMs: number | null;
}

interface Tick extends Timed {
  readonly kind: "arrive" | "end" | "ask" | "due";
  readonly id: number;
}

const REFUSAL_MS = 200;
const BACKOFF_MS = 500;
const BACKOFF_MOST_MS = 30_000;

export function simulateProvider(
  programs: readonly Program[],
  policy: Policy,
  options: ProviderOptions,
): ProviderOutcome {
  return new Throttled(programs, policy, options).run();
}

class Throttled {
  readonly #programs: readonly Program[];
  readonly #options: ProviderOptions;
  readonly #admission: Admission;
  readonly #heap = new Heap<Tick>();
  readonly #calls = new Map<number, Open>();
  readonly #stays: Float64Array;
  /** The stage of each program, and the calls of it that are not answered. */
  readonly #stages: Int32Array;
  readonly #open: Int32Array;
  readonly #tokens: Bucket | null;
  #atOnce = 0;
  #ids = 0;
  #turns = 0;
  #left: number;
  #dueAt = Infinity;
  #longestWait = 0;
  #attempts = 0;
  #throttled = 0;

  constructor(programs: readonly Program[], policy: Policy, options: ProviderOptions) {
    this.#programs = programs;
    this.#options = options;
    this.#left = programs.length;
    this.#stays = new Float64Array(programs.length).fill(Number.NaN);
    this.#stages = new Int32Array(programs.length).fill(-1);
    this.#open = new Int32Array(programs.length);
    this.#tokens = options.tokensPerMinute === null ? null : new Bucket(options.tokensPerMinute, 0);
    this.#admission = new Admission(options.limits, policy, 0);
  }

  run(): ProviderOutcome {
    for (const [index, { arrival }] of this.#programs.entries()) this.#at(arrival * 1_000, "arrive", index);
    for (let tick = this.#heap.pop(); tick !== undefined && this.#left > 0; tick = this.#heap.pop()) {
      if (tick.kind === "arrive") this.#begin(tick.id, tick.at);
      else if (tick.kind === "end") this.#end(tick.id, tick.at);
      else if (tick.kind === "ask") this.#ask(tick.id, tick.at);
      else if (tick.at >= this.#dueAt) {
        this.#dueAt = Infinity;
        this.#carryOut(this.#admission.expire(tick.at), tick.at);
      }
    }
    if (this.#left !== 0 || this.#calls.size !== 0) throw new Error("a program was left behind");
    return {
      ...{ stays: this.#stays, longestWait: this.#longestWait },
      ...{ attempts: this.#attempts, throttled: this.#throttled },
    };
  }

  #begin(program: number, now: number): void {
    const stage = (this.#stages[program] ?? -1) + 1;
    const calls = this.#programs[program]?.stages[stage] ?? [];
    this.#stages[program] = stage;
    this.#open[program] = calls.length;
    for (const call of calls) {
      this.#ids += 1;
      const open = { program, call, since: now, attempts: 0, begunAt: 0, accepted: false, retryAfterMs: null };
      this.#calls.set(this.#ids, open);
      this.#ask(this.#ids, now);
    }
  }

  #ask(id: number, now: number): void {
    const open = this.#openOf(id);
    const names = this.#namesOf(open);
    const ask = { holder: names.program, band: "interactive" as const, ...names, tokens: open.call.tokens };
    this.#carryOut(this.#admission.ask({ ...ask, ticket: `${id}` }, now), now);
  }

  #carryOut({ granted, refused }: Outcome, now: number): void {
    for (const { entry } of granted) this.#attempt(Number(entry.lease), now);
    for (const { ticket } of refused) this.#at(now + BACKOFF_MS, "ask", Number(ticket));
    const due = this.#admission.due(now);
    if (due === null || due >= this.#dueAt) return;
    this.#dueAt = due;
    this.#at(due, "due", 0);
  }

  /** The provider takes the call, or sends it away. */
  #attempt(id: number, now: number): void {
    const open = this.#openOf(id);
    const { atOnce } = this.#options;
    const affordable = this.#tokens?.affords(open.call.tokens, now) ?? true;
    this.#attempts += 1;
    open.attempts += 1;
    open.begunAt = now;
    open.accepted = affordable && this.#atOnce < atOnce;
    if (!open.accepted) {
      this.#throttled += 1;
      const wait = affordable ? 1_000 : (this.#tokens?.when(open.call.tokens, now) ?? now) - now;
      open.retryAfterMs = this.#options.retryAfter ? Math.ceil(wait / 1_000) * 1_000 : null;
      this.#at(now + REFUSAL_MS, "end", id);
      return;
    }
    this.#atOnce += 1;
    this.#tokens?.take(open.call.tokens, now);
    this.#longestWait = Math.max(this.#longestWait, (now - open.since) / 1_000);
    this.#at(now + 1_000 * (open.call.first + open.call.rest), "end", id);
  }

  #end(id: number, now: number): void {
    const open = this.#openOf(id);
    const { program, call, accepted, retryAfterMs } = open;
    if (!accepted) {
      this.#release(
        id,
        { outcome: this.#options.told ? "throttled" : "unused", tokens: 0, retryAfterMs, over: false },
        now,
      );
      const backoff = Math.min(BACKOFF_MOST_MS, BACKOFF_MS * 2 ** open.attempts);
      this.#at(this.#options.told ? now : now + (retryAfterMs ?? backoff), "ask", id);
      return;
    }
    this.#atOnce -= 1;
    this.#calls.delete(id);
    this.#open[program] = (this.#open[program] ?? 0) - 1;
    const stageOver = this.#open[program] === 0;
    const over = stageOver && this.#stages[program] === (this.#programs[program]?.stages.length ?? 0) - 1;
    this.#release(id, { outcome: "answered", tokens: call.tokens, retryAfterMs: null, over }, now, open);
    if (over) {
      this.#stays[program] = now / 1_000 - (this.#programs[program]?.arrival ?? 0);
      this.#left -= 1;
    } else if (stageOver) this.#begin(program, now);
  }

  #release(
    id: number,
    { over, ...report }: Pick<CallReport, "outcome" | "tokens" | "retryAfterMs"> & { readonly over: boolean },
    now: number,
    open: Open = this.#openOf(id),
  ): void {
    const seconds = (now - open.begunAt) / 1_000;
    const reports = [{ ...this.#namesOf(open), ...report, seconds, programOver: over }];
    this.#carryOut(this.#admission.ended(`${id}`, reports, now), now);
  }

  #namesOf({ program }: Open): { readonly user: string; readonly program: string } {
    return { user: `user ${this.#programs[program]?.user}`, program: `program ${program}` };
  }

  #openOf(id: number): Open {
    const open = this.#calls.get(id);
    if (open === undefined) throw new Error("a call is answered twice");
    return open;
  }

  #at(at: number, kind: Tick["kind"], id: number): void {
    this.#turns += 1;
    this.#heap.push({ at, turn: this.#turns, kind, id });
  }
}
