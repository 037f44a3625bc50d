/**
 * Ask model: one inference that belongs to no run: a text for a text, in the lowest band, within a time limit.
 *
 * For work in the background only. Never throws: a failure of the slot, of the model, a hang and an answer that is empty or far
 * too long are all a `Result`. The slot is given back however it ends, and the provider's work is aborted.
 */
import type { TokenUsage } from "#shared/cost.ts";
import { failure, type Failure } from "#shared/errors.ts";
import { ANSWER_TOKENS, OUTPUT_CHARACTERS, TOKEN_MARGIN_PERCENT } from "#shared/limits.ts";
import { errorName, logEvent } from "#shared/log.ts";
import { failed, success, type Result } from "#shared/result.ts";
import { estimateTokens } from "#shared/tokens.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { reserveBudget } from "#kernel/proc/budget.ts";
import type { Message } from "#kernel/proc/messages.ts";
import { count } from "#kernel/proc/counters.ts";
import { untilAborted } from "#kernel/proc/until-aborted.ts";
import { mayBeCharged, settleCall } from "#kernel/proc/usage.ts";
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
  const inputTokens = Math.ceil((asked * TOKEN_MARGIN_PERCENT) / 100);
  const reserved = await reserveBudget(kernel, { model, purpose, inputTokens, maxOutputTokens: ANSWER_TOKENS });
  if (!reserved.ok) return reserved;
  const heard: Heard = { text: "", begunAt: null, usage: null, error: null };
  try {
    const refused = await talk(kernel, question, { asked, limited: reserved.value.id !== null }, heard, signal);
    if (refused !== null) return failed(refused);
  } finally {
    const ms = heard.begunAt === null ? 0 : kernel.now() - heard.begunAt;
    settleCall(kernel, reserved.value, { usage: chargedFor(heard, asked), ms, run: null });
  }
  const { text, error } = heard;
  const tokens = tokensOf(heard, asked);
  count(kernel, "background-tokens", tokens);
  if (error !== null) return failed(error.error);
  if (text.length > OUTPUT_CHARACTERS) return failed(TOO_LONG);
  return text.trim() === "" ? failed(NOTHING) : success({ text, tokens });
}

/** Asks, with a slot of the model's pool; answers why there was none, or null. */
async function talk(
  kernel: Kernel,
  { model, messages, purpose }: Question,
  { asked, limited }: { readonly asked: number; readonly limited: boolean },
  heard: Heard,
  signal: AbortSignal,
): Promise<Failure | null> {
  const holder = `${kernel.user}/${kernel.process}/${purpose}`;
  const slot = await takeSlot(kernel, {
    ...{ model, holder, band: "batch", program: holder, signal },
    tokens: asked + ANSWER_TOKENS,
  });
  if (!slot.ok) return slot.error;
  const affinity = `${kernel.user}/${kernel.process}`;
  const card = kernel.models.card(model);
  const plain = { model, messages, tools: [], reply: null, affinity, card, background: true };
  // What was set aside is the most it may say.
  const request = limited ? { ...plain, maxTokens: ANSWER_TOKENS } : plain;
  heard.begunAt = kernel.now();
  try {
    await listen(kernel.driver.infer(request, signal), heard, signal);
  } finally {
    slot.value.end(endOf(heard, asked));
  }
  return null;
}

type InferEvent = ReturnType<Kernel["driver"]["infer"]> extends AsyncIterable<infer Event> ? Event : never;

interface Heard {
  text: string;
  /** When the model was asked; null before. */
  begunAt: number | null;
  usage: TokenUsage | null;
  error: Extract<InferEvent, { type: "error" }> | null;
}

/** Collects what the model says; rejects when the signal is aborted, also of a model that does not heed it. */
async function listen(source: AsyncIterable<InferEvent>, heard: Heard, signal: AbortSignal): Promise<void> {
  for await (const event of untilAborted(source, signal)) {
    if (event.type === "text") heard.text += event.text;
    else if (event.type === "usage") heard.usage = event.usage;
    else if (event.type === "error") heard.error = event;
    if (heard.error !== null || heard.text.length > OUTPUT_CHARACTERS) break;
  }
  signal.throwIfAborted();
}

function estimate({ text }: Heard, asked: number): TokenUsage {
  return { inputTokens: asked, cachedTokens: 0, outputTokens: estimateTokens(text) };
}

function tokensOf(heard: Heard, asked: number): number {
  const { inputTokens, outputTokens } = heard.usage ?? estimate(heard, asked);
  return inputTokens + outputTokens;
}

/** What is counted as used, or null for nothing. */
function chargedFor(heard: Heard, asked: number): TokenUsage | null {
  if (heard.begunAt === null) return null;
  if (heard.usage !== null) return heard.usage;
  const refused = heard.error !== null && heard.text === "" && !mayBeCharged(heard.error.fault ?? "down");
  return refused ? null : estimate(heard, asked);
}

/** What the pool is to make of it. */
function endOf(heard: Heard, asked: number): CallEnd {
  const retryAfterMs = heard.error?.retryAfterMs ?? null;
  const outcome = heard.error === null ? "answered" : outcomeOf(heard.error.fault ?? null);
  return { ...UNUSED, outcome, tokens: tokensOf(heard, asked), retryAfterMs, programOver: true };
}
