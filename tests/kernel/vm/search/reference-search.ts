/**
 * The page score as its definition says it, page by page and term by term, with nothing kept or skipped: what the search index
 * must equal.
 *
 * Use `referenceSearch(entries, query)`. It shares with the index only how a question is read, the clusters, the notes, the date match
 * and the weights. It knows no latent space.
 */
import { QUERY_TERMS } from "#shared/limits.ts";
import { clusterMates } from "#shared/text/clusters.ts";
import { analyzeWord, STOP_WORDS } from "#shared/text/words.ts";
import { FEATURES, type FeatureName } from "#kernel/vm/search/feature-names.ts";
import { indexedTerms, noteTermsAsked } from "#kernel/vm/search/notes.ts";
import { dateMatch } from "#kernel/vm/search/search-dates.ts";
import type { IndexEntry, SearchQuery } from "#kernel/vm/search/search-index.ts";
import { readQuestion, type Question } from "#kernel/vm/search/search-question.ts";
import { ASSISTANT_WORD_WEIGHTS, PEER_WORD_WEIGHTS } from "#kernel/vm/search/search-weights.ts";

export interface ReferenceHit {
  page: number;
  score: number;
}

interface Sited {
  entry: IndexEntry;
  counts: Map<string, number>;
  /** The session, in order, and the page's place in it. */
  session: Sited[];
  place: number;
  values: Record<FeatureName, number>;
}

const ALONE = ["fact", "note", "instruction", "summary"];
const STOPPED = new Set([...STOP_WORDS].map(analyzeWord));

function site(entries: readonly IndexEntry[]): Sited[] {
  const sessions = new Map<string, Sited[]>();
  const pages = entries.map((entry): Sited => {
    const key = ALONE.includes(entry.kind) ? `page ${entry.page}` : `session ${entry.session}`;
    const session = sessions.get(key) ?? [];
    sessions.set(key, session);
    const counts = new Map<string, number>();
    for (const term of indexedTerms(entry.terms)) counts.set(term, (counts.get(term) ?? 0) + 1);
    const values = Object.fromEntries(FEATURES.map((name) => [name, 0])) as Record<FeatureName, number>;
    const page = { entry, counts, session, place: 0, values };
    session.push(page);
    return page;
  });
  for (const session of sessions.values()) {
    session.sort((one, other) => one.entry.order - other.entry.order || one.entry.page - other.entry.page);
    session.forEach((page, place) => (page.place = place));
  }
  return pages;
}

function at(page: Sited, terms: readonly string[], distance: number): number {
  const places = distance === 0 ? [page.place] : [page.place - distance, page.place + distance];
  let sum = 0;
  for (const place of places) for (const term of terms) sum += page.session[place]?.counts.get(term) ?? 0;
  return sum;
}

function lengthWithin(page: Sited, reach: number): number {
  const from = Math.max(0, page.place - reach);
  return page.session.slice(from, page.place + reach + 1).reduce((sum, near) => sum + near.entry.terms.length, 0);
}

/** BM25 saturation of one field over all pages. */
function fieldOf(pages: readonly Sited[], k1: number, b: number, reach: number) {
  const lengths = new Map(pages.map((page) => [page, lengthWithin(page, reach)]));
  const sum = [...lengths.values()].reduce((total, length) => total + length, 0);
  const average = sum === 0 ? 1 : sum / pages.length;
  return (count: number, page: Sited): number =>
    (count * (k1 + 1)) / (count + k1 * (1 - b + (b * (lengths.get(page) ?? 0)) / average));
}

function pieces(term: string): Set<string> {
  const padded = `_${term}_`;
  return new Set(Array.from({ length: padded.length - 2 }, (_, index) => padded.slice(index, index + 3)));
}

function isSpelt(term: string): boolean {
  return term.length >= 3 && /^[\p{Ll}\p{Lo}]+$/u.test(term);
}

