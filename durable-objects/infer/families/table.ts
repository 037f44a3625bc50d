/**
 * Table: every raw template, and which of them a model has.
 */
import { familyOf, type ModelFamily } from "#shared/models.ts";
import type { Family } from "#kernel/infer/families/family.ts";
import { gemma } from "#kernel/infer/families/gemma.ts";
import { inst, llama2 } from "#kernel/infer/families/inst.ts";
import { llama } from "#kernel/infer/families/llama.ts";
import { mistral } from "#kernel/infer/families/mistral.ts";
import { qwen } from "#kernel/infer/families/qwen.ts";

/** A family's raw template; null for models that are only reached through a server's own. */
export const FAMILIES: Readonly<Record<ModelFamily, Family | null>> = { llama, mistral, gemma, qwen, other: null };

/** Models of a family that came before its template. */
const OLDER: readonly (readonly [RegExp, ModelFamily, Family])[] = [
  [/mi[sx]tral-(?:8x)?7b/i, "mistral", inst],
  [/llama-?2(?!\d)/i, "llama", llama2],
];

/** The raw template of a model, by its family and, where a family had others before, its name. */
export function templateOf(model: string, family: ModelFamily = familyOf(model)): Family | null {
  const older = OLDER.find(([name, of]) => of === family && name.test(model));
  return older?.[2] ?? FAMILIES[family];
}
