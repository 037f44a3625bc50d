/**
 * Same origin: what a browser says about where a request comes from.
 *
 * Used for everything that a cookie authenticates and for the session routes. Against DNS rebinding, a local server answers
 * these only under a loopback name; in production Cloudflare routes only our own names here.
 */
import { failure, type Failure } from "#shared/errors.ts";
import type { EdgeContext } from "#workers/edge.ts";

const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

export function isLoopback(hostname: string): boolean {
  return LOOPBACK.has(hostname) || hostname.endsWith(".localhost");
}

/** Null when the request comes from our own page or from no page at all. */
export function foreignOrigin(context: EdgeContext): Failure | null {
  const url = new URL(context.req.url);
  const host = context.req.header("host");
  const origin = context.req.header("origin");
  const site = context.req.header("sec-fetch-site");
  const local = context.env.LOCAL_KEY_SHA256 !== undefined;
  const rebound = local && (!isLoopback(url.hostname) || (host !== undefined && host !== url.host));
  const foreign =
    (origin !== undefined && origin !== url.origin) ||
    (site !== undefined && site !== "same-origin" && site !== "none");
  return rebound || foreign ? failure("forbidden", "This request must come from the server's own page.") : null;
}
