/** `/v1/runs…`: list, read, replay, trace, cancel and resume runs. A run's process is in its id. */
import { createRoute } from "@hono/zod-openapi";
import { failure } from "#shared/errors.ts";
import { processQuery, runPath } from "#shared/schema/ids.ts";
import { listOf, listQuery } from "#shared/schema/list.ts";
import { afterQuery, resumeBodySchema, runAcceptedSchema, runSchema, traceSchema } from "#shared/schema/run.ts";
import { success } from "#shared/result.ts";
import type { Edge, EdgeContext } from "#workers/edge.ts";
import { requireScope } from "#workers/middleware/scope.ts";
import { problem } from "#workers/reply.ts";
import { resolveModel } from "#workers/models.ts";
import { callerOf } from "#workers/routes/caller.ts";
import { KEY_NEEDED, optionalJsonBody, responses, textResponses } from "#workers/routes/documented.ts";
import { streamReply } from "#workers/routes/instructions.ts";
import { intoProcess } from "#workers/routes/into-process.ts";

const shared = { security: KEY_NEEDED, middleware: [requireScope("run")] };

const runs = listOf(runSchema);

const listRuns = createRoute({
  method: "get",
  path: "/v1/runs",
  summary: "List a process's runs, newest first",
  ...shared,
  request: { query: listQuery.extend(processQuery.shape) },
  responses: responses(200, "Runs", runs),
});

const getRun = createRoute({
  method: "get",
  path: "/v1/runs/{id}",
  summary: "Read a run",
  ...shared,
  request: { params: runPath },
  responses: responses(200, "The run as it is now", runSchema),
});

const getStream = createRoute({
  method: "get",
  path: "/v1/runs/{id}/stream",
  summary: "Replay a run's events",
  description: "All events, or those after Last-Event-ID (or ?after=), then live ones until the run ends.",
  ...shared,
  request: { params: runPath, query: afterQuery },
  responses: textResponses("text/event-stream", "An AI SDK UI message stream v1"),
});

const getTrace = createRoute({
  method: "get",
  path: "/v1/runs/{id}/trace",
  summary: "Every step of a run, with times, and the pages of its prompts",
  ...shared,
  request: { params: runPath },
  responses: responses(200, "Trace events in order", traceSchema),
});

const cancelRun = createRoute({
  method: "post",
  path: "/v1/runs/{id}/cancel",
  summary: "Cancel a run",
  ...shared,
  request: { params: runPath },
  responses: responses(200, "The run", runSchema),
});

const resumeRun = createRoute({
  method: "post",
  path: "/v1/runs/{id}/resume",
  summary: "Continue an interrupted run, also with another model",
  ...shared,
  request: { params: runPath, body: optionalJsonBody(resumeBodySchema) },
  responses: responses(202, "The run goes on", runAcceptedSchema),
});

export function addRunRoutes(app: Edge): void {
  app.openapi(listRuns, (context): Promise<Response> => {
    const { process, limit, cursor } = context.req.valid("query");
    return intoProcess(context, process, runs, (api, caller) => api.runs(caller, limit, cursor));
  });
  app.openapi(getRun, (context): Promise<Response> => {
    const { run, process } = context.req.valid("param").id;
    return intoProcess(context, process, runSchema, (api, caller) => api.settled(caller, run, 0));
  });
  app.openapi(getStream, async (context): Promise<Response> => {
    const { run, process } = context.req.valid("param").id;
    const after = readAfter(context, context.req.valid("query").after);
    const caller = await callerOf(context, process);
    if (!caller.ok) return problem(context, caller.error);
    if (after === undefined)
      return problem(context, failure("invalid_request", "The event id is not one of this run."));
    return streamReply(context, caller.value, run, after);
  });
  app.openapi(getTrace, (context): Promise<Response> => {
    const { run, process } = context.req.valid("param").id;
    return intoProcess(context, process, traceSchema, async (api, caller) => {
      const trace = await api.traceOf(caller, run);
      if (!trace.ok) return trace;
      const pages = await api.referencesOf(caller, run);
      return pages.ok ? success({ items: trace.value, pages: pages.value }) : pages;
    });
  });
  app.openapi(cancelRun, (context): Promise<Response> => {
    const { run, process } = context.req.valid("param").id;
    return intoProcess(context, process, runSchema, (api, caller) => api.cancel(caller, run));
  });
  app.openapi(resumeRun, async (context): Promise<Response> => {
    const { run, process } = context.req.valid("param").id;
    const named = context.req.valid("json")?.model;
    const model = named === undefined ? null : await resolveModel(context, named);
    if (model === undefined)
      return problem(context, failure("not_found", "There is no such model; GET /v1/models lists them."));
    const resume = { again: "never", status: 202 } as const;
    return intoProcess(
      context,
      process,
      runAcceptedSchema,
      async (api, caller) => {
        const resumed = await api.resume(caller, run, model ?? undefined);
        return resumed.ok ? success({ run: resumed.value.run, status: resumed.value.state }) : resumed;
      },
      resume,
    );
  });
}

/** The event to continue after: null for none given, undefined for one that is not a number. */
function readAfter(context: EdgeContext, query: string | undefined): number | null | undefined {
  const given = query ?? context.req.header("last-event-id");
  if (given === undefined || given === "") return null;
  return /^[0-9]{1,15}$/.test(given) ? Number(given) : undefined;
}
