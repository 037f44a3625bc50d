/**
 * Head: canonical transcript → what Workers AI and every OpenAI-shaped provider take.
 *
 *     head(request.messages)                                       // servers with tools, and system messages anywhere
 *     head(request.messages, headOptions(card, request.tools))     // what this model's server takes (`drivers/form.ts`)
 *
 * What leaves here is canonical (`canonical.ts`): a call without a result, or a result without a call, never leaves.
 */
import type { ToolDefinition } from "#shared/calls.ts";
import type { ModelCard } from "#shared/models.ts";
import { canonical } from "#kernel/infer/canonical.ts";
import { isPlain, plain, type PlainOptions } from "#kernel/infer/plain.ts";
import type { Message } from "#kernel/proc/messages.ts";

export interface ProviderMessage {
  readonly role: "system" | "user" | "assistant" | "tool";
  readonly content: string;
  readonly tool_calls?: readonly {
    readonly id: string;
    readonly type: "function";
    readonly function: { readonly name: string; readonly arguments: string };
  }[];
  readonly tool_call_id?: string;
}

const EVERYTHING: PlainOptions = { systems: "anywhere", describe: null };

export function head(messages: readonly Message[], options: PlainOptions = EVERYTHING): ProviderMessage[] {
  const sent = canonical(messages);
  return (isPlain(options) ? plain(sent, options) : sent).map(({ role, content, toolCalls, toolCallId }) => ({
    role,
    content,
    ...(toolCalls === undefined ? {} : { tool_calls: toolCalls.map(providerCall) }),
    ...(toolCallId === undefined ? {} : { tool_call_id: toolCallId }),
  }));
}

/**
 * What a model's server takes. Gemma's and Mistral's templates refuse a system message behind the first turn. A model that is known to
 * have no tools (`tools: false`) is told of them in text, and its calls are read from its text; send it no `tools` then.
 */
export function headOptions(card: Pick<ModelCard, "family" | "tools">, tools: readonly ToolDefinition[]): PlainOptions {
  const strict = card.family === "gemma" || card.family === "mistral";
  return { systems: strict ? "first" : "anywhere", describe: card.tools === false ? tools : null };
}

function providerCall(
  call: NonNullable<Message["toolCalls"]>[number],
): NonNullable<ProviderMessage["tool_calls"]>[number] {
  return {
    id: call.id,
    type: "function",
    function: { name: call.name, arguments: JSON.stringify(call.arguments ?? {}) },
  };
}
