/**
 * Ask model: one inference that belongs to no run: a text for a text, in the lowest band, within a time limit.
 *
 * For work in the background only. Never throws: a failure of the slot, of the model, a hang and an answer that is empty or far
 * too long are all a `Result`. The slot is given back however it ends, and the provider's work is aborted.
 */
import { failure, type Failure } from "#shared/errors.ts";
import { OUTPUT_CHARACTERS } from "#shared/limits.ts";
import { errorName, logEvent } from "#shared/log.ts";
import { failed, success, type Result } from "#shared/result.ts";
import { estimateTokens } from "#shared/tokens.ts";
import type { Kernel } from "#kernel/kernel.ts";
import type { Message } from "#kernel/proc/messages.ts";
import { count } from "#kernel/proc/counters.ts";
import { takeSlot, unschedule } from "#kernel/sched/schedule.ts";

export interface Question {
  readonly model: string;
  readonly messages: readonly Message[];
  /** What it is for; part of the slot's holder. */
  readonly purpose: string;
  /** Milliseconds for everything, the wait for a slot included. */
  readonly limitMs: number;
}

export interface ModelText {
  readonly text: string;
  readonly tokens: number;
}

const HUNG = failure("model_unavailable", "The model took too long.", 60);
const NOTHING = failure("model_unavailable", "The model gave no answer.", 60);
const TOO_LONG = failure("internal", "The model's answer is too long.");
const BROKEN = failure("internal", "The model's answer could not be read.");

class Hung extends Error {}

export async function askModel(kernel: Kernel, question: Question): Promise<Result<ModelText>> {
  const abort = new AbortController();
  const { promise: hung, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    abort.abort(new Hung());
    reject(new Hung());
  }, question.limitMs);
  const work = converse(kernel, question, abort.signal);
  try {
    return await Promise.race([work, hung]);
  } catch (error) {
    if (error instanceof Hung) return failed(HUNG);
    logEvent("background-inference-broke", { purpose: question.purpose, error: errorName(error) });
    return failed(BROKEN);
  } finally {
    clearTimeout(timer);
    hung.catch(() => undefined);
    kernel.background(work.then(() => undefined).catch(() => undefined));
  }
}

async function converse(kernel: Kernel, question: Question, signal: AbortSignal): Promise<Result<ModelText>> {
  const { model, messages, purpose } = question;
  const holder = `${kernel.user}/${kernel.process}/${purpose}`;
  const slot = await takeSlot(kernel, { model, holder, band: "batch", signal });
  if (!slot.ok) return slot;
  const request = { model, messages, tools: [], reply: null, affinity: `${kernel.user}/${kernel.process}` };
  let text = "";
  let tokens = 0;
  let error: Failure | null = null;
  const events = kernel.driver.infer(request, signal)[Symbol.asyncIterator]();
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(new Hung()), { once: true });
  });
  aborted.catch(() => undefined);
  try {
    for (let next = await Promise.race([events.next(), aborted]); next.done !== true;) {
      const event = next.value;
      if (event.type === "text") text += event.text;
      else if (event.type === "usage") tokens = event.usage.inputTokens + event.usage.outputTokens;
      else if (event.type === "error") error = event.error;
      if (error !== null || text.length > OUTPUT_CHARACTERS) break;
      next = await Promise.race([events.next(), aborted]);
    }
  } finally {
    unschedule(kernel, slot.value);
    // Not waited for: one that hangs never ends.
    void Promise.resolve(events.return?.()).catch(() => undefined);
  }
  if (tokens === 0)
    tokens = estimateTokens(text) + messages.reduce((sum, message) => sum + estimateTokens(message.content), 0);
  count(kernel, "background-tokens", tokens);
  if (error !== null) return failed(error);
  if (text.length > OUTPUT_CHARACTERS) return failed(TOO_LONG);
  return text.trim() === "" ? failed(NOTHING) : success({ text, tokens });
}
