/**
 * Tail: one chunk of a provider's stream → canonical events.
 *
 *     const tail = new Tail((index) => `call_${index}`, { tools: ["memory_read"], prompt: request.messages });
 *     for (chunk of stream) yield* tail.read(chunk);
 *     yield* tail.end();                      // text that was held back because it could have become a call
 *     tail.calls();                           // once the stream ended
 *
 * Reads the shapes that providers answer with: `{response, tool_calls, usage}` of Workers AI, and OpenAI's
 * `{choices: [{delta}], usage}`, streamed or whole. Whatever it cannot read it leaves out; it never throws. Tool calls of the OpenAI
 * shape arrive in pieces and are put together by index; those that a model wrote as text are taken out of it (`text-calls/`). What it
 * keeps is bounded by `OUTPUT_CHARACTERS`.
 */
import { z } from "zod";
import type { SystemCall } from "#shared/calls.ts";
import { OUTPUT_CHARACTERS, SYSCALLS_PER_STEP } from "#shared/limits.ts";
import type { ModelFamily } from "#shared/models.ts";
import { parseJson } from "#shared/parse-json.ts";
import type { InferEvent, InferUsage } from "#kernel/infer/drivers/driver.ts";
import { Unquoter, unquote } from "#kernel/infer/families/quote.ts";
import { readArguments, type WrittenCall } from "#kernel/infer/text-calls/read-calls.ts";
import { TextCalls } from "#kernel/infer/text-calls/text-calls.ts";
import type { Message } from "#kernel/proc/messages.ts";

export interface TailOptions {
  /** Names of the tools that were offered: only those can be called by text. None: text stays text. */
  readonly tools?: readonly string[];
  /** Whose marks may leak into the end of an answer. */
  readonly family?: ModelFamily;
  /** The prompt was one text by that family's template: the answer ends at its mark, and its words are `quoted`. */
  readonly raw?: boolean;
  /** Marks in the prompt's words were quoted (`plain.ts`), so those that the model repeats are. */
  readonly quoted?: boolean;
  /** What the model was shown: a call it only repeats from there is a quotation, and stays text. */
  readonly prompt?: readonly Message[];
}

const callPiece = z.object({
  index: z.int().min(0).nullish().catch(null),
  id: z.string().nullish().catch(null),
  name: z.string().nullish().catch(null),
  arguments: z.unknown().optional(),
  function: z
    .object({ name: z.string().nullish().catch(null), arguments: z.unknown().optional() })
    .nullish()
    .catch(null),
});

type CallPiece = z.infer<typeof callPiece>;

const tokens = z.number().min(0).nullish().catch(null);
const cached = z.object({ cached_tokens: tokens }).nullish().catch(null);

const usageSchema = z.object({
  prompt_tokens: tokens,
  completion_tokens: tokens,
  prompt_tokens_details: cached,
  input_tokens: tokens,
  output_tokens: tokens,
  input_tokens_details: cached,
  cache_read_input_tokens: tokens,
  cache_creation_input_tokens: tokens,
});

const pieces = z.array(z.unknown()).nullish().catch(null);

/** A text, or a list of parts of which some are text. */
const content = z
  .union([
    z.string(),
    z
      .array(z.object({ type: z.literal("text"), text: z.string() }).catch({ type: "text", text: "" }))
      .transform((parts) => parts.map((part) => part.text).join("")),
  ])
  .nullish()
  .catch(null);

const said = z.object({ content, tool_calls: pieces }).nullish().catch(null);

const finish = z.string().nullish().catch(null);

/** Every field is read by itself: one that is broken does not cost the others. */
const chunkSchema = z.object({
  /** JSON mode answers with the value itself. */
  response: z.unknown().optional(),
  tool_calls: pieces,
  choices: z
    .array(
      z
        .object({ delta: said, message: said, finish_reason: finish })
        .catch({ delta: null, message: null, finish_reason: null }),
    )
    .nullish()
    .catch(null),
  usage: usageSchema.nullish().catch(null),
});

/** Marks by which a turn ends, and which servers with a wrong template let through. */
const TURN_ENDS: Readonly<Record<ModelFamily, readonly string[]>> = {
  llama: ["<|eot_id|>", "<|eom_id|>", "<|end_of_text|>", "</s>"],
  mistral: ["</s>"],
  gemma: ["<end_of_turn>", "<eos>"],
  qwen: ["<|im_end|>", "<|endoftext|>"],
  other: [],
};

function readText(response: unknown): string {
  if (response === undefined || response === null) return "";
  return typeof response === "string" ? response : (JSON.stringify(response) ?? "");
}

/**
 * Usage in the words of any provider. Cached tokens are part of the input, except where Anthropic's fields stand alone: there
 * `input_tokens` leaves out what was read from the cache or written to it.
 */
function readUsage(usage: z.infer<typeof usageSchema>): InferUsage {
  const read = usage.cache_read_input_tokens ?? 0;
  const details = usage.prompt_tokens_details ?? usage.input_tokens_details;
  const apart = (usage.prompt_tokens ?? details ?? null) === null;
  const input = usage.prompt_tokens ?? usage.input_tokens ?? 0;
  const inputTokens = Math.round(apart ? input + read + (usage.cache_creation_input_tokens ?? 0) : input);
  return {
    inputTokens,
    cachedTokens: Math.min(inputTokens, Math.round(details?.cached_tokens ?? read)),
    outputTokens: Math.round(usage.completion_tokens ?? usage.output_tokens ?? 0),
  };
}

