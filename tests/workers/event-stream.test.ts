/** Event stream: keep-alive comments on silence, and that leaving cancels the source. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SSE_KEEP_ALIVE_MS } from "#shared/limits.ts";
import { eventStream } from "#workers/event-stream.ts";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

test("a silent source gets a comment each time the wait is over, and loses nothing", async () => {
  let say: (piece: string) => void = () => undefined;
  const pieces: (Promise<string> | null)[] = [new Promise<string>((resolve) => (say = resolve)), null];
  const stream = eventStream({
    next: async () => pieces.shift() ?? null,
    broken: () => "broken",
    cancel: async () => undefined,
  });
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  const first = reader.read();
  await vi.advanceTimersByTimeAsync(SSE_KEEP_ALIVE_MS);
  expect((await first).value).toBe(": keep-alive\n\n");
  const second = reader.read();
  say("data: 1\n\n");
  expect((await second).value).toBe("data: 1\n\n");
  expect((await reader.read()).done).toBe(true);
});

test("a client that leaves cancels the source, and nothing is sent after", async () => {
  const cancel = vi.fn(async () => undefined);
  const reader = eventStream({ next: () => new Promise(() => undefined), broken: () => "broken", cancel }).getReader();
  const pending = reader.read();
  await reader.cancel();
  await vi.advanceTimersByTimeAsync(SSE_KEEP_ALIVE_MS);
  expect((await pending).done).toBe(true);
  expect(cancel).toHaveBeenCalledTimes(1);
});
