/**
 * Table: every family that has a raw template, and what its servers take of a transcript.
 */
import type { ModelFamily } from "#shared/models.ts";
import { gemma } from "#kernel/infer/families/gemma.ts";
import { llama } from "#kernel/infer/families/llama.ts";
import { mistral } from "#kernel/infer/families/mistral.ts";
import { qwen } from "#kernel/infer/families/qwen.ts";
import type { Family } from "#kernel/infer/families/family.ts";

/** A family's raw template; null for models that are only reached through a server's own. */
export const FAMILIES: Readonly<Record<ModelFamily, Family | null>> = { llama, mistral, gemma, qwen, other: null };
