/** Run events: reading through a lost connection, and the text part that is opened again. */
import { expect, test } from "vitest";
import type { StreamLine } from "#shared/abi.ts";
import { failure } from "#shared/errors.ts";
import { failed, success } from "#shared/result.ts";
import { uiMessageStream } from "#workers/event-stream.ts";
import { RunEvents } from "#workers/run-events.ts";

function bytesOf(lines: readonly StreamLine[], error?: Error): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let sent = false;
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      if (!sent) controller.enqueue(encoder.encode(lines.map((line) => `${JSON.stringify(line)}\n`).join("")));
      else if (error === undefined) controller.close();
      else controller.error(error);
      sent = true;
    },
  });
}

const line = (id: number, type = "text-delta"): StreamLine => ({ id, part: { type, id: "t" } });
const lost = Object.assign(new Error("Network connection lost."), { retryable: true });

async function idsOf(events: RunEvents): Promise<number[]> {
  const ids: number[] = [];
  for (let lines = await events.read(); lines !== null; lines = await events.read())
    ids.push(...lines.map(({ id }) => id));
  return ids;
}

test("a lost connection is taken up after the last event, each event once", async () => {
  const asked: (number | null)[] = [];
  const open = async (after: number | null) => {
    asked.push(after);
    // The object opens the text part again for a reader in the middle of it; this reader has it.
    return success(bytesOf([line(1, "text-start"), line(2), line(3)]));
  };
  expect(await idsOf(new RunEvents(open, bytesOf([line(0), line(1)], lost), null))).toEqual([0, 1, 2, 3]);
  expect(asked).toEqual([1]);
});

test("a connection that stays lost is an error, and the stream says so without [DONE]", async () => {
  const open = async () => failed(failure("overloaded", "no"));
  const stream = uiMessageStream(new RunEvents(open, bytesOf([line(0)], lost), null));
  const text = await new Response(stream).text();
  expect(text).toContain('"type":"error"');
  expect(text).not.toContain("[DONE]");
});

test("events carry ids; a part opened again carries none; [DONE] ends it", async () => {
  const open = async () => failed(failure("internal", "not asked"));
  const first = bytesOf([line(4, "text-start"), line(5)]);
  const text = await new Response(uiMessageStream(new RunEvents(open, first, 4))).text();
  expect(text).toBe(
    'data: {"type":"text-start","id":"t"}\n\nid: 5\ndata: {"type":"text-delta","id":"t"}\n\ndata: [DONE]\n\n',
  );
});
