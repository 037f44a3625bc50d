/**
 * Repair JSON: the value that a model meant to write, when it did not write JSON.
 *
 *     repairJson('{name: \'x\', "tags": [1, 2,], ok: True')  // { value: { name: "x", tags: [1, 2], ok: true }, cut: false, end: 42 }
 *
 * Repairs trailing and doubled commas, missing ones in front of keys, single, smart and missing quotes, quotes inside of strings, raw line ends, Python's
 * True, False and None, comments, missing closers, and a code fence around it all. Text that is JSON is read as JSON, exactly. It never
 * throws and reads each character a bounded number of times. `cut` is the one thing it does not hide: the text ended where something
 * was still being said, so what was repaired may be half of what was meant. Nobody should act on that.
 */
import { JSON_DEPTH } from "#shared/limits.ts";
import { parseJson } from "#shared/parse-json.ts";

export interface Repaired {
  readonly value: unknown;
  /** The text ended inside a string or a number, behind a key, or behind a comma. */
  readonly cut: boolean;
  /** Index behind the value in the given text. */
  readonly end: number;
}

const FENCE = /^\s*```[\w-]*[^\S\n]*\n/;

/** The value a text begins with, or null when it begins with none. */
export function repairJson(text: string): Repaired | null {
  const value = parseJson(text);
  if (value !== undefined) return { value, cut: false, end: text.length };
  const reader = new LooseReader(text, FENCE.exec(text)?.[0].length ?? 0);
  reader.space();
  const quoted = QUOTES[reader.peek()] !== undefined;
  if (reader.peek() === "(") return null;
  const repaired = reader.value();
  // Words without quotes are prose, as long as no key says what they are.
  if (repaired === undefined || (typeof repaired === "string" && !quoted)) return null;
  return { value: repaired, cut: reader.cut, end: reader.at };
}

/** Opening quote → the characters that can close it. */
export const QUOTES: Readonly<Record<string, string>> = {
  '"': '"',
  "'": "'",
  "`": "`",
  "“": '”“"',
  "”": '”"',
  "„": '“”"',
  "‘": "’‘'",
  "’": "’'",
};

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", b: "\b", f: "\f" };

const WORDS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ["true", true],
  ["True", true],
  ["false", false],
  ["False", false],
  ["null", null],
  ["None", null],
  ["undefined", null],
  ["NaN", null],
]);

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
/** Behind the quote that ends a string: a delimiter, the end, a comment, or the next key where a comma is missing. */
const BEHIND_STRING = /\s*(?:[,}\]):=;]|$|\/[/*]|["'][^"'\n]{0,64}["']\s*:)/y;
const SPACE = /(?:\s+|\/\/[^\n]*|#[^\n]*|\/\*[^]*?(?:\*\/|$))*/y;
const WORD = /[^\s,:=;{}[\]()"“”]+(?: +[^\s,:=;{}[\]()"“”]+)*/y;

/** Reads loose JSON and Python literals from a place in a text. */
export class LooseReader {
  readonly #text: string;
  at: number;
  cut = false;
  #depth = 0;

  constructor(text: string, at = 0) {
    this.#text = text;
    this.at = at;
  }

  /** The character here; empty at the end. */
  peek(): string {
    return this.#text.charAt(this.at);
  }

  /** Passes white space and comments. */
  space(): void {
    this.match(SPACE);
  }

  /** Passes what a sticky expression matches here, and answers it; null when it does not match. */
  match(expression: RegExp): string | null {
    expression.lastIndex = this.at;
    const found = expression.exec(this.#text);
    if (found !== null) this.at += found[0].length;
    return found?.[0] ?? null;
  }

  /** The value that begins here; undefined when none does. */
  value(): unknown {
    this.space();
    const char = this.peek();
    if (char === "{") return this.#nested(() => this.#object());
    if (char === "[" || char === "(") return this.#nested(() => this.#list());
    if (QUOTES[char] !== undefined) return this.#string();
    return this.#word();
  }

  #nested(read: () => unknown): unknown {
    if (this.#depth >= JSON_DEPTH) return undefined;
    this.#depth += 1;
    this.at += 1;
    const value = read();
    this.#depth -= 1;
    return value;
  }

  /** Passes the closer; true when the object or list ends here, also by a closer of what is around it, or with the text. */
  #ends(closer: string): boolean {
    let separated = false;
    for (this.space(); this.peek() === "," || this.peek() === ";"; this.space()) {
      this.at += 1;
      separated = true;
    }
    if (separated && this.peek() === "") this.cut = true; // something was to follow
    if (this.peek() === closer) {
      this.at += 1;
      return true;
    }
    return this.peek() === "" || "}])".includes(this.peek());
  }

  #object(): unknown {
    const entries: [string, unknown][] = [];
    while (!this.#ends("}")) {
      const key = QUOTES[this.peek()] === undefined ? this.match(WORD) : this.#string();
      this.space();
      if (key === null || (this.peek() !== ":" && this.peek() !== "=")) {
        if (this.peek() !== "") return undefined;
        this.cut = true;
        break;
      }
      this.at += 1;
      const value = this.value();
      if (value === undefined) {
        if (this.peek() === "") this.cut = true;
        else return undefined;
        break;
      }
      entries.push([key, value]);
    }
    return Object.fromEntries(entries);
  }

  #list(): unknown {
    const closer = this.#text.charAt(this.at - 1) === "[" ? "]" : ")";
    const items: unknown[] = [];
    while (!this.#ends(closer)) {
      const value = this.value();
      if (value === undefined) return undefined;
      items.push(value);
    }
    return items;
  }

  #string(): string {
    const closers = QUOTES[this.peek()] ?? "";
    const parts: string[] = [];
    this.at += 1;
    for (let from = this.at; ; from = this.at) {
      while (this.at < this.#text.length && this.peek() !== "\\" && !closers.includes(this.peek())) this.at += 1;
      parts.push(this.#text.slice(from, this.at));
      const char = this.peek();
      if (char === "\\" && this.at + 1 < this.#text.length) {
        parts.push(this.#escape());
        continue;
      }
      this.at += 1;
      if (char === "" || char === "\\") {
        this.at = this.#text.length;
        this.cut = true;
        return parts.join("");
      }
      BEHIND_STRING.lastIndex = this.at;
      if (BEHIND_STRING.test(this.#text)) return parts.join("");
      parts.push(char); // a quote inside of the string
    }
  }

  #escape(): string {
    const char = this.#text.charAt(this.at + 1);
    const code = char === "u" ? this.#text.slice(this.at + 2, this.at + 6) : "";
    const whole = /^[0-9a-fA-F]{4}$/.test(code);
    this.at += whole ? 6 : 2;
    return whole ? String.fromCharCode(Number.parseInt(code, 16)) : (ESCAPES[char] ?? char);
  }

  #word(): unknown {
    const word = this.match(WORD);
    if (word === null) return undefined;
    if (WORDS.has(word)) return WORDS.get(word);
    if (this.peek() === "" && this.#depth > 0) this.cut = true;
    return NUMBER.test(word) ? Number(word) : word;
  }
}
