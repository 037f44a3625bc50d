/**
 * Slicer: packs the blocks of a document into slices, each of which becomes one page.
 *
 * A slice begins at every heading and knows the path of headings it stands under. Prose is cut at the end of a sentence; code and
 * tables stay whole up to a larger size. What must hold: the `raw` of all slices, in order, is that of all blocks.
 */
import { z } from "zod";
import { SLICE_TOKENS, SLICE_TOKENS_MOST, SLICE_TOKENS_WHOLE } from "#shared/limits.ts";
import { cutLines, cutProse, unitsWithin } from "#shared/text/cut.ts";
import { estimateTokens } from "#shared/tokens.ts";
import type { Block, HeadingBlock, TextBlock } from "#workers/parse/document/block.ts";

export interface Slice {
  readonly raw: string;
  /** Headings from the highest to the nearest. */
  readonly path: readonly string[];
  /** UTF-16 units of the document's text before this slice. */
  readonly offset: number;
  /** Where in the document, when its format says so: `page=3`. */
  readonly place: string | null;
}

/** UTF-16 units of white space and headings alone that may be held. */
const HELD_UNITS = 8_192;

export const slicerState = z.strictObject({
  path: z.array(z.strictObject({ level: z.number(), title: z.string() })),
  held: z.string(),
  /** Whether more than headings and white space is held. */
  body: z.boolean(),
  place: z.string().nullable(),
  offset: z.number(),
  headings: z.number(),
});

export class Slicer {
  readonly state: z.infer<typeof slicerState>;

  constructor(state?: z.infer<typeof slicerState>) {
    this.state = state ?? { path: [], held: "", body: false, place: null, offset: 0, headings: 0 };
  }

  /** The slices that this block completes. `place` is where the block is. */
  add(block: Block, place: string | null = null): Slice[] {
    return block.kind === "heading" ? this.#addHeading(block, place) : this.#addText(block, place);
  }

  end(): Slice[] {
    return this.#flush();
  }

  #addHeading({ level, title, raw }: HeadingBlock, place: string | null): Slice[] {
    const { state } = this;
    const slices = state.body || state.held.length > HELD_UNITS ? this.#flush() : [];
    while ((state.path.at(-1)?.level ?? 0) >= level) state.path.pop();
    if (title !== "") state.path.push({ level, title });
    state.headings += 1;
    this.#hold(raw, place);
    return slices;
  }

  #addText({ raw, whole }: TextBlock, place: string | null): Slice[] {
    const { state } = this;
    const blank = raw.trim() === "";
    const held = estimateTokens(state.held);
    const added = estimateTokens(raw.trimEnd());
    const full = blank ? state.held.length + raw.length > HELD_UNITS : state.body && held + added > SLICE_TOKENS;
    const slices = full ? this.#flush() : [];
    this.#hold(raw, place);
    if (blank) return slices;
    state.body = true;
    const most = whole ? SLICE_TOKENS_WHOLE : SLICE_TOKENS_MOST;
    while (estimateTokens(state.held.trimEnd()) > most) {
      const fit = unitsWithin(state.held, whole ? SLICE_TOKENS_WHOLE : SLICE_TOKENS);
      const cut = (whole ? cutLines : cutProse)(state.held, Math.min(fit, state.held.length - 1));
      const rest = state.held.slice(cut);
      state.held = state.held.slice(0, cut);
      slices.push(...this.#flush());
      state.held = rest;
      state.body = rest.trim() !== "";
      state.place = place;
    }
    return slices;
  }

  #hold(raw: string, place: string | null): void {
    if (this.state.held === "") this.state.place = place;
    this.state.held += raw;
  }

  #flush(): Slice[] {
    const { state } = this;
    const { held, offset, place } = state;
    if (held === "") return [];
    state.offset += held.length;
    state.held = "";
    state.body = false;
    state.place = null;
    return [{ raw: held, path: state.path.map(({ title }) => title), offset, place }];
  }
}
