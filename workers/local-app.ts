/**
 * Local app: the edge, after the user `local` exists. For local servers and tests only.
 *
 * `npm start` passes the hashes of the key and of the one-time link it printed; the secrets themselves never get here.
 */
import { parseUserId } from "#shared/ids.ts";
import { LOGIN_LINK_MS } from "#shared/limits.ts";
import { KEY_PREFIX_CHARACTERS, SCOPES } from "#shared/schema/keys.ts";
import { app } from "#workers/app.ts";
import { ensureKey, ensureLoginLink, ensureUser } from "#workers/directory.ts";

/** True once this isolate has seen to it; a second request at the same time does it again, which changes nothing. */
let ensured = false;

async function ensureLocalUser(env: Cloudflare.Env): Promise<void> {
  const user = parseUserId("local");
  if (user === null || env.LOCAL_KEY_SHA256 === undefined || env.LOCAL_KEY_PREFIX === undefined) return;
  const now = Date.now();
  await ensureUser(env.DB, user, now);
  await ensureKey(env.DB, {
    id: "key_local",
    prefix: env.LOCAL_KEY_PREFIX.slice(0, KEY_PREFIX_CHARACTERS),
    sha256: env.LOCAL_KEY_SHA256,
    user,
    scopes: SCOPES,
    name: "local",
    createdAt: now,
    expiresAt: null,
  });
  if (env.LOCAL_LOGIN_SHA256 === undefined) return;
  await ensureLoginLink(env.DB, { sha256: env.LOCAL_LOGIN_SHA256, user, expiresAt: now + LOGIN_LINK_MS });
}

export const localApp = {
  async fetch(request: Request, env: Cloudflare.Env, context: ExecutionContext): Promise<Response> {
    if (!ensured) {
      await ensureLocalUser(env);
      ensured = true;
    }
    return app.fetch(request, env, context);
  },
};
