/**
 * VTC: the user who was served least comes first, first come first served inside.
 *
 * The virtual token counter of "Fairness in Serving Large Language Models" (OSDI 2024) with seconds of service for tokens: a call is
 * charged the mean when it begins, and the rest when it ends. A user who comes back starts at the least counter of those who wait,
 * so that nobody saves up turns.
 */
import type { Order } from "#kernel/sched/policies/ranked.ts";
import type { ProgramState, Roster } from "#kernel/sched/policies/roster.ts";

export class Vtc implements Order {
  readonly name = "vtc";

  rank({ user }: ProgramState): number {
    return user.counter;
  }

  enqueued({ user }: ProgramState, roster: Roster): void {
    if (user.waiting > 1) return;
    let least = Infinity;
    for (const other of roster.users.values()) {
      if (other !== user && other.waiting > 0) least = Math.min(least, other.counter);
    }
    if (least !== Infinity) user.counter = Math.max(user.counter, least);
  }
}
