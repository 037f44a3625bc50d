/**
 * `/v1/session`: a browser's way in. A one-time link's token, or a key, becomes an HttpOnly cookie.
 *
 * Only our own page may open, read or close a session (`foreignOrigin`). The token itself is never in a body.
 */
import { createRoute } from "@hono/zod-openapi";
import { deleteCookie, setCookie } from "hono/cookie";
import { z } from "zod";
import { failure } from "#shared/errors.ts";
import type { UserId } from "#shared/ids.ts";
import { SESSION_MS } from "#shared/limits.ts";
import { SCOPES, sessionBodySchema, sessionSchema, type Scope } from "#shared/schema/keys.ts";
import { sha256 } from "#shared/sha256.ts";
import { randomText } from "#workers/digest.ts";
import { createSession, deleteSession, useLoginLink } from "#workers/directory.ts";
import type { Edge, EdgeContext } from "#workers/edge.ts";
import { verified } from "#workers/middleware/auth.ts";
import { csrfToken, SESSION_COOKIE } from "#workers/middleware/csrf.ts";
import { foreignOrigin } from "#workers/middleware/same-origin.ts";
import { json, problem } from "#workers/reply.ts";
import { KEY_NEEDED, responses } from "#workers/routes/documented.ts";

const TOKEN_CHARACTERS = 43;

const closedSchema = z.object({ closed: z.boolean() }).meta({ id: "SessionClosed" });

const postSession = createRoute({
  method: "post",
  path: "/v1/session",
  summary: "Open a browser session",
  description: "With the token of a one-time link, or with an API key and no body. Sets an HttpOnly cookie.",
  security: [{}, ...KEY_NEEDED],
  request: { body: { required: false, content: { "application/json": { schema: sessionBodySchema.partial() } } } },
  responses: responses(201, "The session", sessionSchema),
});

const getSession = createRoute({
  method: "get",
  path: "/v1/session",
  summary: "Who am I",
  security: KEY_NEEDED,
  responses: responses(200, "The caller", sessionSchema),
});

const endSession = createRoute({
  method: "delete",
  path: "/v1/session",
  summary: "Close the browser session",
  security: KEY_NEEDED,
  responses: responses(200, "Closed", closedSchema),
});

export function addSessionRoutes(app: Edge): void {
  app.openapi(postSession, async (context): Promise<Response> => {
    const foreign = foreignOrigin(context);
    if (foreign !== null) return problem(context, foreign);
    const { token } = context.req.valid("json");
    const now = Date.now();
    const principal = context.get("principal");
    if (principal !== undefined && token === undefined) {
      const end = principal.expiresAt === null ? now + SESSION_MS : Math.min(principal.expiresAt, now + SESSION_MS);
      return open(context, { ...principal, expiresAt: end, key: principal.identity }, now);
    }
    const user = token === undefined ? null : await useLoginLink(context.env.DB, await sha256(token), now);
    if (user === null) return problem(context, failure("unauthorized", "This link was used, or is too old."));
    // Whoever starts the server holds its link, and may do everything.
    return open(context, { user, scopes: SCOPES, expiresAt: now + SESSION_MS, key: null }, now);
  });
  app.openapi(getSession, async (context): Promise<Response> => {
    const foreign = foreignOrigin(context);
    if (foreign !== null) return problem(context, foreign);
    const { user, scopes, expiresAt, sessionToken } = context.get("principal");
    return json(context, sessionSchema, {
      user,
      scopes,
      csrf: sessionToken === null ? null : await csrfToken(sessionToken),
      expiresAt: expiresAt === null ? null : new Date(expiresAt).toISOString(),
    });
  });
  app.openapi(endSession, async (context): Promise<Response> => {
    const foreign = foreignOrigin(context);
    if (foreign !== null) return problem(context, foreign);
    const { sessionToken } = context.get("principal");
    if (sessionToken === null) return json(context, closedSchema, { closed: false });
    const digest = await sha256(sessionToken);
    await deleteSession(context.env.DB, digest);
    verified.forget({ digest });
    deleteCookie(context, SESSION_COOKIE, { path: "/" });
    return json(context, closedSchema, { closed: true });
  });
}

interface NewSession {
  readonly user: UserId;
  readonly scopes: readonly Scope[];
  readonly expiresAt: number;
  readonly key: string | null;
}

async function open(context: EdgeContext, session: NewSession, now: number): Promise<Response> {
  const { user, scopes, expiresAt, key } = session;
  const token = randomText(TOKEN_CHARACTERS);
  await createSession(context.env.DB, { sha256: await sha256(token), user, scopes, expiresAt, key }, now);
  setCookie(context, SESSION_COOKIE, token, {
    path: "/",
    httpOnly: true,
    sameSite: "Strict",
    secure: new URL(context.req.url).protocol === "https:",
    maxAge: Math.floor((expiresAt - now) / 1000),
  });
  const view = { user, scopes, csrf: await csrfToken(token), expiresAt: new Date(expiresAt).toISOString() };
  return json(context, sessionSchema, view, 201);
}
