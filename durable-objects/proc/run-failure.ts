/**
 * Run failure: how a stage's expected failure leaves the cycle, as the one exception that carries a `Failure`.
 */
import type { Failure } from "#shared/errors.ts";
import type { Result } from "#shared/result.ts";

export class RunFailure extends Error {
  override readonly name = "RunFailure";
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.detail);
    this.failure = failure;
  }

  /** The value of a success; a failure ends the run. */
  static unwrap<Value>(result: Result<Value>): Value {
    if (result.ok) return result.value;
    throw new RunFailure(result.error);
  }
}
