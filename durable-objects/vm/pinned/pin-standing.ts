/**
 * Pin standing: makes pages of what a person says for always, and keeps them in every prompt.
 *
 *     pinStanding(kernel, turn)        after a turn was written or imported: each sentence becomes a page of kind `instruction`,
 *                                      tagged `instruction` or `preference`, made from the turn (`provenance`), pinned
 *     insertRemembered(kernel, draft)  writes a page that a person or a model remembers: pinned itself when it is such a sentence
 *     pinAgain(kernel, page)           when it is remembered once more
 *
 * All belong inside the transaction that writes the page. What was said before is not pinned twice: the page that is there
 * notes the turn. What contradicts an older one takes its place; both stay pages. What a person took out stays out. Of the turn
 * and the page made from it a search for evidence finds one.
 */
import { PROVENANCE_PAGES, STANDING_CHARACTERS, STANDING_COMPARED, STANDING_PINS } from "#shared/limits.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { provenanceOf, type PageRow, type ResidentPage } from "#kernel/vm/page.ts";
import { comparedStanding, insertPage, markPage, readPages, type PageDraft } from "#kernel/vm/page-table.ts";
import { UNPINNED } from "#kernel/vm/pinned/pin-by-hand.ts";
import { pinPage, unpinPage } from "#kernel/vm/pinned/pinned.ts";
import { findStanding, type Standing } from "#kernel/vm/pinned/standing.ts";
import { admitStanding, type KnownStanding } from "#kernel/vm/pinned/standing-pins.ts";
import { topicOf, type Topic } from "#kernel/vm/pinned/standing-topics.ts";

const TOPICS_KEPT = 4 * STANDING_PINS;

/** What a model notes about the person, in the third person. */
const NOTED =
  /^(?:the |this )?(?:user|person|human)(?:['’]s)? (?:(?:really|strongly|always|generally|usually) )?(?:prefers|likes|loves|hates|dislikes|wants (?:answers|replies|me to|all)|is allergic to|is (?:a )?(?:vegetarian|vegan)|does(?:n['’]t| not) (?:like|eat|drink|want)|asked (?:me )?to (?:always|never)|(?:preference|favou?rite)\b)/i;

/** Pins what a turn says for always. Answers the numbers of the pages it made. */
export function pinStanding(kernel: Kernel, turn: ResidentPage): number[] {
  if (turn.role !== "user" || turn.kind !== "turn") return [];
  return findStanding(turn.text).flatMap((standing) => pinSentence(kernel, turn, standing) ?? []);
}

function pinSentence(kernel: Kernel, turn: ResidentPage, { kind, text }: Standing): number | null {
  const admission = admitStanding(text, turn.at, knownStanding(kernel), topicsOf(kernel));
  if (admission.kind === "known") {
    noteAgain(kernel, admission.id, turn.number);
    return null;
  }
  const page = insertPage(kernel, {
    kind: "instruction",
    role: "user",
    speaker: turn.speaker,
    source: turn.source,
    at: turn.at,
    at_text: turn.at_text,
    zoned: turn.zoned,
    thread: turn.thread,
    run: turn.run,
    // One of the two is found: a turn that asks as well is no evidence, so what it tells is.
    evidence: turn.evidence === 1 ? 0 : 1,
    text,
    tags: [kind],
    pinned: admission.kind === "new" ? 1 : 0,
    provenance: [turn.number],
    ...(admission.kind === "past" ? { supersededBy: admission.replacedBy } : {}),
  });
  if (admission.kind === "new") replace(kernel, admission.replaces, page.number);
  return page.number;
}

/** Writes a remembered page; one that is itself a standing instruction or preference is pinned from the start. */
export function insertRemembered(kernel: Kernel, draft: PageDraft): ResidentPage {
  const older = isStanding(draft) ? replacedBy(kernel, draft, null) : null;
  if (older === null) return insertPage(kernel, draft);
  const page = insertPage(kernel, { ...draft, pinned: 1 });
  replace(kernel, older, page.number);
  return page;
}

