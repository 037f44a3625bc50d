/**
 * What holds: of pages that took each other's place, the one that the question asks about.
 *
 * Use: `standingPages(pages, question)` before sentences are scored. The kernel marks a page with the one that supersedes it.
 *
 * What must hold: a question about now is answered by the newer page, one about a time by the page that held then, one about
 * before by the older; a mark whose page is not at hand changes nothing.
 */
import type { EvidencePage } from "#workers/local-ai/evidence.ts";
import { asksFormer, asksPast } from "#workers/local-ai/newest.ts";
import type { Question } from "#workers/local-ai/question.ts";

interface Succession {
  readonly older: EvidencePage;
  readonly newer: EvidencePage;
}

export function standingPages(
  pages: readonly EvidencePage[],
  question: Pick<Question, "text" | "dates" | "type">,
): readonly EvidencePage[] {
  const byHandle = new Map(pages.map((page) => [page.handle, page]));
  const successions = pages.flatMap((older): Succession[] => {
    const newer = byHandle.get(older.supersededBy ?? "");
    return newer === undefined ? [] : [{ older, newer }];
  });
  if (successions.length === 0 || question.type === "when") return pages;
  const [asked] = question.dates;
  if (asked !== undefined) return heldIn(pages, successions, asked);
  if (asksFormer(question.text)) {
    const older = new Set(successions.map((one) => one.older));
    const newest = new Set(successions.map((one) => one.newer).filter((page) => !older.has(page)));
    return pages.filter((page) => !newest.has(page));
  }
  if (asksPast(question.text)) return pages;
  const gone = new Set(successions.map((one) => one.older));
  return pages.filter((page) => !gone.has(page));
}

/** Without what was over before the time asked about, and what was told only after it; what held then counts as said then. */
function heldIn(
  pages: readonly EvidencePage[],
  successions: readonly Succession[],
  asked: { readonly from: number; readonly to: number },
): readonly EvidencePage[] {
  const gone = new Set<EvidencePage>();
  const held = new Set<EvidencePage>();
  for (const { older, newer } of successions) {
    if (older.at === null || newer.at === null) continue;
    if (newer.at <= asked.from) gone.add(older);
    else if (older.at < asked.to) held.add(older);
    if (newer.at >= asked.to) gone.add(newer);
  }
  return pages.filter((page) => !gone.has(page)).map((page) => (held.has(page) ? { ...page, heldIn: asked } : page));
}
