/**
 * Scheduling more: the tables beside the three loads: other mixes, gaming, programs that leave, prompt caches, a provider that
 * throttles, shards, and the cost of a dispatch. Each prints its table and answers the rows with an aim.
 */
import { BANDS, openPolicy, POLICIES } from "#kernel/sched/policy.ts";
import { Ervd, PLAIN_ERVD } from "#kernel/sched/policies/ervd.ts";
import { Lane } from "#kernel/sched/policies/lane.ts";
import { RankedPolicy } from "#kernel/sched/policies/ranked.ts";
import type { ProgramState } from "#kernel/sched/policies/roster.ts";
import type { Call } from "#kernel/sched/policy.ts";
import { row, type Row } from "#bench/report.ts";
import {
  ATTACKER,
  ATTACKS,
  attacked,
  CACHES,
  LEAVING,
  makespan,
  MIXES,
  runCell,
  type Cell,
  runPrograms,
} from "#bench/scheduling-cells.ts";
import { ATLAS, ERVD, ERVD_PLAIN, FIFO, LAP, SRPT, VTC, type Contender } from "#bench/scheduling-contenders.ts";
import { dispatchCost } from "#bench/scheduling-cost.ts";
import {
  average,
  jain,
  longestWait,
  meanStay,
  ofKind,
  runOf,
  stayAt,
  stayRatio,
  type Run,
} from "#bench/scheduling-figures.ts";
import { simulateProvider, type ProviderOptions } from "#bench/scheduling-provider.ts";
import { Random } from "#bench/scheduling-random.ts";
import { simulateShards, type ShardOptions } from "#bench/scheduling-shards.ts";
import { BASE, workload, type Program } from "#bench/scheduling-workload.ts";

const chat = ofKind("chat");

/** Cells: chat over ATLAS, p99 over FIFO, mean over ATLAS. The p99 of stuck loops also over five times the seeds: it is of few programs. */
export function mixes(seeds: readonly number[]): Row[] {
  console.log("\n## Other mixes, load 0.9: chat / ATLAS, p99 / FIFO [95 %], mean / ATLAS");
  const rows = MIXES.flatMap((cell) => mixture(cell, seeds, isStuck(cell)));
  const more = Array.from({ length: 5 * seeds.length }, (_, index) => (seeds[0] ?? 0) + index);
  return [
    ...rows,
    ...MIXES.filter(isStuck).flatMap((cell) =>
      mixture({ ...cell, name: `${cell.name}, ${more.length} seeds` }, more, true),
    ),
  ];
}

function isStuck({ name }: Cell): boolean {
  return name.startsWith("stuck");
}

function mixture(cell: Cell, seeds: readonly number[], aimed: boolean): Row[] {
  const [fifo, atlas] = [runCell(FIFO, cell, seeds).runs, runCell(ATLAS, cell, seeds).runs];
  return [FIFO, LAP, ERVD_PLAIN, ERVD, SRPT].flatMap((contender) => {
    const { runs } = runCell(contender, cell, seeds);
    const tail = stayRatio(runs, fifo, 0.99);
    const [chats, means] = [chat, undefined].map((pick) => meanStay(runs, pick).value / meanStay(atlas, pick).value);
    const p99 = `${tail.value.toFixed(3)} [${tail.low.toFixed(2)}-${tail.high.toFixed(2)}]`;
    console.log(`${cell.name}, ${contender.name}: ${chats?.toFixed(3)} / ${p99} / ${means?.toFixed(3)}`);
    if (contender !== ERVD && contender !== ERVD_PLAIN) return [];
    const aim = aimed && contender === ERVD ? { aim: 1.05, lowerIsBetter: true } : {};
    return [row(`${cell.name}, ${contender.name}: p99 over FIFO`, tail.value, "ratio", aim)];
  });
}

/** Cells: honest chat mean, honest p99, the attacker's makespan. */
export function gaming(seeds: readonly number[]): Row[] {
  console.log("\n## Gaming, honest load 0.7 (honest chat mean / honest p99 / the attacker's makespan, s)");
  const alone: Contender = {
    name: "ERVD, no user layer",
    open: (_, slots) => ({ policy: openPolicy("ervd", { slots, ervd: { ...PLAIN_ERVD, nu: 0 } }) }),
  };
  const rows: Row[] = [];
  for (const contender of [FIFO, VTC, ATLAS, alone, LAP, ERVD_PLAIN, ERVD]) {
    const spans: number[] = [];
    const cells = ATTACKS.map((attack) => {
      const pairs = seeds.slice(0, 10).map((seed) => {
        const programs = attacked(seed, attack);
        return { programs, run: runPrograms(contender, programs, BASE.slots) };
      });
      const honest = pairs.map(({ run }): Run => ({
        ...run,
        stays: run.stays.filter(({ user }) => user !== ATTACKER),
      }));
      spans.push(average(pairs.map(({ programs, run }) => makespan(programs, run))));
      const [mean, tail] = [meanStay(honest, chat).value, stayAt(honest, 0.99)];
      if (contender === ERVD) rows.push(row(`gaming, ${attack.name}: honest chat mean`, mean, "s", { baseline: 18.1 }));
      return `${mean.toFixed(1)}/${tail.toFixed(0)}/${spans.at(-1)?.toFixed(0)}`;
    });
    console.log(`${contender.name}: ${cells.join(" | ")}`);
    if (contender !== ERVD) continue;
    const gain = 100 * (1 - Math.min(...spans.slice(1)) / (spans[0] ?? 1));
    rows.push(row("gaming: what splitting gains of the makespan", gain, "%", { baseline: 4 }));
  }
  return rows;
}

