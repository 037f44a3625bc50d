/**
 * Overuse: how much more than its fair share a user had of late, what waits included; in seconds of service.
 *
 * One who has less than `fair` shares uses nothing too much, so honest users never feel this layer; one who splits work into many
 * programs gains nothing by it. `prepare` once for a look over the line, then ask for each user.
 */
import { HALF_LIFE, usedBy, type Roster, type UserState } from "#kernel/sched/policies/roster.ts";

export class Overuse {
  readonly #fair: number;
  readonly #known = new Map<UserState, number>();
  #mean = 0;
  #free = 0;
  #now = 0;

  constructor(fair: number) {
    this.#fair = fair;
  }

  prepare(roster: Roster, slots: number, now: number): void {
    this.#known.clear();
    this.#now = now;
    this.#mean = roster.mean;
    // What one user of so many has in the long run of a fair share, decayed.
    this.#free = (this.#fair * slots * HALF_LIFE) / Math.LN2 / Math.max(1, roster.activeUsers);
  }

  of(user: UserState): number {
    const known = this.#known.get(user);
    if (known !== undefined) return known;
    const overuse = Math.max(0, usedBy(user, this.#now) + user.waiting * this.#mean - this.#free);
    this.#known.set(user, overuse);
    return overuse;
  }
}
