/**
 * HTML tokens: text that arrives in pieces, as tags and text (WHATWG HTML, 13.2.5 "Tokenization", as far as text needs it).
 *
 * Total: any text gives tokens. The contents of `script`, `style` and their like are no text. An unfinished tag is state, not
 * kept text: of its attributes only the first `TAG_UNITS` units are kept, so a picture written into one costs nothing. Unlike the
 * platform's HTMLRewriter its state is plain JSON, so that a page may be cut anywhere and go on in another request.
 */
import { z } from "zod";

export type HtmlToken =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "tag"; readonly name: string; readonly closing: boolean; readonly attributes: string };

const TAG_UNITS = 1_024;

/** Elements whose content is not parsed: everything up to their own closing tag. `title` and `textarea` hold text. */
const RAW = new Set(["script", "style", "xmp", "iframe", "noembed", "noframes", "noscript", "title", "textarea"]);
const RAW_TEXT = new Set(["title", "textarea"]);

export const htmlTokensState = z.strictObject({
  mode: z.enum(["text", "raw", "tag", "comment", "bogus"]),
  /** Read, but not decided yet. */
  rest: z.string(),
  /** The tag that is being read, from its name on. */
  tag: z.string(),
  /** The quote that an attribute's value is in; "" for none. */
  quote: z.enum(["", '"', "'"]),
  /** Whether a value may begin here: after `=`. */
  value: z.boolean(),
  /** The element whose raw content is being read. */
  raw: z.string(),
});

type State = z.infer<typeof htmlTokensState>;

export class HtmlTokens {
  readonly state: State;

  constructor(state: State = { mode: "text", rest: "", tag: "", quote: "", value: false, raw: "" }) {
    this.state = { ...state };
  }

  push(text: string): HtmlToken[] {
    this.state.rest += text;
    return this.#run(false);
  }

  /** What is left; an unfinished tag or comment is dropped, as browsers do. */
  end(): HtmlToken[] {
    const tokens = this.#run(true);
    this.state.rest = "";
    return tokens;
  }

  #run(ended: boolean): HtmlToken[] {
    const tokens: HtmlToken[] = [];
    let at = 0;
    for (;;) {
      const next = this.#step(this.state.rest, at, ended, tokens);
      if (next === null) break;
      at = next;
    }
    this.state.rest = this.state.rest.slice(this.#consumed);
    this.#consumed = 0;
    return tokens;
  }

  /** How much of `rest` is decided. */
  #consumed = 0;

  /** Reads on at `at`; null when more text must arrive first. */
  #step(rest: string, at: number, ended: boolean, tokens: HtmlToken[]): number | null {
    this.#consumed = at;
    if (at >= rest.length) return null;
    switch (this.state.mode) {
      case "text":
        return this.#text(rest, at, ended, tokens);
      case "raw":
        return this.#raw(rest, at, ended, tokens);
      case "tag":
        return this.#tag(rest, at, tokens);
      case "comment":
        return this.#until(rest, at, "-->");
      case "bogus":
        return this.#until(rest, at, ">");
    }
  }

  #text(rest: string, at: number, ended: boolean, tokens: HtmlToken[]): number | null {
    const open = rest.indexOf("<", at);
    const end = open < 0 ? rest.length : open;
    if (end > at) tokens.push({ kind: "text", text: rest.slice(at, end) });
    this.#consumed = end;
    if (open < 0) return null;
    const mark = /^<(?:!--|\/?[a-z]|[!?/])/iu.exec(rest.slice(open, open + 4))?.[0];
    const undecided = rest.length - open < 4;
    if (undecided && !ended) return null;
    if (mark === undefined) {
      tokens.push({ kind: "text", text: "<" });
      return open + 1;
    }
    this.state.mode = mark === "<!--" ? "comment" : /[a-z]$/iu.test(mark) ? "tag" : "bogus";
    this.state.tag = "";
    this.state.quote = "";
    this.state.value = false;
    // `<!-->` is a whole comment, so its end may overlap with its start.
    if (this.state.mode === "comment") return open + 2;
    return open + 1;
  }

  #raw(rest: string, at: number, ended: boolean, tokens: HtmlToken[]): number | null {
    const { raw } = this.state;
    const pattern = new RegExp(`</${raw}(?=[\\s/>])`, "giu");
    pattern.lastIndex = at;
    const close = pattern.exec(rest);
    // The closing tag may be half there: keep as much as it can take.
    const end = close?.index ?? (ended ? rest.length : Math.max(at, rest.length - raw.length - 2));
    if (end > at && RAW_TEXT.has(raw)) tokens.push({ kind: "text", text: rest.slice(at, end) });
    this.#consumed = end;
    if (close === null) return null;
    this.state.mode = "text";
    return end;
  }

  #tag(rest: string, at: number, tokens: HtmlToken[]): number | null {
    const { state } = this;
    let place = at;
    for (; place < rest.length; place += 1) {
      const character = rest[place] ?? "";
      if (state.quote !== "") {
        if (character === state.quote) state.quote = "";
      } else if (character === ">") break;
      else if (state.value && (character === '"' || character === "'")) state.quote = character;
      if (state.quote === "" || state.value) state.value = character === "=" || (state.value && /\s/u.test(character));
      if (state.tag.length < TAG_UNITS) state.tag += character;
    }
    if (place >= rest.length) {
      this.#consumed = place;
      return null;
    }
    this.#finishTag(tokens);
    return place + 1;
  }

  #finishTag(tokens: HtmlToken[]): void {
    const { state } = this;
    const written = /^(\/?)([^\s/>]*)(.*)$/su.exec(state.tag);
    const closing = written?.[1] === "/";
    const name = (written?.[2] ?? "").toLowerCase();
    tokens.push({ kind: "tag", name, closing, attributes: written?.[3] ?? "" });
    state.mode = !closing && RAW.has(name) ? "raw" : "text";
    state.raw = name;
    state.tag = "";
  }

  #until(rest: string, at: number, mark: string): number | null {
    const found = rest.indexOf(mark, at);
    if (found < 0) {
      this.#consumed = Math.max(at, rest.length - mark.length + 1);
      return null;
    }
    this.state.mode = "text";
    return found + mark.length;
  }
}
