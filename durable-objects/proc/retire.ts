/**
 * Retire: closes a run: its answer, its state, its messages and its last events, in one transaction.
 *
 * `retire` closes a run that answered, `giveUp` one that did not. Both leave a transcript that is valid to send and a
 * stream that ends.
 */
import type { RunState } from "#shared/abi.ts";
import type { Failure } from "#shared/errors.ts";
import { EVENTS_MS } from "#shared/limits.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { transact } from "#kernel/proc/transact.ts";
import { setTimer } from "#kernel/proc/alarm.ts";
import { emit, emitStart, wake } from "#kernel/proc/events.ts";
import type { LiveRun } from "#kernel/proc/live-run.ts";
import { dropThread, saveMessages, threadExists, type Message } from "#kernel/proc/messages.ts";
import { settlePager, weighReadBack } from "#kernel/vm/pager/settle.ts";
import { viewUsage } from "#kernel/proc/run-usage.ts";
import { moveRun, saveAnswer } from "#kernel/proc/runs.ts";
import { FORGOTTEN, repeats } from "#kernel/vm/forget/repeats.ts";
import { storeReferences } from "#kernel/vm/reference-log.ts";
import { scrubRun } from "#kernel/vm/forget/scrub.ts";
import { whenIdle } from "#kernel/vm/sleep/sleep.ts";

/** Whether an answer says that nothing known supports one. */
export function isAbstention(output: string): boolean {
  return /^\s*(i (do not|don['’]t) know|我不知道|不知道)/iu.test(output);
}

export function retire(kernel: Kernel, run: LiveRun): void {
  const answer = {
    output: storedOutput(run),
    citations: mustScrub(run) ? [] : run.citations,
    abstained: isAbstention(run.output),
  };
  transact(kernel, () => {
    if (mustScrub(run)) scrubRun(kernel, run.id, answerMayStay(run));
    saveAnswer(kernel, run.id, answer);
    closeConversation(kernel, run, storedOutput(run));
    settlePager(kernel, run);
    storeReferences(kernel, run);
    emitUsage(kernel, run);
    emit(kernel, run, { type: "finish", finishReason: "stop" });
    moveRun(kernel, run.id, "done");
  });
  settle(kernel, run);
}

/** Ends a run that has no answer, with the reason. Text that was already shown stays as what was said. */
export function giveUp(
  kernel: Kernel,
  run: LiveRun,
  state: Extract<RunState, "failed" | "cancelled" | "interrupted">,
  error: Failure,
): void {
  transact(kernel, () => {
    if (mustScrub(run)) scrubRun(kernel, run.id, answerMayStay(run));
    saveAnswer(kernel, run.id, {
      output: storedOutput(run),
      citations: mustScrub(run) ? [] : run.citations,
      abstained: false,
    });
    closeConversation(kernel, run, storedOutput(run));
    settlePager(kernel, run);
    storeReferences(kernel, run);
    emitStart(kernel, run);
    emitUsage(kernel, run);
    if (state === "cancelled") emit(kernel, run, { type: "abort", reason: error.detail });
    else emit(kernel, run, { type: "error", errorText: error.detail });
    moveRun(kernel, run.id, state, error);
  });
  settle(kernel, run);
}

function emitUsage(kernel: Kernel, run: LiveRun): void {
  emit(kernel, run, { type: "data-usage", data: viewUsage(run.usage, run.model, kernel.now() - run.startedAt) });
}

/** Writes what followed the instruction into the thread. A stateless run leaves no thread behind. */
function closeConversation(kernel: Kernel, run: LiveRun, output: string): void {
  if (run.conversation !== null) return dropThread(kernel, run.thread);
  if (!threadExists(kernel, run.thread)) return; // deleted while the run was live
  // What a forgotten page left in calls and results goes with it; the answer only if it repeats the page.
  const calls = mustScrub(run) ? [] : weighReadBack(run, run.messages.filter(isCallOrResult));
  const answer = { role: "assistant" as const, content: output, page: answerMayStay(run) ? run.answerPage : null };
  saveMessages(kernel, run.thread, run.id, output === "" ? calls : [...calls, answer]);
}

function isCallOrResult(message: Message): boolean {
  return message.role === "tool" || message.toolCalls !== undefined;
}

function saysForgotten(run: LiveRun, text: string): boolean {
  return run.forgotten.some((forgotten) => repeats(text, forgotten));
}

/** Whether what the run leaves has to do with a page that was forgotten while it was live. */
function mustScrub(run: LiveRun): boolean {
  return run.scrub || saysForgotten(run, [run.output, ...run.messages.map((message) => message.content)].join(" "));
}

/** After a forgetting the answer stays only when it is known not to repeat what was forgotten. */
function answerMayStay(run: LiveRun): boolean {
  return !(run.scrub && run.recovered) && !saysForgotten(run, run.output);
}

function storedOutput(run: LiveRun): string {
  return answerMayStay(run) ? run.output : FORGOTTEN;
}

function settle(kernel: Kernel, run: LiveRun): void {
  kernel.live.delete(run.id);
  setTimer(kernel, "expire", kernel.now() + EVENTS_MS);
  whenIdle(kernel);
  wake(kernel, run.id);
}
