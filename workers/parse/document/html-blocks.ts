/**
 * HTML blocks: a web page as headings, paragraphs, list items and tables, without what is no text (scripts, styles, navigation).
 *
 * White space is collapsed as a browser shows it, entities are decoded, pictures give their `alt`. A table is one block, its
 * cells between bars. Total: tags may be unclosed, crossed or cut anywhere.
 */
import { z } from "zod";
import { cutLines, cutProse } from "#shared/text/cut.ts";
import { plainTitle, type Block, type BlockReader } from "#workers/parse/document/block.ts";
import { decodeEntities, unfinishedEntity } from "#workers/parse/document/html-entities.ts";
import { HtmlTokens, htmlTokensState, type HtmlToken } from "#workers/parse/document/html-tokens.ts";
import { PARAGRAPH_UNITS } from "#workers/parse/document/text-blocks.ts";

const BLOCKS = new Set(
  "address article aside blockquote body center dd details dialog dir div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr html legend li main menu ol option p pre search section summary table tbody tfoot thead tr ul caption".split(
    " ",
  ),
);
const SKIPPED = new Set(["nav", "svg", "template", "select", "canvas"]);
/** An unclosed element that is skipped ends here at the latest. */
const CONTENT = new Set(["main", "article", "h1", "body"]);
const ALT = /\salt\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/iu;

const HEADING_UNITS = 1_000;
const LIST_DEPTH = 8;

const stateSchema = z.strictObject({
  tokens: htmlTokensState,
  /** Text of the block that is being read. */
  held: z.string(),
  /** Text whose last entity is not complete. */
  entity: z.string(),
  heading: z.number(),
  /** Open lists: the number of the last item, -1 for lists without numbers. */
  lists: z.array(z.number()),
  tables: z.number(),
  /** Whether the row that is being read has a cell before this one. */
  cells: z.boolean(),
  pre: z.number(),
  skipped: z.string(),
  skippedDepth: z.number(),
  inTitle: z.boolean(),
  title: z.string(),
});

const FRESH: Omit<z.infer<typeof stateSchema>, "tokens"> = {
  held: "",
  entity: "",
  heading: 0,
  lists: [],
  tables: 0,
  cells: false,
  pre: 0,
  skipped: "",
  skippedDepth: 0,
  inTitle: false,
  title: "",
};

export class HtmlBlocks implements BlockReader {
  readonly state: z.infer<typeof stateSchema>;
  readonly leads = true;
  readonly #tokens: HtmlTokens;

  constructor(saved?: unknown) {
    const state = saved === undefined ? undefined : stateSchema.parse(saved);
    this.#tokens = new HtmlTokens(state?.tokens);
    this.state = { ...FRESH, lists: [], ...state, tokens: this.#tokens.state };
  }

  get title(): string | null {
    return plainTitle(this.state.title) || null;
  }

  push(text: string): Block[] {
    return this.#tokens.push(text).flatMap((token) => this.#take(token));
  }

  end(): Block[] {
    const blocks = this.#tokens.end().flatMap((token) => this.#take(token));
    return [...blocks, ...this.#finishEntity(), ...this.#flush()];
  }

  #take(token: HtmlToken): Block[] {
    if (token.kind === "tag") {
      const before = this.#finishEntity();
      return [...before, ...this.#takeTag(token.name, token.closing, token.attributes)];
    }
    const text = this.state.entity + token.text;
    const cut = unfinishedEntity(text);
    this.state.entity = text.slice(cut);
    return this.#takeText(decodeEntities(text.slice(0, cut)));
  }

  #finishEntity(): Block[] {
    const { entity } = this.state;
    this.state.entity = "";
    return entity === "" ? [] : this.#takeText(decodeEntities(entity));
  }

  #takeText(text: string): Block[] {
    const { state } = this;
    if (state.skipped !== "") return [];
    if (state.inTitle) {
      if (state.title.length < HEADING_UNITS) state.title += text;
      return [];
    }
    if (state.pre > 0) {
      state.held += text;
    } else {
      const collapsed = text.replace(/[ \t\n\f\r]+/gu, " ");
      state.held += /^$|\s$/u.test(state.held) ? collapsed.replace(/^ /u, "") : collapsed;
    }
    return this.#overflow();
  }

