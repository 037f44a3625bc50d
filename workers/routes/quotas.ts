/** `/v1/quotas`: how much users may use. Everybody reads their own; the scope `admin` reads and sets anybody's. */
import { createRoute } from "@hono/zod-openapi";
import { failure } from "#shared/errors.ts";
import type { UserId } from "#shared/ids.ts";
import { failed, success, type Result } from "#shared/result.ts";
import { quotaBodySchema, quotaPutQuery, quotaQuery, quotaViewSchema } from "#shared/schema/quota.ts";
import { hasUser } from "#workers/directory.ts";
import type { Edge, EdgeContext } from "#workers/edge.ts";
import { askLedger } from "#workers/ledger.ts";
import { requireScope } from "#workers/middleware/scope.ts";
import { answer, problem } from "#workers/reply.ts";
import { jsonBody, KEY_NEEDED, responses } from "#workers/routes/documented.ts";

const getQuotas = createRoute({
  method: "get",
  path: "/v1/quotas",
  summary: "A user's quotas, and how far they are used",
  security: KEY_NEEDED,
  middleware: [requireScope("run")],
  request: { query: quotaQuery },
  responses: responses(200, "Quotas", quotaViewSchema),
});

const putQuota = createRoute({
  method: "put",
  path: "/v1/quotas",
  summary: "Set the quota of a user, or of one of their processes",
  description: "Replaces the whole quota. Processes that are at work hear of it within a minute.",
  security: KEY_NEEDED,
  middleware: [requireScope("admin")],
  request: { query: quotaPutQuery, body: jsonBody(quotaBodySchema) },
  responses: responses(200, "Quotas", quotaViewSchema),
});

export function addQuotaRoutes(app: Edge): void {
  app.openapi(getQuotas, async (context): Promise<Response> => {
    const user = await whose(context, context.req.valid("query").user);
    if (!user.ok) return problem(context, user.error);
    const view = await askLedger(context.env, user.value, (ledger) => ledger.quotas({ user: user.value }));
    return answer(context, quotaViewSchema, view);
  });
  app.openapi(putQuota, async (context): Promise<Response> => {
    const { user: named, process } = context.req.valid("query");
    const { quota } = context.req.valid("json");
    const user = await whose(context, named);
    if (!user.ok) return problem(context, user.error);
    const view = await askLedger(context.env, user.value, (ledger) =>
      ledger.putQuota({ user: user.value }, process ?? null, quota),
    );
    return answer(context, quotaViewSchema, view);
  });
}

/** The user a request is about: the caller, or with the scope `admin` any other that there is. */
export async function whose(context: EdgeContext, named: UserId | undefined): Promise<Result<UserId>> {
  const { user, scopes } = context.get("principal");
  if (named === undefined || named === user) return success(user);
  if (!scopes.includes("admin")) return failed(ONLY_ADMIN);
  return (await hasUser(context.env.DB, named))
    ? success(named)
    : failed(failure("not_found", "There is no such user."));
}

export const ONLY_ADMIN = failure("forbidden", 'Other users are shown to keys with the scope "admin" only.');
