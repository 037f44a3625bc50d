/**
 * Read bounded: a whole body as text, of at most so many bytes and with at most so long a silence.
 */
import { PROVIDER_BODY_BYTES } from "#shared/limits.ts";
import { DriverError } from "#kernel/infer/drivers/faults.ts";
import { within } from "#kernel/infer/drivers/patience.ts";

/** Throws `timeout`, `cut` when the body breaks, and `malformed` when it is longer than PROVIDER_BODY_BYTES. */
export async function readBounded(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
  silenceMs: number,
): Promise<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  try {
    for (;;) {
      const read = reader.read().catch((): never => {
        throw new DriverError("cut");
      });
      const { done, value } = await within(read, signal, silenceMs);
      if (done) return text + decoder.decode();
      bytes += value.byteLength;
      if (bytes > PROVIDER_BODY_BYTES) throw new DriverError("malformed");
      text += decoder.decode(value, { stream: true });
    }
  } finally {
    void reader.cancel().catch(() => undefined);
  }
}
