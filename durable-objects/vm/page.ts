/**
 * Page: one unit of memory as the object's page table holds it, and as the API and a prompt show it.
 *
 * `text` is null while the body is not resident; `swap.ts` brings it back. Dates are wall time in UTC milliseconds with a
 * zone flag: a naive date is never shifted.
 */
import type { PageKind, PageRole, PageView } from "#shared/abi.ts";
import { composePageHandle } from "#shared/ids.ts";
import { isQuestion } from "#shared/text/questions.ts";

export type PageRow = {
  number: number;
  kind: PageKind;
  role: PageRole | null;
  speaker: string | null;
  text: string | null;
  tokens: number;
  version: number;
  source: string | null;
  at: number | null;
  at_text: string | null;
  zoned: number;
  tags: string;
  thread: string | null;
  session: string;
  run: string | null;
  evidence: number;
  deleted: number;
  dirty: number;
  created_at: number;
  updated_at: number;
  referenced_at: number;
  /** 1 while the page stands in every prompt. */
  pinned: number;
  /** Number of the page that says the newer thing of the same subject; null while this one holds. */
  superseded_by: number | null;
  /** JSON list of the numbers of the pages this one was made from. */
  provenance: string;
};

/** A page whose body is at hand. */
export type ResidentPage = PageRow & { text: string };

/** Whether a page can support an answer: the process's own words, summaries among them, and the person's questions cannot. */
export function evidenceOf(page: Pick<PageRow, "kind" | "role"> & { readonly text: string }): 0 | 1 {
  const spokenQuestion = page.kind === "turn" && page.role === "user" && isQuestion(page.text);
  const ownSummary = page.kind === "summary" && page.role === "system";
  return page.kind === "assistant" || ownSummary || spokenQuestion ? 0 : 1;
}

/** A stored date as ISO 8601: with `Z` when the original named a zone, else naive. */
export function isoDate(at: number | null, zoned: boolean): string | null {
  if (at === null) return null;
  const text = new Date(at).toISOString();
  return zoned
    ? text
    : text
        .slice(0, -1)
        .replace(/\.000$/, "")
        .replace(/T00:00:00$/, "");
}

export function viewPage(page: ResidentPage): PageView {
  return {
    handle: composePageHandle(page.number),
    kind: page.kind,
    text: page.text,
    role: page.role,
    speaker: page.speaker,
    source: page.source,
    at: isoDate(page.at, page.zoned === 1),
    atText: page.at_text,
    tags: JSON.parse(page.tags) as string[],
    thread: page.thread,
    version: page.version,
    tokens: page.tokens,
    createdAt: new Date(page.created_at).toISOString(),
    updatedAt: new Date(page.updated_at).toISOString(),
    pinned: page.pinned === 1,
    supersededBy: page.superseded_by === null ? null : composePageHandle(page.superseded_by),
    provenance: provenanceOf(page).map(composePageHandle),
  };
}

/** Numbers of the pages this one was made from. */
export function provenanceOf(page: Pick<PageRow, "provenance">): number[] {
  return JSON.parse(page.provenance) as number[];
}

/**
 * A page as one line of JSON for a prompt or a system call's result. JSON keeps every newline and quote of the text inside
 * one string, so a page cannot pretend to be another page or an instruction.
 */
export function renderPage(page: ResidentPage): Record<string, string | null> {
  const at = isoDate(page.at, page.zoned === 1);
  return {
    handle: composePageHandle(page.number),
    kind: page.kind,
    // Whole minutes are shown as such; anything finer stays, because it tells which of two statements is the newer.
    at: at === null ? null : at.replace(/(T\d\d:\d\d):00(\.000)?(Z?)$/, "$1$3"),
    role: page.role,
    speaker: page.speaker,
    source: page.source,
    text: page.text,
    // Only where it says something: a page that still holds looks as it always did.
    ...(page.superseded_by === null ? {} : { supersededBy: composePageHandle(page.superseded_by) }),
  };
}
