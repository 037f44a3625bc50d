/**
 * Reply: every JSON and error reply of the edge is made here.
 *
 * `answer` turns a `Result` into HTTP; `problem` is the only maker of error bodies (RFC 9457). On the OpenAI-compatible
 * routes the body also carries OpenAI's `error` member, which their clients read.
 */
import type { z } from "zod";
import { failureTitle, httpStatus, type Failure, type FailureCode } from "#shared/errors.ts";
import type { Result } from "#shared/result.ts";
import type { Problem } from "#shared/schema/problem.ts";
import type { EdgeContext } from "#workers/edge.ts";

type Status = 200 | 201 | 202;

/** Answers a value of the schema that the route documents. */
export function json<Schema extends z.ZodType>(
  context: EdgeContext,
  _schema: Schema,
  value: z.output<Schema>,
  status: Status = 200,
): Response {
  return context.body(JSON.stringify(value), status, { "content-type": "application/json" });
}

/** Answers a result: the value, or its failure as problem details. */
export function answer<Schema extends z.ZodType>(
  context: EdgeContext,
  schema: Schema,
  result: Result<z.output<Schema>>,
  status: Status = 200,
): Response {
  return result.ok ? json(context, schema, result.value, status) : problem(context, result.error);
}

const OPENAI_PATHS: readonly string[] = ["/v1/chat/completions", "/v1/models", "/v1/embeddings"];

const NOT_REPEATED: readonly FailureCode[] = ["conflict", "internal", "quota_exceeded"];

/** Answers a failure as problem details. */
export function problem(context: EdgeContext, error: Failure): Response {
  const status = httpStatus(error.code);
  const body: Problem = {
    type: `/docs#${error.code}`,
    title: failureTitle(error.code),
    status,
    code: error.code,
    detail: error.detail,
    requestId: context.get("requestId"),
  };
  if (error.retryAfter !== undefined) context.header("retry-after", String(Math.max(1, Math.ceil(error.retryAfter))));
  if (error.code === "unauthorized") context.header("www-authenticate", 'Bearer realm="lamina"');
  const openAi = OPENAI_PATHS.includes(context.req.path);
  // Their client repeats a 409 or a 500 by itself, without a key that would make it safe, and a 429 that lasts till midnight.
  if (openAi && NOT_REPEATED.includes(error.code)) context.header("x-should-retry", "false");
  const members = openAi ? { ...body, error: openAiError(error) } : body;
  return context.body(JSON.stringify(members), status, { "content-type": "application/problem+json" });
}

export interface OpenAiError {
  readonly message: string;
  readonly type: string;
  readonly code: string;
  readonly param: string | null;
}

/** A failure in OpenAI's words. */
export function openAiError(error: Failure): OpenAiError {
  return { message: error.detail, type: openAiType(error.code), code: error.code, param: null };
}

function openAiType(code: FailureCode): string {
  switch (code) {
    case "unauthorized":
      return "authentication_error";
    case "forbidden":
      return "permission_error";
    case "rate_limited":
    case "quota_exceeded":
      return "rate_limit_error";
    case "internal":
    case "model_unavailable":
    case "overloaded":
      return "server_error";
    case "invalid_request":
    case "not_found":
    case "conflict":
    case "payload_too_large":
      return "invalid_request_error";
  }
}
