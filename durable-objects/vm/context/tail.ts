/**
 * Tail: the last system message before the instruction, for this run's calls only.
 *
 *     Today: 2026-11-21 (UTC). Context: half full.        state line, of the day and in coarse steps
 *     Pinned memory changed since …                        what the frozen prefix does not say
 *     Pages mapped for this call, …                        one JSON object per line, best first
 *
 * A page that stands in the body is pointed to by its handle. Fields that say nothing are left out.
 */
import { ENUMERATED_WORDS_TOKENS } from "#shared/limits.ts";
import { estimateTokens } from "#shared/tokens.ts";
import { walkLine } from "#kernel/vm/search/enumerate.ts";
import { excerpt } from "#kernel/vm/context/excerpt.ts";
import { renderPage, type ResidentPage } from "#kernel/vm/page.ts";
import { PAGES_HEADING } from "#kernel/vm/context/preamble.ts";

export interface Tail {
  readonly now: number;
  readonly pressure: "low" | "moderate" | "high";
  readonly updates: string | null;
  readonly pages: readonly ResidentPage[];
  readonly above: ReadonlySet<number>;
  /** Page → tokens of its words to show. */
  readonly cuts: ReadonlyMap<number, number>;
  readonly query: string;
}

const PRESSURE = { low: "", moderate: " Context: half full.", high: " Context: nearly full." } as const;

export function renderTail({ now, pressure, updates, pages, above, cuts, query }: Tail): string {
  const lines = [`Today: ${new Date(now).toISOString().slice(0, 10)} (UTC)${PRESSURE[pressure]}`];
  if (updates !== null) lines.push(updates);
  if (pages.length > 0) {
    lines.push(
      PAGES_HEADING,
      ...(isWalk(pages, cuts) ? [WALK_NOTE] : []),
      ...pages.map((page) =>
        above.has(page.number) ? pointerLine(page) : pageLine(page, cuts.get(page.number), query),
      ),
    );
  }
  return lines.join("\n");
}

/** Its time is given here, finer than where it stands: of two statements it tells which is newer. */
function pointerLine(page: ResidentPage): string {
  const { handle, at, supersededBy } = renderPage(page);
  return JSON.stringify({
    handle,
    above: true,
    ...(at === null ? {} : { at }),
    ...(supersededBy === undefined ? {} : { supersededBy }),
  });
}

/** Shown so little of, pages are listed along time (`map-walk.ts`). */
function isWalk(pages: readonly ResidentPage[], cuts: ReadonlyMap<number, number>): boolean {
  return pages.some((page) => (cuts.get(page.number) ?? Infinity) <= ENUMERATED_WORDS_TOKENS);
}

const WALK_NOTE = "Short lines are in the order of time; memory_read shows all of a page.";

/** Tokens of the line that points to a page which stands in the prompt already. */
export const POINTER_TOKENS = 20;

function pageLine(page: ResidentPage, cut: number | undefined, query: string): string {
  if (cut !== undefined && cut <= ENUMERATED_WORDS_TOKENS) return walkLine(page, query);
  const whole = renderPage(page);
  const shown =
    cut === undefined ? whole : { ...whole, text: excerpt(page.text, query, cut), cut: "memory_read shows all of it" };
  return JSON.stringify(Object.fromEntries(Object.entries(shown).filter(([, value]) => value !== null)));
}

/** Tokens of a page's line, and of what frames its words there. */
export function lineTokens(page: ResidentPage): { readonly tokens: number; readonly frame: number } {
  const tokens = estimateTokens(pageLine(page, undefined, "")) + 1;
  const words = estimateTokens(page.text);
  return { tokens, frame: Math.max(0, tokens - words) + 8 };
}
