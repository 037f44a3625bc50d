/**
 * Context: assembles the prompt of a call from frozen prefix, append-only body and tail.
 *
 *     system   preamble                     prefix: the same bytes for every call of every thread
 *     system   pinned text                  prefix: frozen per thread, refreshed with a batch eviction
 *     system   stub of what was evicted     at the head of the body, changes with a batch eviction
 *     …        the thread's messages        body: only ever appended to, until a batch leaves it
 *     system   today, updates, pages        tail: for this run's calls only
 *     system   the answer's JSON schema     when one was asked for
 *     user     the instruction
 *     …        this run's calls and results
 *
 * Unchanged state gives the same bytes, so a provider's prefix cache hits up to the tail. No clock and no counter is in the
 * prefix or the body. Nothing is evicted here: `evict.ts` did so before the run's first call.
 */
import { MODEL_TOOLS } from "#shared/calls.ts";
import type { ThreadId } from "#shared/ids.ts";
import { estimateTokens } from "#shared/tokens.ts";
import type { Kernel } from "#kernel/kernel.ts";
import type { LiveRun } from "#kernel/proc/live-run.ts";
import { threadBody, type Message } from "#kernel/proc/messages.ts";
import { renderBody } from "#kernel/vm/context/body.ts";
import { bodyCeiling, ownTokens } from "#kernel/vm/pager/evict.ts";
import { frozenPrefix, prefixMessages, prefixUpdates } from "#kernel/vm/context/prefix.ts";
import type { ResidentPage } from "#kernel/vm/page.ts";
import { readPages } from "#kernel/vm/page-table.ts";
import { tokenRatio } from "#kernel/vm/pager/record.ts";
import { renderTail } from "#kernel/vm/context/tail.ts";

/** The messages of a run's next call. */
export function assembleContext(kernel: Kernel, run: LiveRun): Message[] {
  const prefix = frozenPrefix(kernel, run.thread);
  const body =
    run.conversation === null
      ? renderBody(threadBody(kernel, run.thread, run.id))
      : withinCeiling(kernel, run, bodyCeiling(kernel, run.model, prefix, ownTokens(run)));
  const pages = readPages(kernel, run.tail).filter((page): page is ResidentPage => page.text !== null);
  const tail = renderTail({
    now: run.startedAt,
    pressure: run.pressure,
    updates: prefixUpdates(kernel, prefix),
    pages,
    above: run.above,
    cuts: run.cuts,
    query: run.query,
  });
  return [
    ...prefixMessages(prefix),
    ...body,
    { role: "system", content: tail },
    ...(run.reply === null ? [] : [{ role: "system" as const, content: replyNote(run.reply) }]),
    { role: "user", content: run.instruction.text },
    ...run.messages,
  ];
}

/** The shape of the answer, in words: also a model that has no JSON mode, or cannot use it beside tools, knows it. */
function replyNote(schema: Readonly<Record<string, unknown>>): string {
  return `The final answer is JSON alone, one value that meets this JSON schema, without a word around it and without citations:\n${JSON.stringify(schema)}`;
}

/** The newest turns of a conversation that a stateless request brought along; it has no thread to be evicted into. */
function withinCeiling(kernel: Kernel, run: LiveRun, ceiling: number): readonly Message[] {
  const messages = run.conversation ?? [];
  const ratio = tokenRatio(kernel, run.model);
  let tokens = messages.reduce((sum, message) => sum + estimateTokens(message.content) * ratio, 0);
  let start = 0;
  while (start < messages.length && (tokens > ceiling || (start > 0 && messages[start]?.role === "assistant"))) {
    tokens -= estimateTokens(messages[start]?.content ?? "") * ratio;
    start += 1;
  }
  return messages.slice(start);
}

const TOOL_TOKENS = estimateTokens(JSON.stringify(MODEL_TOOLS));
const MESSAGE_TOKENS = 4;
const CALL_TOKENS = 2;

/** Estimated tokens of a prompt, tools included. */
export function contextTokens(messages: readonly Message[]): number {
  return messages.reduce((sum, message) => sum + messageTokens(message), TOOL_TOKENS);
}

function messageTokens({ content, toolCalls }: Message): number {
  const calls = toolCalls === undefined ? 0 : estimateTokens(JSON.stringify(toolCalls)) + CALL_TOKENS;
  return estimateTokens(content) + calls + MESSAGE_TOKENS;
}

/** How many prompts are remembered to compare the next one with. */
const PROMPTS_KEPT = 64;

/**
 * Remembers what a prompt begins with, and answers how many of its tokens the thread's prompt before began with too: what a
 * provider's prefix cache can have of it at the most. Kept in memory only: after a restart that cache counts as cold.
 */
export function sharedWithLast(
  kernel: Kernel,
  thread: ThreadId,
  messages: readonly Message[],
): { readonly tokens: number; readonly shared: number } {
  const marks = messages.map((message) => ({ mark: markOf(message), tokens: messageTokens(message) }));
  const before = kernel.prompts.get(thread) ?? [];
  kernel.prompts.delete(thread);
  kernel.prompts.set(
    thread,
    marks.map(({ mark }) => mark),
  );
  const [oldest] = kernel.prompts.keys();
  if (kernel.prompts.size > PROMPTS_KEPT && oldest !== undefined) kernel.prompts.delete(oldest);
  const differs = marks.findIndex(({ mark }, index) => mark !== before[index]);
  const same = differs === -1 ? marks : marks.slice(0, differs);
  const sum = (list: typeof marks): number => list.reduce((total, { tokens }) => total + tokens, 0);
  // Tools come before every message; a prompt that shares none of these shares nothing.
  return { tokens: sum(marks) + TOOL_TOKENS, shared: same.length === 0 ? 0 : sum(same) + TOOL_TOKENS };
}

/** A 32-bit FNV-1a hash of a message. */
function markOf({ role, content, toolCalls, toolCallId }: Message): number {
  const text = `${role}\n${content}\n${toolCalls === undefined ? "" : JSON.stringify(toolCalls)}\n${toolCallId ?? ""}`;
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}
