/**
 * Language model: whether a model can write sentences of its own, and how much it takes at once.
 *
 * Read from the catalogue. A model that is on no list is taken for a language model: providers serve more than they list.
 */
import type { Kernel } from "#kernel/kernel.ts";

export interface LanguageModel {
  readonly id: string;
  readonly contextWindow: number | null;
}

/** Null for an engine that only quotes. */
export async function languageModel(kernel: Kernel, id: string): Promise<LanguageModel | null> {
  const card = (await kernel.models.load()).find((model) => model.id === id);
  return card?.extractive === true ? null : { id, contextWindow: card?.contextWindow ?? null };
}
