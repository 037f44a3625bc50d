/**
 * Brackets: finds, character by character, where a JSON value or a Python call ends that may be broken.
 *
 * A quote ends a string when a delimiter stands behind it, so quotes inside of strings do not mislead it; an apostrophe opens one only
 * where a value can begin. A closer of something further out closes what is inside, too. For well-formed text it is exact.
 */
import { JSON_DEPTH } from "#shared/limits.ts";
import { QUOTES } from "#kernel/infer/text-calls/repair-json.ts";

const CLOSERS: Readonly<Record<string, string>> = { "{": "}", "[": "]", "(": ")" };
const DELIMITERS = ",}]):=;/";

export class Brackets {
  #open = "";
  /** What closes the string we are in; empty outside of strings. */
  #quotes = "";
  #escaped = false;
  /** A quote that may have ended the string was seen. */
  #ending = false;
  /** The last character that was no space, outside of strings. */
  #last = "";

  /** Nothing is open any more, or nothing was opened yet. */
  get closed(): boolean {
    return this.#open === "";
  }

  /** Outside of every string, as far as the text tells until now. */
  get outside(): boolean {
    return this.#quotes === "" || this.#ending;
  }

  /** Takes the next character; false when the nesting is deeper than anything that is read. */
  push(char: string): boolean {
    if (this.#quotes !== "" && !this.#leaves(char)) return true;
    if (/\s/.test(char)) return true;
    const quotes = QUOTES[char];
    if (quotes !== undefined && (char === '"' || "{[(,:=".includes(this.#last))) {
      this.#quotes = quotes;
    } else if (CLOSERS[char] !== undefined) {
      this.#open += CLOSERS[char];
      if (this.#open.length > JSON_DEPTH) return false;
    } else if ("}])".includes(char)) {
      const at = this.#open.lastIndexOf(char);
      if (at >= 0) this.#open = this.#open.slice(0, at);
    }
    this.#last = char;
    return true;
  }

  /** Inside of a string: whether the character stands behind it. */
  #leaves(char: string): boolean {
    if (this.#ending) {
      if (/\s/.test(char)) return false;
      if (DELIMITERS.includes(char) || QUOTES[char] !== undefined) {
        this.#quotes = "";
        this.#ending = false;
        this.#last = '"';
        return true;
      }
      this.#ending = false; // it was a quote inside of the string
    }
    if (this.#escaped) this.#escaped = false;
    else if (char === "\\") this.#escaped = true;
    else if (this.#quotes.includes(char)) this.#ending = true;
    return false;
  }
}
