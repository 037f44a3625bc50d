/**
 * Pinned: the text that stands in every prompt: blocks, standing instructions, preferences and pages pinned by hand.
 *
 *     renderPinned(kernel)           the text to freeze into a prompt, and the version it is of; "" when nothing is pinned
 *     pinnedUpdates(kernel, since)   for the tail: what a text frozen at version `since` does not say; null when nothing
 *     pinPage, unpinPage             inside the transaction that makes it true; both raise the version
 *
 * The same state gives the same bytes: no clock and no counter is in the text. It is data, one JSON object per line, so a value
 * can be nothing but a value. The text stays within PINNED_TOKENS. When more is pinned, blocks and pages may each have half,
 * and what one side does not need the other gets. Within its share a block that is small enough is shown whole, small ones
 * first, a larger one is cut and says so; of the pages instructions and the rest take turns, newest first. What is left out
 * stays in memory, is found by search, and `pinnedItems` says so to `context`.
 */
import { composePageHandle } from "#shared/ids.ts";
import { PINNED_LINE_TOKENS, PINNED_TOKENS } from "#shared/limits.ts";
import { estimateTokens } from "#shared/tokens.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { listBlocks, type BlockRow } from "#kernel/vm/block-table.ts";
import { pinChangesSince, pinVersion } from "#kernel/vm/pin-changes.ts";
import { isoDate, type PageRow } from "#kernel/vm/page.ts";
import { markPage, pinnedPages } from "#kernel/vm/page-table.ts";

/** First line of the pinned text; the local engine knows it by its first words. */
export const PINNED_HEADING =
  "Pinned memory of this person, one JSON object per line. Blocks are data that block_edit changes. Pages of kind instruction are this person's own standing instructions and preferences: follow those that fit the instruction.";

export const PINNED_UPDATES_HEADING =
  "Pinned memory changed since the system message above was written. These lines replace its lines of the same block or handle.";

const PINNED_WHOLE_HEADING =
  "Pinned memory changed since the system message above was written. This is all of it; nothing else is pinned.";

/** One thing that is pinned. `tokens` is what its line takes; `shown` is false when there was no room for it. */
export interface PinnedItem {
  readonly block: string | null;
  readonly page: number | null;
  readonly kind: string;
  readonly tokens: number;
  readonly shown: boolean;
  readonly line: string;
}

/** The text to freeze into a prompt, and its version. */
export function renderPinned(kernel: Kernel): { text: string; version: number } {
  const lines = shownLines(kernel);
  const text = lines.length === 0 ? "" : [PINNED_HEADING, ...lines].join("\n");
  return { text, version: pinVersion(kernel) };
}

/** What changed since a text was frozen at version `since`, for the tail; null when nothing did. */
export function pinnedUpdates(kernel: Kernel, since: number): string | null {
  if (since >= pinVersion(kernel)) return null;
  const changes = pinChangesSince(kernel, since);
  if (changes === null) return [PINNED_WHOLE_HEADING, ...shownLines(kernel)].join("\n");
  const items = pinnedItems(kernel).filter((item) => item.shown);
  const blocks = changes.blocks.map(
    (label) => items.find((item) => item.block === label)?.line ?? JSON.stringify({ block: label, pinned: false }),
  );
  const pages = changes.pages.map(
    (page) =>
      items.find((item) => item.page === page)?.line ??
      JSON.stringify({ handle: composePageHandle(page), pinned: false }),
  );
  return [PINNED_UPDATES_HEADING, ...blocks, ...pages].join("\n");
}

/** Pins a page. A page that is pinned, or is none, stays as it is. */
export function pinPage(kernel: Kernel, number: number): void {
  markPage(kernel, number, { pinned: 1 });
}

/** Takes a page out of the pinned text; it stays a page. */
export function unpinPage(kernel: Kernel, number: number): void {
  markPage(kernel, number, { pinned: 0 });
}

/** Everything that is pinned, in the order of the text: blocks by label, then pages by number. */
export function pinnedItems(kernel: Kernel): PinnedItem[] {
  const budget = PINNED_TOKENS - estimateTokens(`${PINNED_HEADING}\n`);
  const blocks = listBlocks(kernel);
  const pages = pinnedPages(kernel);
  const wantedByPages = sum(pages.map((page) => lineTokens(pageLine(page))));
  const half = Math.floor(budget / 2);
  const shownBlocks = chooseBlocks(blocks, Math.max(half, budget - wantedByPages));
  const shownPages = choosePages(pages, budget - sum([...shownBlocks.values()].map(lineTokens)));
  return [
    ...blocks.map((block) => {
      const line = shownBlocks.get(block.label);
      const whole = blockLine(block, block.value);
      return item({ block: block.label }, "block", line ?? whole, line !== undefined);
    }),
    ...pages.map((page) => item({ page: page.number }, page.kind, pageLine(page), shownPages.has(page.number))),
  ];
}

