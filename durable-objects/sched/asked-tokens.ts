/**
 * Asked tokens: how much of a provider's tokens per minute a run's next inference may take, guessed before its prompt is made.
 *
 * Only counted when the deployment names such a rate. The guess is on the high side, and corrected by what the provider reports.
 */
import { ANSWER_TOKENS, PINNED_TOKENS, TAIL_TOKENS } from "#shared/limits.ts";
import { estimateTokens } from "#shared/tokens.ts";
import type { Kernel } from "#kernel/kernel.ts";
import type { LiveRun } from "#kernel/proc/live-run.ts";
import { threadBody } from "#kernel/proc/messages.ts";
import { limitsOf } from "#kernel/sched/pool-limits.ts";

export function askedTokens(kernel: Kernel, run: LiveRun): number {
  if (limitsOf(kernel.env, run.model).tokensPerMinute === null) return 0;
  const earlier = run.conversation ?? threadBody(kernel, run.thread, run.id);
  const said = [...earlier, ...run.messages].reduce((sum, { content }) => sum + estimateTokens(content), 0);
  return said + estimateTokens(run.instruction.text) + PINNED_TOKENS + TAIL_TOKENS + ANSWER_TOKENS;
}
