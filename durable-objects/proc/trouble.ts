/**
 * Trouble: an attempt of an inference that came to nothing, as the next one needs to know it.
 *
 * A driver names the fault, `infer.ts` notes the trouble in the run, and `sched/route-run.ts` decides by it: wait and ask again,
 * ask another model, or end the run with the trouble's own failure.
 */
import type { Failure } from "#shared/errors.ts";

/**
 * What went wrong, for whoever decides what to do next.
 *
 * throttled: asked too much (429, 3040), passes. exhausted: an allowance is used up (3036), passes with the day. down: 5xx or no
 * connection. timeout: silence beyond the limit, or the provider's own. cut: the stream ended early. malformed: what came could not
 * be read. too-large: the prompt. refused: the request itself (400, 404, a key that is wrong). aborted: by the signal.
 */
export type ModelFault =
  | "throttled"
  | "exhausted"
  | "down"
  | "timeout"
  | "cut"
  | "malformed"
  | "too-large"
  | "refused"
  | "aborted";

export interface Trouble {
  readonly model: string;
  readonly fault: ModelFault;
  /** What the run ends with when this was the last attempt. */
  readonly error: Failure;
  /** Whether the same call of the same model can succeed later. */
  readonly retryable: boolean;
  /** Milliseconds the provider asked to wait, or null. */
  readonly retryAfterMs: number | null;
}
