/**
 * Errors: every expected failure, and the one switch that maps it to HTTP.
 *
 * A failure carries a stable `code` (part of the API contract), a `detail` that is safe to show to a stranger, and, for
 * failures that pass, `retryAfter` in seconds. Details never hold a prompt, a key or a stack.
 */
export const FAILURE_CODES = [
  "invalid_request",
  "unauthorized",
  "forbidden",
  "not_found",
  "conflict",
  "payload_too_large",
  "rate_limited",
  "quota_exceeded",
  "model_unavailable",
  "overloaded",
  "internal",
] as const;

export type FailureCode = (typeof FAILURE_CODES)[number];

export interface Failure {
  readonly code: FailureCode;
  /** One sentence for the caller. */
  readonly detail: string;
  /** Seconds after which a retry can succeed; set for rate_limited, quota_exceeded, model_unavailable and overloaded. */
  readonly retryAfter?: number;
}

/** Builds a failure. */
export function failure(code: FailureCode, detail: string, retryAfter?: number): Failure {
  return retryAfter === undefined ? { code, detail } : { code, detail, retryAfter };
}

/** The HTTP status of a failure code (RFC 9110, RFC 6585). */
export function httpStatus(code: FailureCode): 400 | 401 | 403 | 404 | 409 | 413 | 429 | 500 | 503 {
  switch (code) {
    case "invalid_request":
      return 400;
    case "unauthorized":
      return 401;
    case "forbidden":
      return 403;
    case "not_found":
      return 404;
    case "conflict":
      return 409;
    case "payload_too_large":
      return 413;
    case "rate_limited":
    case "quota_exceeded":
      return 429;
    case "internal":
      return 500;
    case "model_unavailable":
    case "overloaded":
      return 503;
  }
}

/** The short, fixed title of a failure code, as RFC 9457 wants it. */
export function failureTitle(code: FailureCode): string {
  const words = code.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
