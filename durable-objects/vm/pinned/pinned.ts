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
import type { Kernel } from "#kernel/kernel.ts";
import { listBlocks } from "#kernel/vm/pinned/block-table.ts";
import { pinChangesSince, pinVersion } from "#kernel/vm/pinned/pin-changes.ts";
import {
  blockLine,
  chooseBlocks,
  choosePages,
  lineTokens,
  pageLine,
  PINNED_HEADING,
  PINNED_LINES_TOKENS,
  sum,
} from "#kernel/vm/pinned/pinned-lines.ts";
import { markPage, pinnedPages } from "#kernel/vm/page-table.ts";

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
  const budget = PINNED_LINES_TOKENS;
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
