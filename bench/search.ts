/**
 * Figure "search": how much of the labelled evidence the production search ranks at the top, beside plainer searches, and what
 * each of its parts is worth.
 *
 * Use `npm run bench -- search` (`node bench/search.ts`; `fast` leaves the ablations out): prints a table and writes
 * `bench/results/search.json`. Without the data (`$BENCH_DATA`, or the shared data beside the repository) only what needs none is
 * measured, and a line says so.
 * What must hold: the official LoCoMo protocol. Evidence recall at k, a question without evidence counts 1, an evidence id that
 * names no turn is a miss. The weights in use were fitted on these conversations: rows named "held out" are the ones to
 * believe. They are measured by weights fitted on one half of the conversations and used on the other, both ways, and by
 * weights fitted on all conversations but one.
 */
import { ablationRows } from "#bench/search-ablation.ts";
import { auditedCases, beamCases, dataFolder, indexOf, locomoCases, type MemoryCase } from "#bench/search-data.ts";
import {
  ASSISTANT_FEATURES,
  choose,
  eachAlone,
  examplesOf,
  fifths,
  foldWeights,
  halves,
  learnSpace,
  meanRecall,
  PEER_FEATURES,
  UNTAUGHT,
  type Folds,
  type MeasuredQuestion,
} from "#bench/search-examples.ts";
import { cjkRows } from "#bench/search-cjk.ts";
import { walkRows } from "#bench/search-walk.ts";
import { row, writeReport, type Row, type Target } from "#bench/report.ts";
import type { FeatureName } from "#kernel/vm/search/feature-names.ts";
import type { SearchIndex } from "#kernel/vm/search/search-index.ts";

interface Outcome {
  category: string;
  recall: Record<number, number>;
}

const LIMITS = [5, 10, 25, 50] as const;
const ANSWERABLE = ["multi-hop", "open-domain", "single-hop", "temporal"];

