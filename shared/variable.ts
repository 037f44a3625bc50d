/**
 * Variable: what a deployment sets as JSON in a variable of its environment.
 *
 * `readVariable` answers null for one that is absent or empty, and for one that its schema refuses: then the log has the event and
 * where in the JSON it went wrong, never what stands there.
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
  const read = schema.safeParse(parseJson(text));
  if (read.success) return read.data;
  logEvent(event, { at: read.error.issues.map(({ path }) => path.join(".")).join(", ") }, "error");
  return null;
}
