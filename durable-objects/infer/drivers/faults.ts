/**
 * Faults: what can go wrong with a model's provider, as the one error event that ends an inference.
 *
 * Drivers throw `DriverError` inside themselves and yield its event; nothing of the provider's own text gets into it. `retryable`
 * says whether the same call can succeed later: it can unless the request, the key or an allowance is the reason.
 */
import { failure, type FailureCode } from "#shared/errors.ts";
import { RETRY_AFTER_READ_MS } from "#shared/limits.ts";
import type { Fault, InferEvent } from "#kernel/infer/drivers/driver.ts";

export type ErrorEvent = Extract<InferEvent, { readonly type: "error" }>;

interface Kind {
  readonly code: FailureCode;
  readonly detail: string;
  readonly retryable: boolean;
  /** Seconds after which a caller may try again when the provider names no time; null: never. */
  readonly seconds: number | null;
}

const KINDS: Readonly<Record<Fault, Kind>> = {
  throttled: { code: "model_unavailable", detail: "The model has no capacity now.", retryable: true, seconds: 5 },
  exhausted: { code: "quota_exceeded", detail: "The model's allowance is used up.", retryable: false, seconds: 3600 },
  down: { code: "model_unavailable", detail: "The model did not answer.", retryable: true, seconds: 5 },
  timeout: { code: "model_unavailable", detail: "The model took too long.", retryable: true, seconds: 5 },
  cut: { code: "model_unavailable", detail: "The model's answer was cut off.", retryable: true, seconds: 5 },
  malformed: {
    code: "model_unavailable",
    detail: "The model's answer could not be read.",
    retryable: true,
    seconds: 5,
  },
  "too-large": {
    code: "payload_too_large",
    detail: "The prompt is larger than the model takes.",
    retryable: false,
    seconds: null,
  },
  refused: { code: "invalid_request", detail: "The model refused the request.", retryable: false, seconds: null },
  aborted: { code: "model_unavailable", detail: "The call of the model was ended.", retryable: false, seconds: null },
};

export interface FaultOptions {
  readonly code?: FailureCode;
  /** One sentence that is safe to show to a stranger. */
  readonly detail?: string;
  readonly retryable?: boolean;
  /** Milliseconds the provider asked to wait. */
  readonly retryAfterMs?: number | null;
}

/** The error event of a fault; the failure's `retryAfter` is in whole seconds. */
export function errorEvent(fault: Fault, options: FaultOptions = {}): ErrorEvent {
  const kind = KINDS[fault];
  const wait = options.retryAfterMs ?? null;
  const seconds = wait === null ? kind.seconds : Math.max(1, Math.ceil(wait / 1_000));
  return {
    type: "error",
    error: failure(options.code ?? kind.code, options.detail ?? kind.detail, seconds ?? undefined),
    retryable: options.retryable ?? kind.retryable,
    fault,
    ...(wait === null ? {} : { retryAfterMs: wait }),
  };
}

/** A fault on its way to the end of the inference. */
export class DriverError extends Error {
  readonly event: ErrorEvent;

  constructor(fault: Fault, options: FaultOptions = {}, cause?: unknown) {
    super(fault, { cause });
    this.event = errorEvent(fault, options);
  }
}

/** The event of whatever was thrown: an abort of the signal comes first, what is unknown counts as `down`. */
export function eventOf(thrown: unknown, signal: AbortSignal): ErrorEvent {
  if (signal.aborted) return errorEvent("aborted");
  return thrown instanceof DriverError ? thrown.event : errorEvent("down");
}

const NO_CONTEXT =
  /context[ _](?:length|window|size)|maximum (?:context|number of tokens)|too many (?:input )?tokens|(?:prompt|input) is too long|exceeds? the (?:model's )?(?:maximum|limit of tokens|available context)/i;

/** Whether a provider's own words say that the prompt is too long. */
export function saysTooLarge(message: string): boolean {
  return NO_CONTEXT.test(message);
}

const NO_JSON = /json mode|response_format|json_schema|grammar|structured output/i;

/** Whether a provider's own words say that it cannot answer in the schema that was asked for. */
export function saysNoJson(message: string): boolean {
  return NO_JSON.test(message);
}

/**
 * Milliseconds of `retry-after-ms` or of `Retry-After` (seconds or a date, RFC 9110 section 10.2.3), at most RETRY_AFTER_READ_MS;
 * null without either, or when it cannot be read.
 */
export function readRetryAfter(headers: Headers, now: number): number | null {
  const exact = headers.get("retry-after-ms");
  if (exact !== null && /^\s*\d+(\.\d+)?\s*$/.test(exact)) return bounded(Number(exact));
  const value = headers.get("retry-after")?.trim() ?? "";
  if (/^\d+(\.\d+)?$/.test(value)) return bounded(Number(value) * 1_000);
  const date = /[a-z]{3},? /i.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(date) ? null : bounded(Math.max(0, date - now));
}

function bounded(ms: number): number {
  return Math.min(Math.ceil(ms), RETRY_AFTER_READ_MS);
}
