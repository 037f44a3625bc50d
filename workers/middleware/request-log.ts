/**
 * Request log: one line per request, without its query (it may hold a search) and without names of users' things.
 */
import type { MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import { logEvent } from "#shared/log.ts";
import type { EdgeEnv } from "#workers/edge.ts";

export const requestLog: MiddlewareHandler<EdgeEnv> = async (context, next) => {
  const started = Date.now();
  await next();
  const { status } = context.res;
  // Success is the platform's business; a line per request of a busy user says nothing.
  if (status < 500) return;
  logEvent(
    "request-failed",
    {
      requestId: context.get("requestId"),
      method: context.req.method,
      route: routePath(context),
      status,
      ms: Date.now() - started,
    },
    "error",
  );
};
