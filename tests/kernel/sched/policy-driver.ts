/**
 * Policy driver: random programs run through a policy on a few slots, in virtual time, with the bookkeeping of what must hold.
 *
 * `actions` makes the programs, `drive` runs them to their end and answers the calls in the order they were served. It asserts on
 * the way that no slot idles while a call of the allowed bands waits, and that a call waits exactly until it is served.
 */
import fc from "fast-check";
import { expect } from "vitest";
import { BANDS, type Band, type Call, type Policy } from "#kernel/sched/policy.ts";

/** One call that comes at a time, lasts, and may be withdrawn while it waits. */
export interface Action {
  /** Seconds. */
  readonly at: number;
  readonly user: number;
  readonly program: number;
  readonly band: Band;
  readonly seconds: number;
  readonly over: boolean;
  readonly learn: boolean;
  /** Seconds after which it no longer waits. */
  readonly patience: number;
}

export const actions: fc.Arbitrary<Action[]> = fc.array(
  fc.record({
    at: fc.integer({ min: 0, max: 200 }),
    user: fc.integer({ min: 0, max: 3 }),
    program: fc.integer({ min: 0, max: 8 }),
    band: fc.constantFrom(...BANDS),
    seconds: fc.integer({ min: 0, max: 40 }),
    over: fc.boolean(),
    learn: fc.boolean(),
    patience: fc.integer({ min: 1, max: 2_000 }),
  }),
  { maxLength: 60 },
);

export interface Served {
  readonly call: Call;
  readonly at: number;
  /** Calls that waited when it was taken. */
  readonly waiting: readonly Call[];
}

type Event = { readonly at: number; readonly turn: number } & (
  | { readonly kind: "come"; readonly call: Call; readonly action: Action }
  | { readonly kind: "leave"; readonly id: number }
  | { readonly kind: "end"; readonly id: number; readonly action: Action }
);

export function drive(policy: Policy, steps: readonly Action[], slots: number): Served[] {
  const events: Event[] = steps.map((action, id) => ({
    kind: "come",
    at: action.at,
    turn: id,
    call: callOf(action, id),
    action,
  }));
  const waiting = new Map<number, Call>();
  const of = new Map<number, Action>();
  const served: Served[] = [];
  let free = slots;
  let turn = steps.length;
  const add = (event: Event): void => void events.push(event);
  while (events.length > 0) {
    events.sort((one, other) => one.at - other.at || one.turn - other.turn);
    const event = events.shift();
    if (event === undefined) break;
    const now = event.at;
    if (event.kind === "come") {
      policy.enqueue(event.call);
      waiting.set(event.call.id, event.call);
      of.set(event.call.id, event.action);
      add({ kind: "leave", at: now + event.action.patience, turn: (turn += 1), id: event.call.id });
    } else if (event.kind === "leave") {
      expect(policy.withdraw(event.id)).toBe(waiting.delete(event.id));
    } else {
      const { seconds, over, learn } = event.action;
      policy.end(event.id, { seconds, programOver: over, learn }, now);
      free += 1;
    }
    for (; free > 0 && waiting.size > 0; free -= 1) {
      const call = policy.take(now, BANDS);
      expect(call, "a slot idles while a call waits").not.toBeNull();
      if (call === null) break;
      served.push({ call, at: now, waiting: [...waiting.values()] });
      expect(waiting.delete(call.id), "a call is served that does not wait").toBe(true);
      const action = of.get(call.id);
      if (action !== undefined) add({ kind: "end", at: now + action.seconds, turn: (turn += 1), id: call.id, action });
    }
    expect(policy.waiting).toBe(waiting.size);
  }
  return served;
}

function callOf({ at, user, program, band }: Action, id: number): Call {
  return { id, user: `user ${user}`, program: `program ${user} ${program}`, band, enqueuedAt: at };
}
