/**
 * Pager measure: every policy over the same LoCoMo streams at the same budgets, for the figures `residency` and `context-cost`.
 *
 * Use `measureAll(cases, body)`: one `Measured` per policy. Protocol: `bench/locomo-stream.ts` and `bench/pager-replay.ts`, a
 * pinned prefix of 1,000 tokens, a body of at most `body` tokens, a tail of at most 1,000, write 1.25 and cached read 0.1.
 * What must hold: nothing but the policy and its tail differs between two rows; each figure is the mean over the seeds.
 */
import { mean } from "#bench/report.ts";
import {
  bm25Searcher,
  indexedSearcher,
  indexesOf,
  streamOf,
  weighedSearcher,
  type Searcher,
  type Stream,
} from "#bench/locomo-stream.ts";
import { dataFolder, locomoCases, type MemoryCase } from "#bench/search-data.ts";
import { choose, examplesOf, foldWeights, halves, PEER_FEATURES } from "#bench/search-examples.ts";
import {
  belady,
  clock,
  fifo,
  lru,
  never,
  Production,
  sieve,
  type Policy,
  type Watermarks,
} from "#bench/pager-policies.ts";
import { futureOf, replay, type ReplayOutcome, type Tail } from "#bench/pager-replay.ts";
import { chooseTail } from "#kernel/vm/pager/choose-tail.ts";
import { planTail } from "#kernel/vm/pager/plan-tail.ts";
import { costPerCall, highWatermark, type PagerPrices } from "#kernel/vm/pager/policy.ts";
import { POINTER_TOKENS } from "#kernel/vm/context/tail.ts";
import {
  BODY_GROWTH_TOKENS,
  BODY_HIGHEST_TOKENS,
  BODY_LOW_TOKENS,
  BODY_LOWEST_TOKENS,
  EXCERPT_TOKENS,
  PAGES_MAPPED,
  STUB_TOKENS,
  TAIL_POINTERS,
  TAIL_TOKENS,
  WINDOW_TOKENS,
} from "#shared/limits.ts";

export const PREFIX = 1_000;
export const TAIL = 1_000;
export const PRICES: PagerPrices = { write: 1.25, read: 0.1 };
export const SEEDS = [1, 2, 3, 4, 5];

/** One policy with its tail. */
export interface Contender {
  readonly name: string;
  readonly policy: (stream: Stream) => Policy;
  readonly tail?: Tailor;
  /** Tokens of the note on what has left. */
  readonly stub?: number;
}

type Tailor = (stream: Stream) => (moment: number, body: ReadonlySet<number>) => Tail;

/** Means over the seeds, in percent, tokens and calls; `spread` is the standard deviation over the seeds. */
export interface Measured {
  readonly name: string;
  readonly residency: number;
  readonly coverage: number;
  readonly spread: number;
  /** Input-token equivalents a call, and without what the tail costs. */
  readonly cost: number;
  readonly bodyCost: number;
  readonly costSpread: number;
  /** What faults would add as calls of their own. */
  readonly faultCost: number;
  /** Cached tokens of all tokens, and of all that are not tail. */
  readonly hits: number;
  readonly bodyHits: number;
  readonly tailTokens: number;
  readonly resent: number;
  /** Faults of 100 wanted pages, and of 100 evictions. */
  readonly faults: number;
  readonly faultsPerEviction: number;
  /** Premature evictions of 100 evictions. */
  readonly premature: number;
}

/** Takes a ranking as it comes while it fits: the reference. */
export function plainTail(search: Searcher, budget = TAIL): Tailor {
  return (stream) => (moment, body) => {
    const ids = new Set<number>();
    let tokens = 0;
    for (const { page } of search(stream, moment)) {
      const size = stream.pages[page]?.tokens ?? 0;
      if (body.has(page) || tokens + size > budget) continue;
      ids.add(page);
      tokens += size;
    }
    return { ids, tokens };
  };
}

export interface TailOptions {
  readonly budget: number;
  /** Count a page's line as it is rendered, not its words alone as the references do. */
  readonly rendered: boolean;
}

/** The production tail: what page-in makes of a ranking, with pointers to what stands in the body. */
export function productionTail(search: Searcher, { budget, rendered }: TailOptions): Tailor {
  return (stream) => (moment, body) => {
    const candidates = search(stream, moment)
      .slice(0, PAGES_MAPPED)
      .map(({ page, score }) => {
        const words = { tokens: stream.pages[page]?.tokens ?? 0, frame: 0 };
        const line = rendered ? (stream.lines[page] ?? words) : words;
        return { page, score, ...line, named: false, above: body.has(page) };
      });
    const limits = { tokens: budget, excerpt: EXCERPT_TOKENS, pointer: POINTER_TOKENS, pointers: TAIL_POINTERS };
    return tailOf(planTail(candidates, limits));
  };
}

