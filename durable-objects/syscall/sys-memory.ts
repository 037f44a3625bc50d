/**
 * Memory system calls: write, search, read, forget.
 *
 * Pages they show count as mapped in the run, so an answer may cite them; the run's notes say which pages it created or was
 * shown, so that forgetting one also scrubs the run.
 */
import type { SyscallArguments } from "#shared/calls.ts";
import { failure } from "#shared/errors.ts";
import { composePageHandle, pageNumber, parsePageHandle } from "#shared/ids.ts";
import { PAGES_FOLDED, SEARCH_CHARACTERS, SEARCH_RESULTS } from "#shared/limits.ts";
import { failed, success, type Result } from "#shared/result.ts";
import { PAGE_KINDS, type NewPage, type PageKind } from "#shared/abi.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { count } from "#kernel/proc/counters.ts";
import { notePages, type LiveRun, type PageUse } from "#kernel/proc/live-run.ts";
import { rankPages } from "#kernel/vm/search/embeddings.ts";
import { fault } from "#kernel/vm/fault.ts";
import { fsck } from "#kernel/vm/fsck/fsck.ts";
import { bringForForgetting } from "#kernel/vm/pinned/forget-standing.ts";
import { forgetPage } from "#kernel/vm/forget/forget.ts";
import { withoutDuplicates } from "#kernel/vm/statements/near-duplicates.ts";
import { renderPage } from "#kernel/vm/page.ts";
import { findPage } from "#kernel/vm/page-table.ts";
import { noteFault } from "#kernel/vm/pager/settle.ts";
import { noteReferences, pageFrame } from "#kernel/vm/reference-log.ts";
import { membersOf } from "#kernel/vm/summary/summary-range.ts";
import { currentFirst } from "#kernel/vm/statements/supersede.ts";
import { foldDerived } from "#kernel/vm/sleep/fold.ts";
import { prepareWrite, writePage } from "#kernel/vm/write-page.ts";

const NO_PAGE = failure("not_found", "There is no such page.");

function show(kernel: Kernel, run: LiveRun, numbers: readonly number[], how: PageUse): void {
  for (const number of numbers) run.mapped.add(number);
  notePages(kernel, run.id, numbers, how);
}

function newPage(args: SyscallArguments<"memory_write">): NewPage {
  return {
    text: args.text,
    kind: args.kind ?? ("fact" as const),
    role: "user" as const,
    ...(args.at === undefined ? {} : { at: args.at }),
    ...(args.tags === undefined ? {} : { tags: args.tags }),
  };
}

/** Brings to hand what may say the same already. */
export async function prepareWriteMemory(kernel: Kernel, args: SyscallArguments<"memory_write">): Promise<void> {
  await prepareWrite(kernel, newPage(args));
}

export function writeMemory(kernel: Kernel, run: LiveRun, args: SyscallArguments<"memory_write">): Result<unknown> {
  const page = { ...newPage(args), thread: run.thread };
  const written = writePage(kernel, page, { run: run.id, defaultAt: kernel.now() });
  if (!written.ok) return written;
  const numbers = written.value.map((entry) => entry.number);
  show(kernel, run, numbers, "created");
  return success({ handle: composePageHandle(numbers[0] ?? 0), handles: numbers.map(composePageHandle) });
}

export async function searchMemory(
  kernel: Kernel,
  run: LiveRun,
  args: SyscallArguments<"memory_search">,
): Promise<Result<unknown>> {
  if (args.kind !== undefined && !isKind(args.kind)) {
    return failed(failure("invalid_request", `Kinds are: ${PAGE_KINDS.join(", ")}, assistant.`));
  }
  count(kernel, "searches");
  const limit = args.limit ?? SEARCH_RESULTS;
  const ranked = await rankPages(kernel, {
    text: args.query,
    limit: limit + PAGES_FOLDED,
    now: kernel.now(),
    ...(args.kind === undefined ? {} : { kinds: [args.kind] }),
    filter: (page) => args.kind === "assistant" || kernel.index.isEvidence(page),
  });
  const hits = args.kind === undefined ? foldDerived(kernel, ranked, limit) : ranked.slice(0, limit);
  const numbers = hits.map((hit) => hit.page);
  const found = await fault(
    kernel,
    args.kind === undefined ? currentFirst(kernel, numbers, args.query, kernel.now()) : numbers,
  );
  if (!found.ok) return found;
  let characters = 0;
  const pages = withoutDuplicates(found.value.pages).filter((page) => {
    characters += page.text.length;
    return characters <= SEARCH_CHARACTERS && (page.run !== run.id || page.kind === "fact");
  });
  noteReferences(kernel, run, "found", pages.map(pageFrame));
  show(
    kernel,
    run,
    pages.map((page) => page.number),
    "returned",
  );
  return success({ items: pages.map(renderPage) });
}

function isKind(kind: string): kind is PageKind {
  return kind === "assistant" || PAGE_KINDS.some((known) => known === kind);
}

function numberOf(handle: string): number {
  const parsed = parsePageHandle(handle);
  return (parsed === null ? null : pageNumber(parsed)) ?? -1;
}

export async function readMemory(
  kernel: Kernel,
  run: LiveRun,
  args: SyscallArguments<"memory_read">,
): Promise<Result<unknown>> {
  const found = await fault(kernel, [numberOf(args.handle)]);
  if (!found.ok) return found;
  const page = found.value.pages[0];
  if (page === undefined) return failed(NO_PAGE);
  const mapped = run.mapped.has(page.number);
  noteReferences(kernel, run, mapped ? "read" : "fault", [pageFrame(page)]);
  if (!mapped) noteFault(kernel, run, page);
  show(kernel, run, [page.number], "returned");
  const covers = page.kind === "summary" ? membersOf(page) : [];
  return success({ page: renderPage(page), ...(covers.length === 0 ? {} : { covers }) });
}

/** Brings the body to hand: what repeats it is scrubbed with it. A body that D1 cannot give is no reason not to forget. */
export async function prepareForget(kernel: Kernel, args: SyscallArguments<"memory_forget">): Promise<void> {
  await bringForForgetting(kernel, numberOf(args.handle));
}

export function forgetMemory(kernel: Kernel, run: LiveRun, args: SyscallArguments<"memory_forget">): Result<unknown> {
  const handle = parsePageHandle(args.handle);
  const page = handle === null ? null : findPage(kernel, handle);
  if (page === null) return failed(NO_PAGE);
  show(kernel, run, [page.number], "mapped"); // what it asked for may be the page's own words
  forgetPage(kernel, { ...page, text: page.text ?? "" });
  return success({ forgotten: composePageHandle(page.number) });
}

/** The whole check, part by part; what each found is added up. */
export async function checkMemory(kernel: Kernel, args: SyscallArguments<"memory_check">): Promise<Result<unknown>> {
  const sum = { checked: 0, pending: 0, repaired: 0, counts: {} as Record<string, number> };
  for (let cursor: string | undefined; ;) {
    const part = await fsck(kernel, { repair: args.repair ?? false, ...(cursor === undefined ? {} : { cursor }) });
    if (!part.ok) return part;
    for (const count of ["checked", "pending", "repaired"] as const) sum[count] += part.value[count];
    for (const [kind, times] of Object.entries(part.value.counts)) sum.counts[kind] = (sum.counts[kind] ?? 0) + times;
    cursor = part.value.cursor;
    if (cursor === undefined) return success(sum);
  }
}
