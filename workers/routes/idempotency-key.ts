/**
 * Idempotency key: the client's `Idempotency-Key`, or one made here, so that our own retries are safe as well.
 */
import { failure } from "#shared/errors.ts";
import { IDEMPOTENCY_KEY_CHARACTERS } from "#shared/limits.ts";
import { failed, success, type Result } from "#shared/result.ts";
import type { EdgeContext } from "#workers/edge.ts";

const PRINTABLE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

export function idempotencyKey(context: EdgeContext): Result<string> {
  const given = context.req.header("idempotency-key");
  if (given === undefined) return success(crypto.randomUUID());
  if (given.length <= IDEMPOTENCY_KEY_CHARACTERS && PRINTABLE.test(given)) return success(given);
  const most = IDEMPOTENCY_KEY_CHARACTERS;
  return failed(failure("invalid_request", `Idempotency-Key must be 1 to ${most} printable ASCII characters.`));
}
