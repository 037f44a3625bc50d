/**
 * Figure "cost of context": input-token equivalents of a call and prefix-cache hits, by policy, on the same replay as `residency`.
 *
 * Use `npm run bench -- context-cost`: prints tables for bodies of 4,000, 2,000 and 8,000 tokens, writes
 * `bench/results/context-cost.json`. Skips with a line when the LoCoMo data is absent.
 *
 * A token that is written costs 1.25, one that a provider has cached 0.1. The tail is new in every call, so cost and hits are
 * given with and without it: the references and the formula have no tail. The formula optimum is the pair of watermarks below
 * the body's size that costs least, simulated with FIFO. Faults are free, as in the references; `fault cost` is what they
 * would add as calls of their own. Resent: tokens a call neither cached nor new.
 */
import { auditedConversations, type Stream } from "#bench/locomo-stream.ts";
import { dataFolder } from "#bench/search-data.ts";
import {
  contenders,
  formulaCost,
  growthOf,
  measure,
  searchersOf,
  SEEDS,
  streamsOf,
  type Measured,
  type Searchers,
} from "#bench/pager-measure.ts";
import { row, writeReport, type Row, type Target } from "#bench/report.ts";

/** The same protocol on ten conversations, of which five are given. */
const REFERENCES: Readonly<Record<string, Target>> = {
  "append only, never evict": { baseline: 1_451 },
  "sliding window (FIFO at once)": { baseline: 3_582 },
  "CLOCK at once": { baseline: 3_256 },
  "SIEVE at once": { baseline: 2_727 },
  "FIFO to 0.7": { baseline: 634 },
  "CLOCK to 0.7": { baseline: 630 },
  "SIEVE to 0.7": { baseline: 586 },
  "LRU to 0.7": { baseline: 605 },
  "CLOCK to 0.5": { baseline: 521 },
  "Belady to 0.7 (bound)": { baseline: 580 },
};

function line(one: Measured): string {
  const cells = [one.cost, one.bodyCost, one.hits, one.bodyHits, one.tailTokens, one.resent, one.faultCost];
  return `${one.name.padEnd(36)}${cells.map((cell) => cell.toFixed(1).padStart(11)).join("")}`;
}

function measureBody(body: number, streams: readonly (readonly Stream[])[], search: Searchers): Measured[] {
  console.log(`\nbody of ${body} tokens, tail of 1,000, ${SEEDS.length} seeds`);
  const heads = ["cost/call", "less tail", "hits %", "less tail", "tail/quest", "resent", "fault cost"];
  console.log(`${"".padEnd(36)}${heads.map((head) => head.padStart(11)).join("")}`);
  return contenders(body, growthOf(streams.flat()), search).map((contender) => {
    const measured = measure(streams, contender);
    console.log(line(measured));
    return measured;
  });
}

function rowsOf(body: number, growth: number, all: readonly Measured[]): Row[] {
  const rows = all.flatMap((one) => {
    const figure = `B=${body} ${one.name}`;
    return [
      row(`${figure} cost without tail`, one.bodyCost, "tokens", body === 4_000 ? REFERENCES[one.name] : undefined),
      row(`${figure} cost`, one.cost, "tokens"),
      row(`${figure} hits of all that is not tail`, one.bodyHits, "%"),
      row(`${figure} hits of all tokens`, one.hits, "%"),
    ];
  });
  return [
    ...rows,
    row(`B=${body} formula optimum, closed form`, formulaCost(body, growth), "tokens"),
    ...aims(body, all),
  ];
}

function aims(body: number, all: readonly Measured[]): Row[] {
  const named = (name: string): Measured | undefined => all.find((one) => one.name === name);
  const [optimum, lamina] = [named("formula optimum, FIFO"), named("Lamina")];
  if (optimum === undefined || lamina === undefined) return [];
  const withTail = optimum.bodyCost + (lamina.cost - lamina.bodyCost);
  const aim = { aim: 1.1, lowerIsBetter: true };
  return [
    row(`B=${body} Lamina without tail ÷ formula optimum`, lamina.bodyCost / optimum.bodyCost, "×", aim),
    row(`B=${body} Lamina ÷ formula optimum with the same tail`, lamina.cost / withTail, "×", aim),
    row(`B=${body} Lamina ÷ formula optimum without any tail`, lamina.cost / optimum.bodyCost, "×", aim),
    row(`B=${body} Lamina prefix-cache hits of all that is not tail`, lamina.bodyHits, "%", { aim: 95 }),
    row(`B=${body} Lamina prefix-cache hits of all tokens`, lamina.hits, "%", { aim: 95 }),
  ];
}

export function run(): void {
  const cases = auditedConversations(dataFolder());
  if (cases.length === 0) {
    console.log("context-cost: LoCoMo data not found, skipped");
    return;
  }
  const streams = SEEDS.map((seed) => streamsOf(cases, seed));
  const growth = growthOf(streams.flat());
  const search = searchersOf(cases);
  const rows = [4_000, 2_000, 8_000].flatMap((body) => rowsOf(body, growth, measureBody(body, streams, search)));
  writeReport("context-cost", rows);
}

if (import.meta.main) run();
