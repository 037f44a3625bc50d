/**
 * Scripted driver: answers from a list, for tests of the kernel that need a model to say exactly this.
 *
 * Each inference takes the next entry: events, or a function that makes them; when the list is used up, the inference fails and
 * says so. An abort of the signal ends the events, also of an entry that would never end by itself.
 */
import { INFERENCE_SILENCE_MS } from "#shared/limits.ts";
import { unknownCard, type ModelCard } from "#shared/models.ts";
import type { Driver, InferEvent, InferRequest } from "#kernel/infer/drivers/driver.ts";
import { errorEvent, eventOf } from "#kernel/infer/drivers/faults.ts";
import { within } from "#kernel/infer/drivers/patience.ts";

const SCRIPT_ENDED = errorEvent("refused", { code: "model_unavailable", detail: "The script has ended." });

const CARD: ModelCard = { ...unknownCard("scripted", "scripted"), tools: true, latency: "fast" };

/** One inference: its events, or what makes them. */
export type Scene = readonly InferEvent[] | ((request: InferRequest, signal: AbortSignal) => AsyncIterable<InferEvent>);

export interface ScriptedDriver extends Driver {
  /** The requests so far, in order. */
  readonly requests: readonly InferRequest[];
}

export function scripted(script: readonly Scene[]): ScriptedDriver {
  const requests: InferRequest[] = [];
  return {
    requests,
    models: () => Promise.resolve([CARD]),
    infer(request, signal) {
      const scene = script[requests.length] ?? [SCRIPT_ENDED];
      requests.push(request);
      return play(typeof scene === "function" ? scene(request, signal) : replay(scene), signal);
    },
  };
}

async function* replay(events: readonly InferEvent[]): AsyncGenerator<InferEvent> {
  for (const event of events) yield await Promise.resolve(event);
}

/** What comes behind an error is not said. */
async function* play(events: AsyncIterable<InferEvent>, signal: AbortSignal): AsyncGenerator<InferEvent> {
  const source = events[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await within(source.next(), signal, INFERENCE_SILENCE_MS);
      if (next.done === true) return;
      yield next.value;
      if (next.value.type === "error") return;
    }
  } catch (error) {
    yield eventOf(error, signal);
  } finally {
    void source.return?.().catch(() => undefined);
  }
}
