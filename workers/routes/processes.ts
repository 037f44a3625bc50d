/** `/v1/processes…`: what a user's processes are and hold: inspection, threads, the next prompt's frames, counters. */
import { createRoute } from "@hono/zod-openapi";
import type { ProcessView } from "#shared/inspection.ts";
import { INIT_PROCESS, type ProcessId } from "#shared/ids.ts";
import { processPath, threadPath } from "#shared/schema/ids.ts";
import { listOf, listQuery } from "#shared/schema/list.ts";
import {
  contextQuery,
  contextSchema,
  messageSchema,
  processSchema,
  threadDeletedSchema,
  threadSchema,
  vmstatSchema,
} from "#shared/schema/process.ts";
import { runReferencesSchema } from "#shared/schema/run.ts";
import { listProcesses } from "#workers/directory.ts";
import type { Edge, EdgeContext } from "#workers/edge.ts";
import { requireScope } from "#workers/middleware/scope.ts";
import { json, problem } from "#workers/reply.ts";
import { KEY_NEEDED, responses } from "#workers/routes/documented.ts";
import { intoProcess } from "#workers/routes/into-process.ts";
import { trap } from "#workers/trap.ts";

const shared = { security: KEY_NEEDED, middleware: [requireScope("run")] };

const processes = listOf(processSchema);
const threads = listOf(threadSchema);
const messages = listOf(messageSchema);
const references = listOf(runReferencesSchema);

const getProcesses = createRoute({
  method: "get",
  path: "/v1/processes",
  summary: "List your processes",
  ...shared,
  request: { query: listQuery },
  responses: responses(200, "Processes", processes),
});

const getProcess = createRoute({
  method: "get",
  path: "/v1/processes/{p}",
  summary: "Inspect a process",
  ...shared,
  request: { params: processPath },
  responses: responses(200, "The process", processSchema),
});

const getThreads = createRoute({
  method: "get",
  path: "/v1/processes/{p}/threads",
  summary: "List a process's conversations",
  ...shared,
  request: { params: processPath, query: listQuery },
  responses: responses(200, "Threads", threads),
});

const getMessages = createRoute({
  method: "get",
  path: "/v1/processes/{p}/threads/{t}/messages",
  summary: "Read a conversation",
  ...shared,
  request: { params: threadPath, query: listQuery },
  responses: responses(200, "Messages", messages),
});

const deleteThread = createRoute({
  method: "delete",
  path: "/v1/processes/{p}/threads/{t}",
  summary: "Delete a conversation",
  ...shared,
  request: { params: threadPath },
  responses: responses(200, "Deleted", threadDeletedSchema),
});

const getContext = createRoute({
  method: "get",
  path: "/v1/processes/{p}/context",
  summary: "The exact frames of a thread's next prompt",
  ...shared,
  request: { params: processPath, query: contextQuery },
  responses: responses(200, "Frames in order", contextSchema),
});

const getVmstat = createRoute({
  method: "get",
  path: "/v1/processes/{p}/vmstat",
  summary: "Memory counters of a process",
  ...shared,
  request: { params: processPath },
  responses: responses(200, "Counters", vmstatSchema),
});

const getReferences = createRoute({
  method: "get",
  path: "/v1/processes/{p}/references",
  summary: "What each run mapped, read, cited and evicted",
  description: "The reference log that `npm run replay` reads: numbers only, runs in the order in which they closed.",
  ...shared,
  request: { params: processPath, query: listQuery },
  responses: responses(200, "Runs with their references", references),
});

export function addProcessRoutes(app: Edge): void {
  app.openapi(getProcesses, (context): Promise<Response> => {
    const { limit, cursor } = context.req.valid("query");
    return listAll(context, limit, cursor);
  });
  app.openapi(getProcess, (context): Promise<Response> =>
    intoProcess(context, context.req.valid("param").p, processSchema, (api, caller) => api.inspect(caller)),
  );
  app.openapi(getThreads, (context): Promise<Response> => {
    const { limit, cursor } = context.req.valid("query");
    return intoProcess(context, context.req.valid("param").p, threads, (api, caller) =>
      api.threads(caller, limit, cursor),
    );
  });
  app.openapi(getMessages, (context): Promise<Response> => {
    const { p, t } = context.req.valid("param");
    const { limit, cursor } = context.req.valid("query");
    return intoProcess(context, p, messages, (api, caller) => api.messages(caller, t, limit, cursor));
  });
  app.openapi(deleteThread, (context): Promise<Response> => {
    const { p, t } = context.req.valid("param");
    const call = { again: "never" } as const;
    return intoProcess(context, p, threadDeletedSchema, (api, caller) => api.deleteThread(caller, t), call);
  });
  app.openapi(getContext, (context): Promise<Response> => {
    const { thread } = context.req.valid("query");
    return intoProcess(context, context.req.valid("param").p, contextSchema, (api, caller) =>
      api.context(caller, thread),
    );
  });
  app.openapi(getReferences, (context): Promise<Response> => {
    const { limit, cursor } = context.req.valid("query");
    return intoProcess(context, context.req.valid("param").p, references, (api, caller) =>
      api.references(caller, limit, cursor),
    );
  });
  app.openapi(getVmstat, (context): Promise<Response> =>
    intoProcess(context, context.req.valid("param").p, vmstatSchema, (api, caller) => api.vmstat(caller)),
  );
}

/** Sorts before every process id. */
const BEFORE_ALL = "!";

/** `init`, which is in no table, then the others by name; each tells its own state. */
async function listAll(context: EdgeContext, limit: number, cursor: string | undefined): Promise<Response> {
  const { user, shard } = context.get("principal");
  const rest = await listProcesses(context.env.DB, user, limit + 1, cursor ?? "");
  const names: ProcessId[] = cursor === undefined ? [INIT_PROCESS, ...rest] : rest;
  const shown = names.slice(0, limit);
  const items: ProcessView[] = [];
  for (const process of shown) {
    const caller = { user, process, shard };
    const view = await trap(context.env, caller, (api) => api.inspect(caller));
    if (!view.ok) return problem(context, view.error);
    items.push(view.value);
  }
  const last = shown.at(-1);
  const more = names.length > shown.length && last !== undefined;
  // `init` comes first whatever its name, so after it the others begin with the lowest.
  const next = last === INIT_PROCESS ? BEFORE_ALL : last;
  return json(context, processes, more && next !== undefined ? { items, cursor: next } : { items });
}
