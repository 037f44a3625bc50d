/**
 * Statement table: which remembered pages say what, as hashes of statement keys.
 *
 * `noteStatements` when a page is written or changed, `dropStatements` when it is forgotten, `pagesSaying` to find the pages that
 * say a text already: one look-up, however many pages there are.
 *
 * What must hold: only what people and models remember is noted (facts, notes, instructions, documents); turns are the log and are
 * never held against each other. A hash is as private as its page and goes with it.
 */
import type { PageKind } from "#shared/abi.ts";
import { statementKeys, type StatementKeys } from "#shared/text/statements.ts";
import type { Kernel } from "#kernel/kernel.ts";
import type { PageRow } from "#kernel/vm/page.ts";

const REMEMBERED: ReadonlySet<PageKind> = new Set(["fact", "note", "instruction", "document"]);

export function isRemembered(kind: PageKind): boolean {
  return REMEMBERED.has(kind);
}

export type Said = Pick<PageRow, "at" | "at_text" | "speaker" | "role"> & { readonly text: string };

/** Keys of what a page says, by whom; what nobody is named for, the person said. */
export function keysOf(page: Said): StatementKeys {
  const person = page.speaker ?? page.role ?? "user";
  const { whole, parts } = statementKeys(page.text, { at: page.at, dated: page.at_text !== null });
  const by = (key: string): string => `${person}: ${key}`;
  return { whole: by(whole), parts: parts.map(by) };
}

/** 53 bits of a text (cyrb53): enough that two of a million keys share one by chance once in twenty thousand processes. */
export function hashKey(key: string): number {
  let [high, low] = [0xdeadbeef, 0x41c6ce57];
  for (let index = 0; index < key.length; index += 1) {
    const unit = key.charCodeAt(index);
    high = Math.imul(high ^ unit, 2_654_435_761);
    low = Math.imul(low ^ unit, 1_597_334_677);
  }
  high = Math.imul(high ^ (high >>> 16), 2_246_822_507) ^ Math.imul(low ^ (low >>> 13), 3_266_489_909);
  low = Math.imul(low ^ (low >>> 16), 2_246_822_507) ^ Math.imul(high ^ (high >>> 13), 3_266_489_909);
  return 4_294_967_296 * (2_097_151 & low) + (high >>> 0);
}

/** For a page that has none noted. */
export function noteStatements(kernel: Kernel, page: Said & Pick<PageRow, "number" | "kind">): void {
  if (!isRemembered(page.kind)) return;
  const { whole, parts } = keysOf(page);
  kernel.sql.exec(
    "INSERT OR IGNORE INTO statements (key, page) SELECT value, ? FROM json_each(?)",
    page.number,
    JSON.stringify([whole, ...parts].map(hashKey)),
  );
}

export function dropStatements(kernel: Kernel, page: number): void {
  kernel.sql.exec("DELETE FROM statements WHERE page = ?", page);
}

export function hasStatements(kernel: Kernel, page: number): boolean {
  return kernel.sql.exec("SELECT 1 FROM statements WHERE page = ? LIMIT 1", page).toArray().length > 0;
}

/** Numbers of pages that say the whole of this, oldest first. */
export function pagesSaying(kernel: Kernel, page: Said): number[] {
  return kernel.sql
    .exec<{ page: number }>("SELECT page FROM statements WHERE key = ? ORDER BY page", hashKey(keysOf(page).whole))
    .toArray()
    .map((row) => row.page);
}
