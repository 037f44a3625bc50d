/**
 * HTTP faults: the status, headers and words of an OpenAI-compatible server's refusal → the fault it is.
 *
 * Statuses are those of RFC 9110 as such servers use them; error codes those of https://platform.openai.com/docs/guides/error-codes.
 */
import { z } from "zod";
import { PROVIDER_ERROR_BYTES } from "#shared/limits.ts";
import type { Fault } from "#kernel/infer/drivers/driver.ts";
import {
  DriverError,
  readRetryAfter,
  saysNoJson,
  saysTooLarge,
  type FaultOptions,
} from "#kernel/infer/drivers/faults.ts";

/** What a server says of a refusal; for deciding, never for showing. */
export interface Refusal {
  readonly message: string;
  readonly code?: unknown;
  readonly type?: unknown;
}

const words = z.object({ message: z.string().catch(""), code: z.unknown().optional(), type: z.unknown().optional() });
const refusalSchema = z.union([
  z.object({ error: words }).transform(({ error }) => error),
  z.object({ error: z.string() }).transform(({ error }) => ({ message: error })),
  words,
]);

/** The server's words, from the first PROVIDER_ERROR_BYTES of its body. Never rejects. */
export async function readRefusal(response: Response): Promise<Refusal> {
  const text = await firstBytes(response.body).catch(() => "");
  try {
    return refusalSchema.parse(JSON.parse(text));
  } catch {
    return { message: text };
  }
}

async function firstBytes(body: ReadableStream<Uint8Array> | null): Promise<string> {
  if (body === null) return "";
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  try {
    while (text.length < PROVIDER_ERROR_BYTES) {
      const { done, value } = await reader.read();
      if (done) break;
      text += decoder.decode(value.subarray(0, PROVIDER_ERROR_BYTES), { stream: true });
    }
  } finally {
    void reader.cancel().catch(() => undefined);
  }
  return text;
}

/** The fault of a refusal with this status. `asJson`: an answer in a schema was asked for. */
export function statusFault(status: number, headers: Headers, said: Refusal, asJson: boolean): DriverError {
  const retryAfterMs = readRetryAfter(headers, Date.now());
  // "Too many tokens" of a 429 are those of a minute, not of the prompt.
  if (status === 413 || (status !== 429 && isTooLarge(said))) return new DriverError("too-large");
  const [fault, options] = byStatus(status, said, asJson);
  return new DriverError(fault, { ...options, retryAfterMs });
}

function byStatus(status: number, said: Refusal, asJson: boolean): readonly [Fault, FaultOptions] {
  switch (status) {
    case 400:
    case 422:
      return asJson && saysNoJson(said.message) ? ["malformed", { retryable: false }] : ["refused", {}];
    case 401:
    case 403:
      return ["refused", { code: "model_unavailable", detail: "The provider refused this deployment's key." }];
    case 402:
      return ["exhausted", {}];
    case 404:
      return ["refused", { code: "not_found", detail: "There is no such model." }];
    case 408:
      return ["timeout", {}];
    case 409:
    case 425:
      return ["down", {}];
    case 429:
      return [isExhausted(said) ? "exhausted" : "throttled", {}];
    case 501:
      return ["refused", {}];
    case 529:
      return ["throttled", {}];
    default:
      return status >= 500 ? ["down", {}] : ["refused", {}];
  }
}

/** The fault that a server reports in mid-stream. */
export function providerFault(said: Refusal, asJson: boolean): DriverError {
  const code = Number(said.code);
  if (Number.isInteger(code) && code >= 400 && code < 600) return statusFault(code, new Headers(), said, asJson);
  const names = `${String(said.code)} ${String(said.type)}`;
  if (isExhausted(said)) return new DriverError("exhausted");
  if (/rate_limit|too_many|overloaded|capacity/i.test(names)) return new DriverError("throttled");
  if (isTooLarge(said)) return new DriverError("too-large");
  if (/invalid_request|not_found|authentication|permission/i.test(names)) return new DriverError("refused");
  return new DriverError("down");
}

function isTooLarge(said: Refusal): boolean {
  return String(said.code) === "context_length_exceeded" || saysTooLarge(said.message);
}

/** An allowance that is used up also comes as 429, and waiting a moment does not help. */
function isExhausted({ code, type }: Refusal): boolean {
  return /insufficient_quota|billing|credit/i.test(`${String(code)} ${String(type)}`);
}
