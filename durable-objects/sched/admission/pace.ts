/**
 * Pace: how many calls may run at once, learned from how the provider takes them. Pure; times are milliseconds that never go back.
 *
 * Additive increase, multiplicative decrease (AIMD): every answer adds a part of a slot, one slot per as many answers as there are
 * slots; a throttled call takes a fifth of them, and half when nothing was answered since the last one, at most once per round trip
 * and second; a run of failures takes a quarter. A fifth, because halving left a quarter of a provider's hidden limit unused
 * (docs/decisions/0011-scheduling.md). When the
 * provider says how long to wait, nothing starts until then; when it says nothing and goes on throttling what starts after a
 * decrease, the pool waits a time of its own, twice as long each time. After a pause one call goes first; when it was answered, or ran for
 * a moment without being sent away, the starts double every half second up to the limit: nobody stampedes.
 */
import {
  DECREASE_MS,
  FAILED_RUN,
  PACE_PAUSE_MS,
  PACE_PAUSE_MOST_MS,
  PROBE_MS,
  RAMP_MS,
  RETRY_AFTER_MOST_MS,
} from "#shared/limits.ts";

export interface PaceState {
  readonly limit: number;
  /** The most there could be. */
  readonly most: number;
  readonly pausedUntil: number;
}

export class Pace {
  #most: number;
  #limit: number;
  #decreasedAt = -Infinity;
  #failures = 0;
  /** Calls throttled since the last answer, and pauses of its own making. */
  #throttles = 0;
  #pauses = 0;
  #pausedUntil = -Infinity;
  /** After a pause: `probing` until one call got through, then `ramp` until the starts are no longer bounded. */
  #phase: "steady" | "probing" | "ramp" = "steady";
  #probe: { readonly lease: string; readonly since: number } | null = null;
  #rampSince = 0;
  #started = 0;

  constructor(most: number, now: number, state: PaceState | null = null) {
    this.#most = state?.most ?? most;
    this.#limit = state?.limit ?? most;
    this.resize(most);
    if (state !== null && state.pausedUntil > now) this.#pause(Math.min(state.pausedUntil, now + RETRY_AFTER_MOST_MS));
  }

  /** Calls that may run at once, now. */
  get slots(): number {
    return Math.min(this.#most, Math.max(1, Math.floor(this.#limit)));
  }

  get most(): number {
    return this.#most;
  }

  /** True when nothing holds starts back but the number of slots. */
  get steady(): boolean {
    return this.#phase === "steady";
  }

  /** When the present pause ends, or null. */
  pausedUntil(now: number): number | null {
    return this.#pausedUntil > now ? this.#pausedUntil : null;
  }

  /** How many more calls may start now, besides what the free slots allow. */
  startable(now: number): number {
    if (this.#pausedUntil > now) return 0;
    if (this.#phase === "probing") {
      if (this.#probe === null) return 1;
      if (now - this.#probe.since < PROBE_MS) return 0;
      this.#beginRamp(now);
    }
    if (this.#phase === "ramp") {
      const allowed = 2 ** (1 + Math.floor((now - this.#rampSince) / RAMP_MS));
      if (allowed < this.slots) return allowed - this.#started;
      this.#phase = "steady";
    }
    return Infinity;
  }

  /** When more calls may start than now, as far as time alone decides; null when it does not. */
  due(now: number): number | null {
    if (this.#pausedUntil > now) return this.#pausedUntil;
    if (this.#phase === "probing") return this.#probe === null ? null : this.#probe.since + PROBE_MS;
    if (this.#phase === "steady") return null;
    // One that nobody used meanwhile is over.
    if (now - this.#rampSince >= RAMP_MS * Math.log2(this.slots + 1)) return null;
    return this.#rampSince + RAMP_MS * (1 + Math.floor((now - this.#rampSince) / RAMP_MS));
  }

  started(lease: string, now: number): void {
    if (this.#phase === "probing") this.#probe = { lease, since: now };
    this.#started += 1;
  }

  /** A call is over. What it says counts when it started after the last decrease; older ones tell of an older pace. */
  answered(startedAt: number, now: number): void {
    this.#failures = 0;
    if (startedAt < this.#decreasedAt || startedAt < this.#pausedUntil) return;
    this.#throttles = 0;
    this.#pauses = 0;
    if (this.#phase === "probing") this.#beginRamp(now);
    this.#limit = Math.min(this.#most, this.#limit + 1 / Math.max(1, this.slots));
  }

  throttled(startedAt: number, now: number, retryAfterMs: number | null): void {
    const again = this.#throttles > 0 && startedAt >= this.#decreasedAt;
    this.#throttles += 1;
    this.#decrease(again ? 0.5 : 0.8, startedAt, now);
    // To wait for nothing is no answer to how long.
    if (retryAfterMs !== null && retryAfterMs > 0) {
      this.#pause(Math.max(this.#pausedUntil, now + Math.min(retryAfterMs, RETRY_AFTER_MOST_MS)));
    } else if (again && this.#pausedUntil <= now) {
      this.#pause(now + Math.min(PACE_PAUSE_MS * 2 ** this.#pauses, PACE_PAUSE_MOST_MS));
      this.#pauses += 1;
    }
  }

  failed(startedAt: number, now: number): void {
    this.#failures += 1;
    if (this.#failures >= FAILED_RUN) this.#decrease(0.75, startedAt, now);
  }

  /** The lease is gone, whatever its call said: one that was to go first no longer holds the others back. */
  gone(lease: string): void {
    if (this.#probe?.lease === lease) this.#probe = null;
  }

  /** Another most: what was not learned to be less follows it. */
  resize(most: number): void {
    if (this.#limit >= this.#most) this.#limit = most;
    this.#most = most;
    this.#limit = Math.min(this.#limit, most);
  }

  state(): PaceState {
    return {
      limit: this.#limit,
      most: this.#most,
      pausedUntil: Number.isFinite(this.#pausedUntil) ? this.#pausedUntil : 0,
    };
  }

  #decrease(factor: number, startedAt: number, now: number): void {
    if (startedAt < this.#decreasedAt || now - this.#decreasedAt < DECREASE_MS) return;
    this.#limit = Math.max(1, this.#limit * factor);
    this.#decreasedAt = now;
  }

  #pause(until: number): void {
    this.#pausedUntil = until;
    this.#phase = "probing";
    this.#probe = null;
  }

  #beginRamp(now: number): void {
    this.#phase = "ramp";
    this.#probe = null;
    this.#rampSince = now;
    this.#started = 0;
  }
}
