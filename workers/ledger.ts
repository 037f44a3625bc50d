/**
 * Ledger: the way from the edge to the ledger of a user, named by the verified key or session, or by an admin's request.
 *
 * Every call of a ledger may run twice, so a lost connection is tried again.
 */
import { failure } from "#shared/errors.ts";
import type { UserId } from "#shared/ids.ts";
import type { LedgerApi } from "#shared/ledger-api.ts";
import { TRAP_ATTEMPTS } from "#shared/limits.ts";
import { errorName, logEvent } from "#shared/log.ts";
import { failed, type Result } from "#shared/result.ts";
import { backoff, isConnectionFailure } from "#workers/trap.ts";

/** The part of the environment that is needed here. */
export interface LedgerBinding {
  readonly LEDGER: { getByName(name: string): unknown };
}

/** Calls a ledger. An unexpected failure is logged and answered, never thrown. */
export async function askLedger<Value>(
  env: LedgerBinding,
  user: UserId,
  call: (ledger: LedgerApi) => Promise<Result<Value>>,
): Promise<Result<Value>> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const result = await call(ledgerNamed(env, user));
      return result;
    } catch (error) {
      const passes = isConnectionFailure(error);
      const retry = passes && attempt < TRAP_ATTEMPTS;
      logEvent("ledger-failed", { attempt, retry, error: errorName(error) }, retry ? "warn" : "error");
      if (!retry && passes) return failed(failure("overloaded", "The ledger could not be reached.", 1));
      if (!retry) return failed(failure("internal", "The ledger failed unexpectedly."));
      await backoff(attempt);
    }
  }
}

function ledgerNamed(env: LedgerBinding, user: UserId): LedgerApi {
  const stub = env.LEDGER.getByName(user);
  if (!isLedgerApi(stub)) throw new TypeError("the LEDGER binding is not a ledger");
  return stub;
}

/** As for processes (`trap.ts`): the class implements this interface. */
function isLedgerApi(stub: unknown): stub is LedgerApi {
  return typeof stub === "object" && stub !== null && typeof Reflect.get(stub, "exchange") === "function";
}
