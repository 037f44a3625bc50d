/**
 * Run events: a reader of one run's stream that survives a restart of the run's object.
 *
 * `read()` answers the next events, in order, each once, and null at the end of the run. When the connection breaks, the
 * stream is opened again after the last event that was read; the run itself is not touched.
 */
import type { StreamLine } from "#shared/abi.ts";
import { TRAP_ATTEMPTS } from "#shared/limits.ts";
import { errorName, logEvent } from "#shared/log.ts";
import type { Result } from "#shared/result.ts";
import { backoff, isConnectionFailure } from "#workers/trap.ts";

export type OpenEvents = (after: number | null) => Promise<Result<ReadableStream<Uint8Array>>>;

export class RunEvents {
  readonly #open: OpenEvents;
  readonly #after: number | null;
  #reader: ReadableStreamDefaultReader<Uint8Array>;
  #decoder = new TextDecoder();
  #rest = "";
  #last: number | null;
  #reconnects = 0;
  #cancelled = false;

  constructor(open: OpenEvents, first: ReadableStream<Uint8Array>, after: number | null) {
    this.#open = open;
    this.#reader = first.getReader();
    this.#after = after;
    this.#last = after;
  }

  /** Id of the event the stream was opened after, or null. */
  get after(): number | null {
    return this.#after;
  }

  /** True once nobody wants the events any more. */
  get cancelled(): boolean {
    return this.#cancelled;
  }

  async read(): Promise<StreamLine[] | null> {
    for (;;) {
      try {
        const { done, value } = await this.#reader.read();
        if (done) return null;
        const events = this.#take(value);
        if (events.length > 0) return events;
      } catch (error) {
        // Whoever cancelled does not want to hear of the stream that broke off.
        if (this.#cancelled) return null;
        await this.#reconnect(error);
      }
    }
  }

  async cancel(): Promise<void> {
    this.#cancelled = true;
    await this.#reader.cancel().catch(() => undefined);
  }

  #take(bytes: Uint8Array): StreamLine[] {
    this.#rest += this.#decoder.decode(bytes, { stream: true });
    const texts = this.#rest.split("\n");
    this.#rest = texts.pop() ?? "";
    const events: StreamLine[] = [];
    for (const text of texts) {
      if (text === "") continue;
      const event = readLine(text);
      // A stream opened inside a text part starts with that part's opening again, under an id that was read before. The
      // client of a first connection needs it; after a reconnection it has it already.
      if (this.#reconnects > 0 && this.#last !== null && event.id <= this.#last) continue;
      events.push(event);
    }
    this.#last = events.at(-1)?.id ?? this.#last;
    return events;
  }

  async #reconnect(error: unknown): Promise<void> {
    this.#reconnects += 1;
    logEvent("run-events-lost", { reconnects: this.#reconnects, error: errorName(error) });
    if (this.#reconnects >= TRAP_ATTEMPTS || !isConnectionFailure(error)) throw error;
    await backoff(this.#reconnects);
    const opened = await this.#open(this.#last);
    if (!opened.ok) throw error;
    this.#decoder = new TextDecoder();
    this.#rest = "";
    this.#reader = opened.value.getReader();
  }
}

/** Reads one line of our own process's stream; anything else is a broken invariant. */
function readLine(text: string): StreamLine {
  const value: unknown = JSON.parse(text);
  if (!isStreamLine(value)) throw new TypeError("a run's stream held something that is not an event");
  return value;
}

function isStreamLine(value: unknown): value is StreamLine {
  if (typeof value !== "object" || value === null || !("id" in value) || !("part" in value)) return false;
  const { id, part } = value;
  return (
    typeof id === "number" &&
    typeof part === "object" &&
    part !== null &&
    "type" in part &&
    typeof part.type === "string"
  );
}
