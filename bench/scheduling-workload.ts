/**
 * Scheduling workload: programs of three kinds that arrive at a pool, as `research/scheduling-policy.md` describes them.
 *
 * 60 % chats, 35 % ReAct agents, 5 % tree searches of 20 stages of 8 calls, 20 users, Poisson arrivals at a load. A call takes
 * 0.25 s, 80 us per token read and 12 ms per token written. The original generator is lost: what its description leaves open
 * stands in `FITTED`, chosen on the tuning seeds so that FIFO, ATLAS and SRPT come out near their rows; see `scheduling-fit.ts`.
 * What must hold: a workload depends on its options alone, never on the policy.
 */
import { Random } from "#bench/scheduling-random.ts";

export type Kind = "chat" | "react" | "tree";

/** One inference. Seconds. */
export interface SimCall {
  /** Until its first token. */
  readonly first: number;
  /** From there to its end. */
  readonly rest: number;
  readonly tokens: number;
}

export interface Program {
  readonly kind: Kind;
  readonly user: number;
  readonly arrival: number;
  /** The calls of a stage are sent at once, the next stage when all of them ended. */
  readonly stages: readonly (readonly SimCall[])[];
  /** Stage in which it leaves, and the seconds after that stage began; absent for one that stays. */
  readonly leaves?: { readonly stage: number; readonly after: number };
}

export interface Shape {
  readonly chatCalls: number;
  readonly chatShape: number;
  readonly chatTokens: number;
  readonly chatSigma: number;
  readonly reactCalls: number;
  readonly reactShape: number;
  readonly reactTokens: number;
  readonly reactSigma: number;
  readonly treeTokens: number;
  readonly treeSigma: number;
  /** What a load of one is, against the mean work of a program. */
  readonly loadFactor: number;
}

export const FITTED: Shape = {
  chatCalls: 6,
  chatShape: 1.11,
  chatTokens: 202.7,
  chatSigma: 0.8,
  reactCalls: 9.5,
  reactShape: 4.5,
  reactTokens: 263.8,
  reactSigma: 0.72,
  treeTokens: 175.4,
  treeSigma: 1.07,
  loadFactor: 0.955,
};

export interface WorkloadOptions {
  readonly seed: number;
  readonly load: number;
  readonly slots: number;
  readonly programs: number;
  readonly users: number;
  readonly shape: Shape;
  /** Shares of chats, agents and trees. */
  readonly mix: readonly [chat: number, react: number, tree: number];
  /** The mix of the second half, when it shifts. */
  readonly laterMix: readonly [chat: number, react: number, tree: number] | null;
  readonly variant: "base" | "random trees" | "no kinds";
  /** Share of agents that are stuck in a loop of 300 calls, and whether the load is that of the others or of all. */
  readonly stuck: number;
  readonly stuckOnTop: boolean;
  /** Tokens of prompt that every call reads beyond its conversation. */
  readonly promptTokens: number;
  /** Share of programs that leave before they are done. */
  readonly leaving: number;
}

export const BASE: Omit<WorkloadOptions, "seed"> = {
  load: 0.9,
  slots: 16,
  programs: 400,
  users: 20,
  shape: FITTED,
  mix: [0.6, 0.35, 0.05],
  laterMix: null,
  variant: "base",
  stuck: 0,
  stuckOnTop: false,
  promptTokens: 0,
  leaving: 0,
};

const TTFT = 0.25;
const SECONDS_READ = 80e-6;
const SECONDS_WRITTEN = 0.012;
const FIRST_PROMPT = 600;
const TURN_TOKENS = 100;
const TREE_PROMPT = 1_200;
const STUCK_CALLS = 300;
const TREE_DEPTH = 20;
const TREE_WIDTH = 8;

