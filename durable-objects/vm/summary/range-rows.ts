/**
 * Range rows: evicted ranges of threads in an export, and back.
 *
 * A range is taken in only when its summary page came back under its own handle; its messages are then unmapped as they were.
 * Otherwise they come back mapped, and the next run evicts anew what is too much. Frozen prefixes are not exported: a prefix
 * cache elsewhere is cold anyway.
 */
import { z } from "zod";
import { composePageHandle, pageNumber, parsePageHandle, parseThreadId } from "#shared/ids.ts";
import { storableText } from "#shared/schema/text.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { allRanges, findRange, putRange } from "#kernel/vm/pager/evictions.ts";
import { findPage } from "#kernel/vm/page-table.ts";

const size = z.int().min(0);

export const rangeRow = z.strictObject({
  type: z.literal("range"),
  handle: z.string(),
  thread: z.string(),
  parent: z.string().nullish(),
  messages: size,
  tokens: size,
  firstAt: z.iso.datetime(),
  lastAt: z.iso.datetime(),
  forgotten: size.optional(),
  hints: z.array(storableText.max(2_048)).max(64),
});

/** How a message of an export says that it is unmapped and no summary covers it. */
export const UNCOVERED = "none";

export function exportRanges(kernel: Kernel): object[] {
  return allRanges(kernel).map((range) => ({
    type: "range",
    handle: composePageHandle(range.page),
    thread: range.thread,
    ...(range.parent === 0 ? {} : { parent: composePageHandle(range.parent) }),
    messages: range.messages,
    tokens: range.tokens,
    firstAt: new Date(range.firstAt).toISOString(),
    lastAt: new Date(range.lastAt).toISOString(),
    ...(range.forgotten === 0 ? {} : { forgotten: range.forgotten }),
    hints: range.hints,
  }));
}

/** What a message of an export says of where it went: a range's handle, or null while it is mapped. */
export function exportEvicted(evicted: number): string | null {
  if (evicted === 0) return null;
  return evicted < 0 ? UNCOVERED : composePageHandle(evicted);
}

/** The range a message of an import belongs to here; 0 when it is mapped. */
export function importEvicted(kernel: Kernel, thread: string, evicted: string | null | undefined): number {
  if (evicted === null || evicted === undefined) return 0;
  if (evicted === UNCOVERED) return -1;
  const range = findRange(kernel, numberOf(evicted));
  return range?.thread === thread ? range.page : 0;
}

function numberOf(handle: string): number {
  const parsed = parsePageHandle(handle);
  return (parsed === null ? null : pageNumber(parsed)) ?? -1;
}

/** Takes a range in; answers why not, or null. Call it inside a transaction. */
export function takeRange(kernel: Kernel, row: z.infer<typeof rangeRow>): string | null {
  const thread = parseThreadId(row.thread);
  if (thread === null) return "thread: not a thread id";
  const handle = parsePageHandle(row.handle);
  const page = handle === null ? null : findPage(kernel, handle);
  if (page === null || page.kind !== "summary" || page.role !== "system") return "handle: no summary of a range";
  const known = findRange(kernel, page.number);
  if (known !== null) return known.thread === thread ? null : "handle: already the range of another thread";
  const parent = typeof row.parent === "string" ? findRange(kernel, numberOf(row.parent)) : null;
  putRange(kernel, {
    page: page.number,
    thread,
    parent: parent?.thread === thread ? parent.page : 0,
    messages: row.messages,
    tokens: row.tokens,
    firstAt: Date.parse(row.firstAt),
    lastAt: Date.parse(row.lastAt),
    inferences: 0,
    forgotten: row.forgotten ?? 0,
    hints: row.hints,
  });
  return null;
}
