/**
 * Reply: what the fake provider answers to one request, and what goes wrong on the way.
 *
 * A reply comes from the request's model name (`any-name?delayMs=200&status=429&retryAfter=2`: no state, so tests that run beside
 * each other do not meet), or from a script posted for a model name (`script.ts`). Pure; the server and the tests share it.
 */
export interface FakeCall {
  readonly name: string;
  /** An object, or a text that goes out as it is. */
  readonly arguments: unknown;
  readonly id?: string;
}

export interface Reply {
  /** What is said, word by word; `Hello from the fake provider.` when absent. */
  readonly text?: string;
  /** Said instead of `text`: so many words. */
  readonly words?: number;
  /** Tool calls in the provider's own form. For calls written as text, write them into `text`. */
  readonly calls?: readonly FakeCall[];
  /** Answer to a request that asks for JSON. */
  readonly json?: unknown;
  readonly inputTokens?: number;
  readonly cachedTokens?: number;
  readonly outputTokens?: number;
  /** True: no usage is reported. */
  readonly noUsage?: boolean;

  /** Milliseconds before the headers. */
  readonly delayMs?: number;
  /** Milliseconds between two chunks, or their rate. */
  readonly chunkMs?: number;
  readonly tokensPerSecond?: number;

  /** HTTP status of a refusal. */
  readonly status?: number;
  /** Code of Workers AI; for the other route the `code` of the error. */
  readonly code?: number | string;
  /** Text of the error. */
  readonly message?: string;
  /** `Retry-After` as it is sent: seconds or a date. */
  readonly retryAfter?: string;
  readonly retryAfterMs?: number;
  /** Refuses with 429 (3040) what comes while so many requests of this model are being answered. */
  readonly capacity?: number;

  /** Stops for ever: before the headers, or in the stream. */
  readonly hang?: "headers" | "stream";
  /** Ends the stream early: the connection is reset, or the body ends as if it were whole. */
  readonly cut?: "reset" | "end";
  /** Resets the connection after so many bytes of the body. */
  readonly cutAfterBytes?: number;
  /** One chunk that is no JSON, then the rest. */
  readonly malformed?: boolean;
  /** One chunk that reports an error, then the end. */
  readonly errorChunk?: boolean;
  /** Words said before what goes wrong in the stream; 1 when absent. */
  readonly afterChunks?: number;
  /** A body of status 200 that is no event stream at all. */
  readonly garbage?: boolean;
  /** Comments for ever, and never a chunk. */
  readonly pings?: boolean;
  /** No `[DONE]` at the end; no `finish_reason` either. */
  readonly noDone?: boolean;
  readonly noFinish?: boolean;
  /** The connection stays open after `[DONE]`. */
  readonly staysOpen?: boolean;
  /** Answers a streamed request as a whole, as some servers do. */
  readonly whole?: boolean;
  /** Form of the chunks on the Workers AI route; `response` when absent. */
  readonly shape?: "response" | "openai";
  /** Polls of a queued request that answer "running" before its answer is there; 1 when absent. */
  readonly polls?: number;
}

/** What `POST /script` takes: replies for a model's next requests in their order, then `after` ever after. */
export interface Script {
  readonly model: string;
  readonly replies: readonly Reply[];
  readonly after?: Reply;
}

/** What the provider saw of one request. */
export interface Seen {
  readonly path: string;
  readonly model: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: unknown;
}

export interface ModelStats {
  readonly requests: number;
  /** Being answered now, and at the most at one time. */
  readonly live: number;
  readonly mostLive: number;
  /** Ended by the caller before the answer was whole. */
  readonly aborted: number;
}

export interface Stats extends ModelStats {
  readonly models: Readonly<Record<string, ModelStats>>;
}

const TEXTS = new Set(["text", "message", "retryAfter", "hang", "cut", "shape", "code"]);

/** The reply that a model name asks for. Numbers and `true` are read as such. */
export function replyOfName(model: string): Reply {
  const query = model.split("?")[1];
  if (query === undefined) return {};
  const fields = [...new URLSearchParams(query)].map(([name, value]): [string, unknown] => {
    if (TEXTS.has(name)) return [name, name === "code" && /^\d+$/.test(value) ? Number(value) : value];
    return [name, value === "true" ? true : Number(value)];
  });
  return Object.fromEntries(fields);
}

/** A model name that asks for this reply. */
export function nameOfReply(reply: Reply, name = "fake"): string {
  const query = new URLSearchParams(Object.entries(reply).map(([field, value]) => [field, String(value)]));
  return `${name}?${query.toString()}`;
}
