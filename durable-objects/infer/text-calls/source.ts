/**
 * Source: characters that arrive in chunks, read as if they were there already.
 *
 * Readers are generators: where no character is there yet, they yield, and go on when the next chunk was fed. So what they decide
 * depends on the characters alone, never on where a chunk ended. From `mark` on, what was taken is kept and can be given back; without
 * a mark nothing is kept.
 */

/** A reader that waits for more where it yields. */
export type Reading<Value> = Generator<undefined, Value, undefined>;

export class Source {
  #chunk = "";
  #at = 0;
  #ended = false;
  /** Where what is kept begins in the chunk; -1 without a mark. */
  #mark = -1;
  /** What is kept of earlier chunks. */
  #held = "";

  feed(chunk: string): void {
    this.#chunk = chunk;
    this.#at = 0;
  }

  end(): void {
    this.#ended = true;
  }

  /** The next character, or an empty string at the end. */
  *peek(): Reading<string> {
    while (this.#at === this.#chunk.length) {
      if (this.#ended) return "";
      if (this.#mark >= 0) {
        this.#held += this.#chunk.slice(this.#mark);
        this.#mark = 0;
      }
      this.#chunk = "";
      this.#at = 0;
      yield;
    }
    return this.#chunk.charAt(this.#at);
  }

  /** Passes the character that `peek` answered. */
  take(): void {
    this.#at += 1;
  }

  /** Passes characters of this chunk up to the next that the expression (global) finds, and answers them. */
  takeUntil(expression: RegExp): string {
    const from = this.#at;
    expression.lastIndex = from;
    this.#at = expression.exec(this.#chunk)?.index ?? this.#chunk.length;
    return this.#chunk.slice(from, this.#at);
  }

  mark(): void {
    this.#mark = this.#at;
    this.#held = "";
  }

  unmark(): void {
    this.#mark = -1;
    this.#held = "";
  }

  /** Characters taken since the mark. */
  get count(): number {
    return this.#held.length + this.#at - this.#mark;
  }

  /** What was taken since the mark, from a number of characters on. */
  taken(from = 0): string {
    return (this.#held + this.#chunk.slice(this.#mark, this.#at)).slice(from);
  }

  /** Gives back what was taken since the mark, except for a number of characters. */
  rewind(count = 0): void {
    this.#chunk = this.#held + this.#chunk.slice(this.#mark);
    this.#held = "";
    this.#mark = 0;
    this.#at = count;
  }
}
