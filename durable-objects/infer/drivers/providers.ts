/**
 * Providers: the OpenAI-compatible servers of this deployment, as the variable `PROVIDERS` names them.
 *
 * JSON by name: `{"ollama": {"baseUrl": "http://127.0.0.1:11434/v1", "keyFrom": "OLLAMA_KEY", "models": {"llama3.2": {"tools": true}}}}`.
 * A name begins its models' ids (`ollama/llama3.2`). The key is read from the variable or secret that `keyFrom` names. What `models`
 * tells is the catalogue's (`infer/models/settings.ts`).
 * What cannot be read is logged and left out, each provider by itself: a slip in one does not cost the others.
 */
import { z } from "zod";
import { INFERENCE_SILENCE_MOST_MS, INFERENCE_SILENCE_MS, PROVIDERS_MOST } from "#shared/limits.ts";
import { logEvent } from "#shared/log.ts";
import { problemOf, readVariable } from "#shared/variable.ts";

const providerSchema = z.strictObject({
  baseUrl: z.url({ protocol: /^https?$/ }),
  keyFrom: z.string().min(1).optional(),
  /** How an adapter is asked for: as the model's name (vLLM), or in the field `lora` by its number (llama-server). */
  lora: z.enum(["model", "llama-server"]).default("model"),
  /** Milliseconds without a chunk that count as hung; reasoning models are silent while they think. */
  silenceMs: z.int().min(1).max(INFERENCE_SILENCE_MOST_MS).default(INFERENCE_SILENCE_MS),
  /** Read by the catalogue. */
  models: z.record(z.string().min(1), z.unknown()).default({}),
});

export interface Provider extends z.infer<typeof providerSchema> {
  readonly name: string;
  /** Without a slash at the end. */
  readonly baseUrl: string;
  readonly key: string | null;
}

/** Not the names that ids of Workers AI's own models could begin with. */
const NAME = /^(?!workers-ai$|lamina$)[a-z0-9][a-z0-9._-]{0,31}$/;

export interface ProvidersEnv {
  readonly PROVIDERS?: string;
}

/** The providers of this deployment, in the order of their names. */
export function readProviders(env: ProvidersEnv): Provider[] {
  const entries = readVariable(env.PROVIDERS, z.record(z.string(), z.unknown()), "providers-unreadable") ?? {};
  return Object.entries(entries)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .slice(0, PROVIDERS_MOST)
    .flatMap(([name, value]) => readProvider(env, name, value));
}

function readProvider(env: ProvidersEnv, name: string, value: unknown): Provider[] {
  const parsed = providerSchema.safeParse(value);
  if (!NAME.test(name) || !parsed.success) {
    const problem = parsed.error === undefined ? "its name is none" : problemOf(parsed.error);
    logEvent("provider-left-out", { provider: name, problem }, "error");
    return [];
  }
  const settings = parsed.data;
  return [
    { ...settings, name, baseUrl: settings.baseUrl.replace(/\/+$/, ""), key: readKey(env, name, settings.keyFrom) },
  ];
}

/** Keys that are missing, as far as this isolate has told: once is enough. */
const missed = new Set<string>();

/** A key that is named and not there is told of: what follows are calls that the provider refuses. */
function readKey(env: ProvidersEnv, provider: string, variable: string | undefined): string | null {
  if (variable === undefined) return null;
  const key: unknown = Reflect.get(env, variable);
  if (typeof key === "string" && key !== "") return key;
  if (!missed.has(variable)) logEvent("provider-key-absent", { provider, variable }, "error");
  missed.add(variable);
  return null;
}
