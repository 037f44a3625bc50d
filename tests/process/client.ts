/** Client: the HTTP calls of the process tests, as a person with a key would make them. */
import { lines, serverSentEvents, type ServerSentEvent } from "#shared/wire.ts";
import type { Server } from "#tests/process/server.ts";

export interface Reply {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

export async function call(
  server: Server,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Reply> {
  const response = await fetch(`${server.address}${path}`, {
    method,
    headers: { authorization: `Bearer ${server.key}`, "content-type": "application/json", ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === "" ? {} : (JSON.parse(text) as Record<string, unknown>) };
}

/** Runs an instruction to its end without a stream. */
export function instruct(
  server: Server,
  input: string,
  fields: Record<string, unknown> = {},
  headers: Record<string, string> = {},
): Promise<Reply> {
  return call(server, "POST", "/v1/instructions", { input, stream: false, ...fields }, headers);
}

/** Opens the stream of a new instruction. */
export function openRun(server: Server, input: string, fields: Record<string, unknown> = {}): Promise<Response> {
  return fetch(`${server.address}/v1/instructions`, {
    method: "POST",
    headers: { authorization: `Bearer ${server.key}`, "content-type": "application/json" },
    body: JSON.stringify({ input, ...fields }),
  });
}

/** The events of a run after the one with id `after`, to the end of the stream. */
export async function replay(server: Server, run: string, after?: string): Promise<ServerSentEvent[]> {
  const headers: Record<string, string> = { authorization: `Bearer ${server.key}` };
  if (after !== undefined) headers["last-event-id"] = after;
  const response = await fetch(`${server.address}/v1/runs/${run}/stream`, { headers });
  if (response.status !== 200) throw new Error(`replay answered ${response.status}: ${await response.text()}`);
  return readEvents(response);
}

/** Reads an event stream to its end, or to where `until` says true; what a broken connection had told is kept. */
export async function readEvents(
  response: Response,
  until: (event: ServerSentEvent) => boolean = () => false,
): Promise<ServerSentEvent[]> {
  const events: ServerSentEvent[] = [];
  if (response.body === null) return events;
  const reader = response.body.pipeThrough(lines()).pipeThrough(serverSentEvents()).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return events;
      events.push(value);
      if (until(value)) return events;
    }
  } catch {
    return events;
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** The run's id, from its `data-run` event. */
export function runOf(events: readonly ServerSentEvent[]): string {
  for (const { data } of events) {
    if (data === "[DONE]") continue;
    const part = JSON.parse(data) as { type: string; data?: { run?: string } };
    if (part.type === "data-run" && part.data?.run !== undefined) return part.data.run;
  }
  throw new Error("the stream named no run");
}

/** Events without the `[DONE]` that has no id. */
export function numbered(events: readonly ServerSentEvent[]): ServerSentEvent[] {
  return events.filter((event) => event.id !== null);
}
