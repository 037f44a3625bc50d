/**
 * Models: the names a client may ask for, and what they mean.
 *
 * `lamina` is the server's default; `lamina/<model>` is one model, by the name the `AI` binding lists it under. The list is
 * kept for a while per isolate, because the binding may ask a remote service.
 */
import { z } from "zod";
import { MODEL_LIST_MS } from "#shared/limits.ts";
import { errorName, logEvent } from "#shared/log.ts";

export const DEFAULT_NAME = "lamina";

const listed = z.array(z.object({ name: z.string(), task: z.object({ name: z.string() }).optional() }));

let known: { readonly names: readonly string[]; readonly until: number } | null = null;

/** Names of the models that can be asked for, the default one first. */
export async function modelNames(env: Cloudflare.Env, now: number): Promise<readonly string[]> {
  if (known !== null && known.until > now) return known.names;
  const others = await listModels(env);
  const names = [env.DEFAULT_MODEL, ...others.filter((name) => name !== env.DEFAULT_MODEL)];
  known = { names, until: now + MODEL_LIST_MS };
  return names;
}

async function listModels(env: Cloudflare.Env): Promise<string[]> {
  try {
    const list: unknown = await env.AI.models({ task: "Text Generation" });
    const models = listed.safeParse(list);
    if (!models.success) return [];
    return models.data
      .filter(({ task }) => task === undefined || task.name === "Text Generation")
      .map(({ name }) => name);
  } catch (error) {
    logEvent("models-unlisted", { error: errorName(error) });
    return [];
  }
}

/** What a client calls a model: a name of our own space is not said twice. */
export function publicName(model: string): string {
  return model.startsWith(`${DEFAULT_NAME}/`) ? model : `${DEFAULT_NAME}/${model}`;
}

/** The model a name means: `null` for the server's default, undefined for a name that is not known. */
export async function resolveModel(env: Cloudflare.Env, name: string, now: number): Promise<string | null | undefined> {
  if (name === DEFAULT_NAME) return null;
  return (await modelNames(env, now)).find((model) => publicName(model) === name || model === name);
}
