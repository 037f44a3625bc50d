/**
 * Scheduling contenders: every policy of the table. The production ones are the production objects; the others live here only.
 *
 * Use `CONTENDERS`, then `open(programs, slots)` for one run. An oracle may look at the programs; nobody else does.
 */
import { PLAIN_ERVD } from "#kernel/sched/policies/ervd.ts";
import { openPolicy, type Policy, type PolicyName } from "#kernel/sched/policy.ts";
import { Overseen, type Chooser, type Waiter } from "#bench/scheduling-overseen.ts";
import { Random } from "#bench/scheduling-random.ts";
import { workOf, type Program, type SimCall } from "#bench/scheduling-workload.ts";

export interface Opened {
  readonly policy: Policy;
  /** Told what a call will take, before it is in the line: for oracles. */
  readonly told?: (id: number, call: SimCall) => void;
}

export interface Contender {
  readonly name: string;
  open(programs: readonly Program[], slots: number): Opened;
}

const NOISE = 0.7;
const CREDITS = 50;
const TURNS = [80, 15, 5];

function production(label: string, name: PolicyName, lane: boolean): Contender {
  return { name: label, open: (_, slots) => ({ policy: openPolicy(name, { slots, lane }) }) };
}

function overseen(name: string, make: (programs: readonly Program[]) => Chooser): Contender {
  return { name, open: (programs) => ({ policy: new Overseen(name, make(programs)) }) };
}

/** The smallest key first. */
function byKey(key: (waiter: Waiter, now: number) => number): Chooser {
  return (waiting, now) => smallest(waiting, (waiter) => key(waiter, now));
}

function smallest(waiting: readonly Waiter[], key: (waiter: Waiter) => number): Waiter | null {
  let [best, least]: [Waiter | null, number] = [null, Infinity];
  for (const waiter of waiting) {
    const value = key(waiter);
    if (best === null || value < least || (value === least && waiter.call.id < best.call.id))
      [best, least] = [waiter, value];
  }
  return best;
}

function levelOf(seconds: number): number {
  return seconds < 1 ? 0 : Math.min(12, 1 + Math.floor(Math.log2(seconds)));
}

const atlasLevel = ({ program }: Waiter): number => levelOf(program.critical);

function longerThan(limit: number): Chooser {
  return (waiting, now) => {
    const oldest = smallest(waiting, ({ call }) => call.enqueuedAt);
    if (oldest !== null && now - oldest.call.enqueuedAt > limit) return oldest;
    return smallest(waiting, atlasLevel);
  };
}

const bypassCredits: Chooser = (waiting) => {
  const chosen = smallest(waiting, (waiter) => (waiter.passed >= CREDITS ? -1 : atlasLevel(waiter)));
  if (chosen === null) return null;
  for (const waiter of waiting) if (waiter.call.id < chosen.call.id) waiter.passed += 1;
  return chosen;
};

/** Programs with `cap` running calls come after the others. */
function softCap(cap: number, key: (waiter: Waiter) => number): Chooser {
  return byKey((waiter) => (waiter.program.running >= cap ? 1e12 : 0) + key(waiter));
}

function weightedLevels(): Chooser {
  const credit = TURNS.map(() => 0);
  const levelOfWaiter = ({ program }: Waiter): number => (program.attained < 8 ? 0 : program.attained < 64 ? 1 : 2);
  return (waiting) => {
    const present = new Set(waiting.map(levelOfWaiter));
    let chosen = 0;
    let total = 0;
    for (const level of present) {
      credit[level] = (credit[level] ?? 0) + (TURNS[level] ?? 0);
      total += TURNS[level] ?? 0;
      if (!present.has(chosen) || (credit[level] ?? 0) > (credit[chosen] ?? 0)) chosen = level;
    }
    credit[chosen] = (credit[chosen] ?? 0) - total;
    return smallest(
      waiting.filter((waiter) => levelOfWaiter(waiter) === chosen),
      ({ program }) => program.arrivedAt,
    );
  };
}

/** Shortest remaining work of the program first: knows all. */
function srpt(programs: readonly Program[]): Chooser {
  const works = programs.map(({ stages }) => workOf(stages));
  return byKey(({ program }) => (works[Number(program.name.slice("program ".length))] ?? 0) - program.attained);
}

const noisySjf: Contender = {
  name: "SJF per call, noisy length",
  open: () => {
    const guesses = new Map<number, number>();
    const policy = new Overseen(
      "sjf",
      byKey(({ call }) => guesses.get(call.id) ?? 0),
    );
    const told = (id: number, { first, rest }: SimCall): void => {
      const noise = new Random(Math.floor(rest * 1e6), 11).normal();
      guesses.set(id, (first + rest) * Math.exp(NOISE * noise));
    };
    return { policy, told };
  },
};

export const FIFO = production("FIFO", "fifo", false);
export const VTC = production("VTC (user)", "vtc", false);
export const PLAS = production("PLAS", "plas", false);
export const ATLAS = production("ATLAS", "atlas", false);
export const LAP = production("LAP + user + lane", "lap", true);
export const ERVD_PLAIN: Contender = {
  name: "ERVD + user + lane (research §5)",
  open: (_, slots) => ({ policy: openPolicy("ervd", { slots, ervd: PLAIN_ERVD }) }),
};
export const ERVD = production("ERVD as shipped", "ervd", true);
export const SRPT = overseen("SRPT oracle", srpt);

export const CONTENDERS: readonly Contender[] = [
  FIFO,
  VTC,
  noisySjf,
  PLAS,
  ATLAS,
  overseen("ATLAS + max wait 10 s / call", () => longerThan(10)),
  overseen("ATLAS + max wait 20 s / call", () => longerThan(20)),
  overseen("ATLAS + 50 bypass credits", () => bypassCredits),
  overseen("ATLAS + soft cap 2 per program", () => softCap(2, atlasLevel)),
  overseen("HRRN (turnaround / attained)", () =>
    byKey(({ program }, now) => -(now - program.arrivedAt + 1) / (program.attained + 1)),
  ),
  overseen("WRR 80/15/5 levels, program FCFS", weightedLevels),
  overseen("EVD: enqueue + 1 x level budget", () =>
    byKey((waiter) => waiter.call.enqueuedAt + 2 ** atlasLevel(waiter)),
  ),
  overseen("PS by program (fewest in flight)", () => byKey(({ program }) => program.running)),
  overseen("FIFO + soft cap 1", () => softCap(1, ({ call }) => call.enqueuedAt)),
  overseen("PLAS, 2 levels at 64 s, program FCFS", () =>
    byKey(({ program }) => (program.attained < 64 ? 0 : 1e9) + program.arrivedAt),
  ),
  LAP,
  ERVD_PLAIN,
  ERVD,
  SRPT,
];
