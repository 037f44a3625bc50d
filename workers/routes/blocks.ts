/** `/v1/processes/{p}/blocks…`: labelled texts that stand in every prompt of a process. */
import { createRoute } from "@hono/zod-openapi";
import type { BlockPut } from "#shared/abi.ts";
import { blockDeletedSchema, blockPath, blockPutSchema, blockSchema } from "#shared/schema/blocks.ts";
import { processPath } from "#shared/schema/ids.ts";
import { listOf } from "#shared/schema/list.ts";
import type { Edge } from "#workers/edge.ts";
import { requireScope } from "#workers/middleware/scope.ts";
import { defined } from "#workers/routes/defined.ts";
import { jsonBody, KEY_NEEDED, responses } from "#workers/routes/documented.ts";
import { intoProcess } from "#workers/routes/into-process.ts";

const shared = { security: KEY_NEEDED, middleware: [requireScope("memory")] };

const blocks = listOf(blockSchema);

const getBlocks = createRoute({
  method: "get",
  path: "/v1/processes/{p}/blocks",
  summary: "List a process's blocks",
  ...shared,
  request: { params: processPath },
  responses: responses(200, "All blocks, by label", blocks),
});

const getBlock = createRoute({
  method: "get",
  path: "/v1/processes/{p}/blocks/{label}",
  summary: "Read a block",
  ...shared,
  request: { params: blockPath },
  responses: responses(200, "The block", blockSchema),
});

const putBlock = createRoute({
  method: "put",
  path: "/v1/processes/{p}/blocks/{label}",
  summary: "Create, change or attach a block",
  ...shared,
  request: { params: blockPath, body: jsonBody(blockPutSchema) },
  responses: responses(200, "The block as it is now", blockSchema),
});

const deleteBlock = createRoute({
  method: "delete",
  path: "/v1/processes/{p}/blocks/{label}",
  summary: "Delete a block, or let go of an attached one",
  ...shared,
  request: { params: blockPath },
  responses: responses(200, "Deleted", blockDeletedSchema),
});

export function addBlockRoutes(app: Edge): void {
  app.openapi(getBlocks, (context): Promise<Response> =>
    intoProcess(context, context.req.valid("param").p, blocks, (api, caller) => api.blocks(caller)),
  );
  app.openapi(getBlock, (context): Promise<Response> => {
    const { p, label } = context.req.valid("param");
    return intoProcess(context, p, blockSchema, (api, caller) => api.block(caller, label));
  });
  app.openapi(putBlock, (context): Promise<Response> => {
    const { p, label } = context.req.valid("param");
    const put: BlockPut = defined(context.req.valid("json"));
    const call = { again: "never" } as const;
    return intoProcess(context, p, blockSchema, (api, caller) => api.putBlock(caller, label, put), call);
  });
  app.openapi(deleteBlock, (context): Promise<Response> => {
    const { p, label } = context.req.valid("param");
    const call = { again: "never" } as const;
    return intoProcess(context, p, blockDeletedSchema, (api, caller) => api.deleteBlock(caller, label), call);
  });
}
