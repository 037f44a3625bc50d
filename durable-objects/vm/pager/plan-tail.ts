/**
 * Plan tail: which of the candidates for one call are shown, and how, within a budget of tokens.
 *
 * Candidates come best first. One that stands in the prompt already takes a pointer, not its words once more; only the best of
 * those are pointed to, because the model reads them anyway. One that was asked for by name comes before what a search found. The rest is chosen by chance per token (`choose-tail.ts`). A page longer
 * than an excerpt is shown in part; one asked for by name in full, as far as the budget goes. Pure.
 */
import { chooseTail } from "#kernel/vm/pager/choose-tail.ts";

export interface PlannedPage {
  readonly page: number;
  /** As the search answers it; 0 for one that no search found. */
  readonly score: number;
  /** Tokens of its line when it is shown whole, and of what frames its words in it. */
  readonly tokens: number;
  readonly frame: number;
  readonly named: boolean;
  /** Stands in the frozen prefix or in the body. */
  readonly above: boolean;
}

export interface TailEntry {
  readonly page: number;
  readonly how: "whole" | "excerpt" | "pointer";
  /** Tokens of its line. */
  readonly tokens: number;
}

export interface TailBudget {
  readonly tokens: number;
  /** Tokens of words that an excerpt has. */
  readonly excerpt: number;
  /** Tokens of a line that points to where a page stands. */
  readonly pointer: number;
  /** Pointers to what a search found, at the most. */
  readonly pointers: number;
}

/** An excerpt of fewer tokens than this says nothing. */
const LEAST_EXCERPT = 80;

export function planTail(candidates: readonly PlannedPage[], budget: TailBudget): TailEntry[] {
  const planned = new Map<number, TailEntry>();
  let left = budget.tokens;
  const take = (entry: TailEntry | null): void => {
    if (entry === null || entry.tokens > left) return;
    planned.set(entry.page, entry);
    left -= entry.tokens;
  };
  const found = candidates.filter((candidate) => !candidate.named);
  const pointed = new Set(found.filter((candidate) => candidate.above).slice(0, budget.pointers));
  for (const candidate of candidates) {
    if (candidate.above && (candidate.named || pointed.has(candidate)))
      take({ page: candidate.page, how: "pointer", tokens: budget.pointer });
    else if (candidate.named) take(inFull(candidate, left));
  }
  const absent = found
    .filter((candidate) => !candidate.above)
    .map((candidate) => ({ ...inPart(candidate, budget.excerpt), score: candidate.score }));
  for (const { page, how, tokens } of chooseTail(absent, left)) take({ page, how, tokens });
  return candidates.flatMap(({ page }) => planned.get(page) ?? []);
}

function inFull({ page, tokens, frame }: PlannedPage, left: number): TailEntry | null {
  if (tokens <= left) return { page, how: "whole", tokens };
  return left - frame < LEAST_EXCERPT ? null : { page, how: "excerpt", tokens: left };
}

function inPart({ page, tokens, frame }: PlannedPage, excerpt: number): TailEntry {
  return tokens <= frame + excerpt ? { page, how: "whole", tokens } : { page, how: "excerpt", tokens: frame + excerpt };
}
