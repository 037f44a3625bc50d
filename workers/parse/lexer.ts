/**
 * Lexer: the words of a command line, with their places in the text.
 *
 * A quote opens only at the start of a word and only when it is closed later, so an apostrophe ("don't") and a lone quote are
 * ordinary characters. Never throws. Pure.
 */
export interface Word {
  /** The word without its quotes. */
  readonly text: string;
  /** Where it starts in the source, and where it ends (exclusive), quotes included. */
  readonly start: number;
  readonly end: number;
  readonly quoted: boolean;
}

const CLOSING: Readonly<Record<string, string>> = { "'": "'", '"': '"', "“": "”", "‘": "’", "「": "」", "『": "』" };

const SPACE = /\s/u;

export function words(source: string): Word[] {
  const found: Word[] = [];
  let at = 0;
  while (at < source.length) {
    if (SPACE.test(source.charAt(at))) {
      at += 1;
      continue;
    }
    const word = quotedWord(source, at) ?? plainWord(source, at);
    found.push(word);
    at = word.end;
  }
  return found;
}

function quotedWord(source: string, start: number): Word | null {
  const closing = CLOSING[source.charAt(start)];
  if (closing === undefined) return null;
  let text = "";
  for (let at = start + 1; at < source.length; at += 1) {
    const character = source.charAt(at);
    const next = source.charAt(at + 1);
    if (character === "\\" && (next === closing || next === "\\")) {
      text += next;
      at += 1;
    } else if (character === closing && (next === "" || SPACE.test(next))) {
      return { text, start, end: at + 1, quoted: true };
    } else {
      text += character;
    }
  }
  return null;
}

function plainWord(source: string, start: number): Word {
  let end = start;
  while (end < source.length && !SPACE.test(source.charAt(end))) end += 1;
  return { text: source.slice(start, end), start, end, quoted: false };
}
