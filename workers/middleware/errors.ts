/** Errors: what a thrown error and an unknown address are answered. Both are problem details; nothing internal is shown. */
import type { ErrorHandler } from "hono";
import { HTTPException } from "hono/http-exception";
import { failure } from "#shared/errors.ts";
import { errorName, logEvent } from "#shared/log.ts";
import type { EdgeContext, EdgeEnv } from "#workers/edge.ts";
import { NOT_FOUND } from "#workers/middleware/validation.ts";
import { problem } from "#workers/reply.ts";

export const onError: ErrorHandler<EdgeEnv> = (error, context) => {
  // Thrown by Hono's own validators: JSON that does not parse, a media type that is not declared.
  if (error instanceof HTTPException && error.status < 500) {
    const detail =
      error.status === 415 ? "The content-type is not one that this route takes." : "The body is not valid JSON.";
    return problem(context, failure("invalid_request", detail));
  }
  logEvent("request-threw", { requestId: context.get("requestId"), error: errorName(error) }, "error");
  return problem(context, failure("internal", "Something went wrong. The request id names it in the logs."));
};

export function notFound(context: EdgeContext): Response {
  return problem(context, NOT_FOUND);
}
