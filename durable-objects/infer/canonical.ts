/**
 * Canonical: any stored transcript → the one form that every head writes and every tail reads (docs/transcript.md).
 *
 * A call stands with its results or not at all; neighbouring texts of one side are one text; the arguments of a call are an object.
 * Reading what was written gives this form again, so `canonical(canonical(x))` is `canonical(x)`.
 */
import type { SystemCall } from "#shared/calls.ts";
import type { Message } from "#kernel/proc/messages.ts";

export function canonical(messages: readonly Message[]): Message[] {
  const converted: Message[] = [];
  for (const [index, message] of messages.entries()) {
    if (message.role === "tool") continue; // results leave with their calls
    const results = resultsBehind(messages, index);
    const calls = (message.role === "assistant" ? (message.toolCalls ?? []) : []).filter((call) =>
      results.has(call.id),
    );
    if (message.toolCalls !== undefined && calls.length === 0 && message.content === "") continue;
    const said: Message = {
      role: message.role,
      content: message.content,
      ...(calls.length === 0 ? {} : { toolCalls: calls.map(canonicalCall) }),
    };
    const last = converted.at(-1);
    if (last !== undefined && joins(last, said)) converted[converted.length - 1] = join(last, said);
    else converted.push(said);
    for (const call of calls) {
      converted.push({ role: "tool", content: results.get(call.id)?.content ?? "", toolCallId: call.id });
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

/** Two texts of a person, or an answer and what the model said next. What asked for calls is followed by their results. */
function joins(last: Message, next: Message): boolean {
  return (
    last.role === next.role && (last.role === "user" || (last.role === "assistant" && last.toolCalls === undefined))
  );
}

function join(last: Message, next: Message): Message {
  const calling = next.toolCalls !== undefined;
  const content = calling && next.content === "" ? last.content : `${last.content}\n\n${next.content}`;
  return { ...next, content };
}

/**
 * Arguments that are no object, because a model wrote none, become one: servers render calls with templates that fail on
 * anything else, and would refuse the whole conversation from then on.
 */
function canonicalCall({ id, name, arguments: given }: SystemCall): SystemCall {
  const value: unknown = given === null ? {} : JSON.parse(JSON.stringify(given) ?? "{}");
  const whole = typeof value === "object" && value !== null && !Array.isArray(value);
  return { id, name, arguments: whole ? value : { unreadable: value } };
}
