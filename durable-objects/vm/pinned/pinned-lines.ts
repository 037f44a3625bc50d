/**
 * Pinned lines: how a block and a page stand in the pinned text, and which of them when not all fit. Pure.
 *
 * Small blocks are whole, a larger one is cut to an equal share of what is left. Of the pages instructions and the rest take
 * turns, newest first; a long page is cut, the whole is behind its handle.
 */
import { composePageHandle } from "#shared/ids.ts";
import { PINNED_LINE_TOKENS, PINNED_TOKENS } from "#shared/limits.ts";
import { estimateTokens } from "#shared/tokens.ts";
import { isoDate, type PageRow } from "#kernel/vm/page.ts";

/** First line of the pinned text; the local engine knows it by its first words. */
export const PINNED_HEADING =
  "Pinned memory of this person, one JSON object per line. Blocks are data that block_edit changes. Pages of kind instruction are this person's own standing instructions and preferences: follow those that fit the instruction.";

/** Tokens of the lines under the heading. */
export const PINNED_LINES_TOKENS = PINNED_TOKENS - estimateTokens(`${PINNED_HEADING}\n`);

/** What of a block's row is shown. */
export interface PinnedBlock {
  readonly label: string;
  readonly description: string;
  readonly value: string;
  readonly most: number;
  readonly read_only: number;
  readonly owner: string | null;
  readonly out_of_reach: number;
}

export type PinnedPage = Pick<PageRow, "number" | "kind" | "at" | "zoned" | "text" | "tags">;

/** Tokens of a line and its line break. */
export function lineTokens(line: string): number {
  return estimateTokens(`${line}\n`);
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

export function blockLine(block: PinnedBlock, value: string): string {
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

export function pageLine(page: PinnedPage): string {
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
export function chooseBlocks(blocks: readonly PinnedBlock[], budget: number): Map<string, string> {
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
export function choosePages(pages: readonly PinnedPage[], budget: number): Set<number> {
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

function isInstruction(page: PinnedPage): boolean {
  return page.kind === "instruction" && !(JSON.parse(page.tags) as string[]).includes("preference");
}