  /** Hands on the first part of a block that has become too long. */
  #overflow(): Block[] {
    const { state } = this;
    if (state.heading > 0 && state.held.length > HEADING_UNITS) state.heading = 0;
    const blocks: Block[] = [];
    while (state.held.length > PARAGRAPH_UNITS) {
      const whole = state.tables + state.pre > 0;
      const cut = (whole ? cutLines : cutProse)(state.held, PARAGRAPH_UNITS);
      blocks.push({ kind: "text", raw: state.held.slice(0, cut), whole });
      state.held = state.held.slice(cut);
    }
    return blocks;
  }

  #takeTag(name: string, closing: boolean, attributes: string): Block[] {
    const { state } = this;
    if (state.skipped !== "" && !this.#skipEnds(name, closing)) return [];
    if (SKIPPED.has(name)) return closing ? [] : this.#skip(name, attributes);
    if (name === "title") {
      state.inTitle = !closing && state.title === "";
      return [];
    }
    if (name === "br") return this.#breakLine();
    if (name === "img" && !closing) return this.#takeText(altOf(attributes));
    if (name === "td" || name === "th") return this.#takeCell(closing);
    if (!BLOCKS.has(name)) return [];
    return this.#takeBlock(name, closing);
  }

  #takeBlock(name: string, closing: boolean): Block[] {
    const { state } = this;
    const level = /^h([1-6])$/u.exec(name)?.[1];
    const inTable = state.tables > 0 && name !== "table" && level === undefined && name !== "caption";
    const blocks = inTable ? this.#breakLine() : this.#flush();
    if (name === "tr" || name === "table") state.cells = false;
    if (level !== undefined) state.heading = closing ? 0 : Number(level);
    if (name === "table") state.tables = Math.max(0, state.tables + (closing ? -1 : 1));
    if (name === "pre") state.pre = Math.max(0, state.pre + (closing ? -1 : 1));
    if (name === "ul" || name === "ol" || name === "menu") {
      if (closing) state.lists.pop();
      else if (state.lists.length < LIST_DEPTH) state.lists.push(name === "ol" ? 0 : -1);
    }
    if (name === "li" && !closing) state.held += this.#marker();
    return blocks;
  }

  #marker(): string {
    const { lists } = this.state;
    const indent = "  ".repeat(Math.max(0, lists.length - 1));
    const last = lists.pop() ?? -1;
    const number = last < 0 ? -1 : last + 1;
    lists.push(number);
    return number < 0 ? `${indent}- ` : `${indent}${number}. `;
  }

  #takeCell(closing: boolean): Block[] {
    const { state } = this;
    if (closing) return [];
    if (state.cells && state.held.trimEnd() !== "") state.held = `${state.held.trimEnd()} | `;
    state.cells = true;
    return [];
  }

  #breakLine(): Block[] {
    const { state } = this;
    const kept = state.held.replace(/[ \t]+$/u, "");
    state.held = kept === "" || (state.tables > 0 && kept.endsWith("\n")) ? kept : `${kept}\n`;
    return this.#overflow();
  }

  #skip(name: string, attributes: string): Block[] {
    if (attributes.endsWith("/")) return [];
    this.state.skipped = name;
    this.state.skippedDepth = 1;
    return BLOCKS.has(name) || name === "nav" ? this.#flush() : [];
  }

  /** Whether the element that is skipped ends before this tag. */
  #skipEnds(name: string, closing: boolean): boolean {
    const { state } = this;
    if (name === state.skipped) state.skippedDepth += closing ? -1 : 1;
    if (state.skippedDepth > 0 && !CONTENT.has(name)) return false;
    state.skipped = "";
    return CONTENT.has(name);
  }

  #flush(): Block[] {
    const { state } = this;
    const text = state.pre > 0 ? state.held.replace(/^\n/u, "").trimEnd() : state.held.trim();
    const indent = state.pre > 0 ? "" : (/^ +(?=(?:-|\d+\.) )/u.exec(state.held)?.[0] ?? "");
    state.held = "";
    if (text === "" || /^(?:-|\d+\.)$/u.test(text)) return [];
    if (state.heading > 0)
      return [{ kind: "heading", level: state.heading, title: plainTitle(text), raw: `${text}\n\n` }];
    const item = /^(?:-|\d+\.) /u.test(text) && state.lists.length > 0;
    return [{ kind: "text", raw: `${indent}${text}${item ? "\n" : "\n\n"}`, whole: state.tables + state.pre > 0 }];
  }
}

function altOf(attributes: string): string {
  const found = ALT.exec(attributes);
  const text = decodeEntities(found?.[1] ?? found?.[2] ?? found?.[3] ?? "").trim();
  return text === "" ? "" : ` ${text} `;
}
