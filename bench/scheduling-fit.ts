/**
 * Scheduling fit: chooses what the description of the lost workload leaves open, on the tuning seeds alone.
 *
 * `node bench/scheduling-fit.ts [rounds] [seeds]` walks at random from `FITTED`, keeps what brings the rows of FIFO, ATLAS and SRPT
 * nearer to those of `research/scheduling-policy.md` §3, and prints the best shape. No row of ERVD or of a held-out seed is looked at.
 */
import { ATLAS, FIFO, SRPT, type Contender } from "#bench/scheduling-contenders.ts";
import { meanStay, ofKind, runOf, stayAt, type Run } from "#bench/scheduling-figures.ts";
import { Random } from "#bench/scheduling-random.ts";
import { simulate } from "#bench/scheduling-simulator.ts";
import { BASE, FITTED, workload, type Shape } from "#bench/scheduling-workload.ts";

interface Target {
  readonly load: number;
  readonly contender: Contender;
  /** Mean, mean of chats, of agents, of trees; null where the research gives none. */
  readonly means: readonly [number, number, number | null, number];
  /** Of all, of chats, of agents, of trees. */
  readonly p99: readonly (number | null)[];
}

const TARGETS: readonly Target[] = [
  { load: 0.9, contender: FIFO, means: [41.5, 25.5, 48.8, 182], p99: [216, 110, 178, 298] },
  { load: 0.9, contender: ATLAS, means: [35.1, 18.7, 36.9, 220], p99: [269, 80, 134, 605] },
  { load: 0.9, contender: SRPT, means: [32.5, 18.2, 34.9, 189], p99: [223, 76, 107, 320] },
  { load: 0.7, contender: FIFO, means: [32.1, 19.2, null, 157], p99: [174] },
  { load: 0.7, contender: ATLAS, means: [30.9, 18, null, 162], p99: [182] },
  { load: 0.7, contender: SRPT, means: [30.6, 17.8, null, 160], p99: [180] },
  { load: 1.05, contender: FIFO, means: [62.8, 40.5, null, 233], p99: [311] },
  { load: 1.05, contender: ATLAS, means: [43.1, 19.6, null, 342], p99: [504] },
  { load: 1.05, contender: SRPT, means: [35.3, 18.5, null, 235], p99: [290] },
];
const MEAN_WEIGHT = 1;
const PERCENTILE_WEIGHT = 0.25;

function runs(target: Target, shape: Shape, seeds: number): Run[] {
  return Array.from({ length: seeds }, (_, seed) => {
    const programs = workload({ ...BASE, load: target.load, shape, seed });
    const { policy } = target.contender.open(programs, BASE.slots);
    const outcome = simulate(programs, policy, { slots: BASE.slots });
    return runOf(programs, outcome.stays, outcome.longestWait);
  });
}

/** Weighted mean square of the logarithms of what came out over what should, and the lines to read. */
function distance(shape: Shape, seeds: number): { readonly error: number; readonly lines: string[] } {
  let [error, weight] = [0, 0];
  const lines: string[] = [];
  for (const target of TARGETS) {
    const list = runs(target, shape, seeds);
    const picks = [undefined, ofKind("chat"), ofKind("react"), ofKind("tree")];
    const got = picks.map((pick) => meanStay(list, pick).value);
    const tails = picks.map((pick) => stayAt(list, 0.99, pick));
    const add = (value: number | undefined, wanted: number | null | undefined, by: number): void => {
      if (value === undefined || wanted === null || wanted === undefined) return;
      error += by * Math.log(value / wanted) ** 2;
      weight += by;
    };
    for (const [index, wanted] of target.means.entries()) add(got[index], wanted, MEAN_WEIGHT);
    for (const [index, wanted] of target.p99.entries()) add(tails[index], wanted, PERCENTILE_WEIGHT);
    const round = (values: readonly (number | null)[]): string => values.map((value) => value?.toFixed(1)).join("/");
    lines.push(
      `${target.load} ${target.contender.name}: ${round(got)} (${round(target.means)}) p99 ${round(tails)} (${round(target.p99)})`,
    );
  }
  return { error: Math.sqrt(error / weight), lines };
}

const rounds = Number(process.argv[2] ?? 100);
const seeds = Number(process.argv[3] ?? 20);
const random = new Random(99);
let best = FITTED;
let state = distance(best, seeds);
console.log(state.error, state.lines.join("\n"));
for (let round = 0; round < rounds; round += 1) {
  const width = 0.06 * (1 - round / rounds) + 0.01;
  const entries = Object.entries(best).map(([name, value]) => {
    const moved = random.uniform() < 0.4 ? value * Math.exp(width * random.normal()) : value;
    return [name, moved] as const;
  });
  const candidate = { ...best, ...Object.fromEntries(entries) };
  const next = distance(candidate, seeds);
  if (next.error >= state.error) continue;
  [best, state] = [candidate, next];
  console.log(round, state.error.toFixed(4), JSON.stringify(best));
}
console.log(state.lines.join("\n"));