/** For a page that was remembered once more: it holds again, unless a person took it out of the prompts. */
export function pinAgain(kernel: Kernel, page: ResidentPage): void {
  const tags = tagsOf(page);
  const older = isStanding({ ...page, tags }) ? replacedBy(kernel, page, page.number) : null;
  if (older === null) return;
  pinPage(kernel, page.number);
  replace(kernel, older, page.number);
}

/** The pages in whose place a remembered one stands, or null when a later one stands in its own. */
function replacedBy(kernel: Kernel, page: { text: string; at: number | null }, number: number | null): number[] | null {
  const others = knownStanding(kernel).filter((known) => known.id !== number && known.wanted);
  const admission = admitStanding(page.text, page.at, others, topicsOf(kernel));
  if (admission.kind === "past") return null;
  return admission.kind === "known" ? [admission.id] : [...admission.replaces];
}

const TOPICS = new WeakMap<Kernel, Map<string, Topic>>();

/** Reads what a sentence speaks of, and remembers it while the process is in memory: every new one is held against all. */
function topicsOf(kernel: Kernel): (text: string) => Topic {
  const known = TOPICS.get(kernel) ?? new Map<string, Topic>();
  TOPICS.set(kernel, known);
  return (text) => {
    const found = known.get(text) ?? topicOf(text);
    if (known.size >= TOPICS_KEPT) known.clear();
    known.set(text, found);
    return found;
  };
}

function isStanding(page: Pick<PageDraft, "kind" | "role" | "text" | "tags">): boolean {
  if ((page.role !== null && page.role !== "user") || page.tags.includes(UNPINNED)) return false;
  if (page.kind === "instruction") return true;
  if (page.kind !== "fact" || page.text.length > STANDING_CHARACTERS) return false;
  return NOTED.test(page.text) || findStanding(page.text).length > 0;
}

function tagsOf(page: Pick<PageRow, "tags">): string[] {
  return JSON.parse(page.tags) as string[];
}

function knownStanding(kernel: Kernel): KnownStanding[] {
  return comparedStanding(kernel, STANDING_COMPARED).flatMap((page) =>
    page.text === null
      ? []
      : {
          id: page.number,
          text: page.text,
          at: page.at,
          wanted: !tagsOf(page).includes(UNPINNED),
          holds: page.superseded_by === null,
        },
  );
}

/** A page that was said again notes where; one that only had to make room comes back. */
function noteAgain(kernel: Kernel, number: number, turn: number): void {
  const page = readPages(kernel, [number])[0];
  if (page === undefined) return;
  const from = provenanceOf(page);
  if (from.length > 0 && !from.includes(turn))
    markPage(kernel, number, { provenance: JSON.stringify([...from, turn].slice(-PROVENANCE_PAGES)) });
  if (!tagsOf(page).includes(UNPINNED)) pinPage(kernel, number);
}

/** The older ones stay pages, found by their dates; the newer stands in their place. */
function replace(kernel: Kernel, older: readonly number[], newer: number): void {
  for (const page of readPages(kernel, older)) {
    unpinPage(kernel, page.number);
    // Which of two facts holds is decided by what they claim (`claim-table.ts`).
    if (page.kind === "instruction") markPage(kernel, page.number, { superseded_by: newer });
  }
  makeRoom(kernel);
}

/** Beyond the limit the oldest recognised preference makes room, then the oldest of any kind. */
function makeRoom(kernel: Kernel): void {
  const pinned = comparedStanding(kernel, 0).filter((page) => page.pinned === 1);
  const oldestFirst = pinned.toSorted((one, other) => (one.at ?? 0) - (other.at ?? 0) || one.number - other.number);
  const preferences = oldestFirst.filter((page) => tagsOf(page).includes("preference"));
  const leaving = [...preferences, ...oldestFirst.filter((page) => !preferences.includes(page))];
  for (const page of leaving.slice(0, Math.max(0, pinned.length - STANDING_PINS))) unpinPage(kernel, page.number);
}
