/**
 * Overuse: how much more than its fair share a user had of late, what waits included; in seconds of service.
 *
 * One who has less than `fair` shares uses nothing too much, so honest users never feel this layer; one who splits work into many
 * programs gains nothing by it. `prepare` once for a look over the line, then ask for each user.
 */
import { HALF_LIFE, usedBy, type Roster, type UserState } from "#kernel/sched/policies/roster.ts";

export class Overuse {
  readonly #fair: number;
  #look = 0;
  #mean = 0;
  #free = 0;
  #now = 0;

  constructor(fair: number) {
    this.#fair = fair;
  }

  prepare(roster: Roster, slots: number, now: number): void {
    this.#look += 1;
    this.#now = now;
    this.#mean = roster.mean;
    // What one user of so many has in the long run of a fair share, decayed.
    this.#free = (this.#fair * slots * HALF_LIFE) / Math.LN2 / Math.max(1, roster.activeUsers);
  }

  of(user: UserState): number {
    if (user.look === this.#look) return user.overuse;
    user.look = this.#look;
    const queued = user.waiting * this.#mean - this.#free;
    // Decayed it is less: most users need no power of two.
    user.overuse = user.used + queued <= 0 ? 0 : Math.max(0, usedBy(user, this.#now) + queued);
    return user.overuse;
  }
}
