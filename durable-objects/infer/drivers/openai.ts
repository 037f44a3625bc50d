/**
 * OpenAI driver: models behind any server that speaks OpenAI's chat completions: OpenAI, vLLM, llama-server, Ollama, LM Studio.
 *
 * One driver for one provider of `PROVIDERS`. Its list of models needs no SDK; the first inference loads it.
 */
import type { Driver, InferEvent, InferRequest } from "#kernel/infer/drivers/driver.ts";
import { eventOf } from "#kernel/infer/drivers/faults.ts";
import { listModels } from "#kernel/infer/drivers/openai-models.ts";
import type { Provider } from "#kernel/infer/drivers/providers.ts";

export function openai(provider: Provider): Driver {
  return {
    models: () => listModels(provider),
    infer: (request, signal) => converse(provider, request, signal),
  };
}

async function* converse(provider: Provider, request: InferRequest, signal: AbortSignal): AsyncGenerator<InferEvent> {
  try {
    const { chat } = await import("#kernel/infer/drivers/openai-chat.ts");
    yield* chat(provider, request, signal);
  } catch (error) {
    yield eventOf(error, signal);
  }
}
