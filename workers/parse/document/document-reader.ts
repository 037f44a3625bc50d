/**
 * Document reader: the bytes of a text, Markdown or HTML document, in any pieces, as slices.
 *
 * `save()` answers everything that is needed to read on in another request, `new DocumentReader(type, saved)` goes on there.
 * What must hold: memory is bounded whatever the document holds, and neither the cuts between pieces nor those between requests
 * change a slice.
 */
import { z } from "zod";
import { success, type Result } from "#shared/result.ts";
import type { BlockReader } from "#workers/parse/document/block.ts";
import type { TextType } from "#workers/parse/document/document-type.ts";
import { HtmlBlocks } from "#workers/parse/document/html-blocks.ts";
import { MarkdownBlocks } from "#workers/parse/document/markdown-blocks.ts";
import { Slicer, slicerState, type Slice } from "#workers/parse/document/slicer.ts";
import { TextBlocks } from "#workers/parse/document/text-blocks.ts";
import { Utf8Reader, utf8ReaderState } from "#workers/parse/document/utf8-reader.ts";

const savedSchema = z.strictObject({ bytes: utf8ReaderState, blocks: z.unknown(), slicer: slicerState });

export class DocumentReader {
  readonly #bytes: Utf8Reader;
  readonly #blocks: BlockReader;
  readonly #slicer: Slicer;

  /** `saved` must come from `save()` of a reader of the same type; anything else throws. */
  constructor(type: TextType, saved: string | null) {
    const state = saved === null ? undefined : savedSchema.parse(JSON.parse(saved));
    this.#bytes = new Utf8Reader(state?.bytes);
    this.#blocks = blockReader(type, state?.blocks);
    this.#slicer = new Slicer(state?.slicer);
  }

  /** The slices that these bytes complete; a failure when they are no text. */
  push(bytes: Uint8Array): Result<Slice[]> {
    const text = this.#bytes.push(bytes);
    if (!text.ok) return text;
    return success(this.#blocks.push(text.value).flatMap((block) => this.#slicer.add(block)));
  }

  /** The last slices. */
  end(): Result<Slice[]> {
    const text = this.#bytes.end();
    if (!text.ok) return text;
    const blocks = [...this.#blocks.push(text.value), ...this.#blocks.end()];
    return success([...blocks.flatMap((block) => this.#slicer.add(block)), ...this.#slicer.end()]);
  }

  get title(): string | null {
    return this.#blocks.title;
  }

  /** The title that its pages open with, when no other was given. */
  get lead(): string | null {
    return this.#blocks.leads ? this.#blocks.title : null;
  }

  get headings(): number {
    return this.#slicer.state.headings;
  }

  save(): string {
    return JSON.stringify({ bytes: this.#bytes.state, blocks: this.#blocks.state, slicer: this.#slicer.state });
  }
}

function blockReader(type: TextType, state: unknown): BlockReader {
  switch (type) {
    case "text/markdown":
      return new MarkdownBlocks(state);
    case "text/plain":
      return new TextBlocks(state);
    case "text/html":
      return new HtmlBlocks(state);
  }
}
