/**
 * Ranked: the line of waiting calls, and the machinery every policy shares. A policy adds an order of programs to it.
 *
 * The best band that has a call comes first; inside it the program of the smallest rank, and of that its oldest call. Only one
 * call of a program can be the best, so one look goes over the programs that wait, not over their calls. An overdue call of any
 * band is served on the ageing lane. What must hold: every call leaves once; an id that is unknown changes nothing.
 */
import { dueAt, type Lane } from "#kernel/sched/policies/lane.ts";
import { Roster, type ProgramState, type StageEnd } from "#kernel/sched/policies/roster.ts";
import { restoreRoster, takeSnapshot } from "#kernel/sched/policies/snapshot.ts";
import type { Band, Call, Ended, Policy } from "#kernel/sched/policy.ts";

/** An order of programs. What it learns by itself is its own; the roster is shared and not to be changed but for a counter. */
export interface Order {
  readonly name: string;
  /** Before a look over the line: what is the same for every program. */
  prepare?(roster: Roster, slots: number, now: number): void;
  /** The smaller is served first. */
  rank(program: ProgramState, oldest: Call): number;
  /** Of equal ranks the smaller comes first; then the order of arrival. */
  tie?(program: ProgramState): number;
  enqueued?(program: ProgramState, roster: Roster): void;
  /** A call that tells of its kind took so many seconds. */
  callEnded?(program: ProgramState, seconds: number): void;
  /** A stage that tells of its kind ended, perhaps with its program. */
  stageEnded?(program: ProgramState, programOver: boolean): void;
  snapshot?(): unknown;
  restore?(snapshot: unknown): void;
}

/** Waiting calls of one program in one band, the oldest first. */
interface Line {
  readonly program: ProgramState;
  readonly band: BandLine;
  readonly calls: Call[];
  place: number;
}

interface BandLine {
  readonly band: Band;
  readonly lines: Line[];
  readonly byProgram: Map<ProgramState, Line>;
  /** In the order of arrival. */
  readonly calls: Map<number, Call>;
}

interface Running {
  readonly program: ProgramState;
  readonly charged: number;
}

export interface RankedOptions {
  readonly order: Order;
  /** The best first. */
  readonly bands: readonly Band[];
  readonly slots: number;
  /** Without one nothing ages, and a call may wait for ever: for comparison only. */
  readonly lane: Lane | null;
}

export class RankedPolicy implements Policy {
  readonly #order: Order;
  readonly #lane: Lane | null;
  readonly #roster = new Roster();
  /** The best first. */
  readonly #bands: ReadonlyMap<Band, BandLine>;
  readonly #waiting = new Map<number, Line>();
  readonly #running = new Map<number, Running>();
  #slots: number;

  constructor({ order, bands, slots, lane }: RankedOptions) {
    this.#order = order;
    this.#bands = new Map(bands.map((band) => [band, newBand(band)]));
    this.#slots = slots;
    this.#lane = lane;
  }