/** More than are ever made, so that the system calls can say that there were too many. */
const CALLS_KEPT = 4 * SYSCALLS_PER_STEP;

interface CollectedCall {
  readonly index: number;
  id: string | null;
  name: string;
  text: string;
  value: unknown;
}

export class Tail {
  /** Why the model stopped, in its provider's words: `stop`, `length`, `tool_calls`, …; null when it did not say. */
  finish: string | null = null;
  readonly #collected: CollectedCall[] = [];
  readonly #makeId: (index: number) => string;
  readonly #written: TextCalls;
  readonly #unquoter: Unquoter | null;
  #kept = 0;

  constructor(makeId: (index: number) => string, options: TailOptions = {}) {
    this.#makeId = makeId;
    this.#unquoter = options.raw === true || options.quoted === true ? new Unquoter() : null;
    let shown: string[] | undefined;
    this.#written = new TextCalls({
      tools: new Set(options.tools),
      stops: TURN_ENDS[options.family ?? "other"],
      stopAnywhere: options.raw === true,
      isQuoted: (text) => {
        shown ??= (options.prompt ?? [])
          .filter(({ role }) => role !== "assistant")
          .map(({ content }) => squeeze(content));
        return shown.some((content) => content.includes(squeeze(text)));
      },
    });
  }

  /** Events of one parsed chunk. */
  read(chunk: unknown): InferEvent[] {
    const parsed = chunkSchema.safeParse(chunk);
    if (!parsed.success) return [];
    const { response, tool_calls, choices, usage } = parsed.data;
    const choice = choices?.[0];
    const message = choice?.delta ?? choice?.message;
    this.finish = choice?.finish_reason ?? this.finish;
    const events = this.#events(this.#written.push(message?.content ?? readText(response)));
    for (const piece of [...(tool_calls ?? []), ...(message?.tool_calls ?? [])]) this.#collect(piece);
    if (usage !== null && usage !== undefined) events.push({ type: "usage", usage: readUsage(usage) });
    return events;
  }

  /** Events that were held back until it was certain that no call comes of them. Call it once, when the stream ended. */
  end(): InferEvent[] {
    return this.#events(this.#written.end());
  }

  #events(held: string): InferEvent[] {
    const text = this.#unquoter?.push(held) ?? held;
    return text === "" ? [] : [{ type: "text", text }];
  }

  /** The calls that arrived, once the stream ended: those in the provider's shape, then those written as text. */
  calls(): SystemCall[] {
    const taken = new Set<string>();
    const collected = this.#collected
      .toSorted((one, other) => one.index - other.index)
      .map(({ id, name, text, value }, place, { length }) => {
        // Where the answer had to end, its last call may be the half of one.
        const cut = this.finish === "length" && place === length - 1;
        return { id, name, arguments: value ?? (cut ? (parseJson(text) ?? text) : readArguments(text)) };
      });
    const written = this.#unquoter === null ? this.#written.found : this.#written.found.map(unquoteCall);
    return [...collected, ...written].map((call, position) => {
      let id = call.id ?? this.#makeId(position);
      for (let next = position; taken.has(id); next += 1) id = `${this.#makeId(next)}_${position}`;
      taken.add(id);
      return { ...call, id };
    });
  }

  #collect(raw: unknown): void {
    const parsed = callPiece.safeParse(raw);
    if (!parsed.success || this.#kept > OUTPUT_CHARACTERS || this.#collected.length > CALLS_KEPT) return;
    const piece = parsed.data;
    const name = piece.function?.name ?? piece.name ?? "";
    const call = this.#callOf(piece, name);
    call.id ??= piece.id || null;
    call.name ||= name;
    const args = piece.function?.arguments ?? piece.arguments;
    if (typeof args === "string") call.text += args;
    else if (args !== undefined && args !== null) call.value = args;
    this.#kept += name.length + (typeof args === "string" ? args.length : 0) + 1;
  }

  /**
   * The call a piece belongs to. Some servers give every call the index 0, or none at all: a name with another id begins another
   * call, and a piece without a name goes on with the last one.
   */
  #callOf(piece: CallPiece, name: string): CollectedCall {
    const at = piece.index ?? null;
    const id = piece.id || null;
    const same = this.#collected.findLast((call) =>
      at === null ? name === "" || (id !== null && call.id === id) : call.index === at,
    );
    const another = name !== "" && id !== null && same?.id !== null && same?.id !== id;
    if (same !== undefined && !another) return same;
    const call = { index: at ?? this.#collected.length, id: null, name: "", text: "", value: undefined };
    this.#collected.push(call);
    return call;
  }
}

/** Without white space and escapes: pages stand in a prompt as JSON, and a model that recites one need not keep its line ends. */
function squeeze(text: string): string {
  return text.replaceAll(/\\[nrt]|[\s\\]/g, "");
}

function unquoteCall(call: WrittenCall): WrittenCall {
  return { ...call, arguments: JSON.parse(unquote(JSON.stringify(call.arguments))) };
}
