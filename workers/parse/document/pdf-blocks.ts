/**
 * PDF blocks: the lines of printed pages as headings and paragraphs, each with the page it begins on.
 *
 * A paragraph goes on over the end of a page when its sentence does. A word that is divided at the end of a line is joined.
 */
import { z } from "zod";
import { plainTitle, type Block } from "#workers/parse/document/block.ts";
import { headingLevel, runningKey, type PdfLine, type PdfProfile } from "#workers/parse/document/pdf-lines.ts";
import { PARAGRAPH_UNITS } from "#workers/parse/document/text-blocks.ts";

export interface PlacedBlock {
  readonly block: Block;
  readonly place: string;
}

export const pdfBlocksState = z.strictObject({
  held: z.string(),
  /** Page on which what is held begins. */
  page: z.number(),
  /** Level of the heading that is held, 0 for a paragraph. */
  level: z.number(),
});

const SENTENCE_END = /[.!?:。！？：…][\s"'”’)\]」』）]*$/u;
const WIDE = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}、。，！？：；（）「」]/u;

export class PdfBlocks {
  readonly state: z.infer<typeof pdfBlocksState>;
  readonly #profile: PdfProfile;

  constructor(profile: PdfProfile, state?: z.infer<typeof pdfBlocksState>) {
    this.#profile = profile;
    this.state = state ?? { held: "", page: 0, level: 0 };
  }

  /** The blocks that a page completes. */
  push(lines: readonly PdfLine[], page: number): PlacedBlock[] {
    const { state } = this;
    const blocks: PlacedBlock[] = [];
    let last: PdfLine | null = null;
    for (const line of lines) {
      if (this.#profile.running.has(runningKey(line))) continue;
      const level = headingLevel(line, this.#profile);
      if (!this.#goesOn(line, level, last)) blocks.push(...this.end());
      if (state.held === "") state.page = page;
      state.level = level;
      state.held = joinLines(state.held, line.text);
      last = line;
    }
    const whole = state.level > 0 || SENTENCE_END.test(state.held) || state.held.length > PARAGRAPH_UNITS;
    return whole ? [...blocks, ...this.end()] : blocks;
  }

  end(): PlacedBlock[] {
    const { held, page, level } = this.state;
    this.state.held = "";
    this.state.level = 0;
    if (held === "") return [];
    const raw = `${held}\n\n`;
    const block: Block =
      level > 0 ? { kind: "heading", level, title: plainTitle(held), raw } : { kind: "text", raw, whole: false };
    return [{ block, place: `page=${page}` }];
  }

  /** Whether a line belongs to what is held. `last` is the line before it on the page, null at its top. */
  #goesOn(line: PdfLine, level: number, last: PdfLine | null): boolean {
    const { state } = this;
    if (state.held === "" || state.level !== level || state.held.length > PARAGRAPH_UNITS) return false;
    if (last === null) return level === 0;
    const sameSize = Math.abs(last.size - line.size) <= 0.1 * last.size;
    const step = last.y - line.y;
    return sameSize && step > -1 && step <= 1.7 * Math.max(last.size, line.size);
  }
}

function joinLines(before: string, line: string): string {
  if (before === "") return line;
  if (/\p{Ll}-$/u.test(before) && /^\p{Ll}/u.test(line)) return before.slice(0, -1) + line;
  const wide = WIDE.test(before.at(-1) ?? "") && WIDE.test(line.at(0) ?? "");
  return wide ? before + line : `${before} ${line}`;
}
