/** `/v1/processes/{p}/sleep…` and `/audit`: what a process does with its memory while idle, and how to take it back. */
import { createRoute } from "@hono/zod-openapi";
import { processPath } from "#shared/schema/ids.ts";
import { listOf, listQuery } from "#shared/schema/list.ts";
import {
  auditSchema,
  sleepChangeSchema,
  sleepReportSchema,
  sleepSchema,
  undoBodySchema,
  undoneSchema,
} from "#shared/schema/sleep.ts";
import type { Edge } from "#workers/edge.ts";
import { requireScope } from "#workers/middleware/scope.ts";
import { jsonBody, KEY_NEEDED, responses } from "#workers/routes/documented.ts";
import { intoProcess } from "#workers/routes/into-process.ts";

const shared = { security: KEY_NEEDED, middleware: [requireScope("run")] };
const audits = listOf(auditSchema);
const once = { again: "never" } as const;

const getSleep = createRoute({
  method: "get",
  path: "/v1/processes/{p}/sleep",
  summary: "What a process does with its memory while idle",
  ...shared,
  request: { params: processPath },
  responses: responses(200, "Settings and progress", sleepSchema),
});

const putSleep = createRoute({
  method: "put",
  path: "/v1/processes/{p}/sleep",
  summary: "Switch sleep-time work on or off, or give a model tokens for it",
  ...shared,
  request: { params: processPath, body: jsonBody(sleepChangeSchema) },
  responses: responses(200, "Settings and progress", sleepSchema),
});

const postSleep = createRoute({
  method: "post",
  path: "/v1/processes/{p}/sleep",
  summary: "Do one slice of sleep-time work now",
  ...shared,
  request: { params: processPath },
  responses: responses(200, "What it did", sleepReportSchema),
});

const postUndo = createRoute({
  method: "post",
  path: "/v1/processes/{p}/sleep/undo",
  summary: "Take sleep-time work back: one entry of the audit, or all",
  ...shared,
  request: { params: processPath, body: jsonBody(undoBodySchema) },
  responses: responses(200, "What was undone", undoneSchema),
});

const getAudit = createRoute({
  method: "get",
  path: "/v1/processes/{p}/audit",
  summary: "What sleep-time work changed, newest first",
  ...shared,
  request: { params: processPath, query: listQuery },
  responses: responses(200, "Entries", audits),
});

export function addSleepRoutes(app: Edge): void {
  app.openapi(getSleep, (context): Promise<Response> =>
    intoProcess(context, context.req.valid("param").p, sleepSchema, (api, caller) => api.sleepState(caller)),
  );
  app.openapi(putSleep, (context): Promise<Response> => {
    const change = context.req.valid("json");
    return intoProcess(context, context.req.valid("param").p, sleepSchema, (api, caller) =>
      api.setSleep(caller, change),
    );
  });
  app.openapi(postSleep, (context): Promise<Response> =>
    intoProcess(context, context.req.valid("param").p, sleepReportSchema, (api, caller) => api.sleep(caller), once),
  );
  app.openapi(postUndo, (context): Promise<Response> => {
    const { entry } = context.req.valid("json");
    return intoProcess(context, context.req.valid("param").p, undoneSchema, (api, caller) =>
      api.undoSleep(caller, entry ?? null),
    );
  });
  app.openapi(getAudit, (context): Promise<Response> => {
    const { limit, cursor } = context.req.valid("query");
    return intoProcess(context, context.req.valid("param").p, audits, (api, caller) =>
      api.audit(caller, limit, cursor),
    );
  });
}