  get name(): string {
    return this.#order.name;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  enqueue(call: Call): void {
    const band = this.#bands.get(call.band);
    if (band === undefined || this.#waiting.has(call.id) || this.#running.has(call.id)) return;
    const program = this.#roster.enqueued(call.program, call.user, call.enqueuedAt);
    this.#order.enqueued?.(program, this.#roster);
    const line = band.byProgram.get(program) ?? newLine(band, program);
    line.calls.push(call);
    band.calls.set(call.id, call);
    this.#waiting.set(call.id, line);
  }

  take(now: number, bands: readonly Band[]): Call | null {
    const overdue = this.#lane?.open === true ? this.#overdue(now, bands) : null;
    const call = overdue ?? this.#best(now, bands);
    if (call === null) return null;
    const program = this.#leave(call.id);
    if (program === null) return null;
    this.#running.set(call.id, { program, charged: this.#roster.taken(program, now) });
    this.#lane?.served(overdue !== null);
    return call;
  }

  start(call: Call, now: number): void {
    if (this.#waiting.has(call.id) || this.#running.has(call.id)) return;
    const program = this.#roster.enqueued(call.program, call.user, call.enqueuedAt);
    this.#running.set(call.id, { program, charged: this.#roster.taken(program, now) });
  }

  withdraw(id: number): boolean {
    const program = this.#leave(id);
    if (program === null) return false;
    this.#finish(program, this.#roster.withdrawn(program));
    return true;
  }

  end(id: number, ended: Ended, now: number): void {
    const running = this.#running.get(id);
    if (running === undefined) return;
    this.#running.delete(id);
    const { program, charged } = running;
    const seconds = Number.isFinite(ended.seconds) ? Math.max(0, ended.seconds) : 0;
    const { learn, programOver: over } = ended;
    const stage = this.#roster.ended(program, { charged, seconds, learn, over }, now);
    if (learn) this.#order.callEnded?.(program, seconds);
    this.#finish(program, stage);
  }

  resize(slots: number): void {
    this.#slots = Math.max(0, slots);
  }

  snapshot(): unknown {
    return takeSnapshot(this.#roster, this.#lane?.turns ?? 0, this.#order.snapshot?.());
  }

  restore(snapshot: unknown): void {
    const read = restoreRoster(this.#roster, snapshot);
    if (read === null) return;
    if (this.#lane !== null) this.#lane.turns = read.turns;
    this.#order.restore?.(read.order);
  }

  #finish(program: ProgramState, stage: StageEnd): void {
    if (!stage.finished) return;
    if (stage.taught) this.#order.stageEnded?.(program, stage.programOver);
    if (stage.programOver) this.#roster.forgetProgram(program);
  }

  /** The call that was due first of those that are overdue. */
  #overdue(now: number, bands: readonly Band[]): Call | null {
    let first: Call | null = null;
    for (const band of bands) {
      const [oldest] = this.#bands.get(band)?.calls.values() ?? [];
      if (oldest === undefined || dueAt(oldest) >= now) continue;
      if (first === null || dueAt(oldest) < dueAt(first)) first = oldest;
    }
    return first;
  }

  #best(now: number, bands: readonly Band[]): Call | null {
    const band = [...this.#bands.values()].find((one) => one.calls.size > 0 && bands.includes(one.band));
    if (band === undefined) return null;
    const order = this.#order;
    order.prepare?.(this.#roster, this.#slots, now);
    let best: Call | null = null;
    let [bestRank, bestTie] = [Infinity, Infinity];
    for (const { program, calls } of band.lines) {
      const oldest = calls[0];
      if (oldest === undefined) continue;
      const rank = order.rank(program, oldest);
      if (best !== null && rank > bestRank) continue;
      const tie = order.tie?.(program) ?? 0;
      if (best !== null && rank === bestRank && (tie > bestTie || (tie === bestTie && oldest.id > best.id))) continue;
      best = oldest;
      [bestRank, bestTie] = [rank, tie];
    }
    return best;
  }

  /** Takes a call out of the line. Answers its program, or null when it did not wait. */
  #leave(id: number): ProgramState | null {
    const line = this.#waiting.get(id);
    if (line === undefined) return null;
    this.#waiting.delete(id);
    const { band, calls, program } = line;
    band.calls.delete(id);
    const place = calls[0]?.id === id ? 0 : calls.findIndex((call) => call.id === id);
    calls.splice(place, 1);
    if (calls.length === 0) dropLine(line);
    return program;
  }
}

function newBand(band: Band): BandLine {
  return { band, lines: [], byProgram: new Map(), calls: new Map() };
}

function newLine(band: BandLine, program: ProgramState): Line {
  const line: Line = { program, band, calls: [], place: band.lines.length };
  band.lines.push(line);
  band.byProgram.set(program, line);
  return line;
}

function dropLine({ band, program, place }: Line): void {
  band.byProgram.delete(program);
  const last = band.lines.pop();
  if (last === undefined || last.program === program) return;
  last.place = place;
  band.lines[place] = last;
}
