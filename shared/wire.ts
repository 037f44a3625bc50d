/**
 * Wire: server-sent events and newline-delimited JSON, both ways.
 *
 * Used by the edge (events to a client), the drivers (events from a model) and the page. Pure; the decoders hold the
 * unfinished rest of a line between chunks, so bytes may be cut anywhere, also inside a UTF-8 sequence. `lines` and
 * `serverSentEvents` are the same decoders as streams; where every millisecond counts, use the classes.
 */

/** One event as text: optional id, then `data:`. `data` must hold no newline (JSON never does). */
export function encodeEvent(data: string, id?: number): string {
  return id === undefined ? `data: ${data}\n\n` : `id: ${id}\ndata: ${data}\n\n`;
}

/** Cuts bytes into lines without their line end. */
export class LineDecoder {
  readonly #decoder = new TextDecoder();
  #rest = "";

  /** The lines that these bytes complete. */
  push(bytes: Uint8Array): string[] {
    const parts = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split(/\r?\n/);
    this.#rest = parts.pop() ?? "";
    return parts;
  }

  /** The last line, when it was not ended. */
  end(): string[] {
    const rest = this.#rest + this.#decoder.decode();
    this.#rest = "";
    return rest === "" ? [] : [rest];
  }
}

export interface ServerSentEvent {
  readonly id: string | null;
  readonly data: string;
}

/** Reads server-sent events (WHATWG HTML, "Server-sent events") from lines: joins `data` lines, skips comments. */
export class EventDecoder {
  #id: string | null = null;
  #data: string[] = [];

  /** The event that this line completes, or null. */
  push(line: string): ServerSentEvent | null {
    if (line === "") return this.end();
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") this.#data.push(value);
    if (field === "id") this.#id = value;
    return null;
  }

  /** The event that was begun, if any. */
  end(): ServerSentEvent | null {
    const event = this.#data.length > 0 ? { id: this.#id, data: this.#data.join("\n") } : null;
    this.#id = null;
    this.#data = [];
    return event;
  }
}

/** `LineDecoder` as a stream. */
export function lines(): TransformStream<Uint8Array, string> {
  const decoder = new LineDecoder();
  return new TransformStream<Uint8Array, string>({
    transform(chunk, controller) {
      for (const line of decoder.push(chunk)) controller.enqueue(line);
    },
    flush(controller) {
      for (const line of decoder.end()) controller.enqueue(line);
    },
  });
}

/** `EventDecoder` as a stream. */
export function serverSentEvents(): TransformStream<string, ServerSentEvent> {
  const decoder = new EventDecoder();
  return new TransformStream<string, ServerSentEvent>({
    transform(line, controller) {
      const event = decoder.push(line);
      if (event !== null) controller.enqueue(event);
    },
    flush(controller) {
      const event = decoder.end();
      if (event !== null) controller.enqueue(event);
    },
  });
}