/** Programs that leave in the middle; the times are of those that stay. */
export function leaving(seeds: readonly number[]): Row[] {
  console.log("\n## Programs that leave, load 0.9: mean, chat, p99 / FIFO of those that stay");
  return LEAVING.flatMap((cell) => {
    const fifo = runCell(FIFO, cell, seeds).runs;
    return [FIFO, ATLAS, LAP, ERVD_PLAIN, ERVD].flatMap((contender) => {
      const { runs } = runCell(contender, cell, seeds);
      const tail = stayRatio(runs, fifo, 0.99).value;
      const [mean, chats] = [meanStay(runs).value, meanStay(runs, chat).value];
      console.log(`${cell.name}, ${contender.name}: ${mean.toFixed(1)} / ${chats.toFixed(1)} / ${tail.toFixed(3)}`);
      return contender === ERVD ? [row(`${cell.name}, ERVD as shipped: p99 over FIFO`, tail, "ratio")] : [];
    });
  });
}

/** ERVD with a call brought forward by `bonus` seconds when its program had an answer a moment ago. */
class Warm extends Ervd {
  readonly #ends = new Map<ProgramState, number>();
  readonly #bonus: number;
  #now = 0;

  constructor(bonus: number) {
    super();
    this.#bonus = bonus;
  }

  override prepare(...[roster, slots, now]: Parameters<Ervd["prepare"]>): void {
    this.#now = now;
    super.prepare(roster, slots, now);
  }

  override rank(program: ProgramState, oldest: Call): number {
    const age = this.#now - (this.#ends.get(program) ?? -Infinity);
    return super.rank(program, oldest) - this.#bonus * Math.max(0, 1 - age / 300);
  }

  override callEnded(program: ProgramState, seconds: number): void {
    this.#ends.set(program, this.#now);
    super.callEnded(program, seconds);
  }
}

function warm(bonus: number): Contender {
  return {
    name: `ERVD + ${bonus} s for a warm prompt`,
    open: (_, slots) => ({
      policy: new RankedPolicy({ order: new Warm(bonus), bands: BANDS, slots, lane: new Lane() }),
    }),
  };
}

export function promptCaches(seeds: readonly number[]): Row[] {
  console.log(
    "\n## Prompt cache (12,000 tokens of prompt, TTFT -60 % when warm): mean, chat, p99, share of warm calls",
  );
  return CACHES.flatMap((cell) =>
    [FIFO, ATLAS, ERVD, warm(2), warm(10), warm(40), SRPT].flatMap((contender) => {
      const { runs, warm: share } = runCell(contender, cell, seeds);
      const [mean, chats, tail] = [meanStay(runs).value, meanStay(runs, chat).value, stayAt(runs, 0.99)];
      const percent = 100 * share;
      console.log(
        `${cell.name}, ${contender.name}: ${mean.toFixed(2)} / ${chats.toFixed(2)} / ${tail.toFixed(0)} / ${percent.toFixed(1)} %`,
      );
      if (contender !== FIFO && contender !== ERVD) return [];
      return [
        row(`${cell.name}, ${contender.name}: mean`, mean, "s"),
        row(`${cell.name}, ${contender.name}: warm`, percent, "%"),
      ];
    }),
  );
}

function limits(slots: number, tokensPerMinute: number | null = null): ProviderOptions["limits"] {
  return { slots, reserved: 0, requestsPerMinute: null, tokensPerMinute };
}

