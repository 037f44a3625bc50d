/** Import lines: rows out of bytes that are cut anywhere, and what is skipped. */
import { expect, test } from "vitest";
import fc from "fast-check";
import { importLines, type ImportLine } from "#workers/parse/import-lines.ts";

const LIMITS = { total: 10_000, line: 64 };

async function read(chunks: readonly Uint8Array[], limits = LIMITS): Promise<ImportLine[]> {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
  const found: ImportLine[] = [];
  for await (const line of importLines(body, limits)) found.push(line);
  return found;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test("rows keep their line; empty lines are nothing; the last line needs no newline", async () => {
  const found = await read([bytes('{"text":"a"}\r\n\n  \n{"text":"b"}')]);
  expect(found.map((line) => (line.kind === "row" ? [line.line, line.row] : line.kind))).toEqual([
    [1, { text: "a" }],
    [4, { text: "b" }],
  ]);
});

test("a bad line costs itself only", async () => {
  const found = await read([
    bytes('{"a":1}\n{broken\n'),
    new Uint8Array([0xff, 0xfe, 10]),
    bytes(`"${"x".repeat(80)}"\n2\n`),
  ]);
  expect(found.map((line) => line.kind)).toEqual(["row", "skipped", "skipped", "skipped", "row"]);
  expect(found.map((line) => (line.kind === "tooLarge" ? 0 : line.line))).toEqual([1, 2, 3, 4, 5]);
});

test("an overlong line in many chunks is skipped, and what follows is read", async () => {
  const found = await read([...Array.from({ length: 20 }, () => bytes("xxxxxxxxxx")), bytes("\n{}\n")]);
  expect(found.map((line) => line.kind)).toEqual(["skipped", "row"]);
});

test("more bytes than allowed end the stream", async () => {
  const found = await read([bytes("1\n"), bytes("2".repeat(20))], { total: 10, line: 64 });
  expect(found.map((line) => line.kind)).toEqual(["row", "tooLarge"]);
});

test("where the bytes are cut changes nothing", async () => {
  const text = '{"text":"茶"}\n\n{"text":"tea"}\nno json\n{"text":"é"}';
  const whole = await read([bytes(text)]);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: bytes(text).length })), async (cuts) => {
      const edges = [0, ...cuts.toSorted((left, right) => left - right), bytes(text).length];
      const chunks = edges.slice(1).map((edge, index) => bytes(text).slice(edges[index], edge));
      expect(await read(chunks)).toEqual(whole);
    }),
    { numRuns: 50 },
  );
});
