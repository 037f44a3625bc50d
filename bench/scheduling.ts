/**
 * Scheduling: `npm run bench -- scheduling [fast]`. Every policy in the simulator, with the production objects, on held-out seeds.
 *
 * Prints the tables of `docs/decisions/0011-scheduling.md` and writes the figures that have an aim or a reference. `fast` takes five
 * seeds and a quarter of the shards' runs. References are the rows of `research/scheduling-policy.md` §3, of a workload that is
 * lost; ours was fitted to its FIFO, ATLAS and SRPT rows on other seeds, so ERVD is compared as a ratio to those.
 */
import { row, writeReport, type Row } from "#bench/report.ts";
import { runCell, HELD_OUT, type Cell } from "#bench/scheduling-cells.ts";
import { ATLAS, CONTENDERS, ERVD, ERVD_PLAIN, FIFO, SRPT, type Contender } from "#bench/scheduling-contenders.ts";
import {
  everything,
  jain,
  longestWait,
  meanRatio,
  meanStay,
  ofKind,
  slowest,
  stayAt,
  stayRatio,
  type Estimate,
  type Pick,
  type Run,
} from "#bench/scheduling-figures.ts";
import { costs, gaming, leaving, mixes, promptCaches, providers, shards } from "#bench/scheduling-more.ts";

type Runs = ReadonlyMap<Contender, readonly Run[]>;

export function run(args: readonly string[]): void {
  const fast = args.includes("fast");
  const seeds = fast ? HELD_OUT.slice(0, 5) : HELD_OUT;
  const rows: Row[] = [];
  for (const load of [0.7, 0.9, 1.05]) {
    const cell = { name: `load ${load}`, options: { load } };
    const runs = table(cell, seeds);
    rows.push(...summary(load, runs));
    if (load === 0.9) rows.push(...reproduction(runs));
  }
  rows.push(...mixes(seeds), ...gaming(seeds), ...leaving(seeds), ...promptCaches(seeds), ...providers(seeds));
  rows.push(...shards(fast ? 1 : 4), ...costs());
  console.log("");
  writeReport("scheduling", rows);
}

/** One row a policy, as the research has it. */
function table(cell: Cell, seeds: readonly number[]): Runs {
  const all = new Map(CONTENDERS.map((contender) => [contender, runCell(contender, cell, seeds).runs]));
  const base = all.get(FIFO) ?? [];
  console.log(`\n## ${cell.name}, ${seeds.length} held-out seeds`);
  console.log(
    "| policy | mean | chat | react | tree | p50 | p95 | p99 | p99 / FIFO [95 %] | p99 chat/react/tree | slow | Jain | wait |",
  );
  console.log("|---|---|---|---|---|---|---|---|---|---|---|---|---|");
  for (const [contender, runs] of all) {
    const kinds = (["chat", "react", "tree"] as const).map(ofKind);
    const [chat, react, tree] = kinds.map((pick) => meanStay(runs, pick));
    const tails = kinds.map((pick) => stayAt(runs, 0.99, pick).toFixed(0)).join("/");
    const cells = [
      ...[plusMinus(meanStay(runs)), plusMinus(chat), plusMinus(react), plusMinus(tree)],
      ...[0.5, 0.95, 0.99].map((share) => stayAt(runs, share).toFixed(share === 0.5 ? 1 : 0)),
      ...[ends(stayRatio(runs, base, 0.99)), tails, slowest(runs).toFixed(1), jain(runs).toFixed(4)],
      longestWait(runs).toFixed(0),
    ];
    console.log(`| ${contender.name} | ${cells.join(" | ")} |`);
  }
  return all;
}

/** What the research reports at each load: mean, mean of chats, p99 over FIFO. */
const REPORTED: Readonly<Record<string, readonly (readonly [Contender, number, number, number])[]>> = {
  "0.7": [[ERVD_PLAIN, 30.6, 17.8, 1.04]],
  "0.9": [
    [FIFO, 41.5, 25.5, 1],
    [ATLAS, 35.1, 18.7, 1.24],
    [SRPT, 32.5, 18.2, 1.03],
    [ERVD_PLAIN, 32.6, 18.3, 1.04],
  ],
  "1.05": [[ERVD_PLAIN, 35.6, 18.7, 0.96]],
};

function summary(load: number, runs: Runs): Row[] {
  const base = runs.get(FIFO) ?? [];
  const rows = (REPORTED[`${load}`] ?? []).flatMap(([contender, mean, chat, ratio]) => {
    const list = runs.get(contender) ?? [];
    const name = `load ${load}, ${contender.name}`;
    return [
      row(`${name}: mean`, meanStay(list).value, "s", { baseline: mean }),
      row(`${name}: chat mean`, meanStay(list, ofKind("chat")).value, "s", { baseline: chat }),
      row(`${name}: p99 over FIFO`, stayRatio(list, base, 0.99).value, "ratio", { baseline: ratio }),
    ];
  });
  const shipped = runs.get(ERVD) ?? [];
  return [
    ...rows,
    row(`load ${load}, ERVD as shipped: mean`, meanStay(shipped).value, "s"),
    row(`load ${load}, ERVD as shipped: p99 over FIFO`, stayRatio(shipped, base, 0.99).value, "ratio"),
    row(`load ${load}, ERVD as shipped: longest wait of a call`, longestWait(shipped), "s"),
  ];
}

/** Our ratio of ERVD to another policy over the reported one, in percent away from it, with its interval. */
function reproduction(runs: Runs): Row[] {
  const ervd = runs.get(ERVD_PLAIN) ?? [];
  const kinds: readonly (readonly [string, Pick])[] = [
    ["mean", everything],
    ["chat", ofKind("chat")],
    ["react", ofKind("react")],
    ["tree", ofKind("tree")],
  ];
  const reported: readonly (readonly [Contender, readonly number[]])[] = [
    [SRPT, [32.6 / 32.5, 18.3 / 18.2, 34.7 / 34.9, 191 / 189]],
    [ATLAS, [32.6 / 35.1, 18.3 / 18.7, 34.7 / 36.9, 191 / 220]],
    [FIFO, [32.6 / 41.5, 18.3 / 25.5, 34.7 / 48.8, 191 / 182]],
  ];
  console.log(
    "\n## ERVD of research §5 reproduced: ratio of means to other policies, load 0.9 (ours [95 %], reported, away)",
  );
  return reported.flatMap(([contender, wanted]) => {
    const others = runs.get(contender) ?? [];
    const parts = kinds.map(([name, pick], index) => {
      const ours = meanRatio(ervd, others, pick);
      const away = 100 * (ours.value / (wanted[index] ?? 1) - 1);
      console.log(
        `ERVD / ${contender.name}, ${name}: ${ends(ours, 3)}, ${wanted[index]?.toFixed(3)}, ${away.toFixed(1)} %`,
      );
      return { name, away };
    });
    return parts.map(({ name, away }) =>
      row(`ERVD over ${contender.name}, ${name}: away from the reported ratio`, Math.abs(away), "%", {
        aim: 1,
        lowerIsBetter: true,
      }),
    );
  });
}

function plusMinus(estimate: Estimate | undefined): string {
  if (estimate === undefined || Number.isNaN(estimate.value)) return "";
  return `${estimate.value.toFixed(1)}±${((estimate.high - estimate.low) / 2).toFixed(1)}`;
}

export function ends({ value, low, high }: Estimate, digits = 2): string {
  return `${value.toFixed(digits)} [${low.toFixed(digits)}-${high.toFixed(digits)}]`;
}