function similarity(one: string, other: string): number {
  if (one === other || !isSpelt(one) || !isSpelt(other) || STOPPED.has(other)) return 0;
  const [first, second] = [pieces(one), pieces(other)];
  const shared = [...first].filter((piece) => second.has(piece)).length;
  const share = (2 * shared) / (first.size + other.length);
  return share >= 0.5 ? share : 0;
}

function measureWords(pages: readonly Sited[], question: Question): void {
  const known = new Map<string, number>();
  for (const page of pages) for (const term of page.counts.keys()) known.set(term, (known.get(term) ?? 0) + 1);
  const rarity = (holders: number): number => Math.log(1 + (pages.length - holders + 0.5) / (holders + 0.5));
  const own = fieldOf(pages, 1.2, 0.75, 0);
  const near1 = fieldOf(pages, 0.9, 0.75, 1);
  const near2 = fieldOf(pages, 0.9, 0.75, 2);
  const window4 = fieldOf(pages, 1.2, 0.5, 4);
  let { terms } = question;
  if (terms.length > QUERY_TERMS) {
    const held = terms.filter((term) => known.has(term));
    terms = held.toSorted((one, other) => (known.get(one) ?? 0) - (known.get(other) ?? 0)).slice(0, QUERY_TERMS);
  }
  const weights = new Map<string, number>();
  for (const term of terms) {
    const single = term.length === 1 && !/[a-z0-9]/.test(term);
    const pairs = single ? [...known.keys()].filter((other) => other.length === 2 && other.includes(term)) : [];
    const members = [term, ...pairs];
    const weight = rarity(pages.filter((page) => at(page, members, 0) > 0).length);
    weights.set(term, weight);
    for (const page of pages) {
      const [count, one, two] = [at(page, members, 0), at(page, members, 1), at(page, members, 2)];
      const wide = count + one + two + at(page, members, 3) + at(page, members, 4);
      page.values.own += weight * own(count, page);
      page.values.coverage += count > 0 ? weight : 0;
      page.values.near1 += weight * near1(count + 0.4 * one, page);
      page.values.near2 += weight * near2(count + 0.4 * one + 0.2 * two, page);
      page.values.window4 += weight * window4(wide, page);
    }
  }
  for (const note of noteTermsAsked(question.terms)) {
    const weight = Math.log(1 + pages.length / ((known.get(note) ?? 0) + 0.5));
    for (const page of pages) if (page.counts.has(note)) page.values.kind = Math.max(page.values.kind, weight);
  }
  measureKin(pages, weights, known, { own, near1, rarity });
  const whole = [...weights.values()].reduce((sum, weight) => sum + weight, 0);
  if (whole === 0) return;
  for (const { values } of pages)
    for (const name of ["own", "near1", "near2", "window4", "coverage", "mates", "spelling"] as const)
      values[name] /= whole;
}

/** Related words and words spelt alike. */
function measureKin(
  pages: readonly Sited[],
  weights: ReadonlyMap<string, number>,
  known: ReadonlyMap<string, number>,
  { own, near1, rarity }: Record<"own" | "near1", ReturnType<typeof fieldOf>> & { rarity: (holders: number) => number },
): void {
  const lent = new Map<string, number>();
  for (const [term, weight] of weights) {
    const asked = known.has(term) ? weight : 4;
    const mates = clusterMates(term);
    for (const mate of mates)
      if (!weights.has(mate))
        lent.set(mate, Math.max(asked / Math.sqrt(Math.max(3, mates.length)) / 6, lent.get(mate) ?? 0));
    const alike = [...known.keys()].filter((other) => !weights.has(other) && similarity(term, other) > 0);
    if (alike.length === 0) continue;
    for (const page of pages) {
      const best = alike.map((other) => similarity(term, other) * own(page.counts.get(other) ?? 0, page));
      page.values.spelling += asked * Math.max(...best);
    }
  }
  for (const [mate, part] of lent) {
    const weight = part * rarity(known.get(mate) ?? 0);
    for (const page of pages)
      page.values.mates += weight * near1(at(page, [mate], 0) + 0.4 * at(page, [mate], 1), page);
  }
}

