/**
 * `/v1/keys`: API keys of every user of this server; only for keys with the scope `admin`.
 *
 * A key is in the reply that creates it and nowhere else: not in the list, not in a replay of the same idempotency key.
 */
import { createRoute } from "@hono/zod-openapi";
import { z } from "zod";
import { failure } from "#shared/errors.ts";
import { failed, success, type Result } from "#shared/result.ts";
import {
  KEY_PREFIX_CHARACTERS,
  keyBodySchema,
  keyCreatedSchema,
  keyPath,
  keySchema,
  type KeyView,
} from "#shared/schema/keys.ts";
import { canonicalJson } from "#shared/schema/json-value.ts";
import { listOf, listQuery } from "#shared/schema/list.ts";
import { sha256 } from "#shared/sha256.ts";
import { randomText } from "#workers/digest.ts";
import {
  createKey,
  findReply,
  listKeys,
  revokeKey,
  type KeyCursor,
  type KeyRow,
  type NewKey,
} from "#workers/directory.ts";
import type { Edge, EdgeContext } from "#workers/edge.ts";
import { verified } from "#workers/middleware/auth.ts";
import { requireScope } from "#workers/middleware/scope.ts";
import { NOT_FOUND } from "#workers/middleware/validation.ts";
import { answer, json, problem } from "#workers/reply.ts";
import { jsonBody, KEY_NEEDED, responses } from "#workers/routes/documented.ts";
import { idempotencyKey } from "#workers/routes/idempotency-key.ts";

/** Random characters of a key after `lam_`: 256 bits. */
const KEY_RANDOM_CHARACTERS = 43;

const shared = { security: KEY_NEEDED, middleware: [requireScope("admin")] };

const keys = listOf(keySchema);
const revokedSchema = z.object({ revoked: z.string() }).meta({ id: "KeyRevoked" });

const getKeys = createRoute({
  method: "get",
  path: "/v1/keys",
  summary: "List API keys, newest first",
  ...shared,
  request: { query: listQuery },
  responses: responses(200, "Keys, without their secrets", keys),
});

const postKey = createRoute({
  method: "post",
  path: "/v1/keys",
  summary: "Create an API key, and its user when unknown",
  ...shared,
  request: { body: jsonBody(keyBodySchema) },
  responses: responses(201, "The key; shown this once", keyCreatedSchema),
});

const deleteKey = createRoute({
  method: "delete",
  path: "/v1/keys/{id}",
  summary: "Revoke an API key",
  description: "Other data centres may take up to a minute to notice.",
  ...shared,
  request: { params: keyPath },
  responses: responses(200, "Revoked", revokedSchema),
});

export function addKeyRoutes(app: Edge): void {
  app.openapi(getKeys, async (context): Promise<Response> => {
    const { limit, cursor } = context.req.valid("query");
    const after = cursor === undefined ? undefined : readCursor(cursor);
    if (after === null) return problem(context, failure("invalid_request", "cursor: is not one of this list."));
    const rows = await listKeys(context.env.DB, limit + 1, after);
    const shown = rows.slice(0, limit);
    const last = shown.at(-1);
    const items = shown.map(keyView);
    const more = rows.length > limit && last !== undefined;
    return json(context, keys, more ? { items, cursor: `${last.createdAt}.${last.id}` } : { items });
  });
  app.openapi(postKey, async (context): Promise<Response> => {
    const once = idempotencyKey(context);
    if (!once.ok) return problem(context, once.error);
    return answer(context, keyCreatedSchema, await makeKey(context, context.req.valid("json"), once.value), 201);
  });
  app.openapi(deleteKey, async (context): Promise<Response> => {
    const { id } = context.req.valid("param");
    if (!(await revokeKey(context.env.DB, id, Date.now()))) return problem(context, NOT_FOUND);
    verified.forget({ identity: id });
    return json(context, revokedSchema, { revoked: id });
  });
}

async function makeKey(
  context: EdgeContext,
  body: z.output<typeof keyBodySchema>,
  once: string,
): Promise<Result<z.output<typeof keyCreatedSchema>>> {
  const { user: admin } = context.get("principal");
  const now = Date.now();
  const bodySha256 = await sha256(`POST /v1/keys ${canonicalJson(body)}`);
  const earlier = await findReply(context.env.DB, admin, once, now);
  if (earlier !== null) return replay(earlier.reply, earlier.bodySha256 === bodySha256);
  const expiresAt = body.expiresAt === undefined ? null : Date.parse(body.expiresAt);
  if (expiresAt !== null && expiresAt <= now) return failed(failure("invalid_request", "expiresAt: is in the past."));
  const secret = `lam_${randomText(KEY_RANDOM_CHARACTERS)}`;
  const key: NewKey = {
    id: `key_${randomText(16)}`,
    prefix: secret.slice(0, KEY_PREFIX_CHARACTERS),
    sha256: await sha256(secret),
    user: body.user,
    scopes: body.scopes,
    name: body.name ?? null,
    createdAt: now,
    expiresAt,
  };
  const view = keyView({ ...key, revokedAt: null, lastUsedAt: null });
  const stored = { user: admin, key: once, bodySha256, reply: JSON.stringify(view) };
  if (await createKey(context.env.DB, key, stored)) return success({ ...view, key: secret });
  // Another request with this idempotency key came in between.
  const first = await findReply(context.env.DB, admin, once, now);
  if (first === null) return failed(failure("internal", "The key could not be stored."));
  return replay(first.reply, first.bodySha256 === bodySha256);
}

function replay(reply: string, sameBody: boolean): Result<KeyView> {
  if (!sameBody) return failed(failure("conflict", "This Idempotency-Key was used with another body."));
  return success(keySchema.parse(JSON.parse(reply)));
}

function keyView(row: Omit<KeyRow, "sha256" | "shard">): KeyView {
  return {
    id: row.id,
    prefix: row.prefix,
    user: row.user,
    scopes: row.scopes,
    name: row.name,
    createdAt: new Date(row.createdAt).toISOString(),
    expiresAt: dateOrNull(row.expiresAt),
    revokedAt: dateOrNull(row.revokedAt),
    lastUsedAt: dateOrNull(row.lastUsedAt),
  };
}

function dateOrNull(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

function readCursor(cursor: string): KeyCursor | null {
  const match = /^([0-9]{1,16})\.(key_[A-Za-z0-9]{1,64})$/.exec(cursor);
  return match?.[1] === undefined || match[2] === undefined ? null : { createdAt: Number(match[1]), id: match[2] };
}
