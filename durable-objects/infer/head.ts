/**
 * Head: canonical transcript → what Workers AI and every OpenAI-shaped provider take.
 *
 * Neighbouring user or assistant texts are joined (a run that gave no answer leaves two user messages in a row, which many
 * chat templates refuse); a call without a result, or a result without a call, never leaves here.
 */
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

export function head(messages: readonly Message[]): ProviderMessage[] {
  const answered = new Set(messages.flatMap((message) => message.toolCallId ?? []));
  const asked = new Set(messages.flatMap((message) => message.toolCalls?.map((call) => call.id) ?? []));
  const converted: ProviderMessage[] = [];
  for (const message of messages) {
    if (message.role === "tool" && (message.toolCallId === undefined || !asked.has(message.toolCallId))) continue;
    const calls = (message.toolCalls ?? []).filter((call) => answered.has(call.id));
    if (message.toolCalls !== undefined && calls.length === 0 && message.content === "") continue;
    const last = converted.at(-1);
    if (last !== undefined && calls.length === 0 && joins(last, message)) {
      converted[converted.length - 1] = { ...last, content: `${last.content}\n\n${message.content}` };
      continue;
    }
    converted.push({
      role: message.role,
      content: message.content,
      ...(calls.length === 0 ? {} : { tool_calls: calls.map(providerCall) }),
      ...(message.toolCallId === undefined ? {} : { tool_call_id: message.toolCallId }),
    });
  }
  return converted;
}

function joins(last: ProviderMessage, next: Message): boolean {
  return (
    last.role === next.role && (last.role === "user" || last.role === "assistant") && last.tool_calls === undefined
  );
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
