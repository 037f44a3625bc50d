/** `/v1/memory…`: list, add, read, edit, forget, search and export pages. Import has its own file. */
import { createRoute } from "@hono/zod-openapi";
import type { MemoryQuery, NewPage, PageEdit } from "#shared/abi.ts";
import { handlePath, processQuery } from "#shared/schema/ids.ts";
import { listOf } from "#shared/schema/list.ts";
import {
  forgottenSchema,
  pageBodySchema,
  pageEditSchema,
  pageListQuery,
  pageSchema,
  searchItemSchema,
  searchQuery,
} from "#shared/schema/memory.ts";
import { SEARCH_RESULTS, SEARCH_RESULTS_MOST } from "#shared/limits.ts";
import { success } from "#shared/result.ts";
import type { Edge } from "#workers/edge.ts";
import { requireScope } from "#workers/middleware/scope.ts";
import { problem } from "#workers/reply.ts";
import { callerOf } from "#workers/routes/caller.ts";
import { jsonBody, KEY_NEEDED, responses, textResponses } from "#workers/routes/documented.ts";
import { idempotencyKey } from "#workers/routes/idempotency-key.ts";
import { intoProcess } from "#workers/routes/into-process.ts";
import { defined } from "#workers/routes/defined.ts";
import { trap } from "#workers/trap.ts";

const shared = { security: KEY_NEEDED, middleware: [requireScope("memory")] };

const pages = listOf(pageSchema);
const found = listOf(searchItemSchema);

const listPages = createRoute({
  method: "get",
  path: "/v1/memory",
  summary: "List pages, oldest first",
  ...shared,
  request: { query: pageListQuery },
  responses: responses(200, "Pages", pages),
});

const addPage = createRoute({
  method: "post",
  path: "/v1/memory",
  summary: "Remember a text",
  ...shared,
  request: { query: processQuery, body: jsonBody(pageBodySchema) },
  responses: responses(201, "The new page", pageSchema),
});

const search = createRoute({
  method: "get",
  path: "/v1/memory/search",
  summary: "Search pages",
  ...shared,
  request: { query: searchQuery },
  responses: responses(200, "Pages, best first", found),
});

const exportPages = createRoute({
  method: "get",
  path: "/v1/memory/export",
  summary: "Download the whole process as NDJSON",
  ...shared,
  request: { query: processQuery },
  responses: textResponses("application/x-ndjson", "One JSON value per line; import reads it back"),
});

const readPage = createRoute({
  method: "get",
  path: "/v1/memory/{handle}",
  summary: "Read a page",
  ...shared,
  request: { params: handlePath, query: processQuery },
  responses: responses(200, "The page", pageSchema),
});

const editPage = createRoute({
  method: "put",
  path: "/v1/memory/{handle}",
  summary: "Edit a page",
  ...shared,
  request: { params: handlePath, query: processQuery, body: jsonBody(pageEditSchema) },
  responses: responses(200, "The page, one version later", pageSchema),
});

const forgetPage = createRoute({
  method: "delete",
  path: "/v1/memory/{handle}",
  summary: "Forget a page: body, index and caches",
  ...shared,
  request: { params: handlePath, query: processQuery },
  responses: responses(200, "Forgotten", forgottenSchema),
});

export function addMemoryRoutes(app: Edge): void {
  app.openapi(listPages, (context): Promise<Response> => {
    const { process, ...filter } = context.req.valid("query");
    return intoProcess(context, process, pages, (api, caller) => api.pages(caller, defined(filter)));
  });
  app.openapi(addPage, async (context): Promise<Response> => {
    const page: NewPage = defined(context.req.valid("json"));
    const key = idempotencyKey(context);
    if (!key.ok) return problem(context, key.error);
    const { process } = context.req.valid("query");
    return intoProcess(context, process, pageSchema, (api, caller) => api.writePage(caller, page, key.value), {
      status: 201,
    });
  });
  app.openapi(search, (context): Promise<Response> => {
    const { process, q, k, limit, ...filter } = context.req.valid("query");
    const most = Math.min(k ?? limit ?? SEARCH_RESULTS, SEARCH_RESULTS_MOST);
    const query: MemoryQuery = { query: q, limit: most, ...defined(filter) };
    // Any text is a query; one without a character of its own finds nothing.
    return intoProcess(context, process, found, async (api, caller) =>
      q.trim() === "" ? success({ items: [] }) : api.search(caller, query),
    );
  });
  addExport(app);
  app.openapi(readPage, (context): Promise<Response> => {
    const { handle } = context.req.valid("param");
    const { process } = context.req.valid("query");
    return intoProcess(context, process, pageSchema, (api, caller) => api.readPage(caller, handle));
  });
  app.openapi(editPage, (context): Promise<Response> => {
    const { handle } = context.req.valid("param");
    const edit: PageEdit = defined(context.req.valid("json"));
    const { process } = context.req.valid("query");
    return intoProcess(context, process, pageSchema, (api, caller) => api.editPage(caller, handle, edit), {
      again: "never",
    });
  });
  app.openapi(forgetPage, (context): Promise<Response> => {
    const { handle } = context.req.valid("param");
    const { process } = context.req.valid("query");
    return intoProcess(context, process, forgottenSchema, (api, caller) => api.forgetPage(caller, handle), {
      again: "never",
    });
  });
}

function addExport(app: Edge): void {
  app.openapi(exportPages, async (context): Promise<Response> => {
    const caller = await callerOf(context, context.req.valid("query").process);
    if (!caller.ok) return problem(context, caller.error);
    const rows = await trap(context.env, caller.value, (process) => process.exportRows(caller.value));
    if (!rows.ok) return problem(context, rows.error);
    return context.body(rows.value, 200, {
      "content-type": "application/x-ndjson; charset=utf-8",
      "content-disposition": `attachment; filename="lamina-${caller.value.process}.ndjson"`,
    });
  });
}
