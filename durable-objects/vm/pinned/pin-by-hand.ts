/**
 * Pin by hand: a person puts a page into every prompt, or takes it out for good.
 *
 * What a person took out carries the tag `unpinned`, which goes with the page into D1 and exports: nothing that recognises
 * standing instructions pins it, or one that says the same, again.
 */
import type { Kernel } from "#kernel/kernel.ts";
import { pinPage, unpinPage } from "#kernel/vm/pinned/pinned.ts";
import { readPages, retagPage } from "#kernel/vm/page-table.ts";

export const UNPINNED = "unpinned";

/** Call it inside a transaction. */
export function pinByHand(kernel: Kernel, number: number): void {
  const page = readPages(kernel, [number])[0];
  if (page === undefined) return;
  const tags = JSON.parse(page.tags) as string[];
  if (tags.includes(UNPINNED)) {
    retagPage(
      kernel,
      number,
      tags.filter((tag) => tag !== UNPINNED),
    );
  }
  pinPage(kernel, number);
}

/** Call it inside a transaction. */
export function unpinByHand(kernel: Kernel, number: number): void {
  const page = readPages(kernel, [number])[0];
  if (page === undefined) return;
  const tags = JSON.parse(page.tags) as string[];
  if (!tags.includes(UNPINNED)) retagPage(kernel, number, [...tags, UNPINNED]);
  unpinPage(kernel, number);
}
