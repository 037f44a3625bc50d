/** `GET /health`: answers when the Worker runs. Needs no key and touches no database. */
import { createRoute } from "@hono/zod-openapi";
import { z } from "zod";
import type { Edge } from "#workers/edge.ts";
import { json } from "#workers/reply.ts";
import { responses } from "#workers/routes/documented.ts";

const healthSchema = z.object({ status: z.literal("ok") }).meta({ id: "Health" });

const getHealth = createRoute({
  method: "get",
  path: "/health",
  summary: "Is the server up",
  security: [],
  responses: responses(200, "It is", healthSchema),
});

export function addHealthRoute(app: Edge): void {
  app.openapi(getHealth, (context): Response => json(context, healthSchema, { status: "ok" }));
}
