/**
 * The extractive engine: the deterministic model that Lamina answers with when there are no weights.
 *
 * Use: `extractive(messages, tools)` with the kernel's prompt; the result is a text to stream or tool calls for the kernel to run.
 *
 * What must hold: pure and total (any messages, no clock, no I/O, never throws); it acts only by tools that are offered, at most one
 * search for an instruction; it cites only handles of pages in the prompt, and abstains when they do not support an answer.
 */
import { readEvidence } from "#workers/local-ai/evidence.ts";
import type { ChatMessage, EngineOutput, ToolDefinition } from "#workers/local-ai/messages.ts";
import { plan } from "#workers/local-ai/plan.ts";

export type { ChatMessage, EngineOutput, PlannedCall, ToolCall, ToolDefinition } from "#workers/local-ai/messages.ts";

export function extractive(messages: readonly ChatMessage[], tools: readonly ToolDefinition[]): EngineOutput {
  return plan(readEvidence(messages), new Set(tools.map((tool) => tool.function.name)));
}