/** The same with a floor of the chance per token, without pointers. */
export function flooredTail(search: Searcher, least: number): Tailor {
  return (stream) => (moment, body) => {
    const candidates = search(stream, moment)
      .filter(({ page }) => !body.has(page))
      .map(({ page, score }) => ({ page, score, tokens: stream.pages[page]?.tokens ?? 0 }));
    return tailOf(chooseTail(candidates, TAIL, least));
  };
}

function tailOf(shown: readonly { readonly page: number; readonly tokens: number }[]): Tail {
  return { ids: new Set(shown.map(({ page }) => page)), tokens: shown.reduce((sum, { tokens }) => sum + tokens, 0) };
}

/** The production pager with a body of at most `body` tokens. */
export function productionPager(body: number): Production {
  return new Production({
    prices: PRICES,
    low: body / 2,
    lowest: body / 4,
    highest: 0.8 * body,
    ceiling: body,
    growth: 60,
  });
}

/** The low watermark whose best high one is `high`, for a growth of `growth` tokens a call. */
export function lowWatermarkFor(high: number, growth: number): number {
  let [least, most] = [0, high];
  for (let round = 0; round < 40; round += 1) {
    const low = (least + most) / 2;
    if (highWatermark(low, growth, PRICES) < high) least = low;
    else most = low;
  }
  return least;
}

/** Mean tokens that enter the body for a call when nothing is read back. */
export function growthOf(streams: readonly Stream[]): number {
  let [tokens, calls] = [0, 0];
  for (const event of streams.flatMap((stream) => stream.events)) {
    if (event.kind === "enter") tokens += event.frame.tokens;
    else calls += 1;
  }
  return tokens / Math.max(1, calls);
}

/** Cost a call of the formula's best watermarks below `high`, with the prefix, without a tail. */
export function formulaCost(high: number, growth: number): number {
  return PRICES.read * PREFIX + costPerCall(lowWatermarkFor(high, growth), high, growth, PRICES);
}

export function streamsOf(cases: readonly MemoryCase[], seed: number): Stream[] {
  return cases.map((one, place) => streamOf(one, seed * 1_000 + place));
}

export function measure(streams: readonly (readonly Stream[])[], contender: Contender): Measured {
  const seeds = streams.map((list) =>
    figuresOf(
      list.map((stream) =>
        replay(stream.events, contender.policy(stream), {
          prefix: PREFIX,
          ...PRICES,
          stub: contender.stub ?? 0,
          ...(contender.tail === undefined ? {} : { tail: contender.tail(stream) }),
        }),
      ),
    ),
  );
  const of = (read: (figures: Figures) => number): number => mean(seeds.map(read));
  const { name } = contender;
  const averaged = Object.fromEntries(FIGURES.map((figure) => [figure, of((figures) => figures[figure])])) as Figures;
  return {
    name,
    ...averaged,
    spread: deviation(seeds.map((figures) => figures.coverage)),
    costSpread: deviation(seeds.map((figures) => figures.cost)),
  };
}

type Figures = Omit<Measured, "name" | "spread" | "costSpread">;

const FIGURES = [
  "residency",
  "coverage",
  "cost",
  "bodyCost",
  "faultCost",
  "hits",
  "bodyHits",
  "tailTokens",
  "resent",
  "faults",
  "faultsPerEviction",
  "premature",
] as const;

function figuresOf(outcomes: readonly ReplayOutcome[]): Figures {
  const sum = (read: (outcome: ReplayOutcome) => number): number =>
    outcomes.reduce((total, outcome) => total + read(outcome), 0);
  const moments = outcomes.flatMap((outcome) => outcome.moments);
  const calls = sum(({ calls: count }) => count);
  const tail = sum(({ tailTokens }) => tailTokens);
  const [tokens, cached] = [sum((outcome) => outcome.tokens), sum((outcome) => outcome.cached)];
  const [faults, evictions] = [sum((outcome) => outcome.faults), sum((outcome) => outcome.evictions)];
  return {
    residency: 100 * mean(moments.map(({ residency }) => residency)),
    coverage: 100 * mean(moments.map(({ coverage }) => coverage)),
    cost: sum(({ cost }) => cost) / calls,
    bodyCost: (sum(({ cost }) => cost) - PRICES.write * tail) / calls,
    faultCost: sum(({ faultCost }) => faultCost) / calls,
    hits: (100 * cached) / tokens,
    bodyHits: (100 * cached) / (tokens - tail),
    tailTokens: tail / Math.max(1, moments.length),
    resent: sum(({ resent }) => resent) / calls,
    faults:
      (100 * faults) /
      Math.max(
        1,
        sum(({ wanted }) => wanted),
      ),
    faultsPerEviction: (100 * faults) / Math.max(1, evictions),
    premature: (100 * sum(({ premature }) => premature)) / Math.max(1, evictions),
  };
}

