/**
 * Seed: some models of Workers AI, for the time before its own list was read once.
 *
 * Taken from Cloudflare's model pages (https://developers.cloudflare.com/workers-ai/models/) as they were on 2026-11-21; what they
 * do not say is null. None of it is used once the provider has answered, so nothing here has to be kept up to date.
 */
import { unknownCard, WORKERS_AI, type ModelCard } from "#shared/models.ts";

function seed(id: string, facts: Partial<ModelCard>): ModelCard {
  return { ...unknownCard(id, WORKERS_AI), ...facts, source: "seed" };
}

export const SEED: readonly ModelCard[] = [
  seed("@cf/zai-org/glm-4.7-flash", {
    contextWindow: 131_072,
    tools: true,
    lora: false,
    price: { input: 0.0605, cached: 0.0605, output: 0.4 },
    latency: "fast",
  }),
  seed("@cf/qwen/qwen3.8-27b", {
    contextWindow: 262_144,
    tools: true,
    lora: false,
    asyncQueue: true,
    price: { input: 0.45, cached: 0.05, output: 3.2 },
  }),
  seed("@cf/meta/llama-3.3-70b-instruct-fp8-fast", {
    contextWindow: 24_000,
    tools: true,
    asyncQueue: true,
    json: true,
    price: { input: 0.29, cached: 0.29, output: 2.25 },
  }),
  seed("@cf/mistralai/mistral-small-3.1-24b-instruct", {
    contextWindow: 128_000,
    lora: true,
    price: { input: 0.35, cached: 0.35, output: 0.56 },
  }),
  seed("@cf/mistral/mistral-7b-instruct-v0.2-lora", { contextWindow: 15_000, lora: true }),
];
