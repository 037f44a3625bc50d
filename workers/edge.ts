/**
 * Edge: the types every middleware and route shares.
 *
 * A `Principal` exists only after `middleware/auth.ts` verified a key or a session; who somebody is never comes from
 * anywhere else.
 */
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { UserId } from "#shared/ids.ts";
import type { Scope } from "#shared/schema/keys.ts";

export interface Principal {
  readonly user: UserId;
  readonly shard: number;
  readonly scopes: readonly Scope[];
  /** What rate limits count by: the key's or the session's id. */
  readonly identity: string;
  /** Milliseconds since 1970, or null for never. */
  readonly expiresAt: number | null;
  /** Set for a browser session: its token, from the cookie. */
  readonly sessionToken: string | null;
}

export interface EdgeEnv {
  Bindings: Cloudflare.Env;
  Variables: { requestId: string; principal: Principal };
}

export type Edge = OpenAPIHono<EdgeEnv>;

export type EdgeContext = Context<EdgeEnv>;
