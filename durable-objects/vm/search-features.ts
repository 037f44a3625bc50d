/**
 * How every page of a process relates to a question, as numbers: words of its own, words of its neighbours and its session, who
 * spoke, when, and how it is said. The weights that turn them into one score are in `search-weights.ts`.
 *
 * Use `measureFeatures(question, layout, postings)`: one column a feature, one row a position of the layout.
 * What must hold: every page is measured, there is no cut before scoring; the result does not depend on the order in which pages
 * were added (sums run by position and by term, never by the order of the postings).
 *
 * Lexical parts are BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009), with neighbouring pages as
 * weighted fields of one term frequency (BM25F).
 */
import { clusterMates } from "#shared/text/clusters.ts";
import { QUERY_TERMS } from "#shared/limits.ts";
import { dateMatch } from "#kernel/vm/search-dates.ts";
import type { HeldPage, Layout } from "#kernel/vm/search-layout.ts";
import type { Postings } from "#kernel/vm/postings.ts";
import type { Question } from "#kernel/vm/search-question.ts";
import { inverseFrequency, membersOf, saturate, TermWindow, type Field } from "#kernel/vm/term-window.ts";

/** Occurrences on a neighbouring page count this much, at distance 1 and at 2. */
const NEAR = 0.4;
const FAR = 0.2;

export const FEATURES = [
  "own", // BM25 of the page alone
  "near1", // with neighbours at distance 1
  "near2", // and 2
  "window4", // plain sum of five pages either side
  "coverage", // share of the question's weight that the page itself holds
  "mates", // related words (clusters) in the page and its neighbours
  "spelling", // words spelt like an asked one (typing errors, derived words) in the page
  "answer", // own score of the page before, when that page asks a question
  "speaker", // said by the person named, or by the user when the question is about the asker
  "speakerNear1", // speaker × near1
  "date", // share of the asked date parts that hold for the page
  "when", // the question asks when, the page speaks of a time
  "where", // the question asks where or who, the page holds names
  "best", // best near2 in the session
  "top3", // mean of the session's three best near2
  "lengthShort", // ln(1 + min(words, 60))
  "lengthLong", // ln(max(words, 60) / 60)
  "question", // the page itself asks
  "address", // share of "you"
  "reaction", // opens with "Wow", "Thanks"
  "edge", // first or last two of its session
  "user", // said by the user
  "asked", // the question is about what the assistant said, and the assistant said the page
] as const;

export type FeatureName = (typeof FEATURES)[number];
export type FeatureColumns = Record<FeatureName, Float64Array>;

function fieldsOf(columns: FeatureColumns, layout: Layout): { own: Field; near1: Field; near2: Field; window4: Field } {
  return {
    own: { column: columns.own, k1: 1.2, b: 0.75, length: layout.length, average: layout.averageLength },
    near1: { column: columns.near1, k1: 0.9, b: 0.75, length: layout.lengthWithin1, average: layout.averageWithin1 },
    near2: { column: columns.near2, k1: 0.9, b: 0.75, length: layout.lengthWithin2, average: layout.averageWithin2 },
    window4: { column: columns.window4, k1: 1.2, b: 0.5, length: layout.lengthWithin4, average: layout.averageWithin4 },
  };
}

function addTo(column: Float64Array, position: number, value: number): void {
  column[position] = (column[position] ?? 0) + value;
}

function askedTerms(terms: readonly string[], postings: Postings): readonly string[] {
  if (terms.length <= QUERY_TERMS) return terms;
  const held = terms
    .map((term) => ({ term, pages: postings.find(term)?.slots.length ?? 0 }))
    .filter(({ pages }) => pages > 0);
  // The sort is stable, so terms as rare as each other stay in the order asked.
  return held
    .sort((one, other) => one.pages - other.pages)
    .slice(0, QUERY_TERMS)
    .map(({ term }) => term);
}

/** Fills the lexical columns for the question's own terms; returns the weight of each term. */
function measureTerms(
  question: Question,
  layout: Layout,
  postings: Postings,
  window: TermWindow,
  columns: FeatureColumns,
): Map<string, number> {
  const weights = new Map<string, number>();
  const fields = fieldsOf(columns, layout);
  for (const term of askedTerms(question.terms, postings)) {
    const weight = inverseFrequency(layout.size, window.load(membersOf(term, postings), postings, 4));
    weights.set(term, weight);
    for (const position of window.touched) {
      const own = window.count[position] ?? 0;
      const at1 = window.at(position, 1);
      const at2 = window.at(position, 2);
      const wide = own + at1 + at2 + window.at(position, 3) + window.at(position, 4);
      const near1 = own + NEAR * at1;
      if (own > 0) {
        addTo(columns.own, position, weight * saturate(own, fields.own, position));
        addTo(columns.coverage, position, weight);
      }
      if (near1 > 0) addTo(columns.near1, position, weight * saturate(near1, fields.near1, position));
      if (near1 + at2 > 0) addTo(columns.near2, position, weight * saturate(near1 + FAR * at2, fields.near2, position));
      addTo(columns.window4, position, weight * saturate(wide, fields.window4, position));
    }
  }
  return weights;
}

const UNSEEN_TERM_WEIGHT = 4;

