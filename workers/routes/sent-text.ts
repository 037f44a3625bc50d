/**
 * Sent text: what a client that cannot take text back has received.
 *
 * After a crash a run may say its text again from the start (`reset-step`). An OpenAI stream only ever grows, so words that
 * were sent are not sent twice, and words that come out differently follow on a line of their own. Pure.
 */
export class SentText {
  #sent = "";
  #current = "";
  /** True while the current telling only says what was sent before. */
  #repeating = false;

  /** The text will be told again from its start. */
  restart(): void {
    this.#current = "";
    this.#repeating = this.#sent !== "";
  }

  /** Adds a piece; answers what of it the client has not had. */
  add(piece: string): string {
    this.#current += piece;
    if (!this.#repeating) return this.#send(piece);
    if (this.#sent.startsWith(this.#current)) return "";
    this.#repeating = false;
    if (this.#current.startsWith(this.#sent)) return this.#send(this.#current.slice(this.#sent.length));
    return this.#send(`\n\n${this.#current}`);
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
