/**
 * App: the edge. Middleware in order, then routes in order; nothing else.
 *
 * Stateless: everything durable is behind `trap.ts` or `directory.ts`.
 */
import { OpenAPIHono } from "@hono/zod-openapi";
import type { Edge, EdgeEnv } from "#workers/edge.ts";
import { auth } from "#workers/middleware/auth.ts";
import { body } from "#workers/middleware/body.ts";
import { notFound, onError } from "#workers/middleware/errors.ts";
import { rateLimit } from "#workers/middleware/rate-limit.ts";
import { requestId } from "#workers/middleware/request-id.ts";
import { requestLog } from "#workers/middleware/request-log.ts";
import { securityHeaders } from "#workers/middleware/security-headers.ts";
import { validationHook } from "#workers/middleware/validation.ts";
import { addAssetRoute } from "#workers/routes/assets.ts";
import { addBlockRoutes } from "#workers/routes/blocks.ts";
import { addChatRoutes } from "#workers/routes/chat.ts";
import { addDocsRoutes } from "#workers/routes/docs.ts";
import { addDocumentRoutes } from "#workers/routes/documents.ts";
import { addFsckRoute } from "#workers/routes/fsck.ts";
import { addHealthRoute } from "#workers/routes/health.ts";
import { addImportRoute } from "#workers/routes/import.ts";
import { addInstructionRoutes } from "#workers/routes/instructions.ts";
import { addKeyRoutes } from "#workers/routes/keys.ts";
import { addMemoryRoutes } from "#workers/routes/memory.ts";
import { addPoolRoute } from "#workers/routes/pool.ts";
import { addProcessRoutes } from "#workers/routes/processes.ts";
import { addSleepRoutes } from "#workers/routes/sleep.ts";
import { addQuotaRoutes } from "#workers/routes/quotas.ts";
import { addRunRoutes } from "#workers/routes/runs.ts";
import { addSessionRoutes } from "#workers/routes/session.ts";
import { addUsageRoute } from "#workers/routes/usage.ts";

function makeApp(): Edge {
  const app: Edge = new OpenAPIHono<EdgeEnv>({ defaultHook: validationHook });
  app.onError(onError);
  app.notFound(notFound);

  app.use(requestId);
  app.use(securityHeaders);
  app.use(requestLog);
  app.use("/v1/*", auth);
  app.use("/v1/*", rateLimit);
  app.use("/v1/*", body);

  addHealthRoute(app);
  addDocsRoutes(app);
  addInstructionRoutes(app);
  addRunRoutes(app);
  addChatRoutes(app);
  addImportRoute(app);
  addDocumentRoutes(app);
  addMemoryRoutes(app);
  addProcessRoutes(app);
  addFsckRoute(app);
  addBlockRoutes(app);
  addSleepRoutes(app);
  addUsageRoute(app);
  addQuotaRoutes(app);
  addPoolRoute(app);
  addKeyRoutes(app);
  addSessionRoutes(app);
  addAssetRoute(app);
  return app;
}

export const app: Edge = makeApp();
