/**
 * Import lines: an NDJSON body as rows, read while it arrives.
 *
 * `importLines(bytes, limits)` yields a row or a reason per non-empty line, so one bad line costs that line only. More bytes
 * than `total` end the stream with `tooLarge`. Pure but for the stream it reads.
 */
export type ImportLine =
  | { readonly kind: "row"; readonly line: number; readonly row: unknown; readonly bytes: number }
  | { readonly kind: "skipped"; readonly line: number; readonly reason: string }
  | { readonly kind: "tooLarge" };

const NEWLINE = 10;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

export async function* importLines(
  body: ReadableStream<Uint8Array>,
  limits: { readonly total: number; readonly line: number },
): AsyncGenerator<ImportLine, void> {
  let line = 0;
  let total = 0;
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  const take = (last: Uint8Array): ImportLine | null => {
    line += 1;
    const bytes = heldBytes + last.byteLength;
    if (bytes === 0) return null;
    const parts = [...held, last];
    held = [];
    heldBytes = 0;
    if (bytes > limits.line) return { kind: "skipped", line, reason: `is longer than ${limits.line} bytes` };
    return readRow(join(parts, bytes), line);
  };
  for await (const chunk of body) {
    total += chunk.byteLength;
    if (total > limits.total) return yield { kind: "tooLarge" };
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      const read = take(chunk.subarray(start, end));
      if (read !== null) yield read;
      start = end + 1;
    }
    heldBytes += chunk.byteLength - start;
    // Only the length of an overlong line is of interest.
    if (heldBytes <= limits.line) held.push(chunk.slice(start));
    else held = [];
  }
  if (heldBytes > 0) {
    const read = take(new Uint8Array());
    if (read !== null) yield read;
  }
}

function join(parts: readonly Uint8Array[], bytes: number): Uint8Array {
  const whole = new Uint8Array(bytes);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.byteLength;
  }
  return whole;
}

function readRow(bytes: Uint8Array, line: number): ImportLine | null {
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    return { kind: "skipped", line, reason: "is not valid UTF-8" };
  }
  if (text.trim() === "") return null;
  try {
    const row: unknown = JSON.parse(text);
    return { kind: "row", line, row, bytes: bytes.byteLength };
  } catch {
    return { kind: "skipped", line, reason: "is not valid JSON" };
  }
}
