/**
 * Text blocks: plain text as paragraphs. There are no headings in plain text that a machine could be sure of.
 */
import { z } from "zod";
import { cutProse } from "#shared/text/cut.ts";
import type { Block, BlockReader } from "#workers/parse/document/block.ts";
import { LineReader, lineReaderState } from "#workers/parse/document/line-reader.ts";

/** UTF-16 units of a paragraph before its first sentences are handed on. */
export const PARAGRAPH_UNITS = 4_096;

const stateSchema = z.strictObject({ lines: lineReaderState, paragraph: z.string() });

export class TextBlocks implements BlockReader {
  readonly title = null;
  readonly leads = false;
  readonly #lines: LineReader;
  #paragraph: string;

  constructor(saved?: unknown) {
    const state = saved === undefined ? undefined : stateSchema.parse(saved);
    this.#lines = new LineReader(state?.lines);
    this.#paragraph = state?.paragraph ?? "";
  }

  get state(): z.infer<typeof stateSchema> {
    return { lines: this.#lines.state, paragraph: this.#paragraph };
  }

  push(text: string): Block[] {
    return this.#lines.push(text).flatMap((line) => this.#take(line.text));
  }

  end(): Block[] {
    return [...this.#lines.end().flatMap((line) => this.#take(line.text)), ...this.#flush()];
  }

  #take(line: string): Block[] {
    this.#paragraph += line;
    if (line.trim() === "") return this.#flush();
    if (this.#paragraph.length <= PARAGRAPH_UNITS) return [];
    const cut = cutProse(this.#paragraph, PARAGRAPH_UNITS);
    const head = this.#paragraph.slice(0, cut);
    this.#paragraph = this.#paragraph.slice(cut);
    return [{ kind: "text", raw: head, whole: false }];
  }

  #flush(): Block[] {
    const raw = this.#paragraph;
    this.#paragraph = "";
    return raw === "" ? [] : [{ kind: "text", raw, whole: false }];
  }
}
