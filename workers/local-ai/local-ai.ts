/**
 * LocalAi: the `AI` binding of local development, with the contract of Workers AI's `run` and `models`.
 *
 * It answers with the extractive engine: deterministic, without weights, and honest about what it cannot do. Inputs, tool
 * calls, streams, usage and error codes are those of Workers AI's chat models, so that the path from kernel to model is the
 * one of production. Production does not bundle this file.
 */
import { WorkerEntrypoint } from "cloudflare:workers";
import { z } from "zod";
import { BODY_BYTES } from "#shared/limits.ts";
import { estimateTokens } from "#shared/tokens.ts";
import { encodeEvent } from "#shared/wire.ts";
import { aiError } from "#workers/local-ai/errors.ts";
import { extractive, type EngineOutput } from "#workers/local-ai/extractive.ts";

export const EXTRACTIVE_MODEL = "lamina/extractive";

const toolCallSchema = z.object({
  id: z.string(),
  type: z.literal("function"),
  function: z.object({ name: z.string(), arguments: z.string() }),
});

const inputsSchema = z.object({
  messages: z
    .array(
      z.object({
        role: z.enum(["system", "user", "assistant", "tool"]),
        content: z.string().nullable(),
        tool_calls: z.array(toolCallSchema).optional(),
        tool_call_id: z.string().optional(),
      }),
    )
    .min(1),
  tools: z
    .array(
      z.object({
        type: z.literal("function"),
        function: z.object({
          name: z.string(),
          description: z.string().optional(),
          parameters: z.unknown().optional(),
        }),
      }),
    )
    .optional(),
  stream: z.boolean().optional(),
  lora: z.string().optional(),
});

type Inputs = z.infer<typeof inputsSchema>;

/** Without `undefined` fields, as the engine's types want it. */
function plainMessages(inputs: Inputs): Parameters<typeof extractive>[0] {
  return inputs.messages.map(({ role, content, tool_calls, tool_call_id }) => ({
    role,
    content,
    ...(tool_calls === undefined ? {} : { tool_calls }),
    ...(tool_call_id === undefined ? {} : { tool_call_id }),
  }));
}

function plainTools(inputs: Inputs): Parameters<typeof extractive>[1] {
  return (inputs.tools ?? []).map((tool) => ({
    type: tool.type,
    function: {
      name: tool.function.name,
      ...(tool.function.description === undefined ? {} : { description: tool.function.description }),
      parameters: tool.function.parameters,
    },
  }));
}

function toolCalls(output: EngineOutput): unknown[] | undefined {
  if (output.kind !== "tool-calls") return undefined;
  return output.calls.map((call, index) => ({
    index,
    id: `call_${index}`,
    type: "function",
    function: { name: call.name, arguments: JSON.stringify(call.arguments) },
  }));
}

function usageOf(inputs: Inputs, output: EngineOutput): Record<string, number> {
  const prompt = inputs.messages.reduce((sum, message) => sum + estimateTokens(message.content ?? ""), 0);
  const completion = estimateTokens(output.kind === "text" ? output.text : JSON.stringify(output.calls));
  return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
}

function wholeAnswer(output: EngineOutput, usage: Record<string, number>): unknown {
  const calls = toolCalls(output);
  const message = {
    role: "assistant",
    content: output.kind === "text" ? output.text : null,
    ...(calls === undefined ? {} : { tool_calls: calls }),
  };
  const finish = calls === undefined ? "stop" : "tool_calls";
  return { object: "chat.completion", choices: [{ index: 0, message, finish_reason: finish }], usage };
}

/** Text goes out word by word, as a model would say it. */
function pieces(text: string): string[] {
  return text.match(/\s*\S+\s*$|\s*\S+/g) ?? [];
}

function streamedAnswer(output: EngineOutput, usage: Record<string, number>): ReadableStream<Uint8Array> {
  const calls = toolCalls(output);
  const deltas: unknown[] =
    output.kind === "text" ? pieces(output.text).map((content) => ({ content })) : [{ tool_calls: calls }];
  const events = [
    ...deltas.map((delta) => JSON.stringify({ object: "chat.completion.chunk", choices: [{ index: 0, delta }] })),
    JSON.stringify({
      object: "chat.completion.chunk",
      choices: [{ index: 0, delta: {}, finish_reason: calls === undefined ? "stop" : "tool_calls" }],
      usage,
    }),
    "[DONE]",
  ];
  const bytes = new TextEncoder().encode(events.map((event) => encodeEvent(event)).join(""));
  return new Response(bytes).body ?? new ReadableStream();
}

export class LocalAi extends WorkerEntrypoint<Cloudflare.Env> {
  /** One inference. Throws `<code>: <description>` as the binding of Workers AI does. */
  run(model: string, inputs: unknown, _options?: unknown): unknown {
    if (model !== EXTRACTIVE_MODEL) throw aiError(5007, model);
    const parsed = inputsSchema.safeParse(inputs);
    if (!parsed.success) throw aiError(5004, parsed.error.issues[0]?.message ?? "");
    if (parsed.data.lora !== undefined) throw aiError(5005);
    if (JSON.stringify(parsed.data.messages).length > BODY_BYTES) throw aiError(3006);
    const output = extractive(plainMessages(parsed.data), plainTools(parsed.data));
    const usage = usageOf(parsed.data, output);
    return parsed.data.stream === true ? streamedAnswer(output, usage) : wholeAnswer(output, usage);
  }

  /** The models there are, in the shape of `AI.models()`. */
  models(_parameters?: unknown): unknown {
    return [
      {
        id: "lamina-extractive",
        name: EXTRACTIVE_MODEL,
        description: "Answers from pages by quoting them. No weights, no world knowledge.",
        task: { id: "text-generation", name: "Text Generation", description: "" },
        tags: [],
        properties: [
          { property_id: "context_window", value: "131072" },
          { property_id: "function_calling", value: "true" },
          { property_id: "extractive", value: "true" },
        ],
      },
    ];
  }
}
