/**
 * Structured: whether an answer meets the JSON schema that the instruction asked for.
 *
 * Schemas come from clients, so reading one can fail: `readReplySchema` answers null for what is no usable JSON schema, and an
 * instruction with such a schema is refused before it is admitted. An answer that is nearly JSON (fences, prose around it, trailing
 * commas, single quotes, …) is repaired, but only to a value that meets the schema: nothing is guessed where two values would.
 */
import { z } from "zod";
import { JSON_DEPTH, REPLY_SCHEMA_CHARACTERS, REPLY_STARTS } from "#shared/limits.ts";
import { parseJson } from "#shared/parse-json.ts";
import { depthOf } from "#shared/schema/json-value.ts";
import { repairJson } from "#kernel/infer/text-calls/repair-json.ts";

type JsonObject = Readonly<Record<string, unknown>>;

export function readReplySchema(schema: JsonObject): z.ZodType | null {
  if (JSON.stringify(schema).length > REPLY_SCHEMA_CHARACTERS) return null;
  try {
    return z.fromJSONSchema(schema);
  } catch {
    return null;
  }
}

export type StructuredAnswer =
  | {
      readonly ok: true;
      readonly json: string;
      /** True when the answer itself was not JSON. */
      readonly repaired: boolean;
    }
  | { readonly ok: false; readonly problem: string };

/** The answer as compact JSON when it meets the schema, else what is wrong with it, in words for the model. */
export function readStructured(schema: JsonObject, text: string): StructuredAnswer {
  const reader = readReplySchema(schema);
  if (reader === null) return { ok: false, problem: "The schema cannot be read." };
  const whole = parseJson(text);
  if (whole !== undefined) return judge(reader, whole, false);
  const judged = valuesIn(text).map((value) => judge(reader, value, true));
  const met = [...new Map(judged.flatMap((answer) => (answer.ok ? [[answer.json, answer]] : []))).values()];
  if (met.length > 1) return { ok: false, problem: "The answer holds several JSON values; one is asked for." };
  return met[0] ?? judged[0] ?? { ok: false, problem: "The answer is not JSON." };
}

/** The values that a text holds, prose around them left out, in order. One that was cut off is none. */
function valuesIn(text: string): unknown[] {
  const values: unknown[] = [];
  const whole = repairJson(text);
  if (whole !== null && !whole.cut && text.slice(whole.end).trim() === "") return [whole.value];
  let from = 0;
  for (let start = 0; start < REPLY_STARTS; start += 1) {
    const next = text.slice(from).search(/[[{]/);
    if (next < 0) break;
    const found = repairJson(text.slice(from + next));
    if (found !== null && !found.cut) values.push(found.value);
    from += next + Math.max(1, found?.end ?? 1);
  }
  return values;
}

function judge(reader: z.ZodType, value: unknown, repaired: boolean): StructuredAnswer {
  // A reader of a schema that refers to itself goes as deep as the value does.
  if (depthOf(value) > JSON_DEPTH) return { ok: false, problem: `answer: nested deeper than ${JSON_DEPTH} levels` };
  const parsed = reader.safeParse(value);
  if (parsed.success) return { ok: true, json: JSON.stringify(parsed.data), repaired };
  const issues = parsed.error.issues
    .slice(0, 5)
    .map((issue) => `${issue.path.join(".") || "answer"}: ${issue.message}`);
  return { ok: false, problem: issues.join("; ") };
}
