/**
 * Tail: one chunk of a provider's stream → canonical events.
 *
 * Reads both shapes that Workers AI answers with: `{response, tool_calls, usage}` and OpenAI's `{choices: [{delta}], usage}`.
 * Whatever it cannot read it leaves out; it never throws. Tool calls of the OpenAI shape arrive in pieces and are put
 * together by index.
 */
import { z } from "zod";
import type { SystemCall } from "#shared/calls.ts";
import type { InferEvent } from "#kernel/infer/drivers/driver.ts";

const callPiece = z.object({
  index: z.int().min(0).nullish(),
  id: z.string().nullish(),
  name: z.string().nullish(),
  arguments: z.unknown().optional(),
  function: z.object({ name: z.string().nullish(), arguments: z.unknown().optional() }).nullish(),
});

const tokens = z.number().min(0).nullish().catch(null);

const usageSchema = z.object({
  prompt_tokens: tokens,
  completion_tokens: tokens,
  prompt_tokens_details: z.object({ cached_tokens: tokens }).nullish().catch(null),
});

const pieces = z.array(z.unknown()).nullish().catch(null);

const said = z
  .object({ content: z.string().nullish().catch(null), tool_calls: pieces })
  .nullish()
  .catch(null);

/** Every field is read by itself: one that is broken does not cost the others. */
const chunkSchema = z.object({
  /** JSON mode answers with the value itself. */
  response: z.unknown().optional(),
  tool_calls: pieces,
  choices: z
    .array(z.object({ delta: said, message: said }).catch({ delta: null, message: null }))
    .nullish()
    .catch(null),
  usage: usageSchema.nullish().catch(null),
});

function readText(response: unknown): string {
  if (response === undefined || response === null) return "";
  return typeof response === "string" ? response : JSON.stringify(response);
}

/** Arguments as a provider gave them: an object, or JSON in a string. What is neither stays as it is, for the guard to refuse. */
function readArguments(raw: unknown): unknown {
  if (raw === undefined || raw === null || raw === "") return {};
  if (typeof raw !== "string") return raw;
  try {
    return JSON.parse(raw);
  } catch {
    return raw;
  }
}

export class Tail {
  readonly #pieces = new Map<number, { id: string; name: string; text: string; value: unknown }>();
  readonly #makeId: (index: number) => string;

  constructor(makeId: (index: number) => string) {
    this.#makeId = makeId;
  }

  /** Events of one parsed chunk. */
  read(chunk: unknown): InferEvent[] {
    const parsed = chunkSchema.safeParse(chunk);
    if (!parsed.success) return [];
    const events: InferEvent[] = [];
    const { response, tool_calls, choices, usage } = parsed.data;
    const message = choices?.[0]?.delta ?? choices?.[0]?.message;
    const text = message?.content ?? readText(response);
    if (text !== "") events.push({ type: "text", text });
    for (const piece of [...(tool_calls ?? []), ...(message?.tool_calls ?? [])]) this.#collect(piece);
    if (usage !== null && usage !== undefined) {
      events.push({
        type: "usage",
        usage: {
          inputTokens: usage.prompt_tokens ?? 0,
          cachedTokens: usage.prompt_tokens_details?.cached_tokens ?? 0,
          outputTokens: usage.completion_tokens ?? 0,
        },
      });
    }
    return events;
  }

  #collect(raw: unknown): void {
    const parsed = callPiece.safeParse(raw);
    if (!parsed.success) return;
    const piece = parsed.data;
    const index = piece.index ?? this.#pieces.size;
    const call = this.#pieces.get(index) ?? { id: this.#makeId(index), name: "", text: "", value: undefined };
    this.#pieces.set(index, call);
    if (typeof piece.id === "string" && piece.id !== "") call.id = piece.id;
    call.name ||= piece.function?.name ?? piece.name ?? "";
    const args = piece.function?.arguments ?? piece.arguments;
    if (typeof args === "string") call.text += args;
    else if (args !== undefined) call.value = args;
  }

  /** The calls that arrived, once the stream ended. */
  calls(): SystemCall[] {
    return [...this.#pieces.entries()]
      .toSorted(([one], [other]) => one - other)
      .map(([, call]) => ({ id: call.id, name: call.name, arguments: call.value ?? readArguments(call.text) }));
  }
}
