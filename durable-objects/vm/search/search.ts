/**
 * Search: ranks the process's own pages for a query and brings their bodies to hand.
 */
import type { MemoryQuery, Page, SearchItem } from "#shared/abi.ts";
import { failure } from "#shared/errors.ts";
import { composePageHandle } from "#shared/ids.ts";
import { QUERY_CHARACTERS } from "#shared/limits.ts";
import { failed, success, type Result } from "#shared/result.ts";
import { dayMilliseconds, parseWrittenDate } from "#shared/text/dates.ts";
import { analyze } from "#shared/text/words.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { count } from "#kernel/proc/counters.ts";
import { rankPages } from "#kernel/vm/search/embeddings.ts";
import { fault } from "#kernel/vm/fault.ts";
import { isoDate } from "#kernel/vm/page.ts";
import { currentFirst } from "#kernel/vm/statements/supersede.ts";

const SNIPPET_CHARACTERS = 240;

export async function searchPages(kernel: Kernel, query: MemoryQuery): Promise<Result<Page<SearchItem>>> {
  if (query.query.length > QUERY_CHARACTERS) return failed(failure("invalid_request", "The query is too long."));
  const range = readRange(query);
  if (!range.ok) return range;
  count(kernel, "searches");
  const tagged = query.tags === undefined || query.tags.length === 0 ? null : pagesWithTags(kernel, query.tags);
  const hits = await rankPages(kernel, {
    text: query.query,
    limit: query.limit,
    now: kernel.now(),
    ...range.value,
    ...(query.kind === undefined ? {} : { kinds: [query.kind] }),
    filter: (page) => (tagged?.has(page) ?? true) && (query.kind === "assistant" || !isOwnWord(kernel, page)),
  });
  const found = await fault(kernel, inOrder(kernel, query, hits));
  if (!found.ok) return found;
  const scores = scoresOf(found.value.pages, hits);
  const items = found.value.pages.map((page) => ({
    handle: composePageHandle(page.number),
    score: Math.round((scores.get(page.number) ?? 0) * 1e4) / 1e4,
    snippet: snippet(page.text, query.query),
    text: page.text,
    kind: page.kind,
    speaker: page.speaker,
    source: page.source,
    at: isoDate(page.at, page.zoned === 1),
    supersededBy: page.superseded_by === null ? null : composePageHandle(page.superseded_by),
  }));
  return success({ items });
}

/** What holds comes before what it took the place of. A filter is an order of its own: nothing is added to what it lets through. */
function inOrder(kernel: Kernel, query: MemoryQuery, hits: readonly { readonly page: number }[]): number[] {
  const numbers = hits.map((hit) => hit.page);
  const filtered = query.kind ?? query.from ?? query.to ?? query.tags?.[0];
  const ordered = currentFirst(kernel, numbers, query.query, kernel.now());
  const found = new Set(numbers);
  return (filtered === undefined ? ordered : ordered.filter((page) => found.has(page))).slice(0, query.limit);
}

/** A page that was added stands where it is for the sake of the next one, and has its score. */
function scoresOf(
  pages: readonly { readonly number: number }[],
  hits: readonly { readonly page: number; readonly score: number }[],
): Map<number, number> {
  const scores = new Map(hits.map((hit) => [hit.page, hit.score]));
  let next = 0;
  for (const page of pages.toReversed()) {
    next = scores.get(page.number) ?? next;
    scores.set(page.number, next);
  }
  return scores;
}

/** The process's own answers are found only when asked for by kind. */
function isOwnWord(kernel: Kernel, page: number): boolean {
  if (kernel.index.isEvidence(page)) return false;
  return kernel.sql.exec("SELECT 1 FROM pages WHERE number = ? AND kind = 'assistant'", page).toArray().length > 0;
}

function readRange(query: MemoryQuery): Result<{ from?: number; to?: number }> {
  const range: { from?: number; to?: number } = {};
  for (const side of ["from", "to"] as const) {
    const written = query[side];
    if (written === undefined) continue;
    const date = parseWrittenDate(written);
    if (date === null)
      return failed(failure("invalid_request", `\`${side}\` is not a date this system can read; use ISO 8601.`));
    // A `to` of a whole day includes that day.
    range[side] = side === "to" && date.precision === "day" ? date.at + dayMilliseconds - 1 : date.at;
  }
  return success(range);
}

function pagesWithTags(kernel: Kernel, tags: readonly string[]): Set<number> {
  const rows = kernel.sql.exec<{ number: number }>(
    `SELECT number FROM pages WHERE deleted = 0 AND
     (SELECT COUNT(DISTINCT wanted.value) FROM json_each(?1) AS wanted JOIN json_each(pages.tags) AS tag ON tag.value = wanted.value)
       = (SELECT COUNT(DISTINCT value) FROM json_each(?1))`,
    JSON.stringify(tags),
  );
  return new Set(rows.toArray().map((row) => row.number));
}

/** The part of a page around the first word it shares with the query. */
export function snippet(text: string, query: string): string {
  if (text.length <= SNIPPET_CHARACTERS) return text;
  const wanted = new Set(analyze(query));
  let start = 0;
  for (const match of text.matchAll(/[\p{L}\p{N}]+/gu)) {
    if (!analyze(match[0]).some((term) => wanted.has(term))) continue;
    start = Math.max(0, match.index - SNIPPET_CHARACTERS / 4);
    break;
  }
  const end = Math.min(text.length, start + SNIPPET_CHARACTERS);
  return `${start > 0 ? "…" : ""}${text.slice(start, end).trim()}${end < text.length ? "…" : ""}`;
}