/** Related words lend a page part of the asked word's weight, less when the word has many of them. */
function measureMates(
  weights: ReadonlyMap<string, number>,
  layout: Layout,
  postings: Postings,
  window: TermWindow,
  columns: FeatureColumns,
): void {
  const lent = new Map<string, number>();
  for (const [term, weight] of weights) {
    const mates = clusterMates(term);
    const asked = postings.find(term) === undefined ? UNSEEN_TERM_WEIGHT : weight;
    const part = asked / Math.sqrt(Math.max(3, mates.length)) / 6;
    for (const mate of mates) if (!weights.has(mate)) lent.set(mate, Math.max(part, lent.get(mate) ?? 0));
  }
  const field = fieldsOf(columns, layout).near1;
  for (const [mate, part] of lent) {
    const weight = part * inverseFrequency(layout.size, window.load([mate], postings, 1));
    for (const position of window.touched) {
      const count = (window.count[position] ?? 0) + NEAR * window.at(position, 1);
      if (count > 0) addTo(columns.mates, position, weight * saturate(count, field, position));
    }
  }
}

/** The best-spelt match of each asked word on a page; the asked word itself is counted elsewhere. */
function measureSpelling(
  weights: ReadonlyMap<string, number>,
  layout: Layout,
  postings: Postings,
  window: TermWindow,
  columns: FeatureColumns,
): void {
  const field = fieldsOf(columns, layout).own;
  for (const [term, weight] of weights) {
    const asked = postings.find(term) === undefined ? UNSEEN_TERM_WEIGHT : weight;
    const best = new Map<number, number>();
    for (const { term: known, similarity } of postings.similar(term)) {
      if (weights.has(known)) continue;
      window.load([known], postings, 0);
      for (const position of window.touched) {
        const value = similarity * saturate(window.count[position] ?? 0, field, position);
        if (value > (best.get(position) ?? 0)) best.set(position, value);
      }
    }
    for (const [position, value] of best) addTo(columns.spelling, position, asked * value);
  }
}

function scale(column: Float64Array, factor: number): void {
  for (let index = 0; index < column.length; index += 1) column[index] = (column[index] ?? 0) * factor;
}

/** The session's best page and its crowd: with a negative weight on the second, a session with one good page beats an even one. */
function measureSessions(layout: Layout, columns: FeatureColumns): void {
  let position = 0;
  while (position < layout.size) {
    const end = layout.end[position] ?? layout.size;
    let [first, second, third] = [0, 0, 0];
    for (let index = position; index < end; index += 1) {
      const value = columns.near2[index] ?? 0;
      if (value > first) [first, second, third] = [value, first, second];
      else if (value > second) [second, third] = [value, second];
      else if (value > third) third = value;
    }
    columns.best.fill(first, position, end);
    columns.top3.fill((first + second + third) / Math.min(3, end - position), position, end);
    position = end;
  }
}

function isSpokenByAsked(question: Question, page: HeldPage): boolean {
  if (question.speaker !== null) return page.entry.speaker === question.speaker;
  return question.firstPerson && page.entry.role === "user";
}

function measurePage(question: Question, layout: Layout, columns: FeatureColumns, position: number): void {
  const page = layout.pages[position];
  if (page === undefined) return;
  const { cues, role, at } = page.entry;
  const start = layout.start[position] ?? 0;
  const end = layout.end[position] ?? 0;
  const previous = position > start ? layout.pages[position - 1] : undefined;
  if (previous?.entry.cues.question === true) columns.answer[position] = columns.own[position - 1] ?? 0;
  if (isSpokenByAsked(question, page)) {
    columns.speaker[position] = 1;
    columns.speakerNear1[position] = columns.near1[position] ?? 0;
  }
  if (question.date !== null && at !== null) columns.date[position] = dateMatch(question.date, at);
  if (cues.time && (question.asksWhen || question.date !== null)) columns.when[position] = 1;
  if (question.asksWhere) columns.where[position] = cues.names / 3;
  columns.lengthShort[position] = Math.log(1 + Math.min(page.length, 60));
  columns.lengthLong[position] = Math.log(Math.max(page.length, 60) / 60);
  if (cues.question) columns.question[position] = 1;
  columns.address[position] = cues.address;
  if (cues.reaction) columns.reaction[position] = 1;
  if (position - start < 2 || end - position <= 2) columns.edge[position] = 1;
  if (role === "user") columns.user[position] = 1;
  if (question.addressesAssistant && role === "assistant") columns.asked[position] = 1;
}

/** Every feature of every page. Lexical columns are shares of the question's whole weight. */
export function measureFeatures(question: Question, layout: Layout, postings: Postings): FeatureColumns {
  const columns = Object.fromEntries(FEATURES.map((name) => [name, new Float64Array(layout.size)])) as FeatureColumns;
  const window = new TermWindow(layout);
  const weights = measureTerms(question, layout, postings, window, columns);
  measureMates(weights, layout, postings, window, columns);
  measureSpelling(weights, layout, postings, window, columns);
  let whole = 0;
  for (const weight of weights.values()) whole += weight;
  if (whole > 0)
    for (const name of ["own", "near1", "near2", "window4", "coverage", "mates", "spelling"] as const)
      scale(columns[name], 1 / whole);
  measureSessions(layout, columns);
  for (let position = 0; position < layout.size; position += 1) measurePage(question, layout, columns, position);
  return columns;
}
