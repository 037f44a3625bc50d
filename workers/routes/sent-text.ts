/**
 * Sent text: what a client that cannot take text back has received.
 *
 * After a crash, or when a model broke off, a run may say a step's text again from its start (`reset-step`). An OpenAI stream only
 * ever grows, so words that were sent are not sent twice, and words that come out differently follow on a line of their own. Pure.
 */
export class SentText {
  #sent = "";
  /** Where in it the last telling of the present step begins. */
  #from = 0;
  #current = "";
  /** True while the current telling only says what was sent before. */
  #repeating = false;

  /** A step begins. What the steps before it said stands, unless it was taken back. */
  begin(): void {
    if (this.#current === "") return;
    this.#from = this.#sent.length;
    this.#current = "";
    this.#repeating = false;
  }

  /** The step's text will be told again from its start. */
  restart(): void {
    this.#current = "";
    this.#repeating = this.#sent.length > this.#from;
  }

  /** Adds a piece; answers what of it the client has not had. */
  add(piece: string): string {
    this.#current += piece;
    if (!this.#repeating) return this.#send(piece);
    const told = this.#sent.slice(this.#from);
    if (told.startsWith(this.#current)) return "";
    this.#repeating = false;
    if (this.#current.startsWith(told)) return this.#send(this.#current.slice(told.length));
    this.#from = this.#sent.length + LINE.length;
    return this.#send(`${LINE}${this.#current}`);
  }

  /** What is missing of the final text when nothing of it was streamed; empty otherwise. */
  restOf(output: string): string {
    return this.#sent === "" ? output : "";
  }

  #send(text: string): string {
    this.#sent += text;
    return text;
  }
}

const LINE = "\n\n";
