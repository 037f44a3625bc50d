/**
 * Routing: which models the deployment lets `route` choose by itself, from its variables.
 *
 *     DEFAULT_MODEL   = "@cf/zai-org/glm-4.7-flash"
 *     FALLBACK_MODELS = "@cf/qwen/qwen3-30b-a3b-fp8, ollama/llama3.2"
 *     ROUTING         = '{"allow": ["@cf/…"], "fallback": true}'
 *
 * Without `allow` routing may choose the default and the fallback models; a list replaces the latter, and null allows every model there is.
 * So no deployment is surprised by an expensive model. `fallback` (true unless said otherwise) is whether another model may stand
 * in for one that rests or failed. A variable that cannot be read counts as absent, and the log says so.
 */
import { z } from "zod";
import { logEvent } from "#shared/log.ts";

export interface RoutingEnv {
  readonly DEFAULT_MODEL: string;
  readonly FALLBACK_MODELS?: string;
  readonly ROUTING?: string;
}

export interface Routing {
  readonly standard: string;
  /** Models that routing may choose by itself, the default first; null for any. */
  readonly allowed: readonly string[] | null;
  readonly fallback: boolean;
}

const routingSchema = z.strictObject({
  allow: z.array(z.string().min(1)).nullable().optional(),
  fallback: z.boolean().optional(),
});

/** What was read of a variable's text: parsed once, because it is asked for at every inference. */
const read = new Map<string, z.infer<typeof routingSchema>>();

function parse(text: string): z.infer<typeof routingSchema> {
  try {
    return routingSchema.parse(JSON.parse(text));
  } catch {
    logEvent("routing-unreadable", {}, "error");
    return {};
  }
}

export function routingOf(env: RoutingEnv): Routing {
  const text = env.ROUTING === undefined || env.ROUTING === "" ? "{}" : env.ROUTING;
  const { allow, fallback = true } = read.get(text) ?? parse(text);
  read.set(text, { ...(allow === undefined ? {} : { allow }), fallback });
  const standard = env.DEFAULT_MODEL;
  if (allow === null) return { standard, allowed: null, fallback };
  const others = allow ?? (env.FALLBACK_MODELS ?? "").split(",").map((name) => name.trim());
  return { standard, allowed: [...new Set([standard, ...others])].filter((name) => name !== ""), fallback };
}
