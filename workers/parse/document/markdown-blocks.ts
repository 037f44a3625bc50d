/**
 * Markdown blocks: headings (`#` and underlined), fenced code, tables, list items and paragraphs (CommonMark 0.31, block structure).
 *
 * The source is kept as it is written. Fenced code is one block unless it is very long; a `#` inside it is no heading. A
 * front matter between `---` lines is text.
 */
import { z } from "zod";
import { cutLines, cutProse } from "#shared/text/cut.ts";
import { plainTitle, type Block, type BlockReader } from "#workers/parse/document/block.ts";
import { LineReader, lineReaderState, type Line } from "#workers/parse/document/line-reader.ts";
import { PARAGRAPH_UNITS } from "#workers/parse/document/text-blocks.ts";

const FENCE = /^ {0,3}(`{3,}(?=[^`]*$)|~{3,})/u;
const ATX = /^ {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*\r?\n?$/u;
const UNDERLINE = /^ {0,3}(=+|-+)[ \t]*\r?\n?$/u;
const LIST_ITEM = /^\s{0,12}(?:[-*+]|\d{1,9}[.)])\s/u;
const TABLE_ROW = /^\s*\|/u;
const QUOTE = /^ {0,3}>/u;
const MATTER = /^---[ \t]*\r?\n$/u;
const MATTER_END = /^(?:---|\.\.\.)[ \t]*\r?\n?$/u;

/** UTF-16 units of a paragraph that an underline may turn into a heading. */
const UNDERLINED_UNITS = 300;

const stateSchema = z.strictObject({
  lines: lineReaderState,
  mode: z.enum(["start", "matter", "text", "code"]),
  /** The opening fence of the code that is being read. */
  fence: z.string(),
  held: z.string(),
  title: z.string().nullable(),
});

export class MarkdownBlocks implements BlockReader {
  readonly state: z.infer<typeof stateSchema>;
  readonly leads = false;
  readonly #lines: LineReader;

  constructor(saved?: unknown) {
    const state = saved === undefined ? undefined : stateSchema.parse(saved);
    this.#lines = new LineReader(state?.lines);
    const { mode = "start", fence = "", held = "", title = null } = state ?? {};
    this.state = { lines: this.#lines.state, mode, fence, held, title };
  }

  get title(): string | null {
    return this.state.title;
  }

  push(text: string): Block[] {
    return this.#lines.push(text).flatMap((line) => this.#take(line));
  }

  end(): Block[] {
    return [...this.#lines.end().flatMap((line) => this.#take(line)), ...this.#flush(this.state.mode !== "text")];
  }

  #take(line: Line): Block[] {
    const { state } = this;
    if (state.mode === "start") {
      state.mode = MATTER.test(line.text) ? "matter" : "text";
      if (state.mode === "matter") return this.#hold(line.text, true);
    }
    if (state.mode === "matter") return this.#takeVerbatim(line, MATTER_END.test(line.text));
    if (state.mode === "code") return this.#takeVerbatim(line, this.#closesFence(line.text));
    return line.continued ? this.#hold(line.text, false) : this.#takeText(line.text);
  }

  /** A line of code or of a front matter. */
  #takeVerbatim(line: Line, ends: boolean): Block[] {
    const blocks = this.#hold(line.text, true);
    if (!ends || line.continued) return blocks;
    this.state.mode = "text";
    return [...blocks, ...this.#flush(true)];
  }

  #closesFence(line: string): boolean {
    const closing = /^ {0,3}(`{3,}|~{3,})[ \t]*\r?\n?$/u.exec(line)?.[1] ?? "";
    return closing[0] === this.state.fence[0] && closing.length >= this.state.fence.length;
  }

  #takeText(line: string): Block[] {
    const { state } = this;
    const fence = FENCE.exec(line)?.[1];
    if (fence !== undefined) {
      const before = this.#flush(false);
      state.mode = "code";
      state.fence = fence;
      return [...before, ...this.#hold(line, true)];
    }
    const atx = ATX.exec(line);
    if (atx !== null) return [...this.#flush(false), this.#heading(atx[1]?.length ?? 1, atx[2] ?? "", line)];
    const underline = UNDERLINE.exec(line)?.[1];
    if (underline !== undefined && this.#canBeUnderlined()) {
      const raw = state.held + line;
      const title = state.held;
      state.held = "";
      return [this.#heading(underline.startsWith("=") ? 1 : 2, title, raw)];
    }
    if (line.trim() === "") return [...this.#hold(line, this.#isWhole()), ...this.#flush(false)];
    const begins = LIST_ITEM.test(line) || TABLE_ROW.test(line) !== TABLE_ROW.test(state.held);
    const before = begins ? this.#flush(false) : [];
    return [...before, ...this.#hold(line, this.#isWhole())];
  }

  #canBeUnderlined(): boolean {
    const { held } = this.state;
    const plain = held.trim() !== "" && held.length <= UNDERLINED_UNITS;
    return plain && !LIST_ITEM.test(held) && !TABLE_ROW.test(held) && !QUOTE.test(held) && !/^ {4}|^\t/u.test(held);
  }

  #heading(level: number, written: string, raw: string): Block {
    const title = plainTitle(written);
    if (level === 1 && title !== "") this.state.title ??= title;
    return { kind: "heading", level, title, raw };
  }

  #isWhole(): boolean {
    return TABLE_ROW.test(this.state.held);
  }

  /** Adds a line to what is held; hands on the first part of what has become too long. */
  #hold(line: string, whole: boolean): Block[] {
    const { state } = this;
    state.held += line;
    if (state.held.length <= PARAGRAPH_UNITS) return [];
    const cut = (whole ? cutLines : cutProse)(state.held, PARAGRAPH_UNITS);
    const raw = state.held.slice(0, cut);
    state.held = state.held.slice(cut);
    return [{ kind: "text", raw, whole }];
  }

  #flush(verbatim: boolean): Block[] {
    const raw = this.state.held;
    const whole = verbatim || this.#isWhole();
    this.state.held = "";
    return raw === "" ? [] : [{ kind: "text", raw, whole }];
  }
}
