/**
 * API: every request the page makes, to its own origin.
 *
 * The session is a cookie that this code cannot read; the CSRF token is kept in memory only and sent with every request
 * that changes something. `SessionEnded` means that a new link is needed.
 */
import { fields, text, type Fields } from "./read.ts";

/** A problem document as an exception; `message` is its detail, made for people. */
export class Problem extends Error {
  readonly status: number;

  constructor(status: number, detail: string) {
    super(detail);
    this.status = status;
  }
}

/** There is no session, or no longer. */
export class SessionEnded extends Problem {}

let csrf = "";

/** Exchanges a link's one-time token for a session. */
export async function logIn(token: string): Promise<void> {
  const response = await request("/v1/session", { method: "POST", body: JSON.stringify({ token }) });
  csrf = text(fields(await response.json())["csrf"]);
}

/** Takes up the session of an earlier visit. */
export async function resumeSession(): Promise<void> {
  csrf = text((await get("/v1/session"))["csrf"]);
}

export async function get(path: string): Promise<Fields> {
  const response = await request(path, { method: "GET" });
  return fields(await response.json());
}

export async function post(path: string): Promise<Fields> {
  const response = await request(path, { method: "POST" });
  return fields(await response.json());
}

/** Starts a run. A repeated call with the same key attaches to the same run. */
export function startRun(input: string, idempotencyKey: string): Promise<Response> {
  return request("/v1/instructions", {
    method: "POST",
    headers: { "idempotency-key": idempotencyKey },
    body: JSON.stringify({ input, stream: true }),
  });
}

/** The stream of a run, after the event `after` or from its beginning. */
export function runStream(run: string, after: string | null): Promise<Response> {
  const headers: Record<string, string> = after === null ? {} : { "last-event-id": after };
  return request(`/v1/runs/${encodeURIComponent(run)}/stream`, { method: "GET", headers });
}

async function request(
  path: string,
  options: { method: string; headers?: Record<string, string>; body?: string },
): Promise<Response> {
  const headers: Record<string, string> = { ...options.headers };
  if (options.body !== undefined) headers["content-type"] = "application/json";
  if (options.method !== "GET" && csrf !== "") headers["x-csrf-token"] = csrf;
  const response = await fetch(path, { ...options, headers, credentials: "same-origin", cache: "no-store" });
  if (response.ok) return response;
  const problem = fields(await response.json().catch(() => null));
  const detail = text(problem["detail"]) || `The server answered ${response.status}.`;
  throw response.status === 401 ? new SessionEnded(401, detail) : new Problem(response.status, detail);
}
