/**
 * Body: reads a request's body within its limit, as bytes that must be UTF-8, before any route parses it.
 *
 * The bytes themselves are counted, so a missing or false Content-Length changes nothing. Decoding is fatal: the parser
 * below would accept broken UTF-8 as replacement characters. Streamed bodies (`STREAMED`) are limited by their route.
 */
import type { MiddlewareHandler } from "hono";
import { failure } from "#shared/errors.ts";
import { BODY_BYTES, DISCARDED_BYTES } from "#shared/limits.ts";
import type { EdgeEnv } from "#workers/edge.ts";
import { problem } from "#workers/reply.ts";

const STREAMED = /^\/v1\/memory\/(?:import|documents(?:\/[^/]*)?)$/;

export const body: MiddlewareHandler<EdgeEnv> = async (context, next) => {
  const { raw } = context.req;
  if (raw.body === null || STREAMED.test(context.req.path)) return next();
  const tooLarge = failure("payload_too_large", `The body is larger than ${BODY_BYTES} bytes.`);
  if (Number(context.req.header("content-length") ?? 0) > BODY_BYTES) return problem(context, tooLarge);
  const bytes = await readAtMost(raw.body, BODY_BYTES);
  if (bytes === null) return problem(context, tooLarge);
  if (decodeUtf8(bytes) === null) return problem(context, failure("invalid_request", "The body is not valid UTF-8."));
  context.req.raw = new Request(raw, { method: raw.method, body: bytes });
  return next();
};

/**
 * The bytes of a stream, or null when there are more than `most`. The rest is read and thrown away, within reason: a client
 * that is still sending when the connection closes never sees the reply.
 */
export async function readAtMost(stream: ReadableStream<Uint8Array>, most: number): Promise<Uint8Array | null> {
  const reader = stream.getReader();
  const chunks: Uint8Array[] = [];
  let total = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    total += value.byteLength;
    if (total <= most) {
      chunks.push(value);
      continue;
    }
    chunks.length = 0;
    if (total <= DISCARDED_BYTES) continue;
    await reader.cancel().catch(() => undefined);
    break;
  }
  if (total > most) return null;
  if (chunks.length === 1 && chunks[0] !== undefined) return chunks[0];
  const bytes = new Uint8Array(total);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}

/** The text, or null when the bytes are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    return null;
  }
}
