/**
 * Counted reading: a call of a model that reads texts and says nothing (it embeds or reranks them), within the budget and counted.
 *
 * Such models report no tokens, so what they read is estimated. Rejects as the call does, and when a limit is in the way: whoever asked
 * goes on without.
 */
import { estimateTokens } from "#shared/tokens.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { reserveBudget } from "#kernel/proc/budget.ts";
import { RunFailure } from "#kernel/proc/run-failure.ts";
import { settleCall } from "#kernel/proc/usage.ts";

export interface Reading {
  readonly model: string;
  readonly purpose: string;
  readonly texts: readonly string[];
}

export async function counted<Value>(
  kernel: Kernel,
  { model, purpose, texts }: Reading,
  call: () => Promise<Value>,
): Promise<Value> {
  const inputTokens = texts.reduce((sum, text) => sum + estimateTokens(text), 0);
  const reserved = await reserveBudget(kernel, { model, purpose, inputTokens, maxOutputTokens: 0 });
  const reservation = RunFailure.unwrap(reserved);
  const startedAt = kernel.now();
  const answer = await call().catch((error: unknown) => {
    settleCall(kernel, reservation, { usage: null, ms: 0, run: null });
    throw error;
  });
  const usage = { inputTokens, cachedTokens: 0, outputTokens: 0 };
  settleCall(kernel, reservation, { usage, ms: kernel.now() - startedAt, run: null });
  return answer;
}
