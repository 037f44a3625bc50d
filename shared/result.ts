/**
 * Result: expected failure as a value.
 *
 * Every step that can fail for a reason a caller may act on returns a `Result`. A broken invariant throws instead.
 * Results are plain objects, so they cross a Durable Object RPC unchanged.
 */
import type { Failure } from "#shared/errors.ts";

export type Result<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly error: Failure };

/** A success holding `value`. */
export function success<Value>(value: Value): { readonly ok: true; readonly value: Value } {
  return { ok: true, value };
}

/** A failure holding `error`. */
export function failed(error: Failure): { readonly ok: false; readonly error: Failure } {
  return { ok: false, error };
}
