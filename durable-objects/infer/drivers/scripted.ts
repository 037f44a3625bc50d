/**
 * Scripted driver: answers from a list, for tests of the kernel that need a model to say exactly this.
 *
 * Each inference takes the next entry; when the list is used up, the inference fails and says so.
 */
import { failure } from "#shared/errors.ts";
import type { ModelCard } from "#shared/models.ts";
import type { Driver, InferEvent, InferRequest } from "#kernel/infer/drivers/driver.ts";

const SCRIPT_ENDED: InferEvent = {
  type: "error",
  error: failure("model_unavailable", "The script has ended."),
  retryable: false,
};

const CARD: ModelCard = {
  id: "scripted",
  provider: "scripted",
  family: "other",
  contextWindow: null,
  tools: true,
  lora: null,
  json: null,
  asyncQueue: null,
  extractive: false,
  languages: null,
  price: null,
  latency: "fast",
  endsAt: null,
  source: "configured",
};

export interface ScriptedDriver extends Driver {
  /** The requests so far, in order. */
  readonly requests: readonly InferRequest[];
}

export function scripted(script: readonly (readonly InferEvent[])[]): ScriptedDriver {
  const requests: InferRequest[] = [];
  return {
    requests,
    models: () => Promise.resolve([CARD]),
    infer(request) {
      const events = script[requests.length];
      requests.push(request);
      return play(events ?? [SCRIPT_ENDED]);
    },
  };
}

async function* play(events: readonly InferEvent[]): AsyncGenerator<InferEvent> {
  for (const event of events) yield await Promise.resolve(event);
}
