/**
 * OpenAI chat: one inference through the AI SDK's chat model. Loaded with `import()` by `openai.ts` only: nothing else may name
 * the SDK (scripts/check-source.ts), so that a Worker without such a provider never evaluates it.
 *
 * The SDK writes the request (it knows what each of OpenAI's models takes); `OpenAIChatLanguageModel` is what
 * `createOpenAI(…).chat(…)` makes, without the rest of the provider. The exchange itself is ours, in the `fetch` that it is given:
 * the answer is read by the reader and the tail that all drivers share, because the SDK's own reader refuses calls without
 * ids and cannot tell a broken stream from a silent one. Nothing is ever sent twice: retries belong to the caller.
 */
import { OpenAIChatLanguageModel } from "@ai-sdk/openai/internal";
import { z } from "zod";
import { sha256 } from "#shared/sha256.ts";
import type { InferEvent, InferRequest } from "#kernel/infer/drivers/driver.ts";
import { DriverError } from "#kernel/infer/drivers/faults.ts";
import { endOf, formOf, type Form } from "#kernel/infer/drivers/form.ts";
import { readRefusal, statusFault, providerFault } from "#kernel/infer/drivers/http-faults.ts";
import { callOptions } from "#kernel/infer/drivers/openai-prompt.ts";
import { within } from "#kernel/infer/drivers/patience.ts";
import type { Provider } from "#kernel/infer/drivers/providers.ts";
import { readBounded } from "#kernel/infer/drivers/read-bounded.ts";
import { readStream } from "#kernel/infer/drivers/read-stream.ts";

/** The events of one inference; throws `DriverError` for what goes wrong. */
export async function* chat(
  provider: Provider,
  request: InferRequest,
  signal: AbortSignal,
): AsyncGenerator<InferEvent> {
  const form = formOf(request);
  const { tail } = form;
  const response = await exchange(provider, request, form, signal);
  for await (const chunk of chunksOf(response, signal, provider.silenceMs)) {
    const failed = failedChunk.safeParse(chunk);
    if (failed.success) throw providerFault(failed.data.error, request.reply !== null);
    yield* tail.read(chunk);
  }
  yield* endOf(tail);
}

const failedChunk = z.object({
  error: z.union([
    z.string().transform((message) => ({ message })),
    z.object({ message: z.string().catch(""), code: z.unknown().optional(), type: z.unknown().optional() }),
  ]),
});

/** Sends the request as the SDK writes it; the response's headers are there and say that it answers. */
async function exchange(provider: Provider, request: InferRequest, form: Form, signal: AbortSignal): Promise<Response> {
  const outcome: { response?: Response; error?: unknown } = {};
  const model = new OpenAIChatLanguageModel(modelName(provider, request), {
    provider: provider.name,
    url: ({ path }) => `${provider.baseUrl}${path}`,
    headers: provider.key === null ? {} : { authorization: `Bearer ${provider.key}` },
    async fetch(url, init) {
      try {
        outcome.response = await send(provider, request, signal, url, init ?? {});
      } catch (error) {
        outcome.error = error;
        throw error;
      }
      // The SDK reads an answer that says nothing; the real one is read by our own reader.
      return new Response("data: [DONE]\n\n", { headers: { "content-type": "text/event-stream" } });
    },
  });
  try {
    const { stream } = await model.doStream({ ...callOptions(request, form), headers: await affinityOf(request) });
    await stream.cancel();
  } catch (error) {
    // What the SDK itself refuses never left; what went wrong on the way is told as it was.
    if (outcome.response === undefined) throw outcome.error ?? new DriverError("refused", {}, error);
  }
  if (outcome.response === undefined) throw new DriverError("down");
  return outcome.response;
}

/** The same for every call of a process, so that a router can keep it with its prefix cache; it does not tell whose that is. */
async function affinityOf({ affinity }: InferRequest): Promise<Record<string, string>> {
  return { "x-session-affinity": (await sha256(affinity)).slice(0, 32) };
}

function modelName(provider: Provider, request: InferRequest): string {
  if (request.lora !== undefined && provider.lora === "model") return request.lora;
  return request.model.slice(provider.name.length + 1);
}

async function send(
  provider: Provider,
  request: InferRequest,
  signal: AbortSignal,
  url: Parameters<typeof fetch>[0],
  init: Parameters<typeof fetch>[1] & object,
): Promise<Response> {
  const end = new AbortController();
  const body = withLora(provider, request, init.body ?? null);
  const sent = fetch(url, { ...init, body, signal: AbortSignal.any([signal, end.signal]) });
  try {
    const response = await within(sent, signal, provider.silenceMs);
    if (response.ok) return response;
    throw await within(refusal(response, request), signal, provider.silenceMs);
  } catch (error) {
    end.abort();
    void sent.then((late) => late.body?.cancel()).catch(() => undefined);
    throw error;
  }
}

async function refusal(response: Response, request: InferRequest): Promise<DriverError> {
  const said = await readRefusal(response);
  return statusFault(response.status, response.headers, said, request.reply !== null);
}

/** llama-server takes adapters by their number, which is the adapter's name here. */
function withLora(provider: Provider, request: InferRequest, body: BodyInit | null): BodyInit | null {
  if (request.lora === undefined || provider.lora !== "llama-server" || typeof body !== "string") return body;
  const id = Number(request.lora);
  if (!Number.isInteger(id) || id < 0) throw new DriverError("refused", { detail: "There is no such adapter." });
  return JSON.stringify({ ...(JSON.parse(body) as object), lora: [{ id, scale: 1 }] });
}

/** The chunks of the answer. A server that does not stream answers with one, which is the whole. */
async function* chunksOf(response: Response, signal: AbortSignal, silenceMs: number): AsyncGenerator<unknown> {
  if (response.body === null) throw new DriverError("cut");
  if (!(response.headers.get("content-type") ?? "").includes("json")) {
    yield* readStream(response.body, signal, silenceMs);
    return;
  }
  const text = await readBounded(response.body, signal, silenceMs);
  let whole: unknown = null;
  try {
    whole = JSON.parse(text);
  } catch {
    throw new DriverError("malformed");
  }
  if (!z.union([z.object({ choices: z.array(z.unknown()).min(1) }), failedChunk]).safeParse(whole).success) {
    throw new DriverError("malformed");
  }
  yield whole;
}
