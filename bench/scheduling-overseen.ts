/**
 * Scheduling overseen: a policy that looks at every waiting call, for contenders that never run in production.
 *
 * A `Chooser` picks among the waiting calls; what is known of programs and users is kept by the production roster.
 */
import { Roster, type ProgramState } from "#kernel/sched/policies/roster.ts";
import type { Call, Ended, Policy } from "#kernel/sched/policy.ts";

export interface Waiter {
  readonly call: Call;
  readonly program: ProgramState;
  /** Calls that came later and were served before it. */
  passed: number;
}

export type Chooser = (waiting: readonly Waiter[], now: number) => Waiter | null;

export class Overseen implements Policy {
  readonly name: string;
  readonly #choose: Chooser;
  readonly #roster = new Roster();
  readonly #waiting: Waiter[] = [];
  readonly #running = new Map<number, { readonly program: ProgramState; readonly charged: number }>();

  constructor(name: string, choose: Chooser) {
    this.name = name;
    this.#choose = choose;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  enqueue(call: Call): void {
    const program = this.#roster.enqueued(call.program, call.user, call.enqueuedAt);
    this.#waiting.push({ call, program, passed: 0 });
  }

  take(now: number): Call | null {
    const chosen = this.#choose(this.#waiting, now);
    if (chosen === null) return null;
    this.#waiting.splice(this.#waiting.indexOf(chosen), 1);
    this.#run(chosen.call, chosen.program, now);
    return chosen.call;
  }

  start(call: Call, now: number): void {
    this.#run(call, this.#roster.enqueued(call.program, call.user, call.enqueuedAt), now);
  }

  withdraw(id: number): boolean {
    const place = this.#waiting.findIndex(({ call }) => call.id === id);
    const [left] = place < 0 ? [] : this.#waiting.splice(place, 1);
    if (left !== undefined) this.#roster.withdrawn(left.program);
    return left !== undefined;
  }

  end(id: number, { seconds, learn, programOver }: Ended, now: number): void {
    const running = this.#running.get(id);
    if (running === undefined) return;
    this.#running.delete(id);
    const { program, charged } = running;
    const stage = this.#roster.ended(program, { charged, seconds, learn, over: programOver }, now);
    if (stage.programOver) this.#roster.forgetProgram(program);
  }

  resize(): void {}

  snapshot(): null {
    return null;
  }

  restore(): void {}

  #run(call: Call, program: ProgramState, now: number): void {
    this.#running.set(call.id, { program, charged: this.#roster.taken(program, now) });
  }
}
