/**
 * Form: how a request goes out by what is known of its model, and the tail that reads what comes of it.
 *
 * Where no card is given, the model's name tells its family and everything else is unknown, which never stands in the way.
 */
import type { ToolDefinition } from "#shared/calls.ts";
import { unknownCard } from "#shared/models.ts";
import type { InferEvent, InferRequest } from "#kernel/infer/drivers/driver.ts";
import { templateOf } from "#kernel/infer/families/table.ts";
import { head, headOptions, type ProviderMessage } from "#kernel/infer/head.ts";
import { isPlain } from "#kernel/infer/plain.ts";
import { Tail } from "#kernel/infer/tail.ts";

export interface Form {
  readonly messages: readonly ProviderMessage[];
  /** What goes out as tools; a model that takes none is told of them in its messages. */
  readonly tools: readonly ToolDefinition[];
  /** The schema to ask for, or null. */
  readonly reply: Readonly<Record<string, unknown>> | null;
  readonly tail: Tail;
}

export function formOf(request: InferRequest): Form {
  const card = request.card ?? unknownCard(request.model);
  // An adapter is not told of tools: it was trained without them.
  const options = headOptions(card, request.lora === undefined ? request.tools : []);
  return {
    messages: head(request.messages, options),
    tools: options.describe === null ? request.tools : [],
    reply: card.json === false ? null : request.reply,
    tail: new Tail(makeId, {
      tools: request.tools.map((tool) => tool.function.name),
      family: card.family,
      quoted: isPlain(options),
      prompt: request.messages,
    }),
  };
}

/** The request as one text by the template of the model's family, without tools; null for a family that has none here. */
export function rawFormOf(request: InferRequest): { readonly prompt: string; readonly tail: Tail } | null {
  const { family } = request.card ?? unknownCard(request.model);
  const raw = templateOf(request.model, family)?.render(request.messages, []);
  return raw === undefined
    ? null
    : { prompt: raw.prompt, tail: new Tail(makeId, { family, raw: true, prompt: request.messages }) };
}

/** What a tail held back, then the calls it found. */
export function endOf(tail: Tail): InferEvent[] {
  const held = tail.end();
  const calls = tail.calls();
  return calls.length === 0 ? held : [...held, { type: "calls", calls }];
}

function makeId(index: number): string {
  return `call_${index}`;
}
