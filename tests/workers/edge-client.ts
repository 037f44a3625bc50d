/**
 * Edge client: users with keys, and calls through the Worker's own door, for tests in workerd.
 *
 * `const alice = await newUser("alice"); await alice.call("GET", "/v1/memory")`.
 */
import { env, exports } from "cloudflare:workers";
import { parseUserId } from "#shared/ids.ts";
import { KEY_PREFIX_CHARACTERS, SCOPES, type Scope } from "#shared/schema/keys.ts";
import { sha256 } from "#shared/sha256.ts";
import { randomText } from "#workers/digest.ts";
import { createKey, ensureUser } from "#workers/directory.ts";

declare global {
  namespace Cloudflare {
    interface GlobalProps {
      mainModule: typeof import("#workers/local.ts");
    }
  }
}

export const ORIGIN = "https://lamina.example";

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; null when it is none. */
  readonly body: Record<string, unknown>;
}

export interface User {
  readonly name: string;
  readonly key: string;
  readonly keyId: string;
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Reply>;
}

/** One request; a body that is no string is sent as JSON. */
export async function call(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Reply> {
  const json = body !== undefined && typeof body !== "string" && !(body instanceof Uint8Array);
  const response = await exports.default.fetch(`${ORIGIN}${path}`, {
    method,
    headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
    ...(body === undefined ? {} : { body: json ? JSON.stringify(body) : (body as BodyInit) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: readObject(text) };
}

function readObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : {};
  } catch {
    return {};
  }
}

/** A user with a key of these scopes (all but admin when none are given). */
export async function newUser(
  name: string,
  scopes: readonly Scope[] = SCOPES.filter((scope) => scope !== "admin"),
  expiresAt: number | null = null,
): Promise<User> {
  const user = parseUserId(name);
  if (user === null) throw new Error(`"${name}" is no user name`);
  const key = `lam_${randomText(43)}`;
  const id = `key_${randomText(16)}`;
  const now = Date.now();
  await ensureUser(env.DB, user, now);
  await createKey(
    env.DB,
    {
      id,
      prefix: key.slice(0, KEY_PREFIX_CHARACTERS),
      sha256: await sha256(key),
      user,
      scopes,
      name: null,
      createdAt: now,
      expiresAt,
    },
    { user, key: crypto.randomUUID(), bodySha256: "", reply: id },
  );
  return {
    name,
    key,
    keyId: id,
    call: (method, path, body, headers = {}) =>
      call(method, path, body, { authorization: `Bearer ${key}`, ...headers }),
  };
}
