/**
 * OpenAI models: a provider's `GET /models` → cards.
 *
 * Servers add to OpenAI's `{data: [{id}]}` what they know: vLLM `max_model_len`, llama-server `meta.n_ctx_train`, LM Studio
 * `max_context_length`, others `context_length` or `context_window`.
 */
import { z } from "zod";
import { PROVIDER_LIST_MS } from "#shared/limits.ts";
import { unknownCard, type ModelCard } from "#shared/models.ts";
import { guessLatency } from "#kernel/infer/drivers/guess-latency.ts";
import { within } from "#kernel/infer/drivers/patience.ts";
import type { Provider } from "#kernel/infer/drivers/providers.ts";
import { readBounded } from "#kernel/infer/drivers/read-bounded.ts";

const size = z.number().int().min(1).optional().catch(undefined);

const rowSchema = z.object({
  id: z.string().min(1).max(256),
  max_model_len: size,
  max_context_length: size,
  context_length: size,
  context_window: size,
  meta: z.object({ n_ctx: size, n_ctx_train: size }).nullish().catch(null),
});

const listSchema = z.object({ data: z.array(z.unknown()) });

/** Rejects when the provider does not answer. */
export async function listModels(provider: Provider): Promise<ModelCard[]> {
  const rows = await fetchList(provider);
  return [...new Map(rows.map((row) => [row.id, cardOf(provider, row)])).values()];
}

type Row = z.infer<typeof rowSchema>;

async function fetchList(provider: Provider): Promise<Row[]> {
  const signal = AbortSignal.timeout(PROVIDER_LIST_MS);
  const headers = provider.key === null ? {} : { authorization: `Bearer ${provider.key}` };
  const response = await within(fetch(`${provider.baseUrl}/models`, { headers, signal }), signal, PROVIDER_LIST_MS);
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    throw new Error(`the provider ${provider.name} does not list its models (status ${response.status})`);
  }
  const list = listSchema.parse(JSON.parse(await readBounded(response.body, signal, PROVIDER_LIST_MS)));
  return list.data.flatMap((row) => {
    const parsed = rowSchema.safeParse(row);
    return parsed.success ? [parsed.data] : [];
  });
}

/** llama-server's `n_ctx` is what it runs with, `n_ctx_train` what the model could take. */
function cardOf(provider: Provider, row: Row): ModelCard {
  const window =
    row.max_model_len ??
    row.meta?.n_ctx ??
    row.meta?.n_ctx_train ??
    row.max_context_length ??
    row.context_length ??
    row.context_window;
  return {
    ...unknownCard(`${provider.name}/${row.id}`, provider.name),
    contextWindow: window ?? null,
    asyncQueue: false,
    latency: guessLatency(row.id),
    source: "discovered",
  };
}
