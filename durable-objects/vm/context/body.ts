/**
 * Body: a thread's mapped messages as they stand in a prompt, and as frames of the pager.
 *
 * A person's message that is a page ends with a line of its handle and date, `<p3f 2026-05-01>`: so it can be cited, and
 * "yesterday" in it can be told, without standing in the tail once more. The line depends on the stored message alone: bytes
 * that were sent do not change. Questions get none, because they support nothing. A message that ends in such a line of its own
 * gets another line behind it, so that nobody's words can pass for one.
 */
import { composePageHandle } from "#shared/ids.ts";
import { isQuestion } from "#shared/text/questions.ts";
import type { Message, StoredMessage } from "#kernel/proc/messages.ts";
import type { PagerFrame } from "#kernel/vm/pager/policy.ts";

const LOOKS_MARKED = /<p[0-9a-z]{1,10} \d{4}-\d\d-\d\d>\s*$/;

/** Whether a message's page can be cited where it stands. */
export function isCitable(message: StoredMessage): message is StoredMessage & { page: number } {
  return message.role === "user" && message.page !== null && !isQuestion(message.content);
}

export function renderBody(messages: readonly StoredMessage[]): Message[] {
  return messages.map((message) => {
    const { role, toolCalls, toolCallId } = message;
    return {
      role,
      content: role === "user" ? markUser(message) : message.content,
      ...(toolCalls === undefined ? {} : { toolCalls }),
      ...(toolCallId === undefined ? {} : { toolCallId }),
    };
  });
}

function markUser(message: StoredMessage): string {
  if (isCitable(message)) {
    const day = new Date(message.createdAt).toISOString().slice(0, 10);
    return `${message.content}\n<${composePageHandle(message.page)} ${day}>`;
  }
  return LOOKS_MARKED.test(message.content) ? `${message.content}\n<no page>` : message.content;
}

/**
 * The messages as frames. A group is a turn: a person's message and what follows it up to the next one, so that a call and its
 * results leave together. `ratio` is the model's tokens per estimated one; runs in `live` are locked.
 */
export function framesOf(messages: readonly StoredMessage[], ratio: number, live: ReadonlySet<string>): PagerFrame[] {
  let group = 0;
  return messages.map((message) => {
    if (message.role === "user" || group === 0) group = message.id;
    return {
      id: message.id,
      tokens: Math.ceil(message.tokens * ratio),
      pinned: false,
      referenced: message.referenced,
      faults: message.faults,
      group,
      locked: message.run !== null && live.has(message.run),
    };
  });
}
