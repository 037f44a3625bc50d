/**
 * Auth: who is calling, from an API key (`Authorization: Bearer lam_…`) or a browser session (cookie).
 *
 * A verified key or session is trusted for `KEY_CACHE_MS` without asking D1, which is also how long a revocation may take to
 * reach every isolate. Expiry is checked on every request. Refusals do not say whether a key exists.
 */
import type { MiddlewareHandler } from "hono";
import { getCookie } from "hono/cookie";
import { failure, type Failure } from "#shared/errors.ts";
import { parseUserId } from "#shared/ids.ts";
import { KEY_CACHE_ENTRIES, KEY_CACHE_MS, REQUEST_BURST, REQUESTS_PER_SECOND } from "#shared/limits.ts";
import { failed, success, type Result } from "#shared/result.ts";
import { isApiKey, KEY_PREFIX_CHARACTERS } from "#shared/schema/keys.ts";
import { sha256 } from "#shared/sha256.ts";
import { sameSecret } from "#workers/digest.ts";
import { findKeys, findSession, touchKey } from "#workers/directory.ts";
import type { EdgeContext, EdgeEnv, Principal } from "#workers/edge.ts";
import { csrfToken, SESSION_COOKIE } from "#workers/middleware/csrf.ts";
import { PrincipalCache } from "#workers/middleware/principal-cache.ts";
import { foreignOrigin } from "#workers/middleware/same-origin.ts";
import { TokenBuckets } from "#workers/middleware/token-bucket.ts";
import { problem } from "#workers/reply.ts";

/** Verified keys and sessions of this isolate, by SHA-256 of the secret. */
export const verified = new PrincipalCache(KEY_CACHE_MS, KEY_CACHE_ENTRIES);

/** Failed tries by address: guessing keys must not become a load on D1. */
const failures = new TokenBuckets(REQUESTS_PER_SECOND, REQUEST_BURST, KEY_CACHE_ENTRIES);

const SAFE_METHODS: readonly string[] = ["GET", "HEAD"];

const REFUSED = failure("unauthorized", "A valid API key or session is needed.");

export const auth: MiddlewareHandler<EdgeEnv> = async (context, next) => {
  if (opensSession(context)) return next();
  const address = context.req.header("cf-connecting-ip") ?? "local";
  const now = Date.now();
  if (failures.isEmpty(address, now)) {
    return problem(context, failure("rate_limited", "Too many refused requests from this address.", 1));
  }
  const principal = await authenticate(context, now);
  if (principal.ok) {
    context.set("principal", principal.value);
    return next();
  }
  if (principal.error.code === "unauthorized") failures.take(address, now);
  return problem(context, principal.error);
};

/** A session is opened with a token of its own; the route reads it. */
function opensSession(context: EdgeContext): boolean {
  return (
    context.req.method === "POST" &&
    context.req.path === "/v1/session" &&
    context.req.header("authorization") === undefined
  );
}

async function authenticate(context: EdgeContext, now: number): Promise<Result<Principal>> {
  const header = context.req.header("authorization");
  if (header !== undefined) {
    const key = /^Bearer +(\S+)$/i.exec(header)?.[1];
    if (key === undefined || !isApiKey(key)) return failed(REFUSED);
    return current(await keyPrincipal(context, key, now), now);
  }
  const token = getCookie(context, SESSION_COOKIE);
  if (token === undefined) return failed(REFUSED);
  const principal = current(await sessionPrincipal(context, token, now), now);
  if (!principal.ok) return principal;
  const refusal = foreignOrigin(context) ?? (await missingCsrf(context, token));
  return refusal === null ? principal : failed(refusal);
}

function current(principal: Principal | null, now: number): Result<Principal> {
  if (principal === null || (principal.expiresAt !== null && principal.expiresAt <= now)) return failed(REFUSED);
  return success(principal);
}

async function missingCsrf(context: EdgeContext, token: string): Promise<Failure | null> {
  if (SAFE_METHODS.includes(context.req.method)) return null;
  const given = context.req.header("x-csrf-token") ?? "";
  if (sameSecret(given, await csrfToken(token))) return null;
  return failure("forbidden", "The x-csrf-token header is missing or wrong; GET /v1/session tells it.");
}

async function keyPrincipal(context: EdgeContext, key: string, now: number): Promise<Principal | null> {
  const digest = await sha256(key);
  const known = verified.get(digest, now);
  if (known !== null) return known;
  const rows = await findKeys(context.env.DB, key.slice(0, KEY_PREFIX_CHARACTERS));
  const row = rows.find((candidate) => sameSecret(candidate.sha256, digest));
  const user = row === undefined ? null : parseUserId(row.user);
  if (row === undefined || user === null || row.revokedAt !== null) return null;
  const principal: Principal = {
    user,
    shard: row.shard,
    scopes: row.scopes,
    identity: row.id,
    expiresAt: row.expiresAt,
    sessionToken: null,
  };
  verified.set(digest, principal, now);
  context.executionCtx.waitUntil(touchKey(context.env.DB, row.id, now).catch(() => undefined));
  return principal;
}

async function sessionPrincipal(context: EdgeContext, token: string, now: number): Promise<Principal | null> {
  const digest = await sha256(token);
  const known = verified.get(digest, now);
  if (known !== null) return known;
  const row = await findSession(context.env.DB, digest);
  const user = row === null ? null : parseUserId(row.user);
  if (row === null || user === null) return null;
  const principal: Principal = {
    user,
    shard: row.shard,
    scopes: row.scopes,
    identity: `session_${digest.slice(0, 16)}`,
    expiresAt: row.expiresAt,
    sessionToken: token,
  };
  verified.set(digest, principal, now);
  return principal;
}
