/**
 * Provider drivers: the drivers that reach a provider, opened in front of the fake one over real HTTP.
 */
import { openai } from "#kernel/infer/drivers/openai.ts";
import type { Provider } from "#kernel/infer/drivers/providers.ts";
import { workersAi } from "#kernel/infer/drivers/workers-ai.ts";
import { fakeBinding, providerUrl, requestsOf, scriptModel } from "#tests/fakes/provider-client.ts";
import type { Open, Opened } from "#tests/kernel/infer/drivers/driver-spec.ts";

/** Milliseconds of silence in these tests; long enough for a busy machine to answer in. */
export const SILENCE_MS = 1_500;

export function providerOf(more: Partial<Provider> = {}): Provider {
  return {
    name: "fake",
    baseUrl: `${providerUrl()}/v1`,
    key: null,
    lora: "model",
    silenceMs: SILENCE_MS,
    models: {},
    ...more,
  };
}

/** A model name that no other test uses. */
export function freshModel(): string {
  return `model-${crypto.randomUUID()}`;
}

export const openOpenai: Open = async (replies) => {
  const model = freshModel();
  await scriptModel(model, replies);
  return { driver: openai(providerOf()), model: `fake/${model}`, sent: () => count(model) };
};

export const openWorkersAi: Open = async (replies) => {
  const model = `@cf/${freshModel()}`;
  await scriptModel(model, replies);
  return { driver: workersAi(fakeBinding(), { silenceMs: SILENCE_MS, pollMs: 5 }), model, sent: () => count(model) };
};

async function count(model: string): Promise<number> {
  return (await requestsOf(model)).length;
}

export const PROVIDER_DRIVERS: readonly (readonly [name: string, open: Open])[] = [
  ["openai", openOpenai],
  ["workers-ai", openWorkersAi],
];

/** What the provider got of the one inference that this driver made. */
export async function sentBody(opened: Opened): Promise<{ body: Record<string, unknown>; headers: unknown }> {
  const model = opened.model.replace(/^fake\//, "");
  const [seen] = await requestsOf(model);
  return { body: (seen?.body ?? {}) as Record<string, unknown>, headers: seen?.headers };
}
