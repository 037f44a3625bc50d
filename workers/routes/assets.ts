/**
 * Assets: the page. Every GET (and HEAD, which Hono answers as GET) that no route took and that is not under the API's own names.
 *
 * The assets binding answers index.html for an address it does not know, so the API's names must not reach it.
 */
import type { Edge } from "#workers/edge.ts";
import { notFound } from "#workers/middleware/errors.ts";

const API_NAMES = /^\/(?:v1|hooks|mcp|health|openapi\.json|docs)(?:\/|$)/;

export function addAssetRoute(app: Edge): void {
  app.get("*", (context) =>
    API_NAMES.test(context.req.path) ? notFound(context) : context.env.ASSETS.fetch(context.req.raw),
  );
}
