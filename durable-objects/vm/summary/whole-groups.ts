/**
 * Whole groups: whether a set of messages can leave a prompt together without tearing a call from its result.
 *
 * A pending call (one without a result yet, such as one that waits for approval) must stay too. Who evicts asserts this: a
 * torn pair makes the transcript invalid for every provider.
 */
import type { Message } from "#kernel/proc/messages.ts";

/** True when every call among the messages has its result among them, and every result its call. */
export function isWhole(messages: readonly Pick<Message, "role" | "toolCalls" | "toolCallId">[]): boolean {
  const called = new Set(messages.flatMap((message) => (message.toolCalls ?? []).map((call) => call.id)));
  const answered = new Set(messages.flatMap((message) => (message.role === "tool" ? [message.toolCallId ?? ""] : [])));
  return [...called].every((id) => answered.has(id)) && [...answered].every((id) => called.has(id));
}
