/**
 * LoCoMo streams: the audited conversations as the pager replay reads them, with what a search answers at every question.
 *
 * A page is a turn, its tokens are its characters over 4. A model call follows every second turn and is every question. Each
 * question of categories 1 to 4 is asked after a random session that is not before its last evidence; the seed decides which.
 * A search sees the turns said until then and no later one.
 */
import type { ReplayEvent } from "#bench/pager-replay.ts";
import type { Resident } from "#bench/pager-policies.ts";
import { auditedCases, indexOf, locomoCases, type MemoryCase, type MemoryQuestion } from "#bench/search-data.ts";
import { learnSpace } from "#bench/search-examples.ts";
import type { FeatureName } from "#kernel/vm/search/feature-names.ts";
import type { SearchHit, SearchIndex } from "#kernel/vm/search/search-index.ts";
import { lineTokens } from "#kernel/vm/context/tail.ts";
import { analyze } from "#shared/text/words.ts";

export interface AskedQuestion extends MemoryQuestion {
  /** How many turns had been said. */
  readonly said: number;
}

export interface Stream {
  readonly name: string;
  readonly pages: readonly Resident[];
  /** What each page's line takes in a tail, and what of it frames its words. */
  readonly lines: readonly { readonly tokens: number; readonly frame: number }[];
  readonly questions: readonly AskedQuestion[];
  readonly events: readonly ReplayEvent[];
}

export type Ranking = readonly SearchHit[];

/** A search over what was said until a question. */
export type Searcher = (stream: Stream, moment: number) => Ranking;

const ANSWERABLE = new Set(["multi-hop", "temporal", "open-domain", "single-hop"]);

