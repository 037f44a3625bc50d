/**
 * Forget standing: forgetting and what was made of it for every prompt.
 *
 * A page that was recognised in a turn goes with the turn; when another turn said the same, it is made anew from that one.
 * Forgetting the page itself takes the turns that carry its words. Lines of this process's own blocks that repeat what is
 * forgotten go as well. All of it inside the transaction that forgets.
 */
import type { Kernel } from "#kernel/kernel.ts";
import { normalLines } from "#kernel/vm/pinned/block-edit.ts";
import { listBlocks, putBlock } from "#kernel/vm/pinned/block-table.ts";
import { fault } from "#kernel/vm/fault.ts";
import { provenanceOf, type PageRow, type ResidentPage } from "#kernel/vm/page.ts";
import { markPage, readPages, standingPages } from "#kernel/vm/page-table.ts";
import { notePinChange } from "#kernel/vm/pinned/pin-changes.ts";
import { UNPINNED, unpinByHand } from "#kernel/vm/pinned/pin-by-hand.ts";
import { pinStanding } from "#kernel/vm/pinned/pin-standing.ts";
import { repeats } from "#kernel/vm/forget/repeats.ts";
import { isDerived } from "#kernel/vm/sleep/consolidate.ts";

/** Words in a row of what is forgotten for which a line of a block goes: more than for a log, because people keep blocks. */
const LINE_SPAN = 6;

/** Brings a page to hand that is to be forgotten, and the turns it was recognised in. What D1 cannot give goes all the same. */
export async function bringForForgetting(kernel: Kernel, number: number): Promise<void> {
  await fault(kernel, [number]);
  const turns = readPages(kernel, [number]).flatMap((page) => sourcesOf(kernel, page).map((turn) => turn.number));
  if (turns.length > 0) await fault(kernel, turns);
}

/** The living turns a recognised page or a fact was taken from, for forgetting them with it; none for any other page. */
export function sourcesOf(kernel: Kernel, page: PageRow): ResidentPage[] {
  if (page.kind !== "instruction" && !(page.kind === "fact" && isDerived(page))) return [];
  return readPages(kernel, provenanceOf(page))
    .filter((turn) => turn.text === null || page.text === null || repeats(turn.text, page.text))
    .map((turn) => ({ ...turn, text: turn.text ?? page.text ?? "" }));
}

/** Recognised pages made from pages that go: those that repeat the words, to go too. The others lose the source. */
export function standingFrom(kernel: Kernel, going: readonly number[], words: string): ResidentPage[] {
  const made = standingPages(kernel).filter((page) => provenanceOf(page).some((source) => going.includes(source)));
  return made.flatMap((page) => {
    if (page.kind !== "instruction") return [];
    if (page.text === null || repeats(page.text, words)) return { ...page, text: page.text ?? "" };
    const left = provenanceOf(page).filter((source) => !going.includes(source));
    markPage(kernel, page.number, { provenance: JSON.stringify(left) });
    return [];
  });
}

/** For a recognised page that went: another turn that said the same gets one of its own, unpinned when that was. */
export function remakeStanding(kernel: Kernel, page: PageRow, gone: ReadonlySet<number>): void {
  const unpinned = (JSON.parse(page.tags) as string[]).includes(UNPINNED);
  for (const turn of readPages(kernel, provenanceOf(page))) {
    if (turn.text === null || gone.has(turn.number)) continue;
    for (const made of pinStanding(kernel, { ...turn, text: turn.text })) if (unpinned) unpinByHand(kernel, made);
  }
}

/** Takes the lines that repeat what is forgotten out of this process's own blocks. */
export function forgetInBlocks(kernel: Kernel, words: string): void {
  if (words.trim() === "") return;
  for (const block of listBlocks(kernel)) {
    if (block.owner !== null) continue;
    const lines = block.value.split("\n");
    const kept = lines.filter((line) => !repeats(line, normalLines(words), LINE_SPAN));
    if (kept.length === lines.length) continue;
    putBlock(kernel, { ...block, value: kept.join("\n"), version: block.version + 1, updated_at: kernel.now() });
    notePinChange(kernel, { block: block.label, forgotten: true });
  }
}
