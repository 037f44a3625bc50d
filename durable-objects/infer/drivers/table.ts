/**
 * Driver table: which driver reaches the models of this deployment. The one door to models.
 */
import type { Driver } from "#kernel/infer/drivers/driver.ts";
import { workersAi, type AiBinding } from "#kernel/infer/drivers/workers-ai.ts";

/** Every model is behind the `AI` binding: Workers AI in production, the local engine elsewhere. */
export function openDriver(env: { readonly AI: AiBinding }): Driver {
  return workersAi(env.AI);
}
