/**
 * CSRF: the session cookie's name, and the token that a page must send back with every request that changes something.
 *
 * The token is derived from the session's, so it survives a reload and needs no storage; the page reads it from
 * `GET /v1/session`, which no other origin can.
 */
import { sha256 } from "#shared/sha256.ts";

export const SESSION_COOKIE = "lamina_session";

export function csrfToken(sessionToken: string): Promise<string> {
  return sha256(`csrf:${sessionToken}`);
}
