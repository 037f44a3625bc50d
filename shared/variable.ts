/**
 * Variable: what a deployment sets as JSON in a variable of its environment.
 *
 * `readVariable` answers null for one that is absent or empty, and for one that its schema refuses: then the log has the event,
 * where in the JSON it went wrong and what was expected there, never what stands there.
 */
import type { z } from "zod";
import { logEvent } from "#shared/log.ts";
import { parseJson } from "#shared/parse-json.ts";

export function readVariable<Schema extends z.ZodType>(
  text: string | undefined,
  schema: Schema,
  event: string,
): z.output<Schema> | null {
  if (text === undefined || text.trim() === "") return null;
  const value = parseJson(text);
  const read = schema.safeParse(value);
  if (read.success) return read.data;
  logEvent(event, value === undefined ? { problem: "is no JSON" } : { problem: problemOf(read.error) }, "error");
  return null;
}

/** Where a setting is wrong and what was expected there, in the schema's words, which quote no values. */
export function problemOf({ issues }: z.ZodError): string {
  return issues.map(({ path, message }) => (path.length === 0 ? message : `${path.join(".")}: ${message}`)).join("; ");
}
