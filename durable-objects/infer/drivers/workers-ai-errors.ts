/**
 * Workers AI errors: what the binding throws, or a stream reports, → the fault it is.
 *
 * Codes: https://developers.cloudflare.com/workers-ai/platform/errors/. The binding throws `<code>: <text>`; a code that is not in
 * the table is final, and stays in the detail. What carries no code at all is the network's and may pass.
 */
import { DriverError, saysNoJson, saysTooLarge } from "#kernel/infer/drivers/faults.ts";

const NO_ACCESS = { code: "model_unavailable", detail: "The account may not use this model." } as const;
const NO_ADAPTER = { code: "not_found", detail: "There is no such adapter." } as const;

/** The fault of whatever the platform threw. `now` in milliseconds since 1970. */
export function aiFault(thrown: unknown, now = Date.now()): DriverError {
  if (thrown instanceof DriverError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (saysTooLarge(message)) return new DriverError("too-large");
  const code = Number(/(?:^|\D)(\d{4})(?=:)/.exec(message)?.[1] ?? "0");
  if (/json mode/i.test(message) || (code === 0 && saysNoJson(message))) {
    return new DriverError("malformed", { detail: "The model did not answer in the schema.", retryable: false });
  }
  return byCode(code, message, now);
}

function byCode(code: number, message: string, now: number): DriverError {
  switch (code) {
    case 0:
      return new DriverError(/too many requests|rate limit|\b429\b/i.test(message) ? "throttled" : "down");
    case 3040:
      return new DriverError("throttled");
    case 3036:
      return new DriverError("exhausted", {
        detail: "The account's daily allowance of neurons is used up.",
        retryAfterMs: untilMidnight(now),
      });
    case 3007:
    case 3008:
      return new DriverError("timeout");
    case 3006:
      return new DriverError("too-large");
    case 5007:
    case 3042:
      return new DriverError("refused", { code: "not_found", detail: "There is no such model." });
    case 3003:
    case 5004:
      return new DriverError("refused");
    case 5005:
      return new DriverError("refused", { detail: "The model takes no adapters." });
    case 3037:
    case 3039:
      return new DriverError("refused", NO_ADAPTER);
    case 3023:
    case 3041:
    case 5016:
    case 5018:
      return new DriverError("refused", NO_ACCESS);
    case 5019:
      return new DriverError("refused", { code: "model_unavailable", detail: "The model is not served this way." });
    default:
      // The allowance of the free plan was also seen under other codes.
      if (/daily free allocation/i.test(message)) return byCode(3036, message, now);
      return new DriverError("down", { detail: `The model failed (code ${code}).`, retryable: false });
  }
}

/** Milliseconds until 00:00 UTC, when the daily allowance begins anew. */
function untilMidnight(now: number): number {
  const day = 86_400_000;
  return day - (now % day);
}
