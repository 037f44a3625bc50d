/**
 * Token bucket: at most `burst` at once and `perSecond` sustained, per name.
 *
 * State is one isolate's memory: a limit against accidents and single clients, not an account's quota. Full buckets are
 * dropped when there are too many, oldest first.
 */
export interface Take {
  readonly allowed: boolean;
  readonly remaining: number;
  /** Seconds until the bucket is full again. */
  readonly resetSeconds: number;
}

interface Bucket {
  tokens: number;
  at: number;
}

export class TokenBuckets {
  readonly #buckets = new Map<string, Bucket>();
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #most: number;

  constructor(perSecond: number, burst: number, most: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#most = most;
  }

  /** Takes one token of `name` at time `now` (milliseconds). */
  take(name: string, now: number): Take {
    const tokens = this.#level(name, now);
    const allowed = tokens >= 1;
    const left = allowed ? tokens - 1 : tokens;
    this.#buckets.delete(name);
    this.#buckets.set(name, { tokens: left, at: now });
    if (this.#buckets.size > this.#most) this.#dropOldest();
    return {
      allowed,
      remaining: Math.floor(left),
      resetSeconds: Math.max(1, Math.ceil((this.#burst - left) / this.#perSecond)),
    };
  }

  /** True when `name` has no token left. */
  isEmpty(name: string, now: number): boolean {
    return this.#level(name, now) < 1;
  }

  #level(name: string, now: number): number {
    const bucket = this.#buckets.get(name);
    if (bucket === undefined) return this.#burst;
    const refill = (Math.max(0, now - bucket.at) / 1000) * this.#perSecond;
    return Math.min(this.#burst, bucket.tokens + refill);
  }

  #dropOldest(): void {
    const oldest = this.#buckets.keys().next();
    if (!oldest.done) this.#buckets.delete(oldest.value);
  }
}
