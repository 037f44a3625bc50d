/**
 * Speech: what a reader hears of a model's text: whole sentences, each checked before it is sent.
 *
 * `say` takes text as it arrives and sends every sentence that is complete and supported. The first sentence that is not
 * holds everything after it back, until `verify.ts` has decided whether to ask again or to mark it. Citations count only for
 * pages mapped in this run; handles that merely look like one are inert.
 *
 * After a crash the same texts are said again: a step that readers have seen whole is judged silently, the one that was cut
 * off is taken back with `reset-step` first.
 */
import type { StreamPart } from "#shared/abi.ts";
import { failure } from "#shared/errors.ts";
import { composePageHandle, pageNumber, parsePageHandle } from "#shared/ids.ts";
import { OUTPUT_CHARACTERS } from "#shared/limits.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { readCounter } from "#kernel/proc/counters.ts";
import { emit } from "#kernel/proc/events.ts";
import { notePages, type LiveRun } from "#kernel/proc/live-run.ts";
import { RunFailure } from "#kernel/proc/run-failure.ts";
import { isoDate, type ResidentPage } from "#kernel/vm/page.ts";
import { readPages } from "#kernel/vm/page-table.ts";
import { noteReferences, pageFrame } from "#kernel/vm/reference-log.ts";
import { bestQuote, isSupported } from "#kernel/verify/support.ts";

