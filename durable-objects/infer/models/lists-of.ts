/**
 * Lists of: what the providers behind a driver list, each for itself. Rejects when none of them answers.
 *
 * Of a driver that has one list for all, a provider without a model in it counts as one that did not answer.
 */
import type { Driver, ModelList } from "#kernel/infer/drivers/driver.ts";

/** The part of a driver that lists models. */
export type ModelSource = Pick<Driver, "models" | "lists">;

export async function listsOf(driver: ModelSource): Promise<readonly ModelList[]> {
  if (driver.lists !== undefined) return driver.lists();
  const cards = await driver.models();
  return [...new Set(cards.map(({ provider }) => provider))].map((provider) => ({
    provider,
    cards: cards.filter((card) => card.provider === provider),
  }));
}
