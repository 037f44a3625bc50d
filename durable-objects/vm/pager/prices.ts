/**
 * Prices: what a model's tokens cost and how many fit into its window, from the `MODEL_PRICES` variable.
 *
 *     MODEL_PRICES = '{"@cf/some/model": {"write": 1, "read": 0.25, "window": 131072}}'
 *
 * `write` and `read` are input-token equivalents of a token that goes into the provider's prefix cache and of one that is read
 * from it; only their ratio matters. A model that is not named, or a field that is missing, takes the defaults: a write costs
 * 1.25, a cached read 0.1. A variable that cannot be read counts as empty, and the log says so.
 */
import { z } from "zod";
import { logEvent } from "#shared/log.ts";
import type { PagerPrices } from "#kernel/vm/pager/policy.ts";

export interface ModelPrices extends PagerPrices {
  /** Tokens of the window, or null when the variable does not say. */
  readonly window: number | null;
}

export const DEFAULT_PRICES: ModelPrices = { write: 1.25, read: 0.1, window: null };

const price = z.number().min(0).max(1_000);
const pricesSchema = z.record(
  z.string(),
  z.strictObject({ write: price.optional(), read: price.optional(), window: z.int().min(1_024).optional() }),
);

const read = new Map<string, z.infer<typeof pricesSchema>>();

function parse(text: string): z.infer<typeof pricesSchema> {
  try {
    return pricesSchema.parse(JSON.parse(text));
  } catch {
    logEvent("model-prices-unreadable", {}, "error");
    return {};
  }
}

export function pricesOf(env: { readonly MODEL_PRICES?: string }, model: string): ModelPrices {
  const text = env.MODEL_PRICES ?? "{}";
  const known = read.get(text) ?? parse(text);
  read.set(text, known);
  const { write, read: cached, window } = known[model] ?? {};
  return {
    write: write ?? DEFAULT_PRICES.write,
    read: cached ?? DEFAULT_PRICES.read,
    window: window ?? DEFAULT_PRICES.window,
  };
}
