/**
 * Read stream: a provider's event stream → its chunks, parsed; the one reader of every driver.
 *
 * It ends with `[DONE]`, or when the stream ends behind a chunk with a `finish_reason`. Everything else throws `DriverError`:
 * `cut` when it ends before that or breaks, `malformed` for a chunk that is no JSON (an answer without it would be another
 * answer) or a stream without a single event, `timeout` when no chunk comes for `silenceMs`: comments that only keep the connection
 * open do not count. Whoever leaves early ends the provider's work.
 */
import { z } from "zod";
import { FINISH_WAIT_MS, STREAM_EVENT_BYTES } from "#shared/limits.ts";
import { parseJson } from "#shared/parse-json.ts";
import { EventDecoder, LineDecoder } from "#shared/wire.ts";
import { DriverError } from "#kernel/infer/drivers/faults.ts";
import { within } from "#kernel/infer/drivers/patience.ts";

const lastChunk = z.object({ choices: z.array(z.object({ finish_reason: z.string() })).min(1) });

export async function* readStream(
  stream: ReadableStream<Uint8Array>,
  signal: AbortSignal,
  silenceMs: number,
): AsyncGenerator<unknown> {
  const reader = stream.getReader();
  const state = { chunks: 0, lines: 0, bytes: 0, finished: false, done: false };
  const lines = new LineDecoder();
  const events = new EventDecoder();
  let deadline = Date.now() + silenceMs;
  try {
    while (!state.done) {
      const piece = await nextPiece(reader, signal, deadline - Date.now(), state);
      const before = state.chunks;
      state.bytes += piece?.byteLength ?? 0;
      if (state.bytes > STREAM_EVENT_BYTES) throw new DriverError("malformed");
      for (const line of piece === null ? [...lines.end(), ""] : lines.push(piece)) {
        if (piece !== null) state.lines += 1;
        const event = events.push(line);
        if (event === null || state.done) continue;
        state.chunks += 1;
        if (event.data.trim() === "[DONE]") state.done = true;
        else if (piece === null && state.finished && (parseJson(event.data) ?? null) === null) break;
        else yield readChunk(event.data, state, piece === null ? "cut" : "malformed");
      }
      if (piece === null) break;
      if (state.chunks === before) continue;
      state.bytes = 0;
      deadline = Date.now() + (state.finished ? FINISH_WAIT_MS : silenceMs);
    }
  } finally {
    void reader.cancel().catch(() => undefined); // a source that hangs may not hold up who leaves it
  }
  if (!state.done && !state.finished)
    throw new DriverError(state.chunks === 0 && state.lines > 0 ? "malformed" : "cut");
}

/** The next bytes, or null at the end. Once the answer was finished, silence and a broken connection are an end like any other. */
async function nextPiece(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  signal: AbortSignal,
  ms: number,
  { finished }: { readonly finished: boolean },
): Promise<Uint8Array | null> {
  const read = reader.read().catch((): never => {
    throw new DriverError("cut");
  });
  try {
    const { done, value } = await within(read, signal, Math.max(0, ms));
    return done ? null : value;
  } catch (error) {
    if (finished && !signal.aborted) return null;
    throw error;
  }
}

/** `fault`: what it is when the chunk cannot be read; the last one of a stream that broke is only the half of one. */
function readChunk(data: string, state: { finished: boolean }, fault: "cut" | "malformed"): unknown {
  const chunk = parseJson(data);
  if (typeof chunk !== "object" || chunk === null) throw new DriverError(fault);
  if (lastChunk.safeParse(chunk).success) state.finished = true;
  return chunk;
}
