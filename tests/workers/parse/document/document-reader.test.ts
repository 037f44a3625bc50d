/**
 * Documents as slices: nothing of the text is lost, cuts of the bytes change nothing, no slice is too long, and no bytes throw.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PAGE_BYTES, SLICE_TOKENS_MOST, SLICE_TOKENS_WHOLE, DOCUMENT_STATE_CHARACTERS } from "#shared/limits.ts";
import { estimateTokens, utf8Bytes } from "#shared/tokens.ts";
import { DocumentReader } from "#workers/parse/document/document-reader.ts";
import { TEXT_TYPES, type TextType } from "#workers/parse/document/document-type.ts";
import { slicePage } from "#workers/parse/document/slice-page.ts";
import type { Slice } from "#workers/parse/document/slicer.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Reads a document in pieces; where `saves` says so, the reader is written out and goes on from what it wrote. */
function read(type: TextType, bytes: Uint8Array, cuts: readonly number[] = [], saves = false): Slice[] {
  let reader = new DocumentReader(type, null);
  const slices: Slice[] = [];
  const edges = [0, ...cuts.toSorted((left, right) => left - right), bytes.length];
  for (const [index, edge] of edges.slice(1).entries()) {
    const read = reader.push(bytes.subarray(edges[index], edge));
    if (!read.ok) throw new Error(read.error.detail);
    slices.push(...read.value);
    if (saves) reader = new DocumentReader(type, reader.save());
    expect(reader.save().length).toBeLessThan(DOCUMENT_STATE_CHARACTERS);
  }
  const last = reader.end();
  if (!last.ok) throw new Error(last.error.detail);
  return [...slices, ...last.value];
}

const unit = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom("word ", "a", "é", "蜂", "🐝", " ", "\n", "\n\n", ". ", "。", "\r\n") },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      "\n# Head\n",
      "\n## Two\n",
      "\nUnder\n===\n",
      "\n---\n",
      "\n```js\n",
      "\n~~~~\n",
      "\n| a | b |\n",
      "\n- item\n",
      "---\n",
    ),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      "<p>",
      "</p>",
      "<h1>",
      "</h1>",
      "<script>",
      "</script>",
      "<!--",
      "-->",
      "&amp;",
      "&am",
      "<td>",
      "<table>",
      "<li>",
      "<ul>",
      '<img alt="x',
      '">',
      "<nav>",
      "</nav>",
      "<",
      "</",
      "<pre>",
      "</pre>",
      "<title>",
      "</title>",
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom("long ".repeat(900), "蜜蜂喜欢三叶草。".repeat(300), "x".repeat(5_000)) },
);
const documents = fc.string({ unit, maxLength: 60 });
const types = fc.constantFrom(...TEXT_TYPES);

describe("a document as slices", () => {
  it("loses no text of Markdown and plain text", () => {
    fc.assert(
      fc.property(documents, fc.constantFrom("text/markdown", "text/plain"), (text, type) => {
        const slices = read(type, encode(text));
        expect(slices.map((slice) => slice.raw).join("")).toBe(text);
        let offset = 0;
        for (const slice of slices) {
          expect(slice.offset).toBe(offset);
          offset += slice.raw.length;
        }
      }),
      { numRuns: 200 },
    );
  });

  it("is the same wherever its bytes are cut, in one request or several", () => {
    fc.assert(
      fc.property(
        documents,
        types,
        fc.array(fc.nat(), { maxLength: 12 }),
        fc.boolean(),
        (text, type, places, saves) => {
          const bytes = encode(text);
          const cuts = places.map((place) => place % (bytes.length + 1));
          expect(read(type, bytes, cuts, saves)).toEqual(read(type, bytes));
        },
      ),
      { numRuns: 300 },
    );
  });

  it("makes no page above its limits", () => {
    fc.assert(
      fc.property(documents, types, (text, type) => {
        for (const slice of read(type, encode(text))) {
          expect(estimateTokens(slice.raw.trim())).toBeLessThanOrEqual(SLICE_TOKENS_WHOLE + 100);
          const page = slicePage(slice, { name: "n".repeat(200), title: "t".repeat(200) });
          if (page !== null) expect(utf8Bytes(page.text)).toBeLessThanOrEqual(PAGE_BYTES);
        }
      }),
      { numRuns: 100 },
    );
  });

  it("never throws, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), types, (bytes, type) => {
        const reader = new DocumentReader(type, null);
        const pushed = reader.push(bytes);
        const ended = pushed.ok ? reader.end() : pushed;
        if (!ended.ok) expect(ended.error).toMatchObject({ code: "invalid_request" });
      }),
      { numRuns: 500 },
    );
  });

  it("keeps prose below the limit of prose, cut at the ends of sentences in any script", () => {
    for (const sentence of [
      "The bees like the clover in the meadow. ",
      "蜜蜂喜欢草地上的三叶草。",
      "ミツバチはクローバーが好きです。",
    ]) {
      const slices = read("text/plain", encode(sentence.repeat(400)));
      expect(slices.length).toBeGreaterThan(5);
      for (const slice of slices) {
        expect(estimateTokens(slice.raw.trim())).toBeLessThanOrEqual(SLICE_TOKENS_MOST);
        expect(slice.raw.length % sentence.length).toBe(0);
      }
    }
  });

  it("refuses what is no UTF-8 text, with its place", () => {
    const bytes = new Uint8Array([...encode("good "), 0xff, 0x41]);
    expect(new DocumentReader("text/plain", null).push(bytes)).toMatchObject({
      ok: false,
      error: { code: "invalid_request" },
    });
    expect(new DocumentReader("text/plain", null).push(encode("a\u0000b"))).toMatchObject({
      ok: false,
      error: { detail: expect.stringContaining("byte 1") as string },
    });
    const cut = new DocumentReader("text/plain", null);
    expect(cut.push(encode("蜂").subarray(0, 2)).ok).toBe(true);
    expect(cut.end()).toMatchObject({ ok: false });
  });

  it("takes the mark off the start of a document, also when it is cut", () => {
    const bytes = encode("\u{feff}# Title\n\ntext");
    expect(read("text/markdown", bytes)[0]?.path).toEqual(["Title"]);
    expect(read("text/markdown", bytes, [1, 2], true)).toEqual(read("text/markdown", bytes));
  });
});
