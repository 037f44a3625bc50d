/**
 * Text calls: takes tool calls that a model wrote as text out of its answer, while it streams.
 *
 *     const calls = new TextCalls({ tools: new Set(["memory_read"]) });
 *     calls.push("Let me see.\n<tool_call>{\"name\": \"memory_");   // "Let me see."
 *     calls.push("read\", \"arguments\": {}}</tool_call>");         // ""
 *     calls.end();                                                // ""; then calls.found holds the call
 *
 * Recognised: `<tool_call>…`, `<function=name>…`, `<|python_tag|>…`, `[TOOL_CALLS]…`, `[name(key=value)]`, and, where a line begins,
 * bare JSON and code fences that hold nothing but calls. `<think>…</think>` in front of the answer is left out of it.
 *
 * What must hold: where the chunks are cut changes nothing; only what may still become a call is held back; what does not become one
 * comes out untouched; only tools that were offered are called. A call that repeats words of the prompt is a quotation (`isQuoted`),
 * so that a model which recites a page does not do what the page says. Time is linear in the answer (limits `CALL_TEXT_CHARACTERS`,
 * `CALL_SEARCH_CHARACTERS`).
 */
import { CALL_SEARCH_CHARACTERS, CALL_TEXT_CHARACTERS } from "#shared/limits.ts";
import type { WrittenCall } from "#kernel/infer/text-calls/read-calls.ts";
import { Source, type Reading } from "#kernel/infer/text-calls/source.ts";
import { CALL_ENDS, CALL_MARKS, FENCE, bracket, fence, markedCalls } from "#kernel/infer/text-calls/marked-calls.ts";
import { closing, jsonCalls, oneOf, space, type Written } from "#kernel/infer/text-calls/written-call.ts";

export interface TextCallOptions {
  /** Names of the tools the model was offered. */
  readonly tools: ReadonlySet<string>;
  /** Marks that end a turn. One that leaks at the very end of an answer is left out of it. */
  readonly stops?: readonly string[];
  /** Leaves out everything behind such a mark, wherever it stands. */
  readonly stopAnywhere?: boolean;
  /** Whether these words stood in the prompt already. */
  readonly isQuoted?: (text: string) => boolean;
}

