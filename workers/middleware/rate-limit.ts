/** Rate limit: one token bucket per key or session; says on every reply how much is left. */
import type { MiddlewareHandler } from "hono";
import { failure } from "#shared/errors.ts";
import { KEY_CACHE_ENTRIES, REQUEST_BURST, REQUESTS_PER_SECOND } from "#shared/limits.ts";
import type { EdgeEnv } from "#workers/edge.ts";
import { TokenBuckets } from "#workers/middleware/token-bucket.ts";
import { problem } from "#workers/reply.ts";

const buckets = new TokenBuckets(REQUESTS_PER_SECOND, REQUEST_BURST, KEY_CACHE_ENTRIES);

export const rateLimit: MiddlewareHandler<EdgeEnv> = async (context, next) => {
  const principal = context.get("principal");
  // Only the opening of a session comes this far without a principal.
  if (principal === undefined) return next();
  const take = buckets.take(principal.identity, Date.now());
  context.header("ratelimit-limit", String(REQUEST_BURST));
  context.header("ratelimit-remaining", String(take.remaining));
  context.header("ratelimit-reset", String(take.resetSeconds));
  if (!take.allowed) return problem(context, failure("rate_limited", "Too many requests with this key.", 1));
  return next();
};
