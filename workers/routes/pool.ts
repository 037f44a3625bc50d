/**
 * `GET /v1/pool`: slots, lines and limits of every model in use.
 *
 * Everybody sees how busy a model is; who has a slot or waits is shown to the user it is, and to keys with the scope `admin`. Nothing of what
 * anybody asks a model is known to a pool.
 */
import { createRoute } from "@hono/zod-openapi";
import { errorName, logEvent } from "#shared/log.ts";
import { poolListSchema, type PoolItem } from "#shared/schema/pool.ts";
import type { PoolInspection } from "#kernel/sched/pool-view.ts";
import { REGISTRY } from "#kernel/sched/pool-registry.ts";
import type { Edge } from "#workers/edge.ts";
import { requireScope } from "#workers/middleware/scope.ts";
import { json } from "#workers/reply.ts";
import { KEY_NEEDED, responses } from "#workers/routes/documented.ts";

const getPool = createRoute({
  method: "get",
  path: "/v1/pool",
  summary: "Slots, waiting calls and limits of the models in use",
  description: "One item per model that was used in the last days, or per shard of its pool.",
  security: KEY_NEEDED,
  middleware: [requireScope("run")],
  responses: responses(200, "Pools", poolListSchema),
});

export function addPoolRoute(app: Edge): void {
  app.openapi(getPool, async (context): Promise<Response> => {
    const { user, scopes } = context.get("principal");
    const admin = scopes.includes("admin");
    const pools = context.env.POOL;
    const names = await pools.getByName(REGISTRY).registered();
    const views = await Promise.all(
      names.map(async (name) => {
        try {
          return itemOf(await pools.getByName(name).inspect(admin ? null : user), admin);
        } catch (error) {
          logEvent("pool-unreachable", { error: errorName(error) });
          return null;
        }
      }),
    );
    return json(context, poolListSchema, { items: views.filter((view) => view !== null) });
  });
}

function itemOf({ view, holders }: PoolInspection, admin: boolean): PoolItem {
  return {
    ...view,
    pausedUntil: view.pausedUntil === null ? null : new Date(view.pausedUntil).toISOString(),
    today: admin ? view.today : null,
    holders: holders.map(({ band, since, ...holder }) => ({
      ...holder,
      priority: band,
      since: new Date(since).toISOString(),
    })),
  };
}
