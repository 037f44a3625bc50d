/** Page draft: a page that has only a text, a note unless said otherwise, for tests that insert pages themselves. */
import type { PageDraft } from "#kernel/vm/page-table.ts";

export function pageDraft(text: string, more: Partial<PageDraft> = {}): PageDraft {
  return {
    kind: "note",
    role: null,
    speaker: null,
    source: null,
    at: null,
    at_text: null,
    zoned: 0,
    thread: null,
    run: null,
    evidence: 1,
    tags: [],
    text,
    ...more,
  };
}
