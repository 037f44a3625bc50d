/**
 * Supersede: puts the page that holds before those it took the place of.
 *
 * Use `currentFirst(kernel, numbers, query, now)` on the pages a search found, best first: a page that was superseded comes after the
 * page that says the newer thing, which is added when the search missed it. A query about a time gets the page that held then
 * before its successor, added likewise. A query about the past without a time ("where did I live before?") keeps its order and
 * gets both.
 *
 * What must hold: nothing is left out, and pages that have to do with no succession keep their order.
 */
import { PAGES_SUCCEEDED } from "#shared/limits.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { readDateHint, type DateSpan } from "#kernel/vm/search/search-dates.ts";

interface Link {
  readonly number: number;
  readonly superseded_by: number | null;
  /** When it was said. */
  readonly told: number;
}

const PAST =
  /\b(?:did|was|were|had|used to|before|previous\w*|former\w*|formerly|originally|old|earlier|first)\b|以前|之前|曾经|过去|当时|原来|旧/i;

export function currentFirst(kernel: Kernel, numbers: readonly number[], query: string, now: number): number[] {
  if (!hasSuperseded(kernel)) return [...numbers];
  const links = readLinks(kernel, numbers);
  if (![...links.values()].some((link) => link.superseded_by !== null)) return [...numbers];
  const span = askedSpan(query, now);
  const past = span === null && PAST.test(query);
  const placed = new Set<number>();
  for (const number of numbers) {
    const chain = chainOf(links, number);
    const before = past ? [] : [holder(chain, span)];
    const after = past || span !== null ? chain : [];
    for (const one of [...before, number, ...after.map((link) => link.number)]) placed.add(one);
  }
  return [...placed];
}

/** In most processes nothing is; then there is no chain to follow. */
function hasSuperseded(kernel: Kernel): boolean {
  return kernel.sql.exec("SELECT 1 FROM pages WHERE superseded_by IS NOT NULL LIMIT 1").toArray().length > 0;
}

/** The pages asked for with their successors and predecessors, a bounded number of steps either way. */
function readLinks(kernel: Kernel, numbers: readonly number[]): Map<number, Link> {
  const rows = kernel.sql.exec<{ number: number; superseded_by: number | null; told: number }>(
    `WITH RECURSIVE
       newer (number, steps) AS (
         SELECT value, 0 FROM json_each(?1)
         UNION SELECT pages.superseded_by, steps + 1 FROM newer JOIN pages USING (number) WHERE pages.superseded_by IS NOT NULL AND steps < ?2
       ),
       older (number, steps) AS (
         SELECT value, 0 FROM json_each(?1)
         UNION SELECT pages.number, steps + 1 FROM older JOIN pages ON pages.superseded_by = older.number WHERE steps < ?2
       )
     SELECT number, superseded_by, COALESCE(at, created_at) AS told FROM pages
     WHERE deleted = 0 AND number IN (SELECT number FROM newer UNION SELECT number FROM older)`,
    JSON.stringify(numbers),
    PAGES_SUCCEEDED,
  );
  return new Map(rows.toArray().map((row) => [row.number, row]));
}

/** What said the same thing over time, oldest first: the page, what came before it and what came after. */
function chainOf(links: ReadonlyMap<number, Link>, number: number): Link[] {
  const newer: Link[] = [];
  const seen = new Set<number>();
  for (let link = links.get(number); link !== undefined && !seen.has(link.number);) {
    seen.add(link.number);
    newer.push(link);
    link = link.superseded_by === null ? undefined : links.get(link.superseded_by);
  }
  const older: Link[] = [];
  let last = number;
  for (;;) {
    const before = [...links.values()].find((link) => link.superseded_by === last && !seen.has(link.number));
    if (before === undefined) break;
    seen.add(before.number);
    older.unshift(before);
    last = before.number;
  }
  return [...older, ...newer];
}

/** The page of a chain that holds now, or that held in the time asked about. */
function holder(chain: readonly Link[], span: DateSpan | null): number {
  const newest = chain.at(-1)?.number ?? 0;
  if (span === null) return newest;
  const then = chain.findLast((link) => link.told < span.to);
  return then?.number ?? chain[0]?.number ?? newest;
}

/** The time a query asks about: of the years, months and days it names the whole span; null when it names none. */
function askedSpan(query: string, now: number): DateSpan | null {
  const hint = readDateHint(query, now);
  if (hint === null) return null;
  const [first] = hint.spans;
  if (first !== undefined) return first;
  const years = hint.years.length > 0 ? hint.years : [new Date(now).getUTCFullYear()];
  const [year, last] = [Math.min(...years), Math.max(...years)];
  const month = hint.months[0];
  if (month === undefined) return { from: Date.UTC(year, 0, 1), to: Date.UTC(last + 1, 0, 1) };
  const day = hint.days[0];
  return day === undefined
    ? { from: Date.UTC(year, month, 1), to: Date.UTC(year, month + 1, 1) }
    : { from: Date.UTC(year, month, day), to: Date.UTC(year, month, day + 1) };
}
