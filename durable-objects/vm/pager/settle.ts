/**
 * Settle: what the pager learns from a run: faults while it goes on (`noteFault`), growth and references when it ends
 * (`settlePager`).
 *
 * A fault of the pager is a read of a page that had left the body of the run's own thread; a read of anything else is memory
 * at work and no reason to keep more. A page that left within PREMATURE_CALLS inferences of being wanted again left too early.
 */
import { composePageHandle, pageNumber, parsePageHandle } from "#shared/ids.ts";
import { PREMATURE_CALLS } from "#shared/limits.ts";
import { estimateTokens } from "#shared/tokens.ts";
import type { Kernel } from "#kernel/kernel.ts";
import type { LiveRun } from "#kernel/proc/live-run.ts";
import type { NewMessage } from "#kernel/proc/messages.ts";
import { trace } from "#kernel/proc/trace.ts";
import { findRange } from "#kernel/vm/pager/evictions.ts";
import { faultCost, learnGrowth } from "#kernel/vm/pager/policy.ts";
import { pricesOf } from "#kernel/vm/pager/prices.ts";
import { changeRecord, countInRecord, pagerRecord, savePagerRecord, tokenRatio } from "#kernel/vm/pager/record.ts";

/** Tokens of the call by which a model reads a page. */
const READ_CALL_TOKENS = 40;

interface Evicted {
  readonly page: number;
  readonly range: number;
  readonly faults: number;
}

/** Those of the pages that had left the body of the run's thread. */
function evictedOf(kernel: Kernel, run: LiveRun, pages: readonly number[]): Evicted[] {
  return kernel.sql
    .exec<{ page: number; range: number; faults: number }>(
      `SELECT page, MAX(evicted) AS range, MAX(faults) AS faults FROM messages
       WHERE page IN (SELECT value FROM json_each(?)) AND thread = ? AND evicted <> 0 GROUP BY page`,
      JSON.stringify(pages),
      run.thread,
    )
    .toArray();
}

/** Notes that the model read a page; `prompt` is the tokens of the prompt that the result costs once more. */
export function noteFault(
  kernel: Kernel,
  run: LiveRun,
  page: { readonly number: number; readonly tokens: number },
): void {
  const own = findRange(kernel, page.number);
  const evicted =
    own?.thread === run.thread
      ? { page: page.number, range: page.number, faults: 0 }
      : evictedOf(kernel, run, [page.number])[0];
  if (evicted === undefined) return;
  const weight = evicted.faults + 1;
  run.readBack.set(page.number, weight);
  kernel.sql.exec(
    "UPDATE messages SET faults = ? WHERE page = ? AND thread = ? AND evicted <> 0",
    weight,
    page.number,
    run.thread,
  );
  const record = pagerRecord(kernel);
  const prices = pricesOf(kernel, run.model);
  const prompt = run.usage.inputTokens / Math.max(1, run.step);
  const cost = faultCost(prompt, page.tokens * tokenRatio(kernel, run.model), READ_CALL_TOKENS, prices);
  changeRecord(kernel, { faults: record.faults + 1, faultCost: record.faultCost + cost });
  noteRefault(kernel, run, evicted);
  trace(kernel, run, "fault", { page: composePageHandle(page.number), weight, cost: Math.round(cost) });
}

function noteRefault(kernel: Kernel, run: LiveRun, evicted: Evicted): void {
  const left = findRange(kernel, evicted.range)?.inferences ?? 0;
  const premature = pagerRecord(kernel).inferences + run.step - left <= PREMATURE_CALLS;
  countInRecord(kernel, "refaults");
  if (premature) countInRecord(kernel, "premature");
}

/** Messages to store, each result of a read with how often its page was read back: it is spared for that. */
export function weighReadBack(run: LiveRun, messages: readonly NewMessage[]): NewMessage[] {
  if (run.readBack.size === 0) return [...messages];
  const weights = new Map<string, number>();
  for (const { toolCalls } of messages) {
    for (const call of toolCalls ?? []) {
      const args = call.arguments;
      const handle = typeof args === "object" && args !== null && "handle" in args ? String(args.handle) : "";
      const parsed = call.name === "memory_read" ? parsePageHandle(handle) : null;
      const weight = parsed === null ? undefined : run.readBack.get(pageNumber(parsed) ?? -1);
      if (weight !== undefined) weights.set(call.id, weight);
    }
  }
  return messages.map((message) => {
    const faults = message.toolCallId === undefined ? undefined : weights.get(message.toolCallId);
    return faults === undefined ? message : { ...message, faults };
  });
}

/** When a run ends: its references, the growth it brought, and the record; in the transaction that closes it. */
export function settlePager(kernel: Kernel, run: LiveRun): void {
  if (run.instruction.kind === "command" || run.step === 0) return;
  const cited = run.citations.flatMap(({ handle }) => pageNumber(handle) ?? []);
  if (cited.length > 0) settleCitations(kernel, run, cited);
  const ratio = tokenRatio(kernel, run.model);
  const texts = [run.instruction.text, run.output, ...run.messages.map((message) => message.content)];
  const added = texts.reduce((sum, text) => sum + estimateTokens(text), 0) * ratio;
  const record = pagerRecord(kernel);
  changeRecord(kernel, {
    ...(run.conversation === null ? learnGrowth(record, added, run.step) : {}),
    calls: record.calls + run.step,
    inferences: record.inferences + run.step,
    tailMapped: record.tailMapped + run.tail.length,
    tailUsed: record.tailUsed + run.tail.filter((page) => cited.includes(page) || run.readBack.has(page)).length,
  });
  savePagerRecord(kernel);
}

/** Marks what was cited in the body; a page of the tail that had left the body was wanted again. */
function settleCitations(kernel: Kernel, run: LiveRun, cited: readonly number[]): void {
  kernel.sql.exec(
    `UPDATE messages SET referenced = 1 WHERE page IN (SELECT value FROM json_each(?)) AND thread = ? AND evicted = 0 AND referenced = 0`,
    JSON.stringify(cited),
    run.thread,
  );
  const tail = cited.filter((page) => run.tail.includes(page) && !run.above.has(page) && !run.readBack.has(page));
  for (const evicted of evictedOf(kernel, run, tail)) noteRefault(kernel, run, evicted);
}
