/**
 * Models: what Lamina knows of a model, whoever serves it.
 *
 * A card is discovered from the provider's own list (`AI.models()`, `GET /models`), completed by the deployment's settings, and
 * seeded for the time before a provider answered. Whatever nobody told is null and means "unknown", never "no".
 */

/** Chat templates that differ: how a transcript becomes one text for a model that is asked without its server's template. */
export const MODEL_FAMILIES = ["llama", "mistral", "gemma", "qwen", "other"] as const;

export type ModelFamily = (typeof MODEL_FAMILIES)[number];

/** US dollars per million tokens. */
export interface ModelPrice {
  readonly input: number;
  /** Of input tokens that the provider read from its prefix cache. */
  readonly cached: number;
  readonly output: number;
}

export interface ModelCard {
  /** What `model` names: Workers AI's own name (`@cf/…`), or `<provider>/<model>`. */
  readonly id: string;
  /** `workers-ai`, or a name of the `PROVIDERS` variable. */
  readonly provider: string;
  readonly family: ModelFamily;
  /** Tokens of input and output together. */
  readonly contextWindow: number | null;
  readonly tools: boolean | null;
  /** Takes an adapter per request. */
  readonly lora: boolean | null;
  /** Answers in a JSON schema by itself. */
  readonly json: boolean | null;
  /** Takes requests that it answers later, for background work. */
  readonly asyncQueue: boolean | null;
  /** An engine that only quotes: it can retell nothing in words of its own. */
  readonly extractive: boolean;
  /** BCP 47 languages it is known for, or null. */
  readonly languages: readonly string[] | null;
  readonly price: ModelPrice | null;
  /** How soon it answers, as the deployment or its size tells. */
  readonly latency: "fast" | "standard" | "slow";
  /** ISO 8601 date after which the provider may stop serving it. */
  readonly endsAt: string | null;
  readonly source: "discovered" | "configured" | "seed";
}

/** What is known of a model that is on no list: nothing but its name. Providers serve more than they list. */
export function unknownCard(id: string, provider = providerOf(id)): ModelCard {
  return {
    id,
    provider,
    family: familyOf(id),
    contextWindow: null,
    tools: null,
    lora: null,
    json: null,
    asyncQueue: null,
    extractive: false,
    languages: null,
    price: null,
    latency: "standard",
    endsAt: null,
    source: "configured",
  };
}

/** Whose a model is by its name alone: `@cf/…` and names without a provider are those of Workers AI's binding. */
export function providerOf(id: string): string {
  const named = /^([^@/][^/]*)\/./.exec(id)?.[1];
  return named === undefined || named === LOCAL_NAMES ? WORKERS_AI : named;
}

/** Name of the provider behind the `AI` binding. */
export const WORKERS_AI = "workers-ai";
/** What the local engine's models begin with; it stands behind the same binding. */
const LOCAL_NAMES = "lamina";

const FAMILY_NAMES: readonly (readonly [RegExp, ModelFamily])[] = [
  [/qwen|qwq/i, "qwen"],
  [/gemma/i, "gemma"],
  [/mistral|mixtral|ministral|codestral|magistral|devstral/i, "mistral"],
  [/llama/i, "llama"],
];

/** The chat template's family, as the name tells: a distilled model has the template of the model it was made from. */
export function familyOf(id: string): ModelFamily {
  const name = id.slice(id.lastIndexOf("/") + 1);
  return FAMILY_NAMES.find(([pattern]) => pattern.test(name))?.[1] ?? "other";
}
