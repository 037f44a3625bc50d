/**
 * `/openapi.json`: the API's document, generated from the routes. `/docs`: a page of our own that shows it.
 *
 * The page loads nothing from another origin and runs no inline script, so it needs no exception from the security policy.
 */
import type { Edge } from "#workers/edge.ts";

export function addDocsRoutes(app: Edge): void {
  app.openAPIRegistry.registerComponent("securitySchemes", "bearer", {
    type: "http",
    scheme: "bearer",
    description: "An API key: lam_…",
  });
  app.openAPIRegistry.registerComponent("securitySchemes", "session", {
    type: "apiKey",
    in: "cookie",
    name: "lamina_session",
    description: "A browser session; every request but GET also needs x-csrf-token",
  });
  app.get("/openapi.json", (context) =>
    context.json(
      app.getOpenAPI31Document({
        openapi: "3.1.0",
        info: {
          title: "Lamina",
          version: "1",
          description: "An LLM operating system: instructions, runs, paged memory and processes.",
        },
        servers: [{ url: new URL(context.req.url).origin }],
      }),
    ),
  );
  app.get("/docs", async (context) => context.html((await page()).DOCS_PAGE));
  app.get("/docs/docs.js", async (context) =>
    context.body((await page()).DOCS_SCRIPT, 200, { "content-type": "text/javascript; charset=utf-8" }),
  );
  app.get("/docs/docs.css", async (context) =>
    context.body((await page()).DOCS_STYLE, 200, { "content-type": "text/css; charset=utf-8" }),
  );
}

/** Loaded when somebody reads it. */
const page = () => import("#workers/routes/docs-page.ts");
