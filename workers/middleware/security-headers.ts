/**
 * Security headers: on every reply, the page's and the API's alike.
 *
 * The policy allows what comes from our own origin and nothing inline, so text from a model that slipped into the page as
 * markup could still not run.
 */
import type { MiddlewareHandler } from "hono";
import type { EdgeEnv } from "#workers/edge.ts";
import { isLoopback } from "#workers/middleware/same-origin.ts";

const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

const HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": CONTENT_SECURITY_POLICY,
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
};

const ONE_YEAR_SECONDS = 31_536_000;

export const securityHeaders: MiddlewareHandler<EdgeEnv> = async (context, next) => {
  await next();
  const url = new URL(context.req.url);
  // Replies of other bindings have headers that cannot be changed.
  context.res = new Response(context.res.body, context.res);
  const { headers } = context.res;
  for (const [name, value] of Object.entries(HEADERS)) headers.set(name, value);
  if (url.pathname.startsWith("/v1/") && !headers.has("cache-control")) headers.set("cache-control", "no-store");
  if (url.protocol === "https:" && !isLoopback(url.hostname)) {
    headers.set("strict-transport-security", `max-age=${ONE_YEAR_SECONDS}; includeSubDomains`);
  }
};
