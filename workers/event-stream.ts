/**
 * Event stream: server-sent events out of a source that is read piece by piece, with keep-alive comments.
 *
 * `eventStream(source)` reads ahead of the client by one piece only. When the client leaves, the source is cancelled.
 */
import type { StreamPart } from "#shared/abi.ts";
import { SSE_KEEP_ALIVE_MS } from "#shared/limits.ts";
import { errorName, logEvent } from "#shared/log.ts";
import { encodeEvent } from "#shared/wire.ts";
import type { RunEvents } from "#workers/run-events.ts";

export interface TextSource {
  /** The next piece of the stream, already encoded; null at its end. */
  next(): Promise<string | null>;
  /** What to send when `next` throws. */
  broken(): string;
  cancel(): Promise<void>;
}

export const EVENT_STREAM_HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no",
} as const;

const KEEP_ALIVE = ": keep-alive\n\n";
const DONE = encodeEvent("[DONE]");

/** The bytes of an event stream. */
export function eventStream(source: TextSource): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let pending: Promise<string | null> | null = null;
  let left = false;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      pending ??= source.next();
      try {
        const piece = await pieceOrSilence(pending);
        if (left) return;
        if (piece === undefined) return controller.enqueue(encoder.encode(KEEP_ALIVE));
        pending = null;
        if (piece !== null) return controller.enqueue(encoder.encode(piece));
      } catch (error) {
        if (left) return;
        logEvent("event-stream-broken", { error: errorName(error) }, "error");
        controller.enqueue(encoder.encode(source.broken()));
      }
      controller.close();
    },
    cancel: () => {
      left = true;
      return source.cancel();
    },
  });
}

/** The piece, or undefined when none came for so long that a proxy might close the connection. */
async function pieceOrSilence(pending: Promise<string | null>): Promise<string | null | undefined> {
  let stop = (): void => undefined;
  const silence = new Promise<undefined>((resolve) => {
    const timer = setTimeout(() => resolve(undefined), SSE_KEEP_ALIVE_MS);
    stop = () => clearTimeout(timer);
  });
  try {
    return await Promise.race([pending, silence]);
  } finally {
    stop();
  }
}

/** A run as an AI SDK UI message stream v1: every event with its id, then `[DONE]`. */
export function uiMessageStream(events: RunEvents): ReadableStream<Uint8Array> {
  let ended = false;
  return eventStream({
    async next() {
      if (ended) return null;
      const lines = await events.read();
      if (lines !== null)
        return lines.map(({ id, part }) => encodePart(part, id === events.after ? undefined : id)).join("");
      ended = true;
      return DONE;
    },
    // No `[DONE]`: the run may still be going on, and a client that can resume will.
    broken: () =>
      encodePart({ type: "error", errorText: "The connection to the process was lost. Read the run again." }),
    cancel: () => events.cancel(),
  });
}

/** One event of a UI message stream. A part that is sent again to re-open it has no id of its own. */
export function encodePart(part: StreamPart, id?: number): string {
  return encodeEvent(JSON.stringify(part), id);
}
