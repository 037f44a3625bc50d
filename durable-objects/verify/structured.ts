/**
 * Structured: whether an answer meets the JSON schema that the instruction asked for.
 *
 * Schemas come from clients, so reading one can fail: `readReplySchema` answers null for what is no usable JSON schema, and an
 * instruction with such a schema is refused before it is admitted.
 */
import { z } from "zod";

type JsonObject = Readonly<Record<string, unknown>>;

export function readReplySchema(schema: JsonObject): z.ZodType | null {
  try {
    return z.fromJSONSchema(schema);
  } catch {
    return null;
  }
}

export type StructuredAnswer =
  | { readonly ok: true; readonly json: string }
  | { readonly ok: false; readonly problem: string };

const FENCE = /^\s*```(?:json)?\s*([\s\S]*?)\s*```\s*$/;

/** The answer as compact JSON when it meets the schema, else what is wrong with it, in words for the model. */
export function readStructured(schema: JsonObject, text: string): StructuredAnswer {
  const reader = readReplySchema(schema);
  if (reader === null) return { ok: false, problem: "The schema cannot be read." };
  let value: unknown;
  try {
    value = JSON.parse(FENCE.exec(text)?.[1] ?? text);
  } catch {
    return { ok: false, problem: "The answer is not JSON." };
  }
  const parsed = reader.safeParse(value);
  if (parsed.success) return { ok: true, json: JSON.stringify(parsed.data) };
  const issues = parsed.error.issues
    .slice(0, 5)
    .map((issue) => `${issue.path.join(".") || "answer"}: ${issue.message}`);
  return { ok: false, problem: issues.join("; ") };
}
