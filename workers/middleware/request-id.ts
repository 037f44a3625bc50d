/**
 * Request id: every reply has an `x-request-id`, and every log line and problem names it.
 *
 * A client's own id is kept when it is short and harmless, so that a call can be followed across systems.
 */
import type { MiddlewareHandler } from "hono";
import type { EdgeEnv } from "#workers/edge.ts";

const SAFE_ID = /^[A-Za-z0-9._-]{1,64}$/;

export const requestId: MiddlewareHandler<EdgeEnv> = async (context, next) => {
  const given = context.req.header("x-request-id");
  const id = given !== undefined && SAFE_ID.test(given) ? given : crypto.randomUUID();
  context.set("requestId", id);
  await next();
  context.res.headers.set("x-request-id", id);
};
