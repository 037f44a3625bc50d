/** Scope: a route asks for one scope; a key or session without it is refused before anything of the request is read. */
import type { MiddlewareHandler } from "hono";
import { failure } from "#shared/errors.ts";
import type { Scope } from "#shared/schema/keys.ts";
import type { EdgeEnv } from "#workers/edge.ts";
import { problem } from "#workers/reply.ts";

export function requireScope(scope: Scope): MiddlewareHandler<EdgeEnv> {
  return async (context, next) => {
    if (context.get("principal").scopes.includes(scope)) return next();
    return problem(context, failure("forbidden", `This key does not have the scope "${scope}".`));
  };
}
