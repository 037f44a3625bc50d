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
  const converted: ProviderMessage[] = [];
  for (const [index, message] of messages.entries()) {
    if (message.role === "tool") continue; // results leave with their calls
    const results = resultsBehind(messages, index);
    const calls = (message.toolCalls ?? []).filter((call) => results.has(call.id));
    if (message.toolCalls !== undefined && calls.length === 0 && message.content === "") continue;
    const last = converted.at(-1);
    if (last !== undefined && calls.length === 0 && joins(last, message)) {
      converted[converted.length - 1] = { ...last, content: `${last.content}\n\n${message.content}` };
      continue;
    }
    const asked = calls.length === 0 ? {} : { tool_calls: calls.map(providerCall) };
    converted.push({ role: message.role, content: message.content, ...asked });
    for (const call of calls) {
      converted.push({ role: "tool", content: results.get(call.id)?.content ?? "", tool_call_id: call.id });
    }
  }
  return converted;
}

/** The results that stand right behind a message, by the id of their call: ids may come again in later turns. */
function resultsBehind(messages: readonly Message[], index: number): Map<string, Message> {
  const results = new Map<string, Message>();
  for (let next = index + 1; messages[next]?.role === "tool"; next += 1) {
    const result = messages[next];
    if (result?.toolCallId !== undefined && !results.has(result.toolCallId)) results.set(result.toolCallId, result);
  }
  return results;
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
