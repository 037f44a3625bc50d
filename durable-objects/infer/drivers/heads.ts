/**
 * Heads: how every driver writes the transcript and the tools of a request, by what is known of its model's server.
 */
import type { ToolDefinition } from "#shared/calls.ts";
import { familyOf } from "#shared/models.ts";
import type { InferRequest } from "#kernel/infer/drivers/driver.ts";
import { head, headOptions, type ProviderMessage } from "#kernel/infer/head.ts";
import type { PlainOptions } from "#kernel/infer/plain.ts";

export interface Written {
  readonly messages: readonly ProviderMessage[];
  /** What goes into the request's own field; none when the text tells of them. */
  readonly tools: readonly ToolDefinition[];
}

export function writeHead(request: InferRequest): Written {
  const options = optionsFor(request);
  return { messages: head(request.messages, options), tools: options.describe === null ? request.tools : [] };
}

/** The family is the name's guess where no card tells it. An adapter is not told of tools: it was trained without them. */
export function optionsFor({ card, model, tools, lora }: InferRequest): PlainOptions {
  const known = { family: card?.family ?? familyOf(model), tools: card?.tools ?? null };
  return headOptions(known, lora === undefined ? tools : []);
}