/** Programs in the order of their arrival. The load is that of the programs drawn, so that seeds differ in nothing else. */
export function workload(options: WorkloadOptions): Program[] {
  const { seed, load, slots, programs: count, users } = options;
  const arrivals = new Random(seed, 1);
  const sorts = new Random(seed, 2);
  const lengths = new Random(seed, 3);
  const half = options.laterMix === null ? count : Math.floor(count / 2);
  const kinds = [
    ...kindsOf(half, options.mix, sorts),
    ...kindsOf(count - half, options.laterMix ?? options.mix, sorts),
  ];
  const counted: number[] = [];
  const drawn = kinds.map((kind): Omit<Program, "arrival"> => {
    const user = sorts.below(users);
    const stuck = sorts.uniform() < options.stuck;
    const stages = stagesOf(kind, stuck, options, lengths);
    if (!stuck || kind !== "react" || !options.stuckOnTop) counted.push(workOf(stages));
    return { kind, user, stages, ...leaving(options.leaving, stages, sorts) };
  });
  const work = counted.reduce((sum, one) => sum + one, 0) / counted.length;
  const interval = work / (load * options.shape.loadFactor * slots);
  let arrival = 0;
  return drawn.map((program) => ({ ...program, arrival: (arrival += arrivals.exponential(interval)) }));
}

function leaving(share: number, stages: Program["stages"], random: Random): Pick<Program, "leaves"> {
  const [leaves, stage, after] = [random.uniform() < share, random.below(stages.length), random.exponential(2)];
  return leaves ? { leaves: { stage, after } } : {};
}

/** As many of each kind as their shares say, in a random order. */
function kindsOf(count: number, [chat, react]: WorkloadOptions["mix"], random: Random): Kind[] {
  const kinds = Array.from({ length: count }, (_, index): Kind => {
    if (index < Math.round(chat * count)) return "chat";
    return index < Math.round((chat + react) * count) ? "react" : "tree";
  });
  for (let last = kinds.length - 1; last > 0; last -= 1) {
    const other = random.below(last + 1);
    [kinds[last], kinds[other]] = [kinds[other] ?? "chat", kinds[last] ?? "chat"];
  }
  return kinds;
}

function stagesOf(kind: Kind, stuck: boolean, options: WorkloadOptions, random: Random): SimCall[][] {
  const { shape, promptTokens, variant } = options;
  if (variant === "no kinds") return paretoStages(random, shape, promptTokens);
  switch (kind) {
    case "chat":
      return chain(
        random.count(shape.chatCalls, shape.chatShape),
        shape.chatTokens,
        shape.chatSigma,
        promptTokens,
        random,
      );
    case "react": {
      const drawn = random.count(shape.reactCalls, shape.reactShape);
      return chain(stuck ? STUCK_CALLS : drawn, shape.reactTokens, shape.reactSigma, promptTokens, random);
    }
    case "tree": {
      const random3 = variant === "random trees";
      const width = random3 ? 3 + random.below(14) : TREE_WIDTH;
      const depth = random3 ? 5 + random.below(31) : TREE_DEPTH;
      return Array.from({ length: depth }, () =>
        Array.from({ length: width }, () =>
          call(TREE_PROMPT + promptTokens, random.lognormal(shape.treeTokens, shape.treeSigma)),
        ),
      );
    }
  }
}

/** One call after the other; the conversation so far is read again by each. */
function chain(calls: number, mean: number, sigma: number, prompt: number, random: Random): SimCall[][] {
  let read = FIRST_PROMPT + prompt;
  return Array.from({ length: calls }, () => {
    const written = random.lognormal(mean, sigma);
    const one = call(read, written);
    // A conversation is cut back before it outgrows a window.
    read = Math.min(read + written + TURN_TOKENS, prompt + 8_000);
    return [one];
  });
}

/** Programs of one kind whose number of calls has a Pareto tail, a fifth of them four wide. */
function paretoStages(random: Random, shape: Shape, prompt: number): SimCall[][] {
  const stages = Math.min(200, Math.floor(3 / (1 - random.uniform()) ** (1 / 1.5)));
  const width = random.uniform() < 0.2 ? 4 : 1;
  return Array.from({ length: stages }, () =>
    Array.from({ length: width }, () => call(TREE_PROMPT + prompt, random.lognormal(shape.chatTokens, 0.8))),
  );
}

function call(read: number, written: number): SimCall {
  return { first: TTFT + SECONDS_READ * read, rest: SECONDS_WRITTEN * written, tokens: Math.ceil(read + written) };
}

/** Seconds of service. */
export function workOf(stages: Program["stages"]): number {
  let total = 0;
  for (const stage of stages) for (const { first, rest } of stage) total += first + rest;
  return total;
}

/** Seconds with a slot for every call at once. */
export function idealOf(stages: Program["stages"]): number {
  let total = 0;
  for (const stage of stages) total += Math.max(...stage.map(({ first, rest }) => first + rest));
  return total;
}