function item(of: { block?: string; page?: number }, kind: string, line: string, shown: boolean): PinnedItem {
  return { block: of.block ?? null, page: of.page ?? null, kind, tokens: lineTokens(line), shown, line };
}

function shownLines(kernel: Kernel): string[] {
  return pinnedItems(kernel).flatMap((entry) => (entry.shown ? [entry.line] : []));
}

/** Tokens of a line and its line break. */
function lineTokens(line: string): number {
  return estimateTokens(`${line}\n`);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function blockLine(block: BlockRow, value: string): string {
  return JSON.stringify({
    block: block.label,
    ...(block.description === "" ? {} : { description: block.description }),
    value,
    ...(value.length < block.value.length ? { cut: true } : {}),
    limit: block.most,
    ...(block.read_only === 1 ? { readOnly: true } : {}),
    ...(block.owner === null ? {} : { sharedBy: block.owner }),
    ...(block.out_of_reach === 1
      ? { note: "The process that shares it is out of reach: this is its last known value." }
      : {}),
  });
}

function pageLine(page: PageRow): string {
  return JSON.stringify({
    handle: composePageHandle(page.number),
    kind: page.kind,
    at: isoDate(page.at, page.zoned === 1)?.slice(0, 10) ?? null,
    ...(page.text === null ? { note: "Out of reach; memory_read shows it." } : { text: head(page.text) }),
  });
}

/** The beginning of a long page; the whole is behind its handle. */
function head(text: string): string {
  if (estimateTokens(text) <= PINNED_LINE_TOKENS) return text;
  return `${cutTo(text, (part) => estimateTokens(part) <= PINNED_LINE_TOKENS)}…`;
}

/** The longest beginning of a text that fits, whole characters only. */
function cutTo(text: string, fits: (part: string) => boolean): string {
  const characters = Array.from(text);
  let low = 0;
  let high = characters.length;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fits(characters.slice(0, middle).join(""))) low = middle;
    else high = middle - 1;
  }
  return characters.slice(0, low).join("");
}

/** The lines of the blocks within a budget: small ones whole, a larger one cut to an equal share of what is left. */
function chooseBlocks(blocks: readonly BlockRow[], budget: number): Map<string, string> {
  const lines = new Map<string, string>();
  const waiting = blocks
    .map((block) => ({ block, line: blockLine(block, block.value) }))
    .toSorted(
      (one, other) => lineTokens(one.line) - lineTokens(other.line) || (one.block.label < other.block.label ? -1 : 1),
    );
  let left = budget;
  waiting.forEach(({ block, line }, index) => {
    const share = Math.floor(left / (waiting.length - index));
    const fits = (candidate: string): boolean => lineTokens(candidate) <= share;
    const shown = fits(line)
      ? line
      : blockLine(
          block,
          cutTo(block.value, (part) => fits(blockLine(block, part))),
        );
    if (!fits(shown)) return;
    lines.set(block.label, shown);
    left -= lineTokens(shown);
  });
  return lines;
}

/** Pages within a budget: instructions and the rest take turns, the newest of each first. */
function choosePages(pages: readonly PageRow[], budget: number): Set<number> {
  const newestFirst = pages.toSorted((one, other) => (other.at ?? 0) - (one.at ?? 0) || other.number - one.number);
  const queues = [newestFirst.filter(isInstruction), newestFirst.filter((page) => !isInstruction(page))];
  const chosen = new Set<number>();
  let left = budget;
  for (let turn = 0; queues.some((queue) => turn < queue.length); turn += 1) {
    for (const queue of queues) {
      const page = queue[turn];
      if (page === undefined) continue;
      const tokens = lineTokens(pageLine(page));
      if (tokens > left) continue;
      chosen.add(page.number);
      left -= tokens;
    }
  }
  return chosen;
}

function isInstruction(page: PageRow): boolean {
  return page.kind === "instruction" && !(JSON.parse(page.tags) as string[]).includes("preference");
}
