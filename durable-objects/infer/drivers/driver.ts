/**
 * Driver: a way to reach models.
 *
 * `infer` never throws and its events never fail: every failure, also of the network, is an `error` event, after which
 * nothing follows. Aborting the signal ends the events and the provider's work.
 */
import type { SystemCall, ToolDefinition } from "#shared/calls.ts";
import type { Failure } from "#shared/errors.ts";
import type { Message } from "#kernel/proc/messages.ts";

export interface InferRequest {
  readonly model: string;
  readonly messages: readonly Message[];
  readonly tools: readonly ToolDefinition[];
  /** JSON schema the answer must meet, or null for free text. */
  readonly reply: Readonly<Record<string, unknown>> | null;
  /** Stable per process, so that a provider can send its calls to the same prefix cache. */
  readonly affinity: string;
}

export interface InferUsage {
  readonly inputTokens: number;
  readonly cachedTokens: number;
  readonly outputTokens: number;
}

export type InferEvent =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "calls"; readonly calls: readonly SystemCall[] }
  | { readonly type: "usage"; readonly usage: InferUsage }
  | { readonly type: "error"; readonly error: Failure; readonly retryable: boolean };

export interface ModelCard {
  readonly id: string;
  readonly contextWindow: number | null;
  readonly tools: boolean;
  readonly lora: boolean;
  /** True for an engine that only quotes: it can retell nothing in words of its own. */
  readonly extractive?: boolean;
}

export interface Driver {
  models(): Promise<readonly ModelCard[]>;
  infer(request: InferRequest, signal: AbortSignal): AsyncIterable<InferEvent>;
}