function measureRest(page: Sited, question: Question): void {
  const { entry, values, session, place } = page;
  const before = session[place - 1];
  if (before?.entry.cues.question === true) values.answer = before.values.own;
  const spoken =
    question.speaker === null ? question.firstPerson && entry.role === "user" : entry.speaker === question.speaker;
  values.speaker = spoken ? 1 : 0;
  values.speakerNear1 = spoken ? values.near1 : 0;
  values.date = question.date === null || entry.at === null ? 0 : dateMatch(question.date, entry.at);
  values.when = entry.cues.time && (question.asksWhen || question.date !== null) ? 1 : 0;
  values.where = question.asksWhere ? entry.cues.names / 3 : 0;
  const crowd = session.map((other) => other.values.near2).sort((one, other) => other - one);
  values.best = crowd[0] ?? 0;
  values.top3 = crowd.slice(0, 3).reduce((sum, value) => sum + value, 0) / Math.min(3, crowd.length);
  values.asked = question.addressesAssistant && entry.role === "assistant" ? 1 : 0;
  values.lengthShort = Math.log(1 + Math.min(entry.terms.length, 60));
  values.lengthLong = Math.log(Math.max(entry.terms.length, 60) / 60);
  values.question = entry.cues.question ? 1 : 0;
  values.address = entry.cues.address;
  values.reaction = entry.cues.reaction ? 1 : 0;
  values.edge = place < 2 || session.length - place <= 2 ? 1 : 0;
  values.user = entry.role === "user" ? 1 : 0;
}

function isWanted({ entry }: Sited, { kinds, from, to, filter }: SearchQuery): boolean {
  if (kinds !== undefined && !kinds.includes(entry.kind)) return false;
  if (from !== undefined && (entry.at === null || entry.at < from)) return false;
  if (to !== undefined && (entry.at === null || entry.at > to)) return false;
  return filter === undefined || filter(entry.page);
}

/** Every page's features, by page number. */
export function referenceMeasure(
  entries: readonly IndexEntry[],
  text: string,
  now?: number,
): Map<number, Record<FeatureName, number>> {
  const pages = site(entries);
  const speakers = [...new Set(entries.flatMap((entry) => entry.speaker ?? []))].sort();
  const question = readQuestion(text, speakers, now);
  measureWords(pages, question);
  for (const page of pages) measureRest(page, question);
  return new Map(pages.map((page) => [page.entry.page, page.values]));
}

export function referenceSearch(entries: readonly IndexEntry[], query: SearchQuery): ReferenceHit[] {
  const features = referenceMeasure(entries, query.text, query.now);
  const roles = entries.filter(({ role }) => role === "user" || role === "assistant").length;
  const named = entries.filter(
    ({ role, speaker }) => role !== "user" && role !== "assistant" && speaker !== null,
  ).length;
  const weights = roles > named || named === 0 ? ASSISTANT_WORD_WEIGHTS : PEER_WORD_WEIGHTS;
  const hits = site(entries).flatMap((page) => {
    const values = features.get(page.entry.page);
    if (values === undefined || !isWanted(page, query)) return [];
    if (values.near2 + values.mates + values.spelling + values.speaker + values.date + values.kind === 0) return [];
    const score = FEATURES.reduce((sum, name) => sum + (weights[name] ?? 0) * values[name], 0);
    return [{ page: page.entry.page, order: page.entry.order, score }];
  });
  hits.sort((one, other) => other.score - one.score || one.order - other.order || one.page - other.page);
  return hits.slice(0, query.limit).map(({ page, score }) => ({ page, score: Math.log1p(Math.exp(score)) }));
}
