/**
 * Figure "evidence in the prompt": the share of a question's evidence that is mapped when it is asked, by policy.
 *
 * Use `npm run bench -- residency`: prints tables for bodies of 4,000, 2,000 and 8,000 tokens, writes `bench/results/residency.json`.
 * Skips with a line when the LoCoMo data is absent. The protocol is in `bench/pager-measure.ts`.
 *
 * ER: share of the evidence in the body, before anything is read back. EC: body and tail together. Faults: wanted pages in
 * neither, of 100 wanted and of 100 evictions. Premature: evicted pages wanted within 20 calls, of 100 evictions.
 */
import { auditedConversations } from "#bench/locomo-stream.ts";
import { dataFolder } from "#bench/search-data.ts";
import {
  contenders,
  growthOf,
  measure,
  searchersOf,
  SEEDS,
  streamsOf,
  type Measured,
  type Searchers,
} from "#bench/pager-measure.ts";
import { row, writeReport, type Row, type Target } from "#bench/report.ts";
import type { Stream } from "#bench/locomo-stream.ts";

/** What an earlier program measured with the same protocol on ten conversations, of which five are given. */
const REFERENCES: Readonly<Record<string, Target>> = {
  "sliding window (FIFO at once)": { baseline: 46.5 },
  "CLOCK at once": { baseline: 48.9 },
  "SIEVE at once": { baseline: 47.9 },
  "FIFO to 0.7": { baseline: 41.8 },
  "CLOCK to 0.7": { baseline: 43.5 },
  "SIEVE to 0.7": { baseline: 41.8 },
  "LRU to 0.7": { baseline: 43.8 },
  "CLOCK to 0.5": { baseline: 40.3 },
  "Belady to 0.7 (bound)": { baseline: 93.5 },
  "FIFO to 0.7, BM25 tail": { baseline: 87.4 },
  Lamina: { aim: 92 },
  "Lamina, lines as rendered": { aim: 92 },
  "Lamina as shipped": { aim: 92 },
  "Lamina as shipped, held-out weights": { aim: 92 },
  "Lamina, held-out weights": { aim: 92 },
};

function line(measured: Measured): string {
  const { name, residency, coverage, spread, faults, faultsPerEviction, premature } = measured;
  const cells = [residency, coverage, spread, faults, faultsPerEviction, premature];
  return `${name.padEnd(36)}${cells.map((cell) => cell.toFixed(1).padStart(10)).join("")}`;
}

function measureBody(body: number, streams: readonly (readonly Stream[])[], search: Searchers): Measured[] {
  console.log(`\nbody of ${body} tokens, tail of 1,000, ${SEEDS.length} seeds`);
  const heads = ["ER %", "EC %", "± seeds", "faults %", "/100 evic", "premat %"];
  console.log(`${"".padEnd(36)}${heads.map((head) => head.padStart(10)).join("")}`);
  return contenders(body, growthOf(streams.flat()), search).map((contender) => {
    const measured = measure(streams, contender);
    console.log(line(measured));
    return measured;
  });
}

function rowsOf(body: number, all: readonly Measured[]): Row[] {
  return all.flatMap(({ name, residency, coverage, spread }) => {
    const target = body === 4_000 ? REFERENCES[name] : undefined;
    const figure = `B=${body} ${name}`;
    return [
      row(`${figure} EC`, coverage, "%", target),
      row(`${figure} EC, spread over seeds`, spread, "%"),
      row(`${figure} ER`, residency, "%"),
    ];
  });
}

export function run(): void {
  const cases = auditedConversations(dataFolder());
  if (cases.length === 0) {
    console.log("residency: LoCoMo data not found, skipped");
    return;
  }
  const streams = SEEDS.map((seed) => streamsOf(cases, seed));
  const search = searchersOf(cases);
  const rows = [4_000, 2_000, 8_000].flatMap((body) => rowsOf(body, measureBody(body, streams, search)));
  writeReport("residency", rows);
}

if (import.meta.main) run();