function deviation(values: readonly number[]): number {
  const middle = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - middle) ** 2)));
}

export interface Searchers {
  readonly production: Searcher;
  /** Weights of a half of the conversations, fitted on the other half. */
  readonly heldOut: Searcher;
  /** Without a latent space, as in a process that has not been idle yet. */
  readonly words: Searcher;
  readonly bm25: Searcher;
}

export function searchersOf(cases: readonly MemoryCase[]): Searchers {
  const latent = indexesOf(cases, true);
  const taught = choose(examplesOf(locomoCases(dataFolder())), PEER_FEATURES);
  return {
    production: indexedSearcher(latent),
    heldOut: weighedSearcher(latent, PEER_FEATURES, foldWeights(taught, halves(cases))),
    words: indexedSearcher(indexesOf(cases, false)),
    bm25: bm25Searcher(cases),
  };
}

/** The references and Lamina, at one size of the body. */
export function contenders(body: number, growth: number, search: Searchers): Contender[] {
  const at = (low: number): Watermarks => ({ low, high: body });
  const once = at(body);
  const [most, half] = [at(0.7 * body), at(0.5 * body)];
  const best = at(lowWatermarkFor(body, growth));
  const future = (stream: Stream): Map<number, number[]> => futureOf(stream.events);
  return [
    { name: "append only, never evict", policy: () => never() },
    { name: "sliding window (FIFO at once)", policy: () => fifo(once) },
    { name: "CLOCK at once", policy: () => clock(once) },
    { name: "SIEVE at once", policy: () => sieve(once) },
    { name: "LRU at once", policy: () => lru(once) },
    { name: "FIFO to 0.7", policy: () => fifo(most) },
    { name: "CLOCK to 0.7", policy: () => clock(most) },
    { name: "SIEVE to 0.7", policy: () => sieve(most) },
    { name: "LRU to 0.7", policy: () => lru(most) },
    { name: "FIFO to 0.5", policy: () => fifo(half) },
    { name: "CLOCK to 0.5", policy: () => clock(half) },
    { name: "formula optimum, FIFO", policy: () => fifo(best) },
    { name: "Belady to 0.7 (bound)", policy: (stream) => belady(most, future(stream)) },
    { name: "FIFO to 0.7, BM25 tail", policy: () => fifo(most), tail: plainTail(search.bm25) },
    { name: "FIFO to 0.7, our search by score", policy: () => fifo(most), tail: plainTail(search.production) },
    ...laminas(body, search),
  ];
}

function laminas(body: number, search: Searchers): Contender[] {
  const policy = (): Policy => productionPager(body);
  const plain = { budget: TAIL, rendered: false };
  const rendered = { budget: TAIL, rendered: true };
  return [
    { name: "Lamina's pager without a tail", policy },
    { name: "Lamina", policy, tail: productionTail(search.production, plain) },
    { name: "Lamina, held-out weights", policy, tail: productionTail(search.heldOut, plain) },
    { name: "Lamina, no latent space", policy, tail: productionTail(search.words, plain) },
    { name: "Lamina, lines as rendered", policy, tail: productionTail(search.production, rendered), stub: STUB_TOKENS },
    { name: "Lamina, tail with a floor of 1e-4", policy, tail: flooredTail(search.production, 1e-4) },
    ...(body === 4_000 ? shipped(search) : []),
  ];
}

/** What a new process does: its own marks, its own tail, the most its stub may take. */
function shipped(search: Searchers): Contender[] {
  const searches = [
    { name: "Lamina as shipped", search: search.production },
    { name: "Lamina as shipped, held-out weights", search: search.heldOut },
  ];
  return searches.map(({ name, search: by }) => ({
    name,
    policy: () =>
      new Production({
        prices: PRICES,
        ...{ low: BODY_LOW_TOKENS, lowest: BODY_LOWEST_TOKENS, highest: BODY_HIGHEST_TOKENS },
        ...{ ceiling: WINDOW_TOKENS - PREFIX - STUB_TOKENS - TAIL_TOKENS, growth: BODY_GROWTH_TOKENS },
      }),
    tail: productionTail(by, { budget: TAIL_TOKENS, rendered: true }),
    stub: STUB_TOKENS,
  }));
}
