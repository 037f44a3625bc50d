/**
 * Workers AI driver: models behind the `AI` binding. Locally the same binding is our own `LocalAi`.
 *
 * Free text streams; an answer in a schema does not (https://developers.cloudflare.com/workers-ai/features/json-mode/). Background work
 * is refused while the model is busy, and then queued where the model has a queue (`workers-ai-queue.ts`). The stream is cancelled
 * through its reader: a signal cannot cross the binding. Nothing is ever sent twice: retries belong to the caller.
 */
import { z } from "zod";
import { INFERENCE_SILENCE_MS } from "#shared/limits.ts";
import type { Driver, InferEvent, InferRequest } from "#kernel/infer/drivers/driver.ts";
import { DriverError, eventOf } from "#kernel/infer/drivers/faults.ts";
import { endOf, formOf, rawFormOf } from "#kernel/infer/drivers/form.ts";
import type { Gateway } from "#kernel/infer/drivers/gateway.ts";
import { within } from "#kernel/infer/drivers/patience.ts";
import { readStream } from "#kernel/infer/drivers/read-stream.ts";
import { aiFault } from "#kernel/infer/drivers/workers-ai-errors.ts";
import { listModels } from "#kernel/infer/drivers/workers-ai-models.ts";
import { aiQueue, type AiQueue } from "#kernel/infer/drivers/workers-ai-queue.ts";
import type { Tail } from "#kernel/infer/tail.ts";

/** The part of the Workers AI binding that Lamina uses. Answers are unknown until read. */
export interface AiBinding {
  run(model: string, inputs: unknown, options?: unknown): Promise<unknown>;
  models(parameters?: unknown): Promise<unknown>;
}

export interface WorkersAiOptions {
  /** Milliseconds without a chunk that count as hung. */
  readonly silenceMs?: number;
  readonly gateway?: Gateway | null;
  /** Milliseconds before a queued request is first asked for. */
  readonly pollMs?: number;
}

export function workersAi(ai: AiBinding, options: WorkersAiOptions = {}): Driver {
  const desk: Desk = {
    ai,
    silenceMs: options.silenceMs ?? INFERENCE_SILENCE_MS,
    gateway: options.gateway ?? null,
    queue: aiQueue(ai, options),
  };
  return {
    models: () => listModels(ai),
    infer: (request, signal) => converse(desk, request, signal),
  };
}

interface Desk {
  readonly ai: AiBinding;
  readonly silenceMs: number;
  readonly gateway: Gateway | null;
  readonly queue: AiQueue;
}

async function* converse(desk: Desk, request: InferRequest, signal: AbortSignal): AsyncGenerator<InferEvent> {
  try {
    const { inputs, tail } = inputsOf(request);
    const answer = await ask(desk, request, inputs, signal);
    if (answer instanceof ReadableStream) {
      for await (const chunk of readStream(answer, signal, desk.silenceMs)) yield* readChunk(chunk, tail);
    } else yield* readChunk(answer, tail);
    yield* endOf(tail);
  } catch (error) {
    yield eventOf(aiFault(error), signal);
  }
}

/** The platform's answer: a stream or a value. */
async function ask(desk: Desk, request: InferRequest, inputs: Inputs, signal: AbortSignal): Promise<unknown> {
  if (signal.aborted) throw new DriverError("aborted");
  const options = optionsOf(desk, request);
  const queues = request.background === true && request.card?.asyncQueue === true;
  if (queues && desk.queue.holds(request.model, inputs)) return desk.queue.run(request.model, inputs, options, signal);
  const asked = desk.ai.run(request.model, inputs, options);
  try {
    return await within(asked, signal, desk.silenceMs);
  } catch (error) {
    void asked.then(cancelLate, () => undefined);
    if (signal.aborted || !queues || aiFault(error).event.fault !== "throttled") throw error;
    return desk.queue.run(request.model, inputs, options, signal);
  }
}

/** An answer that nobody waits for any more: ends the provider's work. */
function cancelLate(answer: unknown): void {
  if (answer instanceof ReadableStream) void answer.cancel().catch(() => undefined);
}

type Inputs = Readonly<Record<string, unknown>>;

/**
 * What the platform is asked, and the tail of its answer. Its schemas take an adapter with one text or with messages, never with tools; an
 * adapter is asked with one text where the template of its family is known, because that is what it was trained on.
 */
function inputsOf(request: InferRequest): { readonly inputs: Inputs; readonly tail: Tail } {
  const form = formOf(request);
  const common = {
    ...(form.reply === null ? {} : { response_format: { type: "json_schema", json_schema: form.reply } }),
    ...(request.maxTokens === undefined ? {} : { max_tokens: request.maxTokens }),
    stream: form.reply === null,
  };
  if (request.lora === undefined) {
    const tools = form.tools.length === 0 ? {} : { tools: form.tools };
    return { inputs: { messages: form.messages, ...tools, ...common }, tail: form.tail };
  }
  const raw = rawFormOf(request);
  const asked = raw === null ? { messages: form.messages } : { prompt: raw.prompt, raw: true };
  return { inputs: { ...asked, lora: request.lora, ...common }, tail: raw?.tail ?? form.tail };
}

function optionsOf(desk: Desk, request: InferRequest): Record<string, unknown> {
  return {
    extraHeaders: { "x-session-affinity": request.affinity },
    ...(request.background === true ? { rejectIfBusy: true } : {}),
    ...(desk.gateway === null ? {} : { gateway: desk.gateway }),
  };
}

const problem = z.object({ message: z.string().optional(), code: z.union([z.string(), z.number()]).optional() });
const failedChunk = z.union([
  z.object({ error: z.string() }).transform((chunk) => ({ message: chunk.error, code: undefined })),
  z.object({ error: problem }).transform((chunk) => chunk.error),
  z.object({ errors: z.tuple([problem], z.unknown()) }).transform((chunk) => chunk.errors[0]),
]);

/** Events of one parsed chunk; a failure that the platform reports in mid-stream is thrown. */
function readChunk(chunk: unknown, tail: Tail): InferEvent[] {
  if (typeof chunk !== "object" || chunk === null) throw new DriverError("malformed");
  const failed = failedChunk.safeParse(chunk);
  if (failed.success) throw new Error(`${failed.data.code ?? ""}: ${failed.data.message ?? ""}`);
  return tail.read(chunk);
}
