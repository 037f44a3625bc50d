/**
 * Bucket: how much of a rate may be used now. Pure; times are milliseconds that never go back.
 *
 * It fills evenly and holds `BUCKET_MS` of the rate, so that in any minute at most the rate and one bucket are used. What is
 * larger than the bucket may be taken when it is full; the level is then below zero until it was paid for, which keeps the rate
 * and starves nobody.
 */
import { BUCKET_MS } from "#shared/limits.ts";

const MINUTE_MS = 60_000;

export class Bucket {
  readonly perMinute: number;
  readonly capacity: number;
  #level: number;
  #at: number;

  /** Full, unless an earlier level is given. */
  constructor(perMinute: number, now: number, level = Infinity) {
    this.perMinute = perMinute;
    this.capacity = Math.max(1, (perMinute * BUCKET_MS) / MINUTE_MS);
    this.#level = Math.min(this.capacity, level);
    this.#at = now;
  }

  level(now: number): number {
    const filled = ((now - this.#at) * this.perMinute) / MINUTE_MS;
    this.#level = Math.min(this.capacity, this.#level + filled);
    this.#at = now;
    return this.#level;
  }

  /** Whether `amount` may be taken: it is there, or the bucket is full and it is more than that. */
  affords(amount: number, now: number): boolean {
    return this.level(now) >= Math.min(amount, this.capacity);
  }

  /** Takes `amount`, or gives back a negative one. */
  take(amount: number, now: number): void {
    this.#level = Math.min(this.capacity, this.level(now) - amount);
  }

  /** When `amount` can be afforded, as things are. */
  when(amount: number, now: number): number {
    const missing = Math.min(amount, this.capacity) - this.level(now);
    return missing <= 0 ? now : now + Math.ceil((missing * MINUTE_MS) / this.perMinute) + 1;
  }
}
