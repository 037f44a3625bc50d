/**
 * Wire: server-sent events and newline-delimited JSON, both ways.
 *
 * Used by the edge (events to a client), the drivers (events from a model) and the command line. Pure; the decoders hold
 * the unfinished rest of a line between chunks, so bytes may be cut anywhere, also inside a UTF-8 sequence.
 */

/** One event as bytes of text: optional id, then `data:`. `data` must hold no newline (JSON never does). */
export function encodeEvent(data: string, id?: number): string {
  return id === undefined ? `data: ${data}\n\n` : `id: ${id}\ndata: ${data}\n\n`;
}

/** Splits a byte stream into lines without their line end. The last, unfinished line comes at the end of the stream. */
export function lines(): TransformStream<Uint8Array, string> {
  const decoder = new TextDecoder();
  let rest = "";
  return new TransformStream<Uint8Array, string>({
    transform(chunk, controller) {
      rest += decoder.decode(chunk, { stream: true });
      const parts = rest.split(/\r?\n/);
      rest = parts.pop() ?? "";
      for (const part of parts) controller.enqueue(part);
    },
    flush(controller) {
      rest += decoder.decode();
      if (rest !== "") controller.enqueue(rest);
    },
  });
}

export interface ServerSentEvent {
  readonly id: string | null;
  readonly data: string;
}

/** Reads server-sent events (WHATWG HTML, "Server-sent events"): joins `data` lines, skips comments. */
export function serverSentEvents(): TransformStream<string, ServerSentEvent> {
  let id: string | null = null;
  let data: string[] = [];
  const dispatch = (controller: TransformStreamDefaultController<ServerSentEvent>): void => {
    if (data.length > 0) controller.enqueue({ id, data: data.join("\n") });
    id = null;
    data = [];
  };
  return new TransformStream<string, ServerSentEvent>({
    transform(line, controller) {
      if (line === "") return dispatch(controller);
      const colon = line.indexOf(":");
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (field === "data") data.push(value);
      if (field === "id") id = value;
    },
    flush: dispatch,
  });
}
