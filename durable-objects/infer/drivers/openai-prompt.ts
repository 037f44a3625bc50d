/**
 * OpenAI prompt: canonical transcript → what the AI SDK's chat model takes for a call.
 */
import type { OpenAIChatLanguageModel } from "@ai-sdk/openai/internal";
import type { InferRequest } from "#kernel/infer/drivers/driver.ts";
import type { Form } from "#kernel/infer/drivers/form.ts";
import type { ProviderMessage } from "#kernel/infer/head.ts";

export type CallOptions = Parameters<OpenAIChatLanguageModel["doStream"]>[0];
type Prompt = CallOptions["prompt"];
type Tool = NonNullable<CallOptions["tools"]>[number];

/** Prompt, tools, answer format and length of a request. */
export function callOptions(request: InferRequest, { messages, tools, reply }: Form): CallOptions {
  const names = new Map(messages.flatMap((message) => message.tool_calls ?? []).map((call) => [call.id, call]));
  return {
    prompt: messages.map((message) => promptMessage(message, (id) => names.get(id)?.function.name ?? "unknown")),
    ...(tools.length === 0 ? {} : { tools: tools.map(sdkTool) }),
    ...(reply === null ? {} : { responseFormat: { type: "json" as const, schema: reply, name: "reply" } }),
    ...(request.maxTokens === undefined ? {} : { maxOutputTokens: request.maxTokens }),
    // A person's schema need not be one of those that OpenAI can hold a model to word for word.
    providerOptions: { openai: { strictJsonSchema: false } },
  };
}

function promptMessage(message: ProviderMessage, nameOf: (id: string) => string): Prompt[number] {
  switch (message.role) {
    case "system":
      return { role: "system", content: message.content };
    case "user":
      return { role: "user", content: [{ type: "text", text: message.content }] };
    case "assistant":
      return {
        role: "assistant",
        content: [
          ...(message.content === "" ? [] : [{ type: "text" as const, text: message.content }]),
          ...(message.tool_calls ?? []).map((call) => ({
            type: "tool-call" as const,
            toolCallId: call.id,
            toolName: call.function.name,
            input: JSON.parse(call.function.arguments) as unknown,
          })),
        ],
      };
    case "tool": {
      const id = message.tool_call_id ?? "";
      const output = { type: "text" as const, value: message.content };
      return { role: "tool", content: [{ type: "tool-result", toolCallId: id, toolName: nameOf(id), output }] };
    }
  }
}

function sdkTool({ function: { name, description, parameters } }: InferRequest["tools"][number]): Tool {
  return {
    type: "function",
    name,
    description,
    inputSchema: parameters as Extract<Tool, { inputSchema: unknown }>["inputSchema"],
  };
}