/** A repeatable pseudo-random source: mulberry32. */
export function randomSource(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function auditedConversations(folder: string): MemoryCase[] {
  const locomo = locomoCases(folder);
  return locomo.length === 0 ? [] : auditedCases(folder, locomo);
}

/** One conversation with its questions placed by a seed. */
export function streamOf(one: MemoryCase, seed: number): Stream {
  const random = randomSource(seed);
  const pages = one.pages.map(({ page, text }): Resident => ({ id: page, tokens: Math.ceil(text.length / 4) }));
  const ends = sessionEnds(one);
  const asked = new Map<number, MemoryQuestion[]>();
  for (const question of one.questions) {
    const evidence = [...new Set(question.evidence.filter((page) => page >= 0))];
    if (!ANSWERABLE.has(question.category) || evidence.length === 0) continue;
    const first = ends.findIndex((end) => end > Math.max(...evidence));
    const session = first + Math.floor(random() * (ends.length - first));
    asked.set(session, [...(asked.get(session) ?? []), { ...question, evidence }]);
  }
  const events: ReplayEvent[] = [];
  const questions: AskedQuestion[] = [];
  let said = 0;
  ends.forEach((end, session) => {
    for (; said < end; said += 1) {
      const frame = pages[said];
      if (frame !== undefined) events.push({ kind: "enter", frame });
      if (said % 2 === 1) events.push({ kind: "call" });
    }
    for (const question of asked.get(session) ?? []) {
      const frames = question.evidence.flatMap((page) => pages[page] ?? []);
      events.push({ kind: "wanted", moment: questions.length, frames });
      questions.push({ ...question, said });
    }
  });
  return { name: one.name, pages, lines: one.pages.map(lineOf), questions, events };
}

/** A turn as page-in would render it after an import that names its source. */
function lineOf(page: MemoryCase["pages"][number]): { readonly tokens: number; readonly frame: number } {
  const { speaker, at, text, session } = page;
  return lineTokens({
    ...{ number: page.page + 1, kind: "turn", role: null, speaker, text, source: `D${session}:1`, at, zoned: 0 },
    ...{ tokens: 0, version: 1, at_text: null, tags: "[]", thread: null, session, run: null, evidence: 1, deleted: 0 },
    ...{ dirty: 0, created_at: 0, updated_at: 0, referenced_at: 0, pinned: 0, superseded_by: null, provenance: "[]" },
  });
}

/** The number of turns said at the end of each session. */
function sessionEnds(one: MemoryCase): number[] {
  const ends: number[] = [];
  one.pages.forEach((page, place) => {
    if (one.pages[place + 1]?.session !== page.session) ends.push(place + 1);
  });
  return ends;
}

/** Remembers rankings by conversation, question and what had been said: seeds share most of them. */
function remembered(rank: (name: string, question: AskedQuestion) => Ranking): Searcher {
  const known = new Map<string, Ranking>();
  return (stream, moment) => {
    const question = stream.questions[moment];
    if (question === undefined) return [];
    const key = `${stream.name} ${question.said} ${question.text}`;
    const ranking = known.get(key) ?? rank(stream.name, question);
    known.set(key, ranking);
    return ranking;
  };
}

/** Pages of a ranking that are kept. */
const KEPT = 150;

/** The index of what had been said until a question, with the latent space that an idle process learns between sessions. */
export type Indexes = (name: string, said: number) => SearchIndex;

export function indexesOf(cases: readonly MemoryCase[], latent: boolean): Indexes {
  const indexes = new Map<string, SearchIndex>();
  return (name, said) => {
    const key = `${name} ${said}`;
    const known = indexes.get(key);
    if (known !== undefined) return known;
    const pages = cases.find((one) => one.name === name)?.pages ?? [];
    const index = indexOf(pages.slice(0, said));
    indexes.set(key, latent ? learnSpace(index) : index);
    return index;
  };
}

/** Ranks as the production search does, or by `rank`. */
export function indexedSearcher(
  indexes: Indexes,
  rank: (index: SearchIndex, question: AskedQuestion, name: string) => Ranking = production,
): Searcher {
  return remembered((name, question) => rank(indexes(name, question.said), question, name));
}

function production(index: SearchIndex, question: AskedQuestion): Ranking {
  return index.search({ text: question.text, limit: KEPT });
}

/** Ranks by weights of the caller's: of each conversation those that `weights` names for it. */
export function weighedSearcher(
  indexes: Indexes,
  features: readonly FeatureName[],
  weights: ReadonlyMap<string, Float64Array>,
): Searcher {
  return indexedSearcher(indexes, (index, question, name) => {
    const { pages, columns } = index.measure(question.text);
    const sums = new Float64Array(pages.length);
    features.forEach((feature, place) => {
      const weight = weights.get(name)?.[place] ?? 0;
      columns[feature].forEach((value, row) => (sums[row] = (sums[row] ?? 0) + weight * value));
    });
    return pages
      .map((page, row) => ({ page, score: softplus(sums[row] ?? 0) }))
      .sort((one, other) => other.score - one.score || one.page - other.page)
      .slice(0, KEPT);
  });
}

/** ln(1 + e^x), as the production search answers its sums. */
function softplus(value: number): number {
  return value > 30 ? value : Math.log1p(Math.exp(value));
}

/** The reference: BM25 (k1 1.2, b 0.75) over a turn with one neighbour to each side. */
export function bm25Searcher(cases: readonly MemoryCase[]): Searcher {
  const terms = new Map(
    cases.map((one) => [one.name, one.pages.map((page) => analyze(`${page.speaker ?? ""} ${page.text}`))]),
  );
  return remembered((name, question) => {
    const turns = (terms.get(name) ?? []).slice(0, question.said);
    const texts = turns.map((own, place) => [...(turns[place - 1] ?? []), ...own, ...(turns[place + 1] ?? [])]);
    return bm25(texts, [...new Set(analyze(question.text))]);
  });
}

function bm25(texts: readonly (readonly string[])[], query: readonly string[]): Ranking {
  const mean = texts.reduce((sum, text) => sum + text.length, 0) / Math.max(1, texts.length);
  const scores = new Float64Array(texts.length);
  for (const term of query) {
    const counts = texts.map((text) => text.reduce((sum, word) => sum + (word === term ? 1 : 0), 0));
    const held = counts.filter((count) => count > 0).length;
    const weight = Math.log(1 + (texts.length - held + 0.5) / (held + 0.5));
    counts.forEach((count, place) => {
      if (count === 0) return;
      const length = texts[place]?.length ?? 0;
      scores[place] = (scores[place] ?? 0) + (weight * count * 2.2) / (count + 1.2 * (0.25 + (0.75 * length) / mean));
    });
  }
  return [...scores]
    .map((score, page) => ({ page, score }))
    .filter(({ score }) => score > 0)
    .sort((one, other) => other.score - one.score || one.page - other.page)
    .slice(0, KEPT);
}
