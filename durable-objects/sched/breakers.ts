/**
 * Breakers: how the models of this process fare, so that one that is down is not asked again and again.
 *
 * `noteAnswer` and `noteFault` after every inference, `health` before the next. Faults in a row open a model's breaker for a pause
 * that doubles; when it is over `claimTry` lets one inference through, and the others wait until that one has ended. A provider
 * that asks for a long wait, or whose allowance is used up, is left alone until then. Kept in memory: a new instance of the
 * process finds out by itself, and what all processes share of it (rate limits) is the pool's.
 */
import {
  EXHAUSTED_MS,
  INFERENCE_SILENCE_MS,
  MODEL_FAULTS,
  MODEL_REST_MOST_MS,
  MODEL_REST_MS,
  RETRY_SWITCH_MS,
} from "#shared/limits.ts";
import type { Failure } from "#shared/errors.ts";
import type { Trouble } from "#kernel/proc/trouble.ts";

/** Milliseconds since 1970; 0 means never. */
export interface Rest {
  readonly brokenUntil: number;
  readonly throttledUntil: number;
}

interface Breaker {
  /** What went wrong last. */
  error: Failure;
  /** Faults in a row. */
  faults: number;
  /** When its last pause ends; 0 while it is closed. */
  openUntil: number;
  throttledUntil: number;
  /** Whether the run that tries it goes on; null while none does. */
  trying: (() => boolean) | null;
  /** Until when its try counts; a later one is taken for lost. */
  tryingUntil: number;
}

const CLOSED = { faults: 0, openUntil: 0, trying: null, tryingUntil: 0 } as const;

/** Milliseconds after which whoever waits for another's try looks again. */
const LOOK_AGAIN_MS = 1_000;

export class Breakers {
  readonly #models = new Map<string, Breaker>();

  /** A provider that asked for a wait is left alone all the same: the answer may be that of an earlier call. */
  noteAnswer(model: string): void {
    const breaker = this.#models.get(model);
    if (breaker !== undefined) Object.assign(breaker, CLOSED);
  }

  noteFault({ model, fault, error, retryAfterMs }: Trouble, now: number): void {
    const breaker = this.#models.get(model) ?? { ...CLOSED, error, throttledUntil: 0 };
    breaker.error = error;
    breaker.trying = null;
    switch (fault) {
      case "down":
      case "timeout":
      case "cut": {
        breaker.faults += 1;
        const over = breaker.faults - MODEL_FAULTS;
        if (over >= 0) breaker.openUntil = now + Math.min(MODEL_REST_MS * 2 ** Math.min(over, 20), MODEL_REST_MOST_MS);
        break;
      }
      case "throttled":
        // A short wait is the run's own pause; only a long one is worth another model.
        if ((retryAfterMs ?? 0) > RETRY_SWITCH_MS) breaker.throttledUntil = now + (retryAfterMs ?? 0);
        break;
      case "exhausted":
        breaker.throttledUntil =
          now + (retryAfterMs ?? (error.retryAfter === undefined ? EXHAUSTED_MS : error.retryAfter * 1_000));
        break;
      case "malformed":
      case "too-large":
      case "refused":
      case "aborted":
        break; // tells of the request, not of the model
    }
    this.#models.set(model, breaker);
  }

  /** What is known of models that rest, or may be tried by one at a time. */
  health(now: number): ReadonlyMap<string, Rest> {
    const health = new Map<string, Rest>();
    for (const [model, { openUntil, throttledUntil, trying, tryingUntil }] of this.#models) {
      const tried = trying?.() === true && tryingUntil > now ? now + LOOK_AGAIN_MS : 0;
      health.set(model, { brokenUntil: Math.max(openUntil, tried), throttledUntil });
    }
    return health;
  }

  /** Why a model rests, or null. */
  why(model: string): Failure | null {
    return this.#models.get(model)?.error ?? null;
  }

  /** Call it when a model is about to be asked: while its breaker is half open, others wait for this try, or its run, to end. */
  claimTry(model: string, now: number, goesOn: () => boolean): void {
    const breaker = this.#models.get(model);
    if (breaker === undefined || breaker.openUntil === 0) return;
    breaker.trying = goesOn;
    breaker.tryingUntil = now + INFERENCE_SILENCE_MS;
  }
}
