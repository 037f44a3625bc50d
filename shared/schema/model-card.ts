/**
 * The card of a model, as it is read: from the catalogue's table, and in parts from the deployment's settings.
 */
import { z } from "zod";
import { MODEL_FAMILIES, type ModelCard } from "#shared/models.ts";

const fact = z.boolean().nullable();
const dollars = z.number().min(0).max(10_000);

/** Facts of a model that a deployment may tell; what it leaves out stays as it was discovered. */
const facts = {
  family: z.enum(MODEL_FAMILIES),
  contextWindow: z.int().min(1_024).max(100_000_000).nullable(),
  tools: fact,
  lora: fact,
  json: fact,
  asyncQueue: fact,
  extractive: z.boolean(),
  languages: z.array(z.string().min(2).max(35)).nullable(),
  latency: z.enum(["fast", "standard", "slow"]),
  endsAt: z.iso.date().or(z.iso.datetime()).nullable(),
};

export const modelCardSchema = z.object({
  ...facts,
  id: z.string().min(1),
  provider: z.string().min(1),
  // A provider may list a window that no setting would be allowed to name.
  contextWindow: z.number().nullable(),
  languages: z.array(z.string()).nullable(),
  endsAt: z.string().nullable(),
  price: z.object({ input: z.number(), cached: z.number(), output: z.number() }).nullable(),
  source: z.enum(["discovered", "configured", "seed"]),
});

/** What a client is told of a model. `model` is its name in the catalogue. */
export const publicCardSchema = modelCardSchema
  .omit({ id: true })
  .extend({ model: z.string() })
  .meta({ id: "ModelCard", description: "Prices are US dollars per million tokens; null means not known" });

/** A part of a card. Without a price of its own a cached token costs what any token of input does. */
export const modelFactsSchema = z
  .strictObject({
    ...facts,
    price: z
      .strictObject({ input: dollars, cached: dollars.optional(), output: dollars })
      .transform(({ input, cached, output }) => ({ input, cached: cached ?? input, output }))
      .nullable(),
  })
  .partial();

/** What a deployment tells of a model. */
export type ModelFacts = z.infer<typeof modelFactsSchema>;

/** The card with what the deployment tells of it. */
export function withFacts(card: ModelCard, told: ModelFacts | undefined): ModelCard {
  if (told === undefined) return card;
  const known = Object.fromEntries(Object.entries(told).filter(([, value]) => value !== undefined));
  return { ...card, ...known };
}
