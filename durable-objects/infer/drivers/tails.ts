/**
 * Tails: how every driver opens the tail of an answer, and what comes of it at the end.
 */
import { familyOf } from "#shared/models.ts";
import type { InferEvent, InferRequest } from "#kernel/infer/drivers/driver.ts";
import { optionsFor } from "#kernel/infer/drivers/heads.ts";
import { isPlain } from "#kernel/infer/plain.ts";
import { Tail } from "#kernel/infer/tail.ts";

/** A tail that knows what was offered and shown; the family is the name's guess where no card tells it. */
export function openTail(request: InferRequest): Tail {
  return new Tail((index) => `call_${index}`, {
    tools: request.tools.map((tool) => tool.function.name),
    family: request.card?.family ?? familyOf(request.model),
    prompt: request.messages,
    quoted: isPlain(optionsFor(request)),
  });
}

/** What was held back, then the calls. */
export function endOf(tail: Tail): InferEvent[] {
  const held = tail.end();
  const calls = tail.calls();
  return calls.length === 0 ? held : [...held, { type: "calls", calls }];
}
