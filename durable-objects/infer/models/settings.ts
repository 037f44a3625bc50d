/**
 * Settings: what the deployment's variables tell of models, which completes and corrects what providers list.
 *
 *     MODELS       = '{"@cf/some/model": {"contextWindow": 65536, "price": {"input": 0.1, "output": 0.4}, "latency": "fast"}}'
 *     PROVIDERS    = '{"ollama": {"baseUrl": "…", "models": {"llama3.2": {"contextWindow": 8192, "tools": true}}}}'
 *     MODEL_PRICES = '{"@cf/some/model": {"window": 131072}}'      (vm/pager/prices.ts)
 *
 * `MODELS` says something of any model; a provider's `models` also says that it serves them, whether it lists them or not. Later
 * ones of `PROVIDERS`, `MODELS`, `MODEL_PRICES` win, fact by fact. A model whose facts cannot be read has none told, and the log
 * names it; a variable that cannot be read counts as empty. The facts are those of `ModelCard` (shared/models.ts).
 */
import { z } from "zod";
import { logEvent } from "#shared/log.ts";
import { problemOf, readVariable } from "#shared/variable.ts";
import { modelFactsSchema, type ModelFacts } from "#shared/schema/model-card.ts";
import { readProviders } from "#kernel/infer/drivers/providers.ts";
import { toldPrices } from "#kernel/vm/pager/prices.ts";

export interface ModelSettingsEnv {
  readonly PROVIDERS?: string;
  readonly MODELS?: string;
  readonly MODEL_PRICES?: string;
}

export interface ModelSettings {
  /** Names of the providers besides Workers AI. */
  readonly providers: readonly string[];
  /** What is told of models, by id. */
  readonly facts: ReadonlyMap<string, ModelFacts>;
  /** Provider of each model that a provider is said to serve, by the model's id. */
  readonly served: ReadonlyMap<string, string>;
}

/** What was read of the variables' texts: parsed once an isolate. */
let last: { readonly texts: string; readonly settings: ModelSettings } | null = null;

export function modelSettings(env: ModelSettingsEnv): ModelSettings {
  const texts = JSON.stringify([env.PROVIDERS, env.MODELS, env.MODEL_PRICES]);
  if (last?.texts !== texts) last = { texts, settings: readSettings(env) };
  return last.settings;
}

function readSettings(env: ModelSettingsEnv): ModelSettings {
  const providers = readProviders(env);
  const facts = new Map<string, ModelFacts>();
  const served = new Map<string, string>();
  for (const provider of providers) {
    for (const [name, model] of Object.entries(provider.models)) {
      const id = `${provider.name}/${name}`;
      served.set(id, provider.name);
      tell(facts, id, model);
    }
  }
  const models = readVariable(env.MODELS, z.record(z.string(), z.unknown()), "models-unreadable") ?? {};
  for (const [id, model] of Object.entries(models)) tell(facts, id, model);
  for (const [id, { window }] of Object.entries(toldPrices(env))) {
    if (window !== undefined) tell(facts, id, { contextWindow: window });
  }
  return { providers: providers.map(({ name }) => name), facts, served };
}

function tell(facts: Map<string, ModelFacts>, id: string, model: unknown): void {
  const read = modelFactsSchema.safeParse(model);
  if (read.success) facts.set(id, { ...facts.get(id), ...read.data });
  else logEvent("model-facts-unreadable", { model: id, problem: problemOf(read.error) }, "error");
}
