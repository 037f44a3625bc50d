/**
 * Workers AI driver: models behind the `AI` binding. Locally the same binding is our own `LocalAi`.
 *
 * Error codes: https://developers.cloudflare.com/workers-ai/platform/errors/. The binding throws `<code>: <text>`; a code that
 * is not in the table counts as final. The stream is cancelled through its reader: a signal cannot cross the binding.
 */
import { z } from "zod";
import { failure, type Failure } from "#shared/errors.ts";
import { INFERENCE_SILENCE_MS } from "#shared/limits.ts";
import type { ModelCard } from "#shared/models.ts";
import { EventDecoder, LineDecoder } from "#shared/wire.ts";
import { head } from "#kernel/infer/head.ts";
import { Tail } from "#kernel/infer/tail.ts";
import type { Driver, InferEvent, InferRequest } from "#kernel/infer/drivers/driver.ts";

/** The part of the Workers AI binding that Lamina uses. Answers are unknown until read. */
export interface AiBinding {
  run(model: string, inputs: unknown, options?: unknown): Promise<unknown>;
  models(parameters?: unknown): Promise<unknown>;
}

const RETRY_AFTER_SECONDS = 5;

const TOO_LARGE = failure("payload_too_large", "The prompt is larger than the model takes.");
/** How models say so in words, whatever the code. */
const TOO_LONG =
  /context[ _](?:length|window)|maximum (?:context|number of tokens)|too many (?:input )?tokens|(?:prompt|input) is too long|exceeds? the (?:model's )?(?:maximum|limit of tokens)/i;

/** Code of the platform → failure, and whether another try can succeed. */
export function readAiError(error: unknown): { readonly error: Failure; readonly retryable: boolean } {
  const message = error instanceof Error ? error.message : String(error);
  if (TOO_LONG.test(message)) return { error: TOO_LARGE, retryable: false };
  const code = Number(/(?:^|\D)(\d{4})(?=:|\D|$)/.exec(message)?.[1] ?? "0");
  switch (code) {
    case 3040:
      return {
        error: failure("model_unavailable", "The model has no capacity now.", RETRY_AFTER_SECONDS),
        retryable: true,
      };
    case 3007:
    case 3008:
      return { error: failure("model_unavailable", "The model took too long.", RETRY_AFTER_SECONDS), retryable: true };
    case 3036:
      return {
        error: failure("quota_exceeded", "The account's daily allowance of neurons is used up.", 3600),
        retryable: false,
      };
    case 3006:
      return { error: TOO_LARGE, retryable: false };
    case 5007:
    case 3042:
      return { error: failure("not_found", "There is no such model."), retryable: false };
    case 5004:
    case 3003:
      return { error: failure("invalid_request", "The model refused the request."), retryable: false };
    default:
      return {
        error: failure(
          "model_unavailable",
          code === 0 ? "The model did not answer." : `The model failed (code ${code}).`,
          RETRY_AFTER_SECONDS,
        ),
        retryable: code === 0,
      };
  }
}

const modelRow = z.object({
  name: z.string(),
  properties: z.array(z.object({ property_id: z.string(), value: z.unknown() })).default([]),
});

async function listModels(ai: AiBinding): Promise<ModelCard[]> {
  const rows = z.array(modelRow).safeParse(await ai.models({ task: "Text Generation" }));
  return (rows.data ?? []).map((row) => {
    const property = (id: string): unknown => row.properties.find((entry) => entry.property_id === id)?.value;
    const window = Number(property("context_window") ?? property("max_input_tokens"));
    return {
      id: row.name,
      provider: "workers-ai",
      family: "other",
      contextWindow: Number.isFinite(window) ? window : null,
      tools: String(property("function_calling")) === "true",
      lora: String(property("lora")) === "true",
      json: null,
      asyncQueue: String(property("async_queue")) === "true",
      extractive: String(property("extractive")) === "true",
      languages: null,
      price: null,
      latency: "standard",
      endsAt: null,
      source: "discovered",
    };
  });
}

/** Rejects when the promise takes longer than the silence limit or the signal is aborted. */
async function within<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error("3007: silence")), INFERENCE_SILENCE_MS);
  const abort = (): void => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    signal.throwIfAborted();
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
}

async function* converse(ai: AiBinding, request: InferRequest, signal: AbortSignal): AsyncGenerator<InferEvent> {
  const tail = new Tail((index) => `call_${index}`, {
    tools: request.tools.map((tool) => tool.function.name),
    prompt: request.messages,
  });
  const inputs = {
    messages: head(request.messages),
    ...(request.tools.length === 0 ? {} : { tools: request.tools }),
    ...(request.reply === null ? {} : { response_format: { type: "json_schema", json_schema: request.reply } }),
    // JSON mode does not stream (https://developers.cloudflare.com/workers-ai/features/json-mode/).
    stream: request.reply === null,
  };
  const options = { extraHeaders: { "x-session-affinity": request.affinity } };
  try {
    const asked = ai.run(request.model, inputs, options);
    const answer = await within(asked, signal).catch((error: unknown) => {
      void asked.then(cancelLate, () => undefined);
      throw error;
    });
    if (answer instanceof ReadableStream) yield* readStream(answer, tail, signal);
    else yield* readChunk(answer, tail);
    yield* tail.end();
  } catch (error) {
    yield { type: "error", ...readAiError(error) };
    return;
  }
  const calls = tail.calls();
  if (calls.length > 0) yield { type: "calls", calls };
}

/** An answer that nobody waits for any more: ends the provider's work. */
function cancelLate(answer: unknown): void {
  if (answer instanceof ReadableStream) void answer.cancel().catch(() => undefined);
}

const problem = z.object({ message: z.string().optional(), code: z.union([z.string(), z.number()]).optional() });
const failedChunk = z.union([
  z.object({ error: z.string() }).transform((chunk) => ({ message: chunk.error, code: undefined })),
  z.object({ error: problem }).transform((chunk) => chunk.error),
  z.object({ errors: z.tuple([problem], z.unknown()) }).transform((chunk) => chunk.errors[0]),
]);

/** Events of one parsed chunk; a failure that a provider reports in mid-stream is thrown. */
function readChunk(chunk: unknown, tail: Tail): InferEvent[] {
  const failed = failedChunk.safeParse(chunk);
  if (failed.success) throw new Error(`${failed.data.code ?? ""}: ${failed.data.message ?? ""}`);
  return tail.read(chunk);
}

async function* readStream(
  stream: ReadableStream<Uint8Array>,
  tail: Tail,
  signal: AbortSignal,
): AsyncGenerator<InferEvent> {
  const reader = stream.getReader();
  const lines = new LineDecoder();
  const events = new EventDecoder();
  let finished = false;
  try {
    for (;;) {
      const { done, value } = await within(reader.read(), signal);
      for (const line of done ? [...lines.end(), ""] : lines.push(value)) {
        const event = events.push(line);
        if (event?.data === "[DONE]") finished = true;
        else if (event !== null) yield* readChunk(parseJson(event.data), tail);
      }
      if (done) break;
    }
  } finally {
    void reader.cancel().catch(() => undefined); // a source that hangs may not hold up who leaves it
  }
  if (!finished) throw new Error("3008: the stream was cut");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export function workersAi(ai: AiBinding): Driver {
  return {
    models: () => listModels(ai),
    infer: (request, signal) => converse(ai, request, signal),
  };
}
