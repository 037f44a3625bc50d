/**
 * Workers AI queue: background work that the platform answers when it has capacity (https://developers.cloudflare.com/workers-ai/features/batch-api/).
 *
 * A request is queued once and then asked for, less and less often, until its answer is there or the caller gives up. One that was
 * given up stays queued: the same request asked for later takes up its answer instead of queueing it again. That memory is
 * the isolate's, so a restart costs a second request at the most.
 */
import { z } from "zod";
import { AI_POLL_MOST_MS, AI_POLL_MS, AI_QUEUE_WAIT_MS, AI_QUEUED_MOST, INFERENCE_SILENCE_MS } from "#shared/limits.ts";
import { DriverError } from "#kernel/infer/drivers/faults.ts";
import { within } from "#kernel/infer/drivers/patience.ts";
import type { AiBinding, WorkersAiOptions } from "#kernel/infer/drivers/workers-ai.ts";
import { pause } from "#kernel/proc/pause.ts";

export interface AiQueue {
  /** Whether this very request is queued already. */
  holds(model: string, inputs: Readonly<Record<string, unknown>>): boolean;
  /** The answer of a queued request, as the model gave it. Rejects with what the platform threw, or a `DriverError`. */
  run(
    model: string,
    inputs: Readonly<Record<string, unknown>>,
    options: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ): Promise<unknown>;
}

export function aiQueue(
  ai: AiBinding,
  { silenceMs = INFERENCE_SILENCE_MS, pollMs = AI_POLL_MS }: WorkersAiOptions,
): AiQueue {
  const queued = new Map<string, string>();
  const keyOf = (model: string, inputs: unknown): string => `${model} ${JSON.stringify(inputs)}`;
  return {
    holds: (model, inputs) => queued.has(keyOf(model, inputs)),
    async run(model, inputs, whole, signal) {
      const { rejectIfBusy: _, ...options } = whole;
      const key = keyOf(model, inputs);
      let id = queued.get(key);
      if (id === undefined) {
        const answer = await within(
          ai.run(model, asQueued(inputs), { ...options, queueRequest: true }),
          signal,
          silenceMs,
        );
        const early = resultOf(answer);
        if (early !== null) return early.value;
        id = readId(answer);
        queued.set(key, id);
        const oldest = queued.keys().next().value;
        if (queued.size > AI_QUEUED_MOST && oldest !== undefined) queued.delete(oldest);
      }
      try {
        const value = await poll(ai, { model, id, options, pollMs, silenceMs }, signal);
        queued.delete(key);
        return value;
      } catch (error) {
        if (!signal.aborted) queued.delete(key);
        throw error;
      }
    },
  };
}

/** A queued request cannot stream. */
function asQueued(inputs: Readonly<Record<string, unknown>>): unknown {
  const { stream: _, ...rest } = inputs;
  return { requests: [rest] };
}

interface Ticket {
  readonly model: string;
  readonly id: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly pollMs: number;
  readonly silenceMs: number;
}

async function poll(ai: AiBinding, ticket: Ticket, signal: AbortSignal): Promise<unknown> {
  const end = Date.now() + AI_QUEUE_WAIT_MS;
  for (let wait = ticket.pollMs; Date.now() < end; wait = Math.min(wait * 2, AI_POLL_MOST_MS)) {
    await pause(wait, signal);
    const asked = ai.run(ticket.model, { request_id: ticket.id }, ticket.options);
    const result = resultOf(await within(asked, signal, ticket.silenceMs));
    if (result !== null) return result.value;
  }
  throw new DriverError("timeout");
}

function readId(answer: unknown): string {
  const parsed = z.object({ request_id: z.string().min(1) }).safeParse(answer);
  if (!parsed.success) throw new DriverError("malformed");
  return parsed.data.request_id;
}

const waiting = z.object({ status: z.enum(["queued", "running"]) });
const answered = z.object({ responses: z.array(z.unknown()).min(1) });
const single = z.object({
  success: z.boolean().default(true),
  result: z.unknown().optional(),
  error: z.unknown().optional(),
});

/** Null while the request waits. Throws what the platform says of a request that failed. */
function resultOf(answer: unknown): { readonly value: unknown } | null {
  if (waiting.safeParse(answer).success) return null;
  const parsed = single.safeParse(answered.safeParse(answer).data?.responses[0]);
  if (!parsed.success) throw new DriverError("malformed");
  if (parsed.data.success && parsed.data.result !== undefined) return { value: parsed.data.result };
  const { error } = parsed.data;
  throw new Error(typeof error === "string" ? error : JSON.stringify(error ?? ""));
}
