/**
 * Quote: words that look like a mark of a template are made unlike it, so that nobody's text can open a turn, and can be read back.
 *
 * An invisible character (U+2060, word joiner) is put behind the first character of such a mark; where the text holds that character
 * itself, it stands twice. So `unquote(quote(text))` is `text`, for every text, and no mark is left in what `quote` answers.
 */
const JOINER = "\u2060";

/**
 * The first character of every mark that a family's tokenizer, its reader or `text-calls/` would see, whatever the family: `<|…|>`, `</s>`,
 * `<start_of_turn>`, `[INST]`, `<tool_call>`, `<system>`, …
 */
const MARKS =
  /<(?=\||\/?(?:s|bos|eos|pad|unk|mask|system|tools|tool_call|tool_response|function_call|think|thinking)>|function=|(?:start|end)_of_\w+>|unused\d+>|SPECIAL_)|\[(?=\/?[A-Z][A-Z_]+\])/g;

export function quote(text: string): string {
  return text.replaceAll(JOINER, JOINER + JOINER).replace(MARKS, `$&${JOINER}`);
}

export function unquote(text: string): string {
  return text.replaceAll(/\u2060(\u2060?)/g, "$1");
}

/** `unquote` of a text that comes in pieces. */
export class Unquoter {
  #held = "";

  push(piece: string): string {
    const text = this.#held + piece;
    const trailing = /\u2060*$/.exec(text)?.[0].length ?? 0;
    this.#held = trailing % 2 === 1 ? JOINER : "";
    return unquote(this.#held === "" ? text : text.slice(0, -1));
  }
}
