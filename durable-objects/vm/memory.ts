/**
 * Memory: what the memory routes do to pages: add, read, edit, forget, list.
 *
 * Each change is one transaction of the object; the write-behind to D1 is started after it.
 */
import type { NewPage, Page, PageEdit, PageKind, PageView } from "#shared/abi.ts";
import { failure } from "#shared/errors.ts";
import { composePageHandle, pageNumber, parsePageHandle, type PageHandle } from "#shared/ids.ts";
import { IDEMPOTENCY_MS, PAGE_BYTES } from "#shared/limits.ts";
import { failed, success, type Result } from "#shared/result.ts";
import { sha256 } from "#shared/sha256.ts";
import { utf8Bytes } from "#shared/tokens.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { setTimer } from "#kernel/proc/alarm.ts";
import { transact } from "#kernel/proc/transact.ts";
import { fault } from "#kernel/vm/fault.ts";
import { flush, flushSoon } from "#kernel/vm/flush.ts";
import { bringForForgetting } from "#kernel/vm/pinned/forget-standing.ts";
import { forgetPage } from "#kernel/vm/forget/forget.ts";
import { viewPage, type ResidentPage } from "#kernel/vm/page.ts";
import { findPage, listPageNumbers, updatePage, type PageChange } from "#kernel/vm/page-table.ts";
import { noteEdit } from "#kernel/vm/sleep/derived.ts";
import { whenIdle } from "#kernel/vm/sleep/sleep.ts";
import { prepareWrite, readDate, writePage } from "#kernel/vm/write-page.ts";
import { pinByHand, unpinByHand } from "#kernel/vm/pinned/pin-by-hand.ts";

export const NO_PAGE = failure("not_found", "There is no such page.");

/** Adds a page. The same key with the same page answers the same page; with another page it is a conflict. */
export async function addPage(kernel: Kernel, page: NewPage, key: string | undefined): Promise<Result<PageView>> {
  const hash = await sha256(JSON.stringify(page));
  const known = key === undefined ? null : knownReply(kernel, key);
  if (known !== null) {
    if (known.hash === hash) return success(JSON.parse(known.reply) as PageView);
    return failed(failure("conflict", "This Idempotency-Key was used with another request."));
  }
  await prepareWrite(kernel, page);
  const written = transact(kernel, () => {
    const result = writePage(kernel, page, { defaultAt: kernel.now() });
    const first = result.ok ? result.value[0] : undefined;
    if (!result.ok || first === undefined) return result.ok ? failed(NO_PAGE) : result;
    const view = viewPage(first);
    if (key !== undefined) {
      kernel.sql.exec(
        "INSERT OR REPLACE INTO replies VALUES (?, ?, ?, ?)",
        `page ${key}`,
        hash,
        JSON.stringify(view),
        kernel.now(),
      );
      setTimer(kernel, "expire", kernel.now() + IDEMPOTENCY_MS + 1);
    }
    return success(view);
  });
  if (written.ok) flushSoon(kernel);
  if (written.ok) whenIdle(kernel);
  return written;
}

function knownReply(kernel: Kernel, key: string): { hash: string; reply: string } | null {
  const row = kernel.sql
    .exec<{ hash: string; reply: string }>(
      "SELECT hash, reply FROM replies WHERE key = ? AND created_at > ?",
      `page ${key}`,
      kernel.now() - IDEMPOTENCY_MS,
    )
    .toArray()[0];
  return row ?? null;
}

/** The living page behind a handle, its body at hand. */
export async function loadPage(kernel: Kernel, handle: PageHandle): Promise<Result<ResidentPage>> {
  const number = pageNumber(handle);
  const found = await fault(kernel, number === null ? [] : [number]);
  if (!found.ok) return found;
  const page = found.value.pages[0];
  if (page !== undefined) return success(page);
  if (findPage(kernel, handle) === null) return failed(NO_PAGE);
  return failed(failure("internal", "The page's body is missing from the memory database."));
}

export async function readPage(kernel: Kernel, handle: PageHandle): Promise<Result<PageView>> {
  const page = await loadPage(kernel, handle);
  return page.ok ? success(viewPage(page.value)) : page;
}

export async function editPage(kernel: Kernel, handle: PageHandle, edit: PageEdit): Promise<Result<PageView>> {
  const page = await loadPage(kernel, handle);
  if (!page.ok) return page;
  if (edit.text !== undefined && (edit.text.trim() === "" || utf8Bytes(edit.text) > PAGE_BYTES)) {
    return failed(failure("invalid_request", `\`text\` must hold 1 to ${PAGE_BYTES} bytes.`));
  }
  const date = edit.at === undefined ? null : readDate(edit.at);
  if (date !== null && !date.ok) return date;
  const change: PageChange = {
    ...(edit.text === undefined ? {} : { text: edit.text.trim() }),
    ...(edit.kind === undefined ? {} : { kind: edit.kind }),
    ...(edit.source === undefined ? {} : { source: edit.source }),
    ...(edit.tags === undefined ? {} : { tags: JSON.stringify(edit.tags) }),
    ...date?.value,
  };
  // Read again: the page may have been edited or forgotten while its body was on its way.
  const edited = transact(kernel, () => {
    const current = findPage(kernel, handle);
    if (current === null) return failed(NO_PAGE);
    if (edit.version !== undefined && edit.version !== current.version) {
      return failed(failure("conflict", `The page is at version ${current.version}.`));
    }
    const text = current.text ?? page.value.text;
    if (change.text !== undefined) noteEdit(kernel, current.number);
    const changes = Object.keys(change).length > 0;
    const edited = changes ? updatePage(kernel, { ...current, text }, change) : { ...current, text };
    if (edit.pinned === undefined) return success(viewPage(edited));
    if (edit.pinned) pinByHand(kernel, current.number);
    else unpinByHand(kernel, current.number);
    return success(viewPage({ ...edited, ...findPage(kernel, handle), text: edited.text }));
  });
  flushSoon(kernel);
  whenIdle(kernel);
  return edited;
}

export async function forget(kernel: Kernel, handle: PageHandle): Promise<Result<{ readonly forgotten: PageHandle }>> {
  await bringForForgetting(kernel, pageNumber(handle) ?? -1); // a page whose body is out of reach can still be forgotten
  const row = findPage(kernel, handle);
  if (row === null) return failed(NO_PAGE);
  transact(kernel, () => forgetPage(kernel, { ...row, text: row.text ?? "" }));
  kernel.background(flush(kernel));
  return success({ forgotten: composePageHandle(row.number) });
}

export async function listPages(
  kernel: Kernel,
  filter: { kind?: PageKind; limit: number; cursor?: string },
): Promise<Result<Page<PageView>>> {
  const handle = filter.cursor === undefined ? null : parsePageHandle(filter.cursor);
  const after = handle === null ? 0 : pageNumber(handle);
  if ((filter.cursor !== undefined && handle === null) || after === null) {
    return failed(failure("invalid_request", "`cursor` is not one of this list."));
  }
  const numbers = listPageNumbers(kernel, filter.kind, after, filter.limit + 1);
  const found = await fault(kernel, numbers.slice(0, filter.limit));
  if (!found.ok) return found;
  const last = numbers[filter.limit - 1];
  const more = numbers.length > filter.limit && last !== undefined;
  return success({
    items: found.value.pages.map(viewPage),
    ...(more ? { cursor: composePageHandle(last) } : {}),
  });
}
