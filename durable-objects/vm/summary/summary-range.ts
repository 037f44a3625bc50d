/**
 * Summary range: what is left of evicted messages: one page of kind `summary`, made without a model and at once.
 *
 * Its provenance are the pages of what it covers: the turns, the answers, the pages that results showed, and the results of other
 * tools, which become pages of kind `tool` here. Reading it lists them (`readRange`); it is no evidence, its members are.
 * `vm/summary/summarise.ts` may put a better text into it later; `rebuildRange` makes it anew from what was not forgotten.
 */
import { composePageHandle, pageNumber, parsePageHandle, type RunId, type ThreadId } from "#shared/ids.ts";
import { PROVENANCE_PAGES, STUB_RANGES, SUMMARY_TOKENS } from "#shared/limits.ts";
import { logEvent } from "#shared/log.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { evictedMessages, tieMessageToPage, unmapMessages, type StoredMessage } from "#kernel/proc/messages.ts";
import { dropRange, putRange, rangesOf, type EvictedRange } from "#kernel/vm/pager/evictions.ts";
import { summariseExtractively, type EvictedMessage } from "#kernel/vm/summary/extractive-summary.ts";
import { provenanceOf, type ResidentPage } from "#kernel/vm/page.ts";
import { buryPage, insertPage, markPage, readPages, updatePage, type PageDraft } from "#kernel/vm/page-table.ts";
import { HINTS_HEADING } from "#kernel/vm/summary/summary-format.ts";
import { pagerRecord } from "#kernel/vm/pager/record.ts";
import { FORGOTTEN } from "#kernel/vm/forget/repeats.ts";
import { refineSummary } from "#kernel/vm/summary/summarise.ts";
import { isWhole } from "#kernel/vm/summary/whole-groups.ts";
import { draftPages } from "#kernel/vm/write-page.ts";

/** Unmaps messages into a new range; when the stub would grow too long, its oldest ranges are folded into one. */
export function makeRange(kernel: Kernel, thread: ThreadId, messages: readonly StoredMessage[]): EvictedRange {
  // Not thrown: a transcript that was imported torn must not make its thread unusable.
  if (!isWhole(messages)) logEvent("eviction-tears-a-call", { messages: messages.length }, "error");
  const members = messages.map((message) => ({ message, pages: pagesOf(kernel, message, messages) }));
  const { text, hints } = summariseExtractively({
    previous: "",
    messages: members.map(({ message, pages }) => retold(message, pages)),
    budgetTokens: SUMMARY_TOKENS,
  });
  const last = messages.at(-1)?.createdAt ?? kernel.now();
  const page = insertPage(
    kernel,
    draft(
      text,
      members.flatMap(({ pages }) => pages),
      last,
    ),
  );
  unmapMessages(
    kernel,
    thread,
    messages.map((message) => message.id),
    page.number,
  );
  const range: EvictedRange = {
    page: page.number,
    thread,
    parent: 0,
    messages: messages.length,
    tokens: messages.reduce((sum, message) => sum + message.tokens, 0),
    firstAt: messages[0]?.createdAt ?? last,
    lastAt: last,
    inferences: pagerRecord(kernel).inferences,
    forgotten: messages.filter((message) => message.content === FORGOTTEN).length,
    hints,
  };
  putRange(kernel, range);
  refineSummary(kernel, page.number);
  foldOld(kernel, thread);
  return range;
}

function draft(text: string, provenance: readonly number[], at: number): PageDraft {
  return {
    text: text === "" ? "Nothing that can be told in a few words." : text,
    kind: "summary",
    role: "system",
    speaker: null,
    source: null,
    at,
    at_text: null,
    zoned: 1,
    thread: null,
    run: null,
    evidence: 0,
    tags: ["evicted"],
    provenance: [...new Set(provenance)].slice(0, PROVENANCE_PAGES),
  };
}

function retold(message: StoredMessage, pages: readonly number[]): EvictedMessage {
  const page = pages[0];
  return {
    role: message.role,
    content: message.content === FORGOTTEN ? "" : message.content,
    handle: page === undefined ? null : composePageHandle(page),
    at: message.createdAt,
  };
}

/** The pages that hold what a message says; the result of a tool becomes one when it is in none. */
function pagesOf(kernel: Kernel, message: StoredMessage, among: readonly StoredMessage[]): number[] {
  if (message.page !== null) return [message.page];
  if (message.role !== "tool" || message.content === FORGOTTEN) return [];
  const call = among.flatMap(({ toolCalls }) => toolCalls ?? []).findLast(({ id }) => id === message.toolCallId);
  if (call === undefined || /^(?:memory|block)_/.test(call.name)) return shownPages(message.content);
  return storeResult(kernel, message, call.name);
}

