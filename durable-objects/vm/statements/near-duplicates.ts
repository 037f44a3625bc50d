/**
 * Near duplicates: what is remembered twice is one page, and what was said twice takes one slot of a prompt.
 *
 * Use `rememberedAs(kernel, draft)` before a remembered text becomes a page: the page that already says it, or null; then
 * `repeatPage` notes on that page where and when it was said again. Use `withoutDuplicates(pages)` on pages for a prompt.
 *
 * What must hold: a text that differs in a number, name, negation or date is no repetition (`shared/text/statements.ts`); a
 * distinct source, speaker, role or kind makes a page of its own; a superseded page is not what a new text repeats, because
 * saying it again makes it hold again; turns always become pages.
 */
import { TAGS_PER_PAGE } from "#shared/limits.ts";
import { holdsStatement } from "#shared/text/statements.ts";
import type { Kernel } from "#kernel/kernel.ts";
import type { PageRow, ResidentPage } from "#kernel/vm/page.ts";
import { addToPage, readPages, type PageDraft } from "#kernel/vm/page-table.ts";
import { isRemembered, keysOf, pagesSaying } from "#kernel/vm/statements/statement-table.ts";

/** The living page that says what the draft says, or null. */
export function rememberedAs(kernel: Kernel, draft: PageDraft): PageRow | null {
  if (!isRemembered(draft.kind) || draft.number !== undefined) return null;
  const said = readPages(kernel, pagesSaying(kernel, draft));
  const key = keysOf(draft).whole;
  return (
    said.find(
      (page) =>
        page.kind === draft.kind &&
        page.superseded_by === null &&
        (page.source === null || draft.source === null || page.source === draft.source) &&
        // The body decides where it is at hand; where it is not, its hash does.
        (page.text === null || isSaidBy(key, { ...page, text: page.text })),
    ) ?? null
  );
}

function isSaidBy(key: string, page: ResidentPage): boolean {
  const { whole, parts } = keysOf(page);
  return whole === key || parts.includes(key);
}

/** Notes on a page that its words were said again: a source and tags it did not have, and when. */
export function repeatPage(kernel: Kernel, page: PageRow, draft: PageDraft): PageRow {
  const own = JSON.parse(page.tags) as string[]; // one more than the limit when it is `unpinned`
  const tags = [...new Set([...own, ...draft.tags])].slice(0, Math.max(TAGS_PER_PAGE, own.length));
  return addToPage(kernel, page, { source: page.source ?? draft.source, tags: JSON.stringify(tags) });
}

/**
 * Pages without those that say nothing beside the others, in the order given. Of pages that say the same the newest stays, in the
 * place of the first; a page whose words all stand in another gives way to it. `kept` are never left out.
 */
export function withoutDuplicates(
  pages: readonly ResidentPage[],
  kept: ReadonlySet<number> = new Set(),
): ResidentPage[] {
  const slots: { page: ResidentPage; whole: string; parts: readonly string[] }[] = [];
  for (const page of pages) {
    const entry = { page, ...keysOf(page) };
    const at = kept.has(page.number) ? -1 : slots.findIndex((slot) => isAlike(slot, entry));
    const slot = slots[at];
    if (slot === undefined || (kept.has(slot.page.number) && entry.whole !== slot.whole && holds(entry, slot)))
      slots.push(entry);
    else if (!kept.has(slot.page.number) && isBetter(entry, slot)) slots[at] = entry;
  }
  return slots.map((slot) => slot.page);
}

type Slot = { readonly page: ResidentPage; readonly whole: string; readonly parts: readonly string[] };

function isAlike(one: Slot, other: Slot): boolean {
  return one.whole === other.whole || holds(one, other) || holds(other, one);
}

function holds(whole: Slot, part: Slot): boolean {
  return whole.parts.includes(part.whole) || (!part.whole.includes("\n") && holdsStatement(whole.whole, part.whole));
}

/** Says more, or the same and later. */
function isBetter(entry: Slot, slot: Slot): boolean {
  if (entry.whole !== slot.whole) return holds(entry, slot);
  const [told, before] = [entry.page.at ?? 0, slot.page.at ?? 0];
  return told === before ? entry.page.evidence > slot.page.evidence : told > before;
}
