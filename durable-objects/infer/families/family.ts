/**
 * Family: the raw chat template of a kind of models, for a model that is asked with one text instead of messages.
 *
 * `render` is its head, `parse` its tail: what a template writes for an answer is parsed to the same text and the same calls, and
 * `read` gives back the transcript of a whole prompt. Families without ids for calls make them anew, in order. Nobody's words can
 * open a turn or make a call: marks in them are quoted (`quote.ts`).
 */
import type { SystemCall, ToolDefinition } from "#shared/calls.ts";
import type { Message } from "#kernel/proc/messages.ts";

export interface RawPrompt {
  /** The whole text, up to where the model's answer begins. */
  readonly prompt: string;
  /** The answer ends before the first of these. */
  readonly stop: readonly string[];
}

export interface Family {
  render(messages: readonly Message[], tools: readonly ToolDefinition[]): RawPrompt;
  /** An answer: what the model wrote behind the prompt, with or without the mark that ends it. */
  parse(output: string): Message;
  /** The transcript of a prompt that `render` made with these tools. */
  read(prompt: string, tools: readonly ToolDefinition[]): Message[];
}

/** A part of a transcript as a family reads it: results have no ids yet. */
export interface Turn {
  readonly role: Message["role"];
  readonly content: string;
  readonly calls?: readonly Omit<SystemCall, "id">[];
}

/** Turns as canonical messages, with ids in order: a result belongs to the next call in front of it that has none. */
export function numberCalls(turns: readonly Turn[]): Message[] {
  let made = 0;
  let answered = 0;
  return turns.map(({ role, content, calls = [] }) => {
    if (role === "tool") {
      answered += 1;
      return { role, content, toolCallId: callId(answered) };
    }
    if (calls.length === 0) return { role, content };
    return {
      role,
      content,
      toolCalls: calls.map(({ name, arguments: given }) => {
        made += 1;
        return { id: callId(made), name, arguments: given ?? {} };
      }),
    };
  });
}

/** Nine letters and digits, which is what Mistral's templates ask of an id. */
export function callId(number: number): string {
  return `c${number.toString(36).padStart(8, "0")}`;
}

/** The text in front of the first of these marks. */
export function upTo(text: string, stop: readonly string[]): string {
  const ends = stop.map((mark) => text.indexOf(mark)).filter((at) => at >= 0);
  return ends.length === 0 ? text : text.slice(0, Math.min(...ends));
}

/** A call's JSON with its fields under the names a family uses. */
export function callJson(call: Omit<SystemCall, "id">, argumentsKey: string): string {
  return `{"name": ${JSON.stringify(call.name)}, "${argumentsKey}": ${JSON.stringify(call.arguments)}}`;
}

/** The first message's text when it is the system's, and what follows it. */
export function splitSystem(messages: readonly Message[]): {
  readonly system: string | null;
  readonly rest: readonly Message[];
} {
  const [first, ...rest] = messages;
  return first?.role === "system" ? { system: first.content, rest } : { system: null, rest: messages };
}

/** Each message by itself, but the results of one answer together. */
export function groupResults(messages: readonly Message[]): Message[][] {
  const groups: Message[][] = [];
  for (const message of messages) {
    const last = groups.at(-1);
    if (message.role === "tool" && last?.[0]?.role === "tool") last.push(message);
    else groups.push([message]);
  }
  return groups;
}
