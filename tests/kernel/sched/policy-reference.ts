/**
 * Policy reference: ERVD with its user layer and ageing lane, written again from the text of the research, slowly and plainly.
 *
 * `new Checked(policy, slots)` is the policy, and asserts at every `take` that the call it took is one the text would take. Sums are
 * added up anew from a list of all that happened, so nothing is shared with the production code but the types. Two calls whose keys
 * are nearer than `NEAR` count as equal: the order of additions differs.
 */
import { expect } from "vitest";
import { BANDS, type Band, type Call, type Ended, type Policy } from "#kernel/sched/policy.ts";

const NEAR = 1e-6;
const LONGEST: Record<Band, number> = { interactive: 60, normal: 60, batch: 600 };

interface Known {
  readonly call: Call;
  state: "waiting" | "running" | "gone";
  takenAt: number;
  charge: number;
}

interface Life {
  n: number;
  w: number;
  over: boolean;
  taught: boolean;
}

export class Checked implements Policy {
  readonly name = "checked";
  readonly #policy: Policy;
  readonly #slots: number;
  readonly #calls: Known[] = [];
  readonly #programs = new Map<string, Life>();
  readonly #charges: { readonly user: string; readonly at: number; readonly seconds: number }[] = [];
  readonly #stages: { readonly k: number; readonly n: number; readonly over: boolean }[] = [];
  readonly #ended: { readonly k: number; readonly seconds: number }[] = [];
  /** Stages known when the class last relearned. */
  readonly #relearned = [0, 0, 0, 0];
  readonly #expected = new Map<string, number>();
  #lane = 0;

  constructor(policy: Policy, slots: number) {
    this.#policy = policy;
    this.#slots = slots;
  }

  get waiting(): number {
    return this.#policy.waiting;
  }

