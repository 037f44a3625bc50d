/**
 * Derived: what becomes of pages that sleep made when a person edits them, or what they were made from.
 */
import type { Kernel } from "#kernel/kernel.ts";
import { auditsOn, keepEdited } from "#kernel/vm/sleep/audit.ts";
import { lookAgain } from "#kernel/vm/sleep/sleep.ts";
import { undoEntry } from "#kernel/vm/sleep/undo.ts";

/**
 * A page's words change: what was made from the old ones goes, and the page is looked at again. A derived page that is edited is the
 * person's from now on. Call it in the transaction of the edit.
 */
export function noteEdit(kernel: Kernel, number: number): void {
  keepEdited(kernel, number);
  for (const entry of auditsOn(kernel, number)) undoEntry(kernel, entry, []);
  lookAgain(kernel, number);
}
