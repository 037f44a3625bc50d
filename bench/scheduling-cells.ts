/**
 * Scheduling cells: the workloads of the tables, and the runs of a contender in one of them.
 *
 * Held-out seeds are 100 to 119 (100 to 199 for stuck loops), tuning seeds 0 to 59; the bench only looks at held-out ones. Every contender of a cell sees the same
 * programs (common random numbers).
 */
import { PromptCache } from "#bench/scheduling-cache.ts";
import type { Contender } from "#bench/scheduling-contenders.ts";
import { runOf, type Run } from "#bench/scheduling-figures.ts";
import { simulate } from "#bench/scheduling-simulator.ts";
import { BASE, workload, type Program, type SimCall, type WorkloadOptions } from "#bench/scheduling-workload.ts";
import { Random } from "#bench/scheduling-random.ts";

export const HELD_OUT = Array.from({ length: 20 }, (_, seed) => 100 + seed);

export interface Cell {
  readonly name: string;
  readonly options: Partial<WorkloadOptions>;
  /** Prompts a provider keeps; absent for none. */
  readonly cache?: number;
}

/** The mixes of the research's table of robustness, load 0.9. */
export const MIXES: readonly Cell[] = [
  { name: "all chat", options: { mix: [1, 0, 0] } },
  { name: "30 % tree", options: { mix: [0.45, 0.25, 0.3] } },
  { name: "trees 3-16 wide, random depth", options: { variant: "random trees" } },
  { name: "no kinds (Pareto)", options: { variant: "no kinds" } },
  { name: "mix shift mid-run", options: { mix: [0.9, 0.1, 0], laterMix: [0.3, 0.6, 0.1] } },
  { name: "60 programs (cold)", options: { programs: 60 } },
  { name: "C=4", options: { slots: 4 } },
  { name: "C=64", options: { slots: 64 } },
  { name: "stuck loops, in the load", options: { stuck: 0.01 } },
  { name: "stuck loops, on top of the load", options: { stuck: 0.01, stuckOnTop: true } },
];

export const LEAVING: readonly Cell[] = [
  { name: "10 % leave", options: { leaving: 0.1 } },
  { name: "30 % leave", options: { leaving: 0.3 } },
];

/** Long prompts; the load is that without a cache, so most of it is saved. */
export const CACHES: readonly Cell[] = [16, 24, 1_000].map((cache) => ({
  name: `${cache} prompts kept`,
  options: { load: 1.15, promptTokens: 12_000 },
  cache,
}));

export interface CellRuns {
  readonly runs: Run[];
  /** Share of the calls that found their prompt warm. */
  readonly warm: number;
}

export function runCell(contender: Contender, cell: Cell, seeds: readonly number[]): CellRuns {
  let [hits, calls] = [0, 0];
  const runs = seeds.map((seed) => {
    const options = { ...BASE, ...cell.options, seed };
    const programs = workload(options);
    const cache = cell.cache === undefined ? null : new PromptCache(cell.cache);
    const run = runPrograms(contender, programs, options.slots, cache);
    hits += cache?.hits ?? 0;
    calls += cache?.calls ?? 0;
    return run;
  });
  return { runs, warm: calls === 0 ? 0 : hits / calls };
}

export function runPrograms(
  contender: Contender,
  programs: readonly Program[],
  slots: number,
  cache: PromptCache | null = null,
): Run {
  const { policy, told } = contender.open(programs, slots);
  const cached = cache && {
    service: (call: SimCall, program: number, now: number) => cache.service(call, program, now),
    ended: (program: number, now: number) => cache.ended(program, now),
  };
  const { stays, longestWait } = simulate(programs, policy, { slots, told, ...cached });
  return runOf(programs, stays, longestWait);
}

/** How one user sends 960 calls at once, or nearly. */
export const ATTACKS = [
  { name: "one wide program", programs: 1, stages: 1, width: 960, every: 0, together: 1 },
  { name: "960 one-call programs", programs: 960, stages: 1, width: 1, every: 0, together: 960 },
  { name: "160 six-call programs", programs: 160, stages: 6, width: 1, every: 0, together: 160 },
  { name: "16 new programs every 2.4 s", programs: 960, stages: 1, width: 1, every: 2.4, together: 16 },
] as const;

export const ATTACKER = BASE.users;
const ATTACK_AT = 120;

/** Honest programs at load 0.7, and those of one user more. */
export function attacked(seed: number, attack: (typeof ATTACKS)[number]): Program[] {
  const honest = workload({ ...BASE, load: 0.7, seed });
  const random = new Random(seed, 21);
  const { treeTokens, treeSigma } = BASE.shape;
  const call = (): SimCall => ({ first: 0.35, rest: 0.012 * random.lognormal(treeTokens, treeSigma), tokens: 1_400 });
  const hostile = Array.from({ length: attack.programs }, (_, index): Program => ({
    kind: "chat",
    user: ATTACKER,
    arrival: ATTACK_AT + attack.every * Math.floor(index / attack.together),
    stages: Array.from({ length: attack.stages }, () => Array.from({ length: attack.width }, call)),
  }));
  return [...honest, ...hostile].toSorted((one, other) => one.arrival - other.arrival);
}

/** Seconds from the attack's begin to the end of its last program. */
export function makespan(programs: readonly Program[], run: Run): number {
  const ends = run.stays.map(({ seconds, user }, index) =>
    user === ATTACKER ? (programs[index]?.arrival ?? 0) + seconds - ATTACK_AT : 0,
  );
  return Math.max(...ends);
}