function outcomesOf(cases: readonly MemoryCase[], prepare: (index: SearchIndex) => SearchIndex): Outcome[] {
  return cases.flatMap((one) => {
    const index = prepare(indexOf(one.pages));
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

/** Reference points of the same protocol: FTS5 with neighbours at 10; dense retrieval for multi-hop; plain BM25 for BEAM. */
const TARGETS: Readonly<Record<string, Target>> = {
  "LoCoMo categories 1-4 R@10": { baseline: 69.9, aim: 83 },
  "LoCoMo categories 1-4 held out by halves R@10": { baseline: 69.9, aim: 83 },
  "LoCoMo categories 1-4 held out one by one R@10": { baseline: 69.9, aim: 83 },
  "LoCoMo multi-hop R@10": { baseline: 46.6, aim: 55 },
  "LoCoMo multi-hop held out by halves R@10": { baseline: 46.6, aim: 55 },
  "LoCoMo multi-hop held out one by one R@10": { baseline: 46.6, aim: 55 },
  "LoCoMo adversarial R@5": { aim: 70 },
  "LoCoMo adversarial held out by halves R@5": { aim: 70 },
  "BEAM 128K all R@10": { baseline: 42.2, aim: 58 },
  "BEAM 128K all held out by halves R@10": { baseline: 42.2, aim: 58 },
  "BEAM 128K all held out by fifths R@10": { baseline: 42.2, aim: 58 },
};

function figureRow(figure: string, value: number): Row {
  return row(figure, value, "%", TARGETS[figure]);
}

function recallRows(name: string, outcomes: readonly Outcome[], limits: readonly number[]): Row[] {
  return limits.map((limit) => figureRow(`${name} R@${limit}`, mean(outcomes, limit)));
}

function locomoRows(name: string, cases: readonly MemoryCase[]): Row[] {
  const outcomes = outcomesOf(cases, learnSpace);
  const words = outcomesOf(cases, (index) => index).filter(({ category }) => ANSWERABLE.includes(category));
  const rows = [
    ...recallRows(
      `${name} categories 1-4`,
      outcomes.filter((outcome) => ANSWERABLE.includes(outcome.category)),
      LIMITS,
    ),
    ...recallRows(`${name} categories 1-4 by words alone`, words, [10]),
    ...recallRows(`${name} all five categories`, outcomes, LIMITS),
  ];
  for (const category of [...ANSWERABLE, "adversarial"]) {
    const some = outcomes.filter((outcome) => outcome.category === category);
    rows.push(...recallRows(`${name} ${category}`, some, LIMITS));
  }
  return rows;
}

function beamRows(cases: readonly MemoryCase[]): Row[] {
  const outcomes = outcomesOf(cases, learnSpace);
  const words = outcomesOf(cases, (index) => index);
  const categories = [...new Set(outcomes.map((outcome) => outcome.category))].sort();
  return [
    ...recallRows("BEAM 128K all", outcomes, LIMITS),
    ...recallRows("BEAM 128K all by words alone", words, [10]),
    ...categories.flatMap((category) => {
      const some = outcomes.filter((outcome) => outcome.category === category);
      return recallRows(`BEAM 128K ${category}`, some, [10]);
    }),
  ];
}

/** Plainer searches over the same pages and the same words of the question. */
function baselineRows(name: string, questions: readonly MeasuredQuestion[]): Row[] {
  const asked = questions.filter((one) => !UNTAUGHT.includes(one.category));
  const newest = asked.map((one) => {
    const column = Float32Array.from({ length: one.size }, (_, position) => position);
    return { ...one, columns: [column] };
  });
  const one = new Map(asked.map(({ group }) => [group, Float64Array.of(1)]));
  return [
    figureRow(`${name} baseline newest pages R@10`, meanRecall(newest, one, 10)),
    figureRow(`${name} baseline BM25 R@10`, meanRecall(choose(asked, ["own"]), one, 10)),
    figureRow(`${name} baseline BM25 with neighbours R@10`, meanRecall(choose(asked, ["near2"]), one, 10)),
    figureRow(`${name} baseline latent space alone R@10`, meanRecall(choose(asked, ["latent"]), one, 10)),
  ];
}

function heldOutRows(
  name: string,
  all: string,
  questions: readonly MeasuredQuestion[],
  features: readonly FeatureName[],
  folds: Readonly<Record<string, Folds>>,
  categories: readonly string[],
): Row[] {
  const examples = choose(questions, features);
  return Object.entries(folds).flatMap(([how, groups]) => {
    const weights = foldWeights(examples, groups);
    const taught = examples.filter((one) => !UNTAUGHT.includes(one.category));
    const rows = [5, 10].map((limit) =>
      figureRow(`${name} ${all} held out ${how} R@${limit}`, meanRecall(taught, weights, limit)),
    );
    for (const category of categories) {
      const some = examples.filter((one) => one.category === category);
      const limit = category === "adversarial" ? 5 : 10;
      rows.push(figureRow(`${name} ${category} held out ${how} R@${limit}`, meanRecall(some, weights, limit)));
    }
    // Each direction by itself: the two halves differ more than the weights do.
    for (const [index, group] of groups.entries()) {
      const some = taught.filter((one) => group.includes(one.group));
      if (groups.length === 2)
        rows.push(
          figureRow(`${name} ${all} half ${index + 1} by the other's weights R@10`, meanRecall(some, weights, 10)),
        );
    }
    return rows;
  });
}

function peerRows(folder: string, fast: boolean): Row[] {
  const cases = locomoCases(folder);
  if (cases.length === 0) {
    console.log("search: LoCoMo data not found, recall on it skipped");
    return [];
  }
  const questions = examplesOf(cases);
  const folds = { "by halves": halves(cases), "one by one": eachAlone(cases) };
  return [
    ...locomoRows("LoCoMo", cases),
    ...locomoRows("LoCoMo audited", auditedCases(folder, cases)),
    ...baselineRows("LoCoMo categories 1-4", questions),
    ...heldOutRows("LoCoMo", "categories 1-4", questions, PEER_FEATURES, folds, ["multi-hop", "adversarial"]),
    ...(fast ? [] : ablationRows("LoCoMo categories 1-4", cases, questions, PEER_FEATURES, "multi-hop")),
  ];
}

function assistantRows(folder: string, fast: boolean): Row[] {
  const cases = beamCases(folder);
  if (cases.length === 0) {
    console.log("search: BEAM data not found, recall on it skipped");
    return [];
  }
  const questions = examplesOf(cases);
  const folds = { "by halves": halves(cases), "by fifths": fifths(cases) };
  return [
    ...beamRows(cases),
    ...baselineRows("BEAM 128K all", questions),
    ...heldOutRows("BEAM 128K", "all", questions, ASSISTANT_FEATURES, folds, []),
    ...walkRows(cases),
    ...(fast ? [] : ablationRows("BEAM 128K all", cases, questions, ASSISTANT_FEATURES, null)),
  ];
}

export function run(args: readonly string[]): void {
  const fast = args.includes("fast");
  const folder = dataFolder();
  writeReport("search", [...peerRows(folder, fast), ...assistantRows(folder, fast), ...cjkRows()]);
}

if (import.meta.main) run(process.argv.slice(2));
