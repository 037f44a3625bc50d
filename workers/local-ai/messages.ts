/**
 * The shapes that the extractive engine reads and answers with: chat messages in, text or tool calls out.
 *
 * Use: import the types; `EngineOutput` is either a finished text or tool calls for the kernel to run.
 *
 * What must hold: these are the OpenAI chat shapes, narrowed to what the kernel sends to its `AI` binding.
 */

export interface ToolCall {
  id: string;
  type: "function";
  function: { name: string; arguments: string };
}

export interface ChatMessage {
  role: "system" | "user" | "assistant" | "tool";
  content: string | null;
  tool_calls?: ToolCall[];
  tool_call_id?: string;
}

export interface ToolDefinition {
  type: "function";
  function: { name: string; description?: string; parameters?: unknown };
}

export interface PlannedCall {
  name: string;
  arguments: Record<string, unknown>;
}

export type EngineOutput = { kind: "text"; text: string } | { kind: "tool-calls"; calls: PlannedCall[] };
