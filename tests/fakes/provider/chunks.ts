/**
 * Chunks: a reply as the bodies that providers send: OpenAI's chunks and completions, and Workers AI's `{response}`.
 */
import type { FakeCall, Reply } from "#tests/fakes/provider/reply.ts";

export type Shape = "openai" | "response";

const DEFAULT_TEXT = "Hello from the fake provider.";

/** What the reply says, or null when it makes calls instead. */
export function textOf(reply: Reply, wantsJson: boolean): string | null {
  if (wantsJson && "json" in reply) return typeof reply.json === "string" ? reply.json : JSON.stringify(reply.json);
  if (reply.text !== undefined) return reply.text;
  if (reply.words !== undefined) return Array.from({ length: reply.words }, (_, index) => `word${index}`).join(" ");
  return reply.calls === undefined ? DEFAULT_TEXT : null;
}

export function usageOf(reply: Reply, text: string | null): Record<string, unknown> {
  const output = reply.outputTokens ?? Math.max(1, (text ?? "").split(/\s+/).length);
  const input = reply.inputTokens ?? 10;
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    ...(reply.cachedTokens === undefined ? {} : { prompt_tokens_details: { cached_tokens: reply.cachedTokens } }),
  };
}

function argumentsText(call: FakeCall): string {
  return typeof call.arguments === "string" ? call.arguments : JSON.stringify(call.arguments);
}

function openaiCall(call: FakeCall, index: number): Record<string, unknown> {
  return {
    index,
    id: call.id ?? `call_${index}`,
    type: "function",
    function: { name: call.name, arguments: argumentsText(call) },
  };
}

/** Workers AI gives its calls no ids. */
function withoutId({ name, arguments: given }: FakeCall): Record<string, unknown> {
  return { name, arguments: given };
}

/** Calls in pieces: the name first, then the arguments in two halves. */
function openaiCallPieces(call: FakeCall, index: number): unknown[] {
  const whole = argumentsText(call);
  const middle = Math.ceil(whole.length / 2);
  const first = {
    index,
    id: call.id ?? `call_${index}`,
    type: "function",
    function: { name: call.name, arguments: "" },
  };
  const pieces = [whole.slice(0, middle), whole.slice(middle)].filter((piece) => piece !== "");
  return [first, ...pieces.map((piece) => ({ index, function: { arguments: piece } }))];
}

function openaiChunk(delta: unknown, finish: string | null = null): Record<string, unknown> {
  return {
    id: "chatcmpl-fake",
    object: "chat.completion.chunk",
    choices: [{ index: 0, delta, finish_reason: finish }],
  };
}

/** The chunks of a streamed answer, without `[DONE]`. */
export function chunksOf(reply: Reply, shape: Shape, wantsJson: boolean): unknown[] {
  const text = textOf(reply, wantsJson);
  const words = text?.match(/\s*\S+\s*$|\s*\S+|\s+$/g) ?? [];
  const calls = reply.calls ?? [];
  const usage = reply.noUsage === true ? [] : [usageOf(reply, text)];
  if (shape === "response") {
    return [
      ...words.map((response) => ({ response })),
      ...(calls.length === 0 ? [] : [{ response: "", tool_calls: calls.map(withoutId) }]),
      ...usage.map((counted) => ({ response: "", usage: counted })),
    ];
  }
  const finish = calls.length > 0 ? "tool_calls" : "stop";
  return [
    openaiChunk({ role: "assistant", content: "" }),
    ...words.map((content) => openaiChunk({ content })),
    ...calls.flatMap(openaiCallPieces).map((piece) => openaiChunk({ tool_calls: [piece] })),
    ...(reply.noFinish === true ? [] : [openaiChunk({}, finish)]),
    ...usage.map((counted) => ({ id: "chatcmpl-fake", object: "chat.completion.chunk", choices: [], usage: counted })),
  ];
}

/** A whole answer. */
export function wholeOf(reply: Reply, shape: Shape, wantsJson: boolean): unknown {
  const text = textOf(reply, wantsJson);
  const calls = reply.calls ?? [];
  const usage = reply.noUsage === true ? {} : { usage: usageOf(reply, text) };
  if (shape === "response") {
    const response = wantsJson && "json" in reply ? reply.json : (text ?? "");
    return {
      response,
      ...(calls.length === 0 ? {} : { tool_calls: calls.map(withoutId) }),
      ...usage,
    };
  }
  const message = {
    role: "assistant",
    content: text,
    ...(calls.length === 0 ? {} : { tool_calls: calls.map(openaiCall) }),
  };
  const finish = calls.length > 0 ? "tool_calls" : "stop";
  return {
    id: "chatcmpl-fake",
    object: "chat.completion",
    choices: [{ index: 0, message, finish_reason: finish }],
    ...usage,
  };
}