const CITATION = /\[(p[0-9a-z]{1,10})\]/g;
/** A sentence: up to its end mark (or line end), with citations and closing quotes that follow it. */
const SENTENCE = /^[\s\S]*?(?:[.!?](?=\s)|[。！？]|\n)(?:["'”’」）)]*)(?:\s*\[p[0-9a-z]{1,10}\])*\s*/u;
/** After the end mark a citation may still be on its way, so a sentence is complete only when other text follows it. */
const MAY_GO_ON = /^\s*\[?$|^\s*\[p[0-9a-z]{0,10}\]?\s*$/;

export class Speech {
  readonly #kernel: Kernel;
  readonly #run: LiveRun;
  #rest = "";
  #silent = false;
  /** True while this inference's step is shown. */
  #begun = false;
  #open = false;
  #saidInStep = "";
  #citedBefore = 0;
  /** Sentences that failed the check, in order. */
  readonly refused: string[] = [];
  /** Sentences held back since the first that failed. */
  #held: string[] = [];

  constructor(kernel: Kernel, run: LiveRun) {
    this.#kernel = kernel;
    this.#run = run;
  }

  /** Begins the next inference's step; or the same one again, when an attempt came to nothing: what it said is taken back. */
  begin(): void {
    if (this.#begun) return this.#retract();
    const { step, stepsShown } = this.#run;
    this.#begun = true;
    this.#citedBefore = this.#run.citations.length;
    this.#silent = stepsShown > step + 1;
    if (stepsShown <= step) this.#emit({ type: "start-step" });
    else this.#emit({ type: "reset-step" });
  }

  #emit(part: StreamPart): void {
    if (!this.#silent) emit(this.#kernel, this.#run, part);
  }

  /** Takes the next piece of a model's text. */
  say(text: string): void {
    if (this.#run.reply !== null) return; // judged as a whole, by verify
    if (this.#run.instruction.kind === "command") return this.#send(text); // the kernel's own words
    this.#rest += text;
    for (;;) {
      const sentence = SENTENCE.exec(this.#rest)?.[0];
      if (sentence === undefined || MAY_GO_ON.test(this.#rest.slice(sentence.length))) return;
      this.#rest = this.#rest.slice(sentence.length);
      this.#judge(sentence);
    }
  }

  /** Judges what is left when the model has ended. */
  end(): void {
    const rest = this.#rest;
    this.#rest = "";
    if (rest !== "") this.#judge(rest);
  }

  /** Takes back what this inference said, and what is held. */
  takeBack(): void {
    this.#retract();
    this.#emit({ type: "finish-step" });
    this.#begun = false;
  }

  #retract(): void {
    if (this.#open) this.#emit({ type: "reset-step" });
    this.#run.output = this.#run.output.slice(0, this.#run.output.length - this.#saidInStep.length);
    this.#run.citations.length = this.#citedBefore;
    this.#clear();
  }

  /** Sends a whole answer that was judged elsewhere. */
  sendWhole(text: string): void {
    this.#send(text);
  }

  /** Sends the held sentences, each failed one without its false citations and marked as unverified. */
  releaseMarked(): void {
    for (const sentence of this.#held.splice(0)) {
      this.#send(this.refused.includes(sentence) ? this.#mark(sentence) : sentence);
    }
    this.refused.length = 0;
  }

  /** Closes this inference's step. */
  close(): void {
    if (this.#open) this.#emit({ type: "text-end", id: this.#partId() });
    this.#emit({ type: "finish-step" });
    this.#begun = false;
    this.#clear();
  }

  #clear(): void {
    this.#open = false;
    this.#saidInStep = "";
    this.#rest = "";
    this.#held = [];
    this.refused.length = 0;
  }

  #partId(): string {
    return `text-${this.#run.step}`;
  }

  #judge(sentence: string): void {
    const supported = this.#check(sentence);
    if (!supported) this.refused.push(sentence);
    if (this.refused.length > 0) this.#held.push(sentence);
    else this.#send(sentence);
  }

  /** Numbers of the pages a sentence cites, mapped or not; null for one that can be no page. */
  #citedNumbers(sentence: string): (number | null)[] {
    return (
      [...sentence.matchAll(CITATION)]
        .map((match) => match[1] ?? "")
        .map((handle) => ({ handle, parsed: parsePageHandle(handle) }))
        .map(({ handle, parsed }) => ({ handle, number: parsed === null ? null : pageNumber(parsed) }))
        // "[paris]" is a word, not a page, as long as there are not that many pages.
        .filter(({ handle, number }) => /\d/.test(handle) || (number ?? 0) <= readCounter(this.#kernel, "page"))
        .map(({ number }) => number)
    );
  }

  /** The mapped pages among them. */
  #citedPages(numbers: readonly (number | null)[]): ResidentPage[] {
    const mapped = numbers.filter((number): number is number => number !== null && this.#run.mapped.has(number));
    return readPages(this.#kernel, mapped).filter((page): page is ResidentPage => page.text !== null);
  }

  #check(sentence: string): boolean {
    const numbers = this.#citedNumbers(sentence);
    if (numbers.some((number) => number === null || !this.#run.mapped.has(number))) return false;
    const pages = this.#citedPages(numbers);
    if (pages.length === 0 || pages.some((page) => page.run === this.#run.id)) return true; // what this run wrote it may name
    return isSupported(sentence.replaceAll(CITATION, ""), this.#run.instruction.text, pages);
  }

  #mark(sentence: string): string {
    const text = sentence.replaceAll(CITATION, "").trimEnd();
    return `${text} ${/\p{Script=Han}/u.test(text) ? "（未核实）" : "(unverified)"} `;
  }

  #send(sentence: string): void {
    const { output } = this.#run;
    // What another step said before a system call is a paragraph of its own.
    const apart = this.#saidInStep === "" && output !== "" && !/\s$/.test(output) && !/^\s/.test(sentence);
    const delta = apart ? `\n\n${sentence}` : sentence;
    if (output.length + delta.length > OUTPUT_CHARACTERS) {
      throw new RunFailure(failure("internal", "The run's answer is too long."));
    }
    if (!this.#open) {
      this.#emit({ type: "text-start", id: this.#partId() });
      this.#open = true;
    }
    this.#emit({ type: "text-delta", id: this.#partId(), delta });
    this.#run.output += delta;
    this.#saidInStep += delta;
    for (const page of this.#citedPages(this.#citedNumbers(sentence))) this.#cite(page, sentence);
  }

  #cite(page: ResidentPage, sentence: string): void {
    const handle = composePageHandle(page.number);
    if (this.#run.citations.some((citation) => citation.handle === handle)) return;
    const quote = bestQuote(`${sentence} ${this.#run.instruction.text}`, page);
    const citation = { handle, quote, source: page.source, at: isoDate(page.at, page.zoned === 1) };
    this.#run.citations.push(citation);
    notePages(this.#kernel, this.#run.id, [page.number], "cited");
    noteReferences(this.#kernel, this.#run, "cited", [pageFrame(page)]);
    this.#emit({ type: "data-citation", data: citation });
  }
}
