/**
 * Trap: the way from the edge into a process.
 *
 * `trap(env, caller, call)` finds the Durable Object named after the authenticated user and calls it. This layer owns the
 * retries of the call itself: only failures of the connection are tried again, and only for calls that may run twice
 * (`again: "safe"`: reads, and writes that carry an idempotency key).
 */
import type { Caller, ProcessApi } from "#shared/abi.ts";
import { failure, type Failure } from "#shared/errors.ts";
import { processObjectName } from "#shared/ids.ts";
import { TRAP_ATTEMPTS } from "#shared/limits.ts";
import { errorName, logEvent } from "#shared/log.ts";
import { failed, type Result } from "#shared/result.ts";

/** Milliseconds before the second try; doubled for each one after, and jittered so that clients do not come in step. */
const BACKOFF_MS = 20;

/** Seconds after which a client may try again when a process is overloaded or out of reach. */
const RETRY_AFTER_SECONDS = 1;

export type Again = "safe" | "never";

/** The part of the environment that the trap needs. */
export interface ProcessBinding {
  readonly PROCESS: { getByName(name: string): unknown };
}

/** Calls a process. An unexpected failure is logged and answered as `internal` or `overloaded`, never thrown. */
export async function trap<Value>(
  env: ProcessBinding,
  caller: Caller,
  call: (process: ProcessApi) => Promise<Result<Value>>,
  again: Again = "safe",
): Promise<Result<Value>> {
  const name = processObjectName(caller.user, caller.process);
  for (let attempt = 1; ; attempt += 1) {
    try {
      // A stub whose connection broke stays broken, so each try gets its own.
      const result = await call(processNamed(env, name));
      return result;
    } catch (error) {
      const retry = again === "safe" && attempt < TRAP_ATTEMPTS && isConnectionFailure(error);
      logEvent("trap-failed", { process: name, attempt, retry, error: errorName(error) }, retry ? "warn" : "error");
      if (!retry) return failed(trapFailure(error));
      await backoff(attempt);
    }
  }
}

/** Waits before try number `attempt` + 1. */
export function backoff(attempt: number): Promise<void> {
  const most = BACKOFF_MS * 2 ** attempt;
  return new Promise((resolve) => setTimeout(resolve, most / 2 + (Math.random() * most) / 2));
}

/** True for failures of the way to an object, as opposed to failures inside it. */
export function isConnectionFailure(error: unknown): boolean {
  if (flag(error, "overloaded")) return false;
  if (flag(error, "retryable")) return true;
  return error instanceof Error && CONNECTION_FAILURE.test(error.message);
}

const CONNECTION_FAILURE =
  /network connection lost|reset because its code was updated|connection (?:was )?(?:lost|reset)|cannot resolve durable object|storage caused object to be reset/i;

function trapFailure(error: unknown): Failure {
  if (flag(error, "overloaded")) return failure("overloaded", "The process is overloaded.", RETRY_AFTER_SECONDS);
  if (isConnectionFailure(error)) {
    return failure("overloaded", "The process could not be reached.", RETRY_AFTER_SECONDS);
  }
  return failure("internal", "The process failed unexpectedly.");
}

/** Reads a boolean property that workerd sets on errors of Durable Object calls. */
function flag(error: unknown, name: "retryable" | "overloaded"): boolean {
  return typeof error === "object" && error !== null && Reflect.get(error, name) === true;
}

function processNamed(env: ProcessBinding, name: string): ProcessApi {
  const stub = env.PROCESS.getByName(name);
  if (!isProcessApi(stub)) throw new TypeError("the PROCESS binding is not a process");
  return stub;
}

/** The binding's own type loses generics and `unknown` fields on the way through RPC; the class implements this interface. */
function isProcessApi(stub: unknown): stub is ProcessApi {
  return typeof stub === "object" && stub !== null && typeof Reflect.get(stub, "execute") === "function";
}