/** Keeps the result of a tool as pages of kind `tool`: read by handle, never mapped as evidence of what the person said. */
export function storeResult(
  kernel: Kernel,
  message: Pick<StoredMessage, "content" | "createdAt" | "run"> & { readonly id?: number },
  tool: string,
): number[] {
  const drafts = draftPages(
    { text: message.content, kind: "tool", role: "tool", source: `tool ${tool.slice(0, 64)}` },
    { run: message.run as RunId | null, defaultAt: message.createdAt },
  );
  if (!drafts.ok) return [];
  const numbers = drafts.value.map((part) => insertPage(kernel, { ...part, evidence: 0 }).number);
  if (message.id !== undefined && numbers[0] !== undefined) tieMessageToPage(kernel, message.id, numbers[0]);
  return numbers;
}

/** Pages named by the handles of a result of memory_search, memory_read or memory_write. */
function shownPages(content: string): number[] {
  const handles = [...content.matchAll(/"handle":"(p[0-9a-z]{1,10})"/g)].map((match) => match[1] ?? "");
  return handles.flatMap((handle) => {
    const parsed = parsePageHandle(handle);
    return parsed === null ? [] : (pageNumber(parsed) ?? []);
  });
}

/** Folds the oldest ranges of a stub that is too long into one, half of them at a time. */
function foldOld(kernel: Kernel, thread: ThreadId): void {
  const ranges = rangesOf(kernel, thread);
  if (ranges.length <= STUB_RANGES) return;
  const old = ranges.slice(0, Math.ceil(ranges.length / 2));
  const texts = summariesOf(kernel, old);
  const { text, hints } = fold(texts);
  const [first, last] = [old[0], old.at(-1)];
  if (first === undefined || last === undefined) return;
  const page = insertPage(
    kernel,
    draft(
      text,
      old.map((range) => range.page),
      last.lastAt,
    ),
  );
  for (const range of old) putRange(kernel, { ...range, parent: page.number });
  putRange(kernel, {
    ...total(old),
    page: page.number,
    thread,
    parent: 0,
    firstAt: first.firstAt,
    lastAt: last.lastAt,
    inferences: last.inferences,
    hints,
  });
  refineSummary(kernel, page.number);
}

function total(ranges: readonly EvictedRange[]): Pick<EvictedRange, "messages" | "tokens" | "forgotten"> {
  const sum = (name: "messages" | "tokens" | "forgotten"): number =>
    ranges.reduce((before, range) => before + range[name], 0);
  return { messages: sum("messages"), tokens: sum("tokens"), forgotten: sum("forgotten") };
}

function summariesOf(kernel: Kernel, ranges: readonly EvictedRange[]): string[] {
  return readPages(
    kernel,
    ranges.map((range) => range.page),
  ).map((page) => page.text ?? hintsOnly(ranges, page.number));
}

/** What stands in for a summary whose body is not at hand. */
function hintsOnly(ranges: readonly EvictedRange[], page: number): string {
  const hints = ranges.find((range) => range.page === page)?.hints ?? [];
  return [HINTS_HEADING, ...hints.map((hint) => `- ${hint}`)].join("\n");
}

/** One summary of several: each is read as the summary before the next. */
function fold(texts: readonly string[]): { readonly text: string; readonly hints: readonly string[] } {
  const budgetTokens = SUMMARY_TOKENS * 2;
  return summariseExtractively({ previous: texts.join("\n"), messages: [], budgetTokens });
}

/**
 * Makes a range's summary anew after something of it was forgotten. A range of which nothing is left goes, page and all.
 * Answers whether the page is still there.
 */
export function rebuildRange(kernel: Kernel, range: EvictedRange, gone: ReadonlySet<number>): boolean {
  const page = readPages(kernel, [range.page])[0];
  const children = rangesOf(kernel, range.thread, range.page);
  const messages = evictedMessages(kernel, range.page);
  const left = messages.filter((message) => message.content !== FORGOTTEN);
  if (page === undefined || (children.length === 0 && left.length === 0)) {
    if (page !== undefined) buryPage(kernel, page.number);
    dropRange(kernel, range.page);
    return false;
  }
  const { text, hints } =
    children.length > 0
      ? fold(summariesOf(kernel, children))
      : summariseExtractively({
          previous: "",
          messages: left.map((message) => retold(message, message.page === null ? [] : [message.page])),
          budgetTokens: SUMMARY_TOKENS,
        });
  const remade = draft(
    text,
    provenanceOf(page).filter((member) => !gone.has(member)),
    page.at ?? range.lastAt,
  );
  updatePage(kernel, { ...page, text: "" }, { text: remade.text });
  markPage(kernel, page.number, { provenance: JSON.stringify(remade.provenance) });
  refineSummary(kernel, page.number);
  const counted = children.length > 0 ? total(children) : { forgotten: messages.length - left.length };
  putRange(kernel, { ...range, ...counted, hints });
  return true;
}

/** A summary page with what it covers, for memory_read. */
export function membersOf(page: ResidentPage): string[] {
  return provenanceOf(page).map(composePageHandle);
}
