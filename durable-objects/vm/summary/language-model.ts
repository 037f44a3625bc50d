/**
 * Language model: whether a model can write sentences of its own, and how much it takes at once.
 *
 * Read from the driver's list. A model that is on no list is taken for a language model: providers serve more than they list.
 */
import type { Kernel } from "#kernel/kernel.ts";
import { errorName, logEvent } from "#shared/log.ts";

export interface LanguageModel {
  readonly id: string;
  readonly contextWindow: number | null;
}

/** Null for an engine that only quotes, and when nobody can tell now. */
export async function languageModel(kernel: Kernel, id: string): Promise<LanguageModel | null> {
  try {
    const card = (await kernel.driver.models()).find((model) => model.id === id);
    if (card?.extractive === true) return null;
    return { id, contextWindow: card?.contextWindow ?? null };
  } catch (error) {
    logEvent("models-unlisted", { error: errorName(error) });
    return null;
  }
}
