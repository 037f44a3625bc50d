/** `POST /v1/fsck`: whether a process's page table, search index and memory database agree, and making them. */
import { createRoute } from "@hono/zod-openapi";
import { fsckBodySchema, fsckReportSchema } from "#shared/schema/fsck.ts";
import type { Edge } from "#workers/edge.ts";
import { requireScope } from "#workers/middleware/scope.ts";
import { defined } from "#workers/routes/defined.ts";
import { jsonBody, KEY_NEEDED, responses } from "#workers/routes/documented.ts";
import { intoProcess } from "#workers/routes/into-process.ts";

const postFsck = createRoute({
  method: "post",
  path: "/v1/fsck",
  summary: "Check a process's memory, and repair it",
  description: "Checks a bounded part; send the `cursor` of the reply until there is none.",
  security: KEY_NEEDED,
  middleware: [requireScope("memory")],
  request: { body: jsonBody(fsckBodySchema) },
  responses: responses(200, "What this part of the check found", fsckReportSchema),
});

export function addFsckRoute(app: Edge): void {
  app.openapi(postFsck, (context): Promise<Response> => {
    const { process, repair = false, cursor } = context.req.valid("json");
    // A repair that was done is found done by the next one, so it may be sent again.
    return intoProcess(context, process, fsckReportSchema, (api, caller) =>
      api.fsck(caller, { repair, ...defined({ cursor }) }),
    );
  });
}
