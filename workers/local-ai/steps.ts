/**
 * The two shapes of an output, and how a failed tool result reads.
 *
 * Use: `say(text)`, `call(name, arguments)`, `failure(result)`.
 *
 * What must hold: a result that is no JSON object counts as failed; nothing is taken from it.
 */
import type { ToolResult } from "#workers/local-ai/evidence.ts";
import type { EngineOutput } from "#workers/local-ai/messages.ts";

export function say(text: string): EngineOutput {
  return { kind: "text", text };
}

export function call(name: string, parameters: Record<string, unknown>): EngineOutput {
  return { kind: "tool-calls", calls: [{ name, arguments: parameters }] };
}

/** The detail of a failed call, null when it worked. */
export function failure(result: ToolResult): string | null {
  if (result.result === null) return "no readable result";
  const error = result.result.error;
  if (error === undefined || error === null) return null;
  const fields = new Map(typeof error === "object" ? Object.entries(error) : []);
  const detail = fields.get("detail") ?? fields.get("code");
  return typeof detail === "string" ? detail : "unknown error";
}
