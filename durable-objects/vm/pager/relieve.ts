/**
 * Relieve: makes room when a model says that a prompt is too large for it, or when a run changes to a model with a smaller window.
 *
 * The model's window is learned from the prompt that failed, smaller than any guess before. Then, until the estimate fits: the
 * body goes down to what the window leaves, results of this run's earlier calls are cut to their beginning (the rest is a page
 * of kind `tool`), and the tail loses its pages, last ones first. A call and its result stay together. Answers false when
 * nothing could be made smaller, so that the same prompt is not sent twice.
 */
import { composePageHandle } from "#shared/ids.ts";
import { SYSCALL_RESULT_CHARACTERS } from "#shared/limits.ts";
import type { Kernel } from "#kernel/kernel.ts";
import type { LiveRun } from "#kernel/proc/live-run.ts";
import { trace } from "#kernel/proc/trace.ts";
import { assembleContext, contextTokens } from "#kernel/vm/context/context.ts";
import { prepareBody } from "#kernel/vm/pager/evict.ts";
import { windowOf } from "#kernel/vm/pager/window.ts";
import { overflowed } from "#kernel/vm/pager/calibration.ts";
import { calibrationOf, countInRecord, savePagerRecord, setCalibration, tokenRatio } from "#kernel/vm/pager/record.ts";
import { storeResult } from "#kernel/vm/summary/summary-range.ts";

/** Characters of a cut result that are left. */
const BEGINNING = Math.min(400, SYSCALL_RESULT_CHARACTERS);

export function relieve(kernel: Kernel, run: LiveRun): boolean {
  const before = contextTokens(assembleContext(kernel, run));
  setCalibration(kernel, run.model, overflowed(calibrationOf(kernel, run.model), before));
  countInRecord(kernel, "overflows");
  makeRoom(kernel, run);
  savePagerRecord(kernel);
  const after = contextTokens(assembleContext(kernel, run));
  trace(kernel, run, "overflow", { before, after, window: windowOf(kernel, run.model) });
  return after < before;
}

/** Makes the prompt fit what is known of the window of the run's model, as far as it can be made smaller. */
export function makeRoom(kernel: Kernel, run: LiveRun): void {
  prepareBody(kernel, run, {});
  const fits = (): boolean => estimated(kernel, run) <= windowOf(kernel, run.model);
  for (const index of run.messages.keys()) if (!fits()) cutResult(kernel, run, index);
  while (!fits() && run.tail.length > 0) run.tail = run.tail.slice(0, -1);
}

function estimated(kernel: Kernel, run: LiveRun): number {
  return contextTokens(assembleContext(kernel, run)) * tokenRatio(kernel, run.model);
}

/** Cuts the result at this place of the run's messages, when it is a long one. */
function cutResult(kernel: Kernel, run: LiveRun, index: number): void {
  const message = run.messages[index];
  if (message?.role !== "tool" || message.content.length <= BEGINNING * 2) return;
  const call = run.messages.flatMap(({ toolCalls }) => toolCalls ?? []).find(({ id }) => id === message.toolCallId);
  const own = call === undefined || /^(?:memory|block)_/.test(call.name);
  const stored = { content: message.content, createdAt: run.startedAt, run: run.id };
  const page = own ? undefined : storeResult(kernel, stored, call.name)[0];
  const content = JSON.stringify({
    cut: "The rest left the prompt, which was too long.",
    ...(page === undefined ? {} : { handle: composePageHandle(page) }),
    begins: message.content.slice(0, BEGINNING),
  });
  run.messages[index] = { ...message, content };
}
