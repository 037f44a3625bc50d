/**
 * Prices: what a model's tokens cost the pager, from the `MODEL_PRICES` variable and from the model's card.
 *
 *     MODEL_PRICES = '{"@cf/some/model": {"write": 1, "read": 0.25, "window": 131072}}'
 *
 * `write` and `read` are input-token equivalents of a token that goes into the provider's prefix cache and of one that is read
 * from it; only their ratio matters. What the variable does not say comes from the prices of the card: a write costs what input
 * costs, a read what cached input costs. A model whose price nobody told takes the defaults: a write costs 1.25, a cached read 0.1.
 * `window` corrects the card (`infer/models/settings.ts`). A variable that cannot be read counts as empty, and the log says so.
 */
import { z } from "zod";
import type { ModelCard } from "#shared/models.ts";
import { readVariable } from "#shared/variable.ts";
import type { Kernel } from "#kernel/kernel.ts";
import type { PagerPrices } from "#kernel/vm/pager/policy.ts";

export const DEFAULT_PRICES: PagerPrices = { write: 1.25, read: 0.1 };

const price = z.number().min(0).max(1_000);
const pricesSchema = z.record(
  z.string(),
  z.strictObject({ write: price.optional(), read: price.optional(), window: z.int().min(1_024).optional() }),
);

export type ToldPrices = z.infer<typeof pricesSchema>;

const read = new Map<string, ToldPrices>();

/** What the variable says, by model. */
export function toldPrices(env: { readonly MODEL_PRICES?: string }): ToldPrices {
  const text = env.MODEL_PRICES ?? "";
  const known = read.get(text) ?? readVariable(text, pricesSchema, "model-prices-unreadable") ?? {};
  read.set(text, known);
  return known;
}

export function pricesOf(kernel: Pick<Kernel, "env" | "models">, model: string): PagerPrices {
  const told = toldPrices(kernel.env)[model];
  const { write, read: cached } = pricesOfCard(kernel.models.card(model));
  return { write: told?.write ?? write, read: told?.read ?? cached };
}

/** A model that costs nothing has no ratio. */
function pricesOfCard(card: ModelCard | null): PagerPrices {
  const told = card?.price ?? null;
  return told === null || told.input <= 0 ? DEFAULT_PRICES : { write: 1, read: told.cached / told.input };
}
