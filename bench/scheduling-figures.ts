/**
 * Scheduling figures: what is measured of the runs of one policy over many seeds, and how sure it is.
 *
 * Means are means over seeds of the mean over a run's programs, with a 95 % interval (t); percentiles are over the programs of all
 * seeds; ratios of percentiles have a 95 % interval by resampling the seeds (bootstrap), the same seeds for both policies.
 */
import { Random } from "#bench/scheduling-random.ts";
import { idealOf, type Kind, type Program } from "#bench/scheduling-workload.ts";

/** One program of one run. */
export interface Stay {
  readonly kind: Kind;
  readonly user: number;
  readonly seconds: number;
  readonly ideal: number;
}

export interface Run {
  readonly stays: readonly Stay[];
  readonly longestWait: number;
}

export function runOf(programs: readonly Program[], seconds: Float64Array, longestWait: number): Run {
  const stays = programs.flatMap(({ kind, user, stages }, index) => {
    const stay = seconds[index] ?? Number.NaN;
    return Number.isNaN(stay) ? [] : [{ kind, user, seconds: stay, ideal: idealOf(stages) }];
  });
  return { stays, longestWait };
}

export type Pick = (stay: Stay) => boolean;

export const everything: Pick = () => true;
export const ofKind =
  (kind: Kind): Pick =>
  (stay) =>
    stay.kind === kind;

export interface Estimate {
  readonly value: number;
  /** Half of the 95 % interval, or its two ends for a ratio. */
  readonly low: number;
  readonly high: number;
}

export function meanStay(runs: readonly Run[], pick: Pick = everything): Estimate {
  const means = runs
    .map((run) => average(run.stays.filter(pick).map(({ seconds }) => seconds)))
    .filter(Number.isFinite);
  return interval(means);
}

/** Seconds below which `share` of the programs of all runs stay (nearest rank). */
export function stayAt(runs: readonly Run[], share: number, pick: Pick = everything): number {
  const stays: number[] = [];
  for (const run of runs) for (const stay of run.stays) if (pick(stay)) stays.push(stay.seconds);
  return rankOf(Float64Array.from(stays).toSorted(), share);
}

/** The same percentile under two policies, one over the other, with a bootstrap over seeds. */
export function stayRatio(
  runs: readonly Run[],
  others: readonly Run[],
  share: number,
  pick: Pick = everything,
): Estimate {
  const value = stayAt(runs, share, pick) / stayAt(others, share, pick);
  const random = new Random(4_711);
  const ratios: number[] = [];
  const [one, other] = [runs, others].map((list) =>
    list.map((run) => run.stays.filter(pick).map(({ seconds }) => seconds)),
  );
  for (let draw = 0; draw < 400; draw += 1) {
    const seeds = runs.map(() => random.below(runs.length));
    const at = (list: readonly (readonly number[])[] | undefined): number =>
      rankOf(Float64Array.from(seeds.flatMap((seed) => list?.[seed] ?? [])).toSorted(), share);
    ratios.push(at(one) / at(other));
  }
  const sorted = Float64Array.from(ratios).toSorted();
  return { value, low: rankOf(sorted, 0.025), high: rankOf(sorted, 0.975) };
}

/** Means under two policies, one over the other, paired by seed. */
export function meanRatio(runs: readonly Run[], others: readonly Run[], pick: Pick = everything): Estimate {
  const of = (run: Run | undefined): number => average((run?.stays ?? []).filter(pick).map(({ seconds }) => seconds));
  const value = meanStay(runs, pick).value / meanStay(others, pick).value;
  const { low, high } = interval(runs.map((run, seed) => of(run) / of(others[seed])).filter(Number.isFinite));
  return { value, low: value - (high - low) / 2, high: value + (high - low) / 2 };
}

/** Jain's index over users of how near their programs come to the ideal, meaned over the runs; 1 is fair. */
export function jain(runs: readonly Run[]): number {
  return average(
    runs.map(({ stays }) => {
      const users = new Map<number, number[]>();
      for (const { user, ideal, seconds } of stays) users.set(user, [...(users.get(user) ?? []), ideal / seconds]);
      const shares = [...users.values()].map(average);
      const total = shares.reduce((sum, share) => sum + share, 0);
      return total ** 2 / (shares.length * shares.reduce((sum, share) => sum + share ** 2, 0));
    }),
  );
}

/** The most that a program was slowed down, meaned over the runs. */
export function slowest(runs: readonly Run[]): number {
  return Math.max(...runs.map(({ stays }) => Math.max(...stays.map(({ seconds, ideal }) => seconds / ideal))));
}

export function longestWait(runs: readonly Run[]): number {
  return Math.max(...runs.map((run) => run.longestWait));
}

export function average(values: readonly number[]): number {
  return values.length === 0 ? Number.NaN : values.reduce((sum, value) => sum + value, 0) / values.length;
}

export function rankOf(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** Two-sided 97.5 % quantiles of Student's t for 1, 2, … degrees of freedom; beyond that the normal one is near. */
const STUDENT = [
  12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.2, 2.18, 2.16, 2.14, 2.13, 2.12, 2.11, 2.1, 2.09,
];

function interval(values: readonly number[]): Estimate {
  const value = average(values);
  const variance = values.reduce((sum, one) => sum + (one - value) ** 2, 0) / Math.max(1, values.length - 1);
  const half = (STUDENT[values.length - 2] ?? 1.98) * Math.sqrt(variance / Math.max(1, values.length));
  return { value, low: value - half, high: value + half };
}
