/**
 * Write page: how a text from outside becomes pages.
 *
 * A text over the page limit becomes several pages with the same source. Dates are read here; one that cannot be read is an
 * `invalid_request`. Nothing is stored when any part of the page is refused.
 */
import type { NewPage } from "#shared/abi.ts";
import { failure } from "#shared/errors.ts";
import type { RunId } from "#shared/ids.ts";
import { PAGE_BYTES } from "#shared/limits.ts";
import { failed, success, type Result } from "#shared/result.ts";
import { parseWrittenDate } from "#shared/text/dates.ts";
import { splitText } from "#shared/text/split.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { evidenceOf, type ResidentPage } from "#kernel/vm/page.ts";
import { fault } from "#kernel/vm/fault.ts";
import { rememberedAs, repeatPage } from "#kernel/vm/statements/near-duplicates.ts";
import { readPages, type PageDraft } from "#kernel/vm/page-table.ts";
import { insertRemembered, pinAgain } from "#kernel/vm/pinned/pin-standing.ts";
import { pagesSaying } from "#kernel/vm/statements/statement-table.ts";

export interface PageDate {
  readonly at: number | null;
  readonly at_text: string | null;
  readonly zoned: number;
}

/** Reads a written date. Null is no date. */
export function readDate(written: string | null): Result<PageDate> {
  if (written === null || written.trim() === "") return success({ at: null, at_text: null, zoned: 0 });
  const date = parseWrittenDate(written);
  if (date === null)
    return failed(failure("invalid_request", "`at` is not a date this system can read; use ISO 8601."));
  return success({ at: date.at, at_text: date.text, zoned: date.zoned ? 1 : 0 });
}

export interface Provenance {
  readonly run?: RunId | null;
  /** The date of a page that brings none; null for none. */
  readonly defaultAt: number | null;
}

/** The drafts of a page (several when it is over the limit), without storing anything. */
export function draftPages(page: NewPage, provenance: Provenance): Result<PageDraft[]> {
  const text = page.text.trim();
  if (text === "") return failed(failure("invalid_request", "`text` is empty."));
  const date =
    page.at === undefined
      ? success({ at: provenance.defaultAt, at_text: null, zoned: provenance.defaultAt === null ? 0 : 1 })
      : readDate(page.at);
  if (!date.ok) return date;
  const kind = page.kind ?? "fact";
  const draft = {
    kind,
    role: page.role ?? null,
    speaker: page.speaker ?? null,
    source: page.source ?? null,
    thread: page.thread ?? null,
    run: provenance.run ?? null,
    evidence: evidenceOf({ kind, role: page.role ?? null, text }),
    tags: page.tags ?? [],
    ...date.value,
  };
  return success(splitText(text, PAGE_BYTES).map((part) => ({ ...draft, text: part })));
}

/**
 * Stores a page and answers its pages, the first one first; what is remembered already answers the pages that say it. Call it
 * inside the transaction that makes it true, after `prepareWrite`.
 */
export function writePage(kernel: Kernel, page: NewPage, provenance: Provenance): Result<ResidentPage[]> {
  const drafts = draftPages(page, provenance);
  if (!drafts.ok) return drafts;
  const known = drafts.value.flatMap((draft) => {
    const found = rememberedAs(kernel, draft);
    return found === null ? [] : [{ draft, found }];
  });
  if (known.length < drafts.value.length) return success(drafts.value.map((draft) => insertRemembered(kernel, draft)));
  return success(
    known.map(({ draft, found }) => {
      const page = { ...repeatPage(kernel, found, draft), text: found.text ?? draft.text };
      pinAgain(kernel, page);
      return { ...page, ...readPages(kernel, [page.number])[0], text: page.text };
    }),
  );
}

/** Brings the pages to hand that may say the same already. What D1 cannot give is compared by its hash. */
export async function prepareWrite(kernel: Kernel, page: NewPage): Promise<void> {
  const drafts = draftPages(page, { defaultAt: kernel.now() });
  const said = drafts.ok ? drafts.value.flatMap((draft) => pagesSaying(kernel, draft)) : [];
  if (said.length > 0) await fault(kernel, said);
}