const TOKENS = 560_000;
const PROVIDERS: readonly (ProviderOptions & { readonly name: string })[] = [
  { name: "16 at once, known", limits: limits(16), atOnce: 16, tokensPerMinute: null, retryAfter: false, told: true },
  { name: "16 at once, hidden", limits: limits(64), atOnce: 16, tokensPerMinute: null, retryAfter: false, told: true },
  {
    name: "16 at once, hidden, Retry-After",
    limits: limits(64),
    atOnce: 16,
    tokensPerMinute: null,
    retryAfter: true,
    told: true,
  },
  {
    name: "16 at once, hidden, no pace",
    limits: limits(64),
    atOnce: 16,
    tokensPerMinute: null,
    retryAfter: false,
    told: false,
  },
  {
    name: "tokens a minute, known",
    limits: limits(64, TOKENS),
    atOnce: 64,
    tokensPerMinute: TOKENS,
    retryAfter: true,
    told: true,
  },
  {
    name: "tokens a minute, hidden",
    limits: limits(64),
    atOnce: 64,
    tokensPerMinute: TOKENS,
    retryAfter: true,
    told: true,
  },
  {
    name: "tokens a minute, hidden, no pace",
    limits: limits(64),
    atOnce: 64,
    tokensPerMinute: TOKENS,
    retryAfter: true,
    told: false,
  },
];

/** The production admission in front of a provider that throttles. */
export function providers(seeds: readonly number[]): Row[] {
  console.log(
    "\n## A provider that throttles, load 0.9 of 16 slots: mean / chat / tree / p99, share of attempts sent away",
  );
  return PROVIDERS.flatMap((provider) =>
    (["fifo", "atlas", "lap", "ervd"] as const).flatMap((name) => {
      let [attempts, throttled] = [0, 0];
      const runs = seeds.slice(0, 10).map((seed) => {
        const programs = workload({ ...BASE, seed });
        const outcome = simulateProvider(programs, openPolicy(name, { slots: provider.limits.slots }), provider);
        attempts += outcome.attempts;
        throttled += outcome.throttled;
        return runOf(programs, outcome.stays, outcome.longestWait);
      });
      const sent = (100 * throttled) / attempts;
      const means = [undefined, chat, ofKind("tree")].map((pick) => meanStay(runs, pick).value.toFixed(1));
      console.log(
        `${provider.name}, ${name}: ${means.join(" / ")} / ${stayAt(runs, 0.99).toFixed(0)}, ${sent.toFixed(1)} %`,
      );
      if (name !== "ervd") return [];
      const label = `provider: ${provider.name}, ervd`;
      return [row(`${label}: mean`, meanStay(runs).value, "s"), row(`${label}: attempts sent away`, sent, "%")];
    }),
  );
}

const SHARD_SLOTS = 256;
const SHARD_USERS = 2_000;
const SPLITS: readonly Pick<ShardOptions, "route" | "rebalance">[] = [
  { route: "user", rebalance: null },
  { route: "user", rebalance: 60 },
  { route: "user", rebalance: 10 },
  { route: "user", rebalance: 2 },
  { route: "second", rebalance: null },
  { route: "second", rebalance: 2 },
  { route: "two", rebalance: null },
];

/** The same slots and programs behind one line, and behind more. */
export function shards(seeds: number): Row[] {
  console.log(
    "\n## Shards: 256 slots, load 0.9, 5,000 programs of 2,000 users: mean / chat / p99 / Jain / longest wait",
  );
  const rows: Row[] = [];
  for (const count of [1, 2, 4, 8, 16]) {
    for (const split of count === 1 ? SPLITS.slice(0, 1) : SPLITS) {
      const runs = Array.from({ length: seeds }, (_, seed) => {
        const programs = crowd(100 + seed);
        const { stays, longestWait: wait } = simulateShards(programs, { slots: SHARD_SLOTS, shards: count, ...split });
        return runOf(programs, stays, wait);
      });
      const name = `${count} shards, ${split.route}${split.rebalance === null ? "" : `, split every ${split.rebalance} s`}`;
      const [mean, tail] = [meanStay(runs).value, stayAt(runs, 0.99)];
      const fair = `${jain(runs).toFixed(4)} / ${longestWait(runs).toFixed(0)}`;
      console.log(
        `${name}: ${mean.toFixed(2)} / ${meanStay(runs, chat).value.toFixed(2)} / ${tail.toFixed(0)} / ${fair}`,
      );
      if (split.rebalance === null) rows.push(row(`${name}: mean`, mean, "s"), row(`${name}: p99`, tail, "s"));
    }
  }
  return rows;
}

/** Programs of users of whom some do far more than others. */
function crowd(seed: number): Program[] {
  const random = new Random(seed, 9);
  let total = 0;
  const sums = Array.from({ length: SHARD_USERS }, () => (total += random.lognormal(1, 1)));
  const programs = workload({ ...BASE, seed, slots: SHARD_SLOTS, programs: 5_000, users: SHARD_USERS });
  return programs.map((program) => {
    const place = random.uniform() * total;
    return { ...program, user: sums.findIndex((sum) => sum >= place) };
  });
}

export function costs(): Row[] {
  console.log("");
  return POLICIES.flatMap((name) =>
    [64, 4_096].map((waiting) =>
      row(`${name}: a dispatch with ${waiting} programs waiting`, dispatchCost(name, waiting), "us"),
    ),
  );
}
