/**
 * What holds: of pages that took each other's place, the one that the question asks about.
 *
 * Use: `selectStanding(question, pages)` in place of `select`; `standingPages(pages, question)` are the pages it reads. The kernel
 * marks a page with the one that supersedes it.
 *
 * What must hold: a question about now is answered by the newer page, one about a time by the page that held then, one about
 * before by the older; a mark whose page is not at hand changes nothing. What took a page's place matches as well as that did:
 * "I moved to Berlin" answers "where do I live?" no worse than "I live in Paris" would have.
 */
import type { EvidencePage } from "#workers/local-ai/evidence.ts";
import { asksFormer, asksPast } from "#workers/local-ai/newest.ts";
import type { Question } from "#workers/local-ai/question.ts";
import { userPerson } from "#workers/local-ai/sentences.ts";
import { select, type ScoredSentence, type Selection } from "#workers/local-ai/select.ts";

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

/** For each page of the user's own that took the place of others, what those matched best. */
function inherited(all: Selection, pages: readonly EvidencePage[]): Map<string, ScoredSentence> {
  const byHandle = new Map(pages.map((page) => [page.handle, page]));
  const best = new Map<string, ScoredSentence>();
  for (const scored of all.sentences) {
    // Between other people a change of plans is often no change of fact: there it made more wrong answers than right ones.
    if (scored.sentence.person !== userPerson || scored.sentence.asks || scored.fit < 0) continue;
    const seen = new Set<string>();
    for (let heir = scored.sentence.page.supersededBy ?? ""; byHandle.has(heir) && !seen.has(heir);) {
      seen.add(heir);
      if (scored.own > (best.get(heir)?.own ?? 0)) best.set(heir, scored);
      heir = byHandle.get(heir)?.supersededBy ?? "";
    }
  }
  return best;
}

function raised(scored: ScoredSentence, former: ScoredSentence): ScoredSentence {
  return {
    ...scored,
    own: Math.max(scored.own, former.own),
    paged: Math.max(scored.paged, former.paged),
    near: Math.max(scored.near, former.near),
    strongest: Math.max(scored.strongest, former.strongest),
    score: Math.max(scored.score, former.score),
  };
}

export function selectStanding(question: Question, pages: readonly EvidencePage[]): Selection {
  const standing = standingPages(pages, question);
  const selection = select(question, standing);
  const former = inherited(standing.length === pages.length ? selection : select(question, pages), pages);
  if (former.size === 0) return selection;
  const sentences = [...selection.sentences];
  for (const [handle, older] of former) {
    const own = sentences.filter(({ sentence, fit }) => sentence.page.handle === handle && !sentence.asks && fit >= 0);
    const heir = own.reduce<ScoredSentence | undefined>(
      (best, scored) => (best === undefined || scored.own > best.own ? scored : best),
      undefined,
    );
    // Of several sentences the one that speaks of it at all.
    if (heir === undefined || (heir.own === 0 && own.length > 1)) continue;
    sentences[sentences.indexOf(heir)] = raised(heir, older);
  }
  sentences.sort((left, right) => right.score - left.score);
  return { ...selection, sentences };
}
