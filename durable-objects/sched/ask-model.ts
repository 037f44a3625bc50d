/**
 * Ask model: one inference that belongs to no run: a text for a text, in the lowest band, within a time limit.
 *
 * For work in the background only. Never throws: a failure of the slot, of the model, a hang and an answer that is empty or far
 * too long are all a `Result`. The slot is given back however it ends, and the provider's work is aborted.
 */
import { failure } from "#shared/errors.ts";
import { ANSWER_TOKENS, OUTPUT_CHARACTERS } from "#shared/limits.ts";
import { errorName, logEvent } from "#shared/log.ts";
import { failed, success, type Result } from "#shared/result.ts";
import { estimateTokens } from "#shared/tokens.ts";
import type { Kernel } from "#kernel/kernel.ts";
import type { Message } from "#kernel/proc/messages.ts";
import { count } from "#kernel/proc/counters.ts";
import { outcomeOf, UNUSED, type CallEnd } from "#kernel/sched/pool-api.ts";
import { takeSlot } from "#kernel/sched/slot.ts";

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
  const asked = messages.reduce((sum, message) => sum + estimateTokens(message.content), 0);
  const holder = `${kernel.user}/${kernel.process}/${purpose}`;
  const slot = await takeSlot(kernel, {
    ...{ model, holder, band: "batch", program: holder, signal },
    tokens: asked + ANSWER_TOKENS,
  });
  if (!slot.ok) return slot;
  const request = { model, messages, tools: [], reply: null, affinity: `${kernel.user}/${kernel.process}` };
  const heard: Heard = { text: "", tokens: 0, error: null };
  try {
    await listen(kernel.driver.infer(request, signal), heard, signal);
  } finally {
    if (heard.tokens === 0) heard.tokens = asked + estimateTokens(heard.text);
    slot.value.end(endOf(heard));
  }
  const { text, tokens, error } = heard;
  count(kernel, "background-tokens", tokens);
  if (error !== null) return failed(error.error);
  if (text.length > OUTPUT_CHARACTERS) return failed(TOO_LONG);
  return text.trim() === "" ? failed(NOTHING) : success({ text, tokens });
}

type InferEvent = ReturnType<Kernel["driver"]["infer"]> extends AsyncIterable<infer Event> ? Event : never;

interface Heard {
  text: string;
  tokens: number;
  error: Extract<InferEvent, { type: "error" }> | null;
}

/** Collects what the model says; rejects when the signal is aborted, also of a model that does not heed it. */
async function listen(source: AsyncIterable<InferEvent>, heard: Heard, signal: AbortSignal): Promise<void> {
  const events = source[Symbol.asyncIterator]();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  signal.addEventListener("abort", () => reject(new Hung()), { once: true });
  aborted.catch(() => undefined);
  try {
    for (let next = await Promise.race([events.next(), aborted]); next.done !== true;) {
      const event = next.value;
      if (event.type === "text") heard.text += event.text;
      else if (event.type === "usage") heard.tokens = event.usage.inputTokens + event.usage.outputTokens;
      else if (event.type === "error") heard.error = event;
      if (heard.error !== null || heard.text.length > OUTPUT_CHARACTERS) break;
      next = await Promise.race([events.next(), aborted]);
    }
  } finally {
    // Not waited for: one that hangs never ends.
    void Promise.resolve(events.return?.()).catch(() => undefined);
  }
}

/** What the pool is to make of it. */
function endOf({ tokens, error }: Heard): CallEnd {
  const retryAfterMs = error?.retryAfterMs ?? null;
  const outcome = error === null ? "answered" : outcomeOf(error.fault ?? null);
  return { ...UNUSED, outcome, tokens, retryAfterMs, programOver: true };
}
