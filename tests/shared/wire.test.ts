/**
 * Wire: lines and server-sent events come out the same wherever their bytes are cut.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeEvent, lines, serverSentEvents, type ServerSentEvent } from "#shared/wire.ts";

/** Cuts the bytes of a text at random places and streams them. */
function streamed(text: string, cuts: readonly number[]): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((one, other) => one - other), bytes.length];
  return new ReadableStream({
    start(controller) {
      for (const [index, end] of at.slice(1).entries()) {
        const part = bytes.slice(at[index], end);
        if (part.length > 0) controller.enqueue(part);
      }
      controller.close();
    },
  });
}

async function collect<Value>(stream: ReadableStream<Value>): Promise<Value[]> {
  const values: Value[] = [];
  for await (const value of stream) values.push(value);
  return values;
}

const cuts = fc.array(fc.nat(2_000), { maxLength: 12 });
const line = fc.string({ unit: fc.constantFrom("a", "ü", "蜂", "🐝", " ", ":", '"'), maxLength: 20 });

describe("lines", () => {
  it("are the same wherever the bytes are cut, with either line end", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 8 }),
        fc.constantFrom("\n", "\r\n"),
        cuts,
        async (texts, end, at) => {
          const whole = texts.map((text) => text + end).join("");
          expect(await collect(streamed(whole, at).pipeThrough(lines()))).toEqual(texts);
        },
      ),
    );
  });

  it("end with the unfinished one, and an empty stream has none", async () => {
    expect(await collect(streamed("one\ntwo", [4]).pipeThrough(lines()))).toEqual(["one", "two"]);
    expect(await collect(streamed("", []).pipeThrough(lines()))).toEqual([]);
  });
});

describe("server-sent events", () => {
  const read = (text: string, at: readonly number[] = []): Promise<ServerSentEvent[]> =>
    collect(streamed(text, at).pipeThrough(lines()).pipeThrough(serverSentEvents()));

  it("come back as they were encoded, wherever the bytes are cut", async () => {
    const event = fc.record({
      data: fc.jsonValue().map((value) => JSON.stringify(value)),
      id: fc.option(fc.nat(), { nil: undefined }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 6 }), cuts, async (events, at) => {
        const text = events.map(({ data, id }) => encodeEvent(data, id)).join("");
        expect(await read(text, at)).toEqual(
          events.map(({ data, id }) => ({ id: id === undefined ? null : String(id), data })),
        );
      }),
    );
  });

  it("join data lines, skip comments and unknown fields, and need no space after the colon", async () => {
    expect(await read(": keep-alive\n\nevent: x\nid:7\ndata:one\ndata: two\nretry: 5\n\ndata\n\n")).toEqual([
      { id: "7", data: "one\ntwo" },
      { id: null, data: "" },
    ]);
  });

  it("end with the one that was begun", async () => {
    expect(await read("data: [DONE]")).toEqual([{ id: null, data: "[DONE]" }]);
  });
});
