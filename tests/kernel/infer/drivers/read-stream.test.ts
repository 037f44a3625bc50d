/**
 * The reader of all drivers: whatever bytes come, in whatever pieces, it ends, with chunks or with one fault; and its limits.
 */
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { FINISH_WAIT_MS, PROVIDER_BODY_BYTES, RETRY_AFTER_READ_MS, STREAM_EVENT_BYTES } from "#shared/limits.ts";
import { DriverError, errorEvent, eventOf, readRetryAfter } from "#kernel/infer/drivers/faults.ts";
import { readBounded } from "#kernel/infer/drivers/read-bounded.ts";
import { readStream } from "#kernel/infer/drivers/read-stream.ts";

afterEach(() => void vi.useRealTimers());

const never = new AbortController().signal;

function streamOf(...parts: readonly (Uint8Array | string)[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const part of parts) controller.enqueue(typeof part === "string" ? new TextEncoder().encode(part) : part);
      controller.close();
    },
  });
}

/** The chunks, and the fault that ended them. */
async function read(stream: ReadableStream<Uint8Array>, silenceMs = 1_000): Promise<unknown[]> {
  const chunks: unknown[] = [];
  try {
    for await (const chunk of readStream(stream, never, silenceMs)) chunks.push(chunk);
  } catch (error) {
    if (!(error instanceof DriverError)) throw error;
    chunks.push(error.event.fault);
  }
  return chunks;
}

const DONE = "data: [DONE]\n\n";
const FINISH = 'data: {"choices":[{"finish_reason":"stop"}]}\n\n';

describe("streams", () => {
  it("of any bytes end, and only with chunks or a fault", async () => {
    const line = fc.oneof(
      fc.constantFrom(DONE, FINISH, 'data: {"a":1}\n\n', "data: {\n\n", ": ping\n\n", "\n", "data:", "\r\n", "id: 1\n"),
      fc.string(),
    );
    const part = fc.oneof(line, fc.uint8Array({ maxLength: 40 }));
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 12 }), async (parts) => {
        const chunks = await read(streamOf(...parts));
        for (const chunk of chunks.slice(0, -1)) expect(typeof chunk).toBe("object");
        const last = chunks.at(-1);
        expect(["object", "undefined", "string"]).toContain(typeof last);
        if (typeof last === "string") expect(["cut", "malformed"]).toContain(last);
      }),
      { numRuns: 300 },
    );
  });

  it("cut anywhere say what came whole before, and that they were cut", async () => {
    const whole = new TextEncoder().encode(`data: {"n":1}\n\ndata: {"n":"grüß 🐝"}\n\n${FINISH}${DONE}`);
    const all = await read(streamOf(whole));
    expect(all).toHaveLength(3);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: whole.length }), async (at) => {
        const chunks = await read(streamOf(whole.slice(0, at)));
        const said = chunks.filter((chunk) => typeof chunk === "object");
        expect(said).toEqual(all.slice(0, said.length));
        // Whole means that the model said it had finished.
        expect(chunks.at(-1) === "cut").toBe(said.length < 3);
      }),
      { numRuns: 200 },
    );
  });

  it("end at [DONE], whatever comes behind it and whether they are closed or not", async () => {
    const open = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(`data: {"n":1}\n\n${DONE}data: {broken\n\n`));
      },
    });
    expect(await read(open)).toEqual([{ n: 1 }]);
  });

  it("that finished and then say nothing are whole after FINISH_WAIT_MS", async () => {
    const open = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(FINISH));
      },
    });
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    let ended = false;
    const reading = read(open, 60_000).finally(() => (ended = true));
    await vi.advanceTimersByTimeAsync(FINISH_WAIT_MS - 1);
    expect(ended).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(await reading).toHaveLength(1);
  });

  it("that finished and then send nothing but comments are whole after FINISH_WAIT_MS", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date"] });
    let pings: ReturnType<typeof setInterval> | undefined;
    const open = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(FINISH));
        pings = setInterval(() => controller.enqueue(new TextEncoder().encode(": ping\n\n")), FINISH_WAIT_MS / 4);
      },
      cancel: () => clearInterval(pings),
    });
    let ended = false;
    const reading = read(open, 60_000).finally(() => (ended = true));
    await vi.advanceTimersByTimeAsync(FINISH_WAIT_MS * 2);
    expect(ended).toBe(true);
    expect(await reading).toHaveLength(1);
  });

  it("with an event larger than STREAM_EVENT_BYTES are malformed", async () => {
    const event = (bytes: number): string => `data: "${"a".repeat(bytes - 10)}"\n\n`;
    const piece = (text: string): ReadableStream<Uint8Array> =>
      streamOf(...(text.match(/[^]{1,65536}/g) ?? []), FINISH);
    expect(await read(piece(event(STREAM_EVENT_BYTES + 100)))).toEqual(["malformed"]);
    const large = `data: {"a":"${"a".repeat(STREAM_EVENT_BYTES - 70_000)}"}\n\n`;
    expect(await read(piece(large))).toHaveLength(2);
  });
});

it("a whole answer is read up to PROVIDER_BODY_BYTES", async () => {
  const body = (bytes: number): ReadableStream<Uint8Array> => streamOf(new Uint8Array(bytes).fill(97));
  expect(await readBounded(body(PROVIDER_BODY_BYTES), never, 1_000)).toHaveLength(PROVIDER_BODY_BYTES);
  await expect(readBounded(body(PROVIDER_BODY_BYTES + 1), never, 1_000)).rejects.toThrow("malformed");
});

describe("Retry-After", () => {
  const now = Date.parse("2026-11-21T12:00:00Z");
  const read = (headers: HeadersInit): number | null => readRetryAfter(new Headers(headers), now);

  it.each([
    [{ "retry-after": "7" }, 7_000],
    [{ "retry-after": "0" }, 0],
    [{ "retry-after": "1.5" }, 1_500],
    [{ "retry-after": "Sat, 21 Nov 2026 12:00:30 GMT" }, 30_000],
    [{ "retry-after": "Sat, 21 Nov 2026 11:00:00 GMT" }, 0],
    [{ "retry-after-ms": "250", "retry-after": "7" }, 250],
    [{ "retry-after": "999999999" }, RETRY_AFTER_READ_MS],
    [{ "retry-after": "soon" }, null],
    [{ "retry-after": "-3" }, null],
    [{ "retry-after": "" }, null],
    [{}, null],
  ])("%o is %s", (headers, ms) => {
    expect(read(headers as Record<string, string>)).toBe(ms);
  });

  it("of any text is a number within its limit, or nothing", () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        const clean = value.replaceAll(/[^\x20-\x7e]/g, "");
        const ms = read({ "retry-after": clean, "retry-after-ms": clean });
        expect(ms === null || (ms >= 0 && ms <= RETRY_AFTER_READ_MS)).toBe(true);
      }),
    );
  });
});

it("an abort explains every failure behind it, and what is unknown counts as down", () => {
  expect(eventOf(new DriverError("cut"), AbortSignal.abort())).toEqual(errorEvent("aborted"));
  expect(eventOf(new TypeError("secret"), never)).toEqual(errorEvent("down"));
});
