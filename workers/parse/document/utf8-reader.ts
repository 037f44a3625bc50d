/**
 * UTF-8 reader: bytes that are cut anywhere, as text; anything that is not UTF-8 text is refused with its place.
 *
 * The bytes of a character that is not complete yet are state, so that it may end in another request.
 */
import { z } from "zod";
import { failure } from "#shared/errors.ts";
import { failed, success, type Result } from "#shared/result.ts";

export const utf8ReaderState = z.strictObject({
  /** Bytes read so far. */
  read: z.number(),
  /** Bytes of an unfinished character, at most three. */
  rest: z.array(z.number()).max(3),
});

// The mark at the start of a document is taken off below; `ignoreBOM` only means that the decoder leaves it.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export class Utf8Reader {
  readonly state: z.infer<typeof utf8ReaderState>;

  constructor(state: z.infer<typeof utf8ReaderState> = { read: 0, rest: [] }) {
    this.state = { ...state };
  }

  push(bytes: Uint8Array): Result<string> {
    const { state } = this;
    const all = joined(state.rest, bytes);
    const start = state.read - state.rest.length;
    state.read += bytes.byteLength;
    const whole = all.byteLength - unfinished(all);
    state.rest = [...all.subarray(whole)];
    return this.#decode(all.subarray(0, whole), start);
  }

  end(): Result<string> {
    const { state } = this;
    const rest = Uint8Array.from(state.rest);
    state.rest = [];
    return this.#decode(rest, state.read - rest.byteLength);
  }

  #decode(bytes: Uint8Array, start: number): Result<string> {
    const nul = bytes.indexOf(0);
    if (nul >= 0) return refused(start + nul, "holds a NUL byte, so it is no text");
    try {
      const text = decoder.decode(bytes);
      return success(start === 0 ? text.replace(/^\u{feff}/u, "") : text);
    } catch {
      return refused(start, "is not valid UTF-8");
    }
  }
}

function joined(rest: readonly number[], bytes: Uint8Array): Uint8Array {
  if (rest.length === 0) return bytes;
  const whole = new Uint8Array(rest.length + bytes.byteLength);
  whole.set(rest);
  whole.set(bytes, rest.length);
  return whole;
}

function refused(byte: number, why: string): Result<never> {
  return failed(failure("invalid_request", `The document ${why}, at or after byte ${byte}. Send it as UTF-8.`));
}

/** How many bytes at the end belong to a character that is not complete. */
function unfinished(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.byteLength); back += 1) {
    const byte = bytes[bytes.byteLength - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte < 0xc0) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return length > back ? back : 0;
  }
  return 0;
}
