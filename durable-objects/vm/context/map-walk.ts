/**
 * Map walk: fills the tail of a run that asks for a walk along time (`enumerate.ts`) with many short lines instead of few pages.
 *
 * Pages named by handle come first, in full. The lines after them are the nearest to the topic that fit, in the order of time.
 * They are what was said: questions and the process's own answers are listed too when a summary is asked for, for such a
 * question is about the conversation itself.
 */
import { ENUMERATED_WORDS_TOKENS, WALK_TOKENS } from "#shared/limits.ts";
import { estimateTokens } from "#shared/tokens.ts";
import type { LiveRun } from "#kernel/proc/live-run.ts";
import { fitLines, walkLine } from "#kernel/vm/search/enumerate.ts";
import type { ResidentPage } from "#kernel/vm/page.ts";
import type { TailEntry } from "#kernel/vm/pager/plan-tail.ts";
import { lineTokens } from "#kernel/vm/context/tail.ts";

/** `pages`: those named, and the nearest to the topic first. Answers what the tail shows, in its order. */
export function mapWalk(run: LiveRun, pages: readonly ResidentPage[]): TailEntry[] {
  const isNamed = (page: { readonly number: number }): boolean => run.named.includes(page.number);
  let left = WALK_TOKENS;
  const whole = pages.filter(isNamed).flatMap((page): TailEntry[] => {
    const { tokens } = lineTokens(page);
    if (tokens > left) return [];
    left -= tokens;
    return [{ page: page.number, how: "whole", tokens }];
  });
  const lines = pages
    .filter((page) => !isNamed(page))
    .map((page) => ({ number: page.number, at: page.at, tokens: estimateTokens(walkLine(page, run.query)) + 1 }));
  const walk = fitLines(lines, left).map(({ number, tokens }): TailEntry => ({ page: number, how: "excerpt", tokens }));
  run.tail = [...whole, ...walk].map((entry) => entry.page);
  run.above = new Set();
  run.cuts = new Map(walk.map(({ page }) => [page, ENUMERATED_WORDS_TOKENS]));
  return [...whole, ...walk];
}
