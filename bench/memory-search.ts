/**
 * Figure "memory search": how much of the labelled evidence the production search index ranks at the top, and how long a search takes.
 *
 * Use `node bench/memory-search.ts`: prints a table, writes `bench/results/memory-search.json`. Without the data (`$BENCH_DATA`, or
 * the shared data beside the repository) only the times are measured, and a line says so.
 * What must hold: the official LoCoMo protocol. Evidence recall at k, a question without evidence counts 1, an evidence id that
 * names no turn is a miss. The weights in use were fitted on these conversations; `lab/fit-search-weights.ts` prints held-out numbers.
 */
import {
  auditedCases,
  beamCases,
  dataFolder,
  indexOf,
  locomoCases,
  type MemoryCase,
} from "#bench/memory-search-data.ts";
import { percentile, row, writeReport, type Row, type Target } from "#bench/report.ts";
import type { SearchIndex } from "#kernel/vm/search-index.ts";

interface Outcome {
  category: string;
  recall: Record<number, number>;
}

const LIMITS = [5, 10, 25, 50] as const;
const ANSWERABLE = ["multi-hop", "open-domain", "single-hop", "temporal"];

function outcomesOf(cases: readonly MemoryCase[]): Outcome[] {
  return cases.flatMap((one) => {
    const index = indexOf(one.pages);
    return one.questions.map(({ text, category, evidence }) => {
      const hits = index.search({ text, limit: 50 }).map((hit) => hit.page);
      const recall: Record<number, number> = {};
      for (const limit of LIMITS) {
        const top = new Set(hits.slice(0, limit));
        recall[limit] = evidence.length === 0 ? 1 : evidence.filter((page) => top.has(page)).length / evidence.length;
      }
      return { category, recall };
    });
  });
}

function mean(outcomes: readonly Outcome[], limit: number): number {
  return (
    (100 * outcomes.reduce((sum, outcome) => sum + (outcome.recall[limit] ?? 0), 0)) / Math.max(1, outcomes.length)
  );
}

/** Reference points of the same protocol: FTS5 with neighbours at 10; dense retrieval for multi-hop. */
const TARGETS: Readonly<Record<string, Target>> = {
  "LoCoMo categories 1-4 R@10": { baseline: 69.9, aim: 83 },
  "LoCoMo multi-hop R@10": { baseline: 46.6, aim: 55 },
  "LoCoMo adversarial R@5": { aim: 70 },
  "BEAM 128K all R@10": { baseline: 42.2, aim: 58 },
  "BEAM 128K event_ordering R@10": { aim: 50 },
  "BEAM 128K summarization R@10": { aim: 50 },
};

function recallRows(name: string, group: string, outcomes: readonly Outcome[], limits: readonly number[]): Row[] {
  return limits.map((limit) => {
    const figure = `${name} ${group} R@${limit}`;
    return row(figure, mean(outcomes, limit), "%", TARGETS[figure]);
  });
}

function locomoRows(name: string, cases: readonly MemoryCase[]): Row[] {
  const outcomes = outcomesOf(cases);
  const groups: [string, Outcome[]][] = [
    ["categories 1-4", outcomes.filter((outcome) => ANSWERABLE.includes(outcome.category))],
    ["all five categories", outcomes],
  ];
  for (const category of [...ANSWERABLE, "adversarial"]) {
    groups.push([category, outcomes.filter((outcome) => outcome.category === category)]);
  }
  return groups.flatMap(([group, some]) => recallRows(name, group, some, LIMITS));
}

function beamRows(cases: readonly MemoryCase[]): Row[] {
  const outcomes = outcomesOf(cases);
  const categories = [...new Set(outcomes.map((outcome) => outcome.category))].sort();
  return [
    ...recallRows("BEAM 128K", "all", outcomes, LIMITS),
    ...categories.flatMap((category) => {
      const some = outcomes.filter((outcome) => outcome.category === category);
      return recallRows("BEAM 128K", category, some, [10]);
    }),
  ];
}

/** A repeatable pseudo-random source: mulberry32. */
function randomSource(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const SYLLABLES = ["", "n", "r", "s", "l"].flatMap((end) =>
  "bdfgklmnprstvz".split("").flatMap((start) => "aeiou".split("").map((vowel) => `${start}${vowel}${end}`)),
);

/** Made-up words of two or more syllables, frequent ones far more frequent, as in language. */
function syntheticText(random: () => number, length: number, vocabulary: number): string {
  return Array.from({ length }, () => {
    let rank = Math.floor(vocabulary ** random()) * 7919 + 350;
    let word = "";
    do {
      word += SYLLABLES[rank % SYLLABLES.length] ?? "";
      rank = Math.floor(rank / SYLLABLES.length);
    } while (rank > 0);
    return word;
  }).join(" ");
}

function syntheticCase(pages: number, random: () => number): MemoryCase {
  return {
    name: `synthetic-${pages}`,
    questions: [],
    pageOf: new Map(),
    pages: Array.from({ length: pages }, (_, page) => ({
      page,
      session: `s${Math.floor(page / 25)}`,
      speaker: page % 2 === 0 ? "Ines" : "Tomas",
      role: null,
      kind: "turn",
      at: Date.UTC(2024, 0, 1) + page * 3_600_000,
      text: syntheticText(random, 15 + Math.floor(random() * 40), 20_000),
    })),
  };
}

function timeSearches(index: SearchIndex, random: () => number, rounds: number): number[] {
  const times: number[] = [];
  for (let round = 0; round < rounds + 20; round += 1) {
    const text = `What did Ines say about ${syntheticText(random, 6, 20_000)} in June 2024?`;
    const start = performance.now();
    index.search({ text, limit: 10 });
    if (round >= 20) times.push(performance.now() - start);
  }
  return times;
}

function timeRows(): Row[] {
  return [500, 10_000].flatMap((pages) => {
    const random = randomSource(pages);
    const built = performance.now();
    const index = indexOf(syntheticCase(pages, random).pages);
    const perPage = (performance.now() - built) / pages;
    const times = timeSearches(index, random, 300);
    return [
      row(`search time p50, ${pages} pages`, percentile(times, 0.5), "ms"),
      row(`search time p99, ${pages} pages`, percentile(times, 0.99), "ms"),
      row(`index one page, ${pages} pages`, perPage, "ms"),
    ];
  });
}

export function run(): void {
  const folder = dataFolder();
  const rows: Row[] = [];
  const locomo = locomoCases(folder);
  if (locomo.length === 0) console.log("memory-search: LoCoMo data not found, recall on it skipped");
  else rows.push(...locomoRows("LoCoMo", locomo), ...locomoRows("LoCoMo audited", auditedCases(folder, locomo)));
  const beam = beamCases(folder);
  if (beam.length === 0) console.log("memory-search: BEAM data not found, recall on it skipped");
  else rows.push(...beamRows(beam));
  rows.push(...timeRows());
  writeReport("memory-search", rows);
}

if (import.meta.main) run();