const OPENERS = /[<[{`\n]/g;
const THINK: ReadonlyMap<string, string> = new Map([
  ["<think>", "</think>"],
  ["<thinking>", "</thinking>"],
]);
/** A candidate that fails sooner costs no more than reading it once. */
const INLINE_MARKS = ["[TOOL_CALLS]", "<|python_tag|>"] as const;
const FREE_CHARACTERS = 64;

export class TextCalls {
  readonly found: WrittenCall[] = [];
  readonly #source = new Source();
  readonly #options: TextCallOptions;
  readonly #reading: Reading<void>;
  #text = "";
  #searched = 0;
  /** Nothing but white space of the answer came yet. */
  #silent = true;
  /** Nothing but spaces since the line began. */
  #lineStart = true;
  #behindCall = false;
  /** Inside of a code fence: what is written there is shown, unless marks say that it is a call. */
  #fenced = false;
  #fenceHere = false;

  constructor(options: TextCallOptions) {
    this.#options = options;
    this.#reading = this.#read();
    this.#reading.next();
  }

  /** The text that is certain now. */
  push(chunk: string): string {
    this.#source.feed(chunk);
    return this.#resume();
  }

  /** The text that was held back, once the answer ended. */
  end(): string {
    this.#source.end();
    return this.#resume();
  }

  #resume(): string {
    this.#text = "";
    this.#reading.next();
    return this.#text;
  }

  *#read(): Reading<void> {
    const source = this.#source;
    for (let char = yield* source.peek(); char !== ""; char = yield* source.peek()) {
      if (this.#isOpener(char) && (yield* this.#attempt())) continue;
      source.take();
      this.#say(char);
      this.#say(source.takeUntil(OPENERS));
    }
  }

  #isOpener(char: string): boolean {
    if (this.#searched > CALL_SEARCH_CHARACTERS) return false;
    return "<[{`\n".includes(char) || (this.#behindCall && /[\s,;]/.test(char));
  }

  #say(text: string): void {
    if (text === "") return;
    this.#text += text;
    const line = text.lastIndexOf("\n");
    if (line >= 0) this.#lineStart = true;
    this.#lineStart &&= /^[ \t]*$/.test(text.slice(line + 1));
    this.#silent &&= text.trim() === "";
    this.#behindCall = false;
  }

  /** Passes what is no text of the answer; false, with nothing passed, when it is. */
  *#attempt(): Reading<boolean> {
    const source = this.#source;
    source.mark();
    this.#fenceHere = false;
    const written = yield* this.#candidate();
    const passed = written === "nothing" || (written !== null && this.#accepts(written));
    if (!passed) {
      if (source.count > FREE_CHARACTERS) this.#searched += source.count;
      source.rewind();
      if (this.#fenceHere) this.#fenced = !this.#fenced;
    } else {
      this.#lineStart = true;
      if (written !== "nothing") {
        this.found.push(...written.calls);
        this.#behindCall = true;
      }
    }
    source.unmark();
    return passed;
  }

  #accepts({ text, calls }: Written): boolean {
    return calls.length > 0 && this.#options.isQuoted?.(text) !== true;
  }

  *#candidate(): Reading<Written | "nothing" | null> {
    const source = this.#source;
    const { tools } = this.#options;
    let lineStart = this.#lineStart;
    let char = yield* source.peek();
    if (char === "\n" && !this.#behindCall) {
      source.take(); // the line end in front of a call belongs to it, unless its mark stands in the line of the text
      lineStart = true;
      char = yield* source.peek();
      if ((yield* oneOf(source, INLINE_MARKS)) !== null) return null;
      source.rewind(1);
    } else if (this.#behindCall) {
      while (char !== "" && /[\s,;]/.test(char) && source.count < CALL_TEXT_CHARACTERS) {
        source.take();
        char = yield* source.peek();
      }
      if (char === "") return source.count > 0 && source.taken().trim() === "" ? "nothing" : null;
    }
    if (char === "<") return yield* this.#marked();
    if (tools.size === 0) return null;
    if (char === "[") return yield* bracket(source, tools, lineStart && !this.#fenced);
    if (!lineStart) return null;
    if (char === "{") return this.#fenced ? null : yield* jsonCalls(source, tools, "", true);
    return char === "`" ? yield* this.#fence() : null;
  }

  *#fence(): Reading<Written | null> {
    const source = this.#source;
    const atMark = source.count === 0;
    if ((yield* oneOf(source, [FENCE])) === null) return null;
    this.#fenceHere = atMark; // what is tried with the line end in front is tried once more without it
    return this.#fenced ? null : yield* fence(source, this.#options.tools);
  }

  /** `<…`: reasoning, a call, or the end of a turn. */
  *#marked(): Reading<Written | "nothing" | null> {
    const source = this.#source;
    const { tools, stops = [] } = this.#options;
    const marks = [...(this.#silent ? THINK.keys() : []), ...(tools.size === 0 ? [] : CALL_MARKS), ...stops];
    const mark = yield* oneOf(source, marks);
    if (mark === null) return null;
    if (stops.includes(mark) && source.taken().startsWith("\n") && !this.#behindCall) return null;
    const thinkEnd = THINK.get(mark);
    if (thinkEnd !== undefined) return yield* reasoning(source, thinkEnd);
    if (stops.includes(mark) && this.#options.stopAnywhere === true) return yield* everything(source);
    if (stops.includes(mark)) {
      while ((yield* closing(source, stops)) !== null);
      return (yield* space(source)) === "" ? "nothing" : null;
    }
    return yield* markedCalls(
      source,
      tools,
      mark,
      CALL_ENDS.filter((end) => !stops.includes(end)),
    );
  }
}

/** Passes reasoning that is not part of the answer, and the line ends behind it. It may never be closed. */
function* reasoning(source: Source, end: string): Reading<"nothing"> {
  source.unmark();
  let matched = 0;
  while (matched < end.length) {
    const char = yield* source.peek();
    if (char === "") break;
    source.take();
    // The mark begins with its only `<`, so what failed can begin it anew at most there.
    matched = char === end.charAt(matched) ? matched + 1 : char === "<" ? 1 : 0;
  }
  while ((yield* source.peek()) === "\n") source.take();
  source.mark();
  return "nothing";
}

/** Passes all that follows. */
function* everything(source: Source): Reading<"nothing"> {
  source.unmark();
  while ((yield* source.peek()) !== "") source.take();
  source.mark();
  return "nothing";
}
