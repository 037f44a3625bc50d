/**
 * Driver: a way to reach models.
 *
 * `infer` never throws and its events never fail: every failure, also of the network, is an `error` event, after which
 * nothing follows. Aborting the signal ends the events and the provider's work.
 */
import type { SystemCall, ToolDefinition } from "#shared/calls.ts";
import type { Failure } from "#shared/errors.ts";
import type { ModelCard } from "#shared/models.ts";
import type { Message } from "#kernel/proc/messages.ts";
import type { ModelFault } from "#kernel/proc/trouble.ts";

export interface InferRequest {
  readonly model: string;
  readonly messages: readonly Message[];
  readonly tools: readonly ToolDefinition[];
  /** JSON schema the answer must meet, or null for free text. */
  readonly reply: Readonly<Record<string, unknown>> | null;
  /** Stable per process, so that a provider can send its calls to the same prefix cache. */
  readonly affinity: string;
  /** What is known of the model: its template, whether it answers in a schema, whether it queues. The name's guess when absent. */
  readonly card?: ModelCard | null;
  /** Name of the adapter to apply, for providers that take one. */
  readonly lora?: string;
  /** Tokens the answer may have at the most; the provider's own limit when absent. */
  readonly maxTokens?: number;
  /** True for work that nobody waits for: it may be refused while the provider is busy, or queued by it. */
  readonly background?: boolean;
}

export interface InferUsage {
  readonly inputTokens: number;
  readonly cachedTokens: number;
  readonly outputTokens: number;
}

/** What went wrong; the words are explained where they are decided by. */
export type Fault = ModelFault;

export type InferEvent =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "calls"; readonly calls: readonly SystemCall[] }
  | { readonly type: "usage"; readonly usage: InferUsage }
  | {
      readonly type: "error";
      readonly error: Failure;
      /** Whether the same call, made again later, can succeed. */
      readonly retryable: boolean;
      readonly fault?: Fault;
      /** Milliseconds the provider asked to wait. */
      readonly retryAfterMs?: number;
    };

/** What one provider answered when it was asked for its models. */
export interface ModelList {
  readonly provider: string;
  readonly cards: readonly ModelCard[];
}

export interface Driver {
  /**
   * The list of every provider that answered, for a driver of several: one that is missing did not answer. Rejects when none did.
   * A driver without it answers for one provider, or leaves out of `models` those that did not answer.
   */
  lists?(): Promise<readonly ModelList[]>;
  /** The models it serves, as its provider lists them. Rejects when the provider does not answer. */
  models(): Promise<readonly ModelCard[]>;
  infer(request: InferRequest, signal: AbortSignal): AsyncIterable<InferEvent>;
}
