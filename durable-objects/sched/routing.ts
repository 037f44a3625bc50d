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
import { readVariable } from "#shared/variable.ts";

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

export function routingOf(env: RoutingEnv): Routing {
  const text = env.ROUTING ?? "";
  const told = read.get(text) ?? readVariable(text, routingSchema, "routing-unreadable") ?? {};
  read.set(text, told);
  const { allow, fallback = true } = told;
  const standard = env.DEFAULT_MODEL;
  if (allow === null) return { standard, allowed: null, fallback };
  const others = allow ?? (env.FALLBACK_MODELS ?? "").split(",").map((name) => name.trim());
  return { standard, allowed: [...new Set([standard, ...others])].filter((name) => name !== ""), fallback };
}