  enqueue(call: Call): void {
    this.#policy.enqueue(call);
    this.#calls.push({ call, state: "waiting", takenAt: 0, charge: 0 });
    const life = this.#life(call);
    life.over = false;
    life.w = Math.max(life.w, this.#open(call.program).length);
  }

  take(now: number, bands: readonly Band[]): Call | null {
    const taken = this.#policy.take(now, bands);
    const allowed = this.#calls.filter(({ call, state }) => state === "waiting" && bands.includes(call.band));
    if (taken === null) {
      expect(allowed).toEqual([]);
      return null;
    }
    const due = ({ call }: Known): number => call.enqueuedAt + LONGEST[call.band];
    const overdue = allowed.filter((known) => now - known.call.enqueuedAt > LONGEST[known.call.band]);
    const chosen = allowed.find(({ call }) => call.id === taken.id);
    if (chosen === undefined) throw new Error("a call is taken that does not wait");
    if (this.#lane >= 1 && overdue.length > 0) {
      expect(due(chosen), "the lane takes the call that was due first").toBe(Math.min(...overdue.map(due)));
      this.#lane -= 1;
    } else {
      const band = BANDS.find((name) => allowed.some(({ call }) => call.band === name));
      const rivals = allowed.filter(({ call }) => call.band === band);
      const least = Math.min(...rivals.map(({ call }) => this.#key(call, now)));
      expect(taken.band).toBe(band);
      expect(this.#key(taken, now), "the smallest key is taken").toBeLessThanOrEqual(least + NEAR);
      const equal = rivals.filter(({ call }) => this.#key(call, now) === least && call.id < taken.id);
      expect(this.#key(taken, now) === least ? equal : [], "of equal keys the first to come").toEqual([]);
    }
    this.#lane = Math.min(2, this.#lane + 1 / 8);
    chosen.state = "running";
    chosen.takenAt = now;
    chosen.charge = this.#meanOfAll();
    this.#charges.push({ user: taken.user, at: now, seconds: chosen.charge });
    return taken;
  }

  start(): void {
    throw new Error("the reference knows no such call");
  }

  withdraw(id: number): boolean {
    const known = this.#calls.find(({ call, state }) => call.id === id && state === "waiting");
    if (known !== undefined) {
      known.state = "gone";
      this.#stageDone(known.call);
    }
    return this.#policy.withdraw(id);
  }

  end(id: number, ended: Ended, now: number): void {
    this.#policy.end(id, ended, now);
    const known = this.#calls.find(({ call, state }) => call.id === id && state === "running");
    if (known === undefined) return;
    known.state = "gone";
    const life = this.#life(known.call);
    this.#charges.push({ user: known.call.user, at: now, seconds: ended.seconds - known.charge });
    if (ended.learn) {
      life.taught = true;
      this.#ended.push({ k: classOf(life.w), seconds: ended.seconds });
    }
    life.over ||= ended.programOver;
    this.#stageDone(known.call);
  }

  resize(): void {}

  snapshot(): unknown {
    return this.#policy.snapshot();
  }

  restore(snapshot: unknown): void {
    this.#policy.restore(snapshot);
  }

  #stageDone(call: Call): void {
    if (this.#open(call.program).length > 0) return;
    const life = this.#life(call);
    if (life.taught) {
      life.n += 1;
      const k = classOf(life.w);
      this.#stages.push({ k, n: Math.min(life.n, 127), over: life.over });
      if (life.over) {
        this.#relearned[k] = this.#stages.length;
        this.#expected.clear();
      }
    }
    life.taught = false;
    if (life.over) this.#programs.delete(call.program);
  }

  #key(call: Call, now: number): number {
    const { n, w } = this.#life(call);
    const k = classOf(w);
    const seconds = this.#ended.filter((ended) => ended.k === k).map((ended) => ended.seconds);
    const mean = (2 * 2.3 + sum(seconds)) / (2 + seconds.length);
    const rem = this.#stagesLeft(k, Math.min(n, 127)) * mean * w;
    return call.enqueuedAt + 0.5 * Math.max(rem, 4 * this.#over(call.user, now));
  }

  #over(user: string, now: number): number {
    const had = this.#charges.filter((charge) => charge.user === user);
    const used = sum(had.map(({ at, seconds }) => seconds * 2 ** (-(now - at) / 60)));
    const open = this.#calls.filter(({ state }) => state !== "gone");
    const users = new Set(open.map(({ call }) => call.user)).size;
    const queued = open.filter(({ call, state }) => call.user === user && state === "waiting").length;
    const fairShare = (this.#slots * 60) / Math.log(2) / users;
    return Math.max(0, used + queued * this.#meanOfAll() - 2 * fairShare);
  }

  #meanOfAll(): number {
    return (10 * 2 + sum(this.#ended.map(({ seconds }) => seconds))) / (10 + this.#ended.length);
  }

  /** E of a class after n stages, from what was known when it last relearned. */
  #stagesLeft(k: number, n: number): number {
    const name = `${k} ${n}`;
    const kept = this.#expected.get(name);
    if (kept !== undefined) return kept;
    const known = this.#stages.slice(0, this.#relearned[k]).filter((stage) => stage.k === k);
    const ends = known.filter(({ over }) => over);
    const h0 = (ends.length + 0.4) / (known.length + 4);
    let expected = 1 / h0;
    for (let i = 126; i >= n; i -= 1) {
      const risk = known.filter((stage) => stage.n === i + 1).length;
      const end = ends.filter((stage) => stage.n === i + 1).length;
      expected = 1 + (1 - Math.max(1e-4, (end + 2 * h0) / (risk + 2))) * expected;
    }
    this.#expected.set(name, expected);
    return expected;
  }

  #open(program: string): Known[] {
    return this.#calls.filter(({ call, state }) => call.program === program && state !== "gone");
  }

  #life({ program }: Call): Life {
    const life = this.#programs.get(program) ?? { n: 0, w: 0, over: false, taught: false };
    this.#programs.set(program, life);
    return life;
  }
}

function classOf(w: number): number {
  if (w >= 9) return 3;
  if (w >= 4) return 2;
  return w >= 2 ? 1 : 0;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
