/**
 * Line: the calls that wait, by ticket and by band, in the order of arrival. The policy says who is next; the line knows who asked.
 */
import { BANDS, type Band, type Call } from "#kernel/sched/policy.ts";
import type { SlotAsk } from "#kernel/sched/pool-api.ts";

export interface Waiter {
  readonly ask: SlotAsk;
  readonly call: Call;
  /** Milliseconds since 1970. */
  readonly since: number;
  /** True once the policy let it go and it only waits for the rate. */
  taken: boolean;
}

export class Line {
  readonly #tickets = new Map<string, Waiter>();
  readonly #calls = new Map<number, Waiter>();
  readonly #bands: Record<Band, Map<string, Waiter>> = { interactive: new Map(), normal: new Map(), batch: new Map() };

  readonly #users = new Map<string, number>();

  get size(): number {
    return this.#tickets.size;
  }

  /** Calls of one user. */
  ofUser(user: string): number {
    return this.#users.get(user) ?? 0;
  }

  add(waiter: Waiter): void {
    this.#tickets.set(waiter.ask.ticket, waiter);
    this.#calls.set(waiter.call.id, waiter);
    this.#bands[waiter.ask.band].set(waiter.ask.ticket, waiter);
    this.#users.set(waiter.ask.user, this.ofUser(waiter.ask.user) + 1);
  }

  remove(waiter: Waiter): void {
    if (!this.#tickets.delete(waiter.ask.ticket)) return;
    const { user } = waiter.ask;
    if (this.ofUser(user) > 1) this.#users.set(user, this.ofUser(user) - 1);
    else this.#users.delete(user);
    this.#calls.delete(waiter.call.id);
    this.#bands[waiter.ask.band].delete(waiter.ask.ticket);
  }

  find(ticket: string): Waiter | undefined {
    return this.#tickets.get(ticket);
  }

  byCall(id: number): Waiter | undefined {
    return this.#calls.get(id);
  }

  /** The one of a band that waits longest. */
  oldest(band: Band): Waiter | undefined {
    return this.#bands[band].values().next().value;
  }

  counts(): Record<Band, number> {
    const [interactive, normal, batch] = BANDS.map((band) => this.#bands[band].size);
    return { interactive: interactive ?? 0, normal: normal ?? 0, batch: batch ?? 0 };
  }

  all(): Iterable<Waiter> {
    return this.#tickets.values();
  }
}
