/**
 * Context: assembles the prompt of a call from frozen prefix, append-only body and tail.
 *
 *     system   preamble                     prefix: the same bytes for every call of every thread
 *     …        the thread's messages        body: only ever appended to, until the oldest part is unmapped in one batch
 *     system   today, fetched pages         tail: for this call only
 *     user     the instruction
 *     …        this run's calls and results
 *
 * Unchanged state gives the same bytes, so a provider's prefix cache hits up to the tail. No clock and no counter is in the
 * prefix or the body.
 */
import { BODY_HIGH_TOKENS, BODY_LOW_TOKENS } from "#shared/limits.ts";
import { estimateTokens } from "#shared/tokens.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { count } from "#kernel/proc/counters.ts";
import type { LiveRun } from "#kernel/proc/live-run.ts";
import { moveBodyStart, threadBody, type Message, type StoredMessage } from "#kernel/proc/messages.ts";
import { renderPage, type ResidentPage } from "#kernel/vm/page.ts";
import { PAGES_HEADING, PREAMBLE } from "#kernel/vm/preamble.ts";
import { readPages } from "#kernel/vm/page-table.ts";
import { frameOf, noteReferences } from "#kernel/vm/reference-log.ts";
import type { ThreadId } from "#shared/ids.ts";

export function renderTail(pages: readonly ResidentPage[], now: number): string {
  const lines = [`Today: ${new Date(now).toISOString().slice(0, 10)} (UTC)`];
  if (pages.length > 0) lines.push(PAGES_HEADING, ...pages.map((page) => JSON.stringify(renderPage(page))));
  return lines.join("\n");
}

/** The messages of a run's next call. */
export function assembleContext(kernel: Kernel, run: LiveRun): Message[] {
  const body: readonly Message[] = run.conversation ?? mappedBody(kernel, run.thread, run);
  const pages = readPages(kernel, run.tail).filter((page): page is ResidentPage => page.text !== null);
  return [
    { role: "system", content: PREAMBLE },
    ...body,
    { role: "system", content: renderTail(pages, kernel.now()) },
    { role: "user", content: run.instruction.text },
    ...run.messages,
  ];
}

/**
 * The thread's messages that are mapped. Above the high watermark the oldest are unmapped in one batch down to the low one,
 * at the start of a turn, so that a call and its result stay together. Unmapped turns stay in memory as pages.
 */
export function mappedBody(kernel: Kernel, thread: ThreadId, run: LiveRun | null): StoredMessage[] {
  const messages = threadBody(kernel, thread, run?.id ?? null);
  let tokens = messages.reduce((sum, message) => sum + message.tokens, 0);
  if (tokens <= BODY_HIGH_TOKENS) return messages;
  let start = 0;
  while (start < messages.length && (tokens > BODY_LOW_TOKENS || messages[start]?.role !== "user")) {
    tokens -= messages[start]?.tokens ?? 0;
    start += 1;
  }
  const last = messages[start - 1];
  if (run !== null && last !== undefined) {
    moveBodyStart(kernel, thread, last.id);
    count(kernel, "unmapped-messages", start);
    noteReferences(kernel, run, "evicted", messages.slice(0, start).map(frameOf), "high watermark");
  }
  return messages.slice(start);
}

export function contextTokens(messages: readonly Message[]): number {
  return messages.reduce((sum, message) => sum + estimateTokens(message.content) + 4, 0);
}
