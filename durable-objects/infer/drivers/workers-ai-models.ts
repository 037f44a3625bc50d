/**
 * Workers AI models: the platform's own list → cards.
 *
 * `AI.models()` answers rows with `properties: [{property_id, value}]`; a capability that is listed for some models is absent for
 * the others, which then lack it. What a property's value does not say is unknown, and never an error.
 */
import { z } from "zod";
import { AI_MODEL_PAGES, AI_MODELS_PER_PAGE, PROVIDER_LIST_MS } from "#shared/limits.ts";
import { familyOf, WORKERS_AI, type ModelCard, type ModelPrice } from "#shared/models.ts";
import { guessLatency } from "#kernel/infer/drivers/guess-latency.ts";
import { within } from "#kernel/infer/drivers/patience.ts";
import type { AiBinding } from "#kernel/infer/drivers/workers-ai.ts";

const rowSchema = z.object({
  name: z.string().min(1),
  properties: z.array(z.object({ property_id: z.string(), value: z.unknown().optional() })).default([]),
});

type Row = z.infer<typeof rowSchema>;

/** Rejects when the platform does not answer. */
export async function listModels(ai: AiBinding): Promise<ModelCard[]> {
  const signal = new AbortController().signal;
  const rows = new Map<string, Row>();
  for (let page = 1; page <= AI_MODEL_PAGES; page += 1) {
    const parameters = { task: "Text Generation", page, per_page: AI_MODELS_PER_PAGE };
    const answer = z.array(z.unknown()).parse(await within(ai.models(parameters), signal, PROVIDER_LIST_MS));
    const before = rows.size;
    for (const row of answer.flatMap((entry) => rowSchema.safeParse(entry).data ?? [])) rows.set(row.name, row);
    // A list that knows no pages answers the same one again.
    if (answer.length < AI_MODELS_PER_PAGE || rows.size === before) break;
  }
  return [...rows.values()].map(cardOf);
}

function cardOf(row: Row): ModelCard {
  const property = (id: string): unknown => row.properties.find((entry) => entry.property_id === id)?.value;
  const has = (id: string): boolean => String(property(id)) === "true";
  const window = Number(property("context_window") ?? property("max_input_tokens") ?? Number.NaN);
  return {
    id: row.name,
    provider: WORKERS_AI,
    family: familyOf(row.name),
    contextWindow: Number.isInteger(window) && window > 0 ? window : null,
    tools: has("function_calling"),
    lora: has("lora"),
    json: null,
    asyncQueue: has("async_queue"),
    extractive: has("extractive"),
    languages: null,
    price: readPrice(property("price")),
    latency: has("extractive") ? "fast" : guessLatency(row.name),
    endsAt: readDate(property("planned_deprecation_date")),
    source: "discovered",
  };
}

const tariff = z.object({ unit: z.string(), price: z.coerce.number().min(0), currency: z.string().default("USD") });

/** `[{unit: "per M input tokens", price, currency}, …]`; null unless dollars for input and output tokens are named. */
function readPrice(value: unknown): ModelPrice | null {
  const entries = z.array(z.unknown()).safeParse(value);
  const tariffs = (entries.data ?? []).flatMap((entry) => tariff.safeParse(entry).data ?? []);
  const of = (words: RegExp): number | undefined =>
    tariffs.find(({ unit, currency }) => words.test(unit) && /\bM\b|million/i.test(unit) && currency === "USD")?.price;
  const cached = of(/cache/i);
  const input = of(/^(?!.*cache).*input/i);
  const output = of(/output/i);
  return input === undefined || output === undefined ? null : { input, cached: cached ?? input, output };
}

function readDate(value: unknown): string | null {
  const time = typeof value === "string" && value !== "" ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) ? null : new Date(time).toISOString().slice(0, 10);
}
