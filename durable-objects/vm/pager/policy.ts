/**
 * Pager policy: when frames leave the body of a prompt, which ones, and how far down.
 *
 * Pure and deterministic: no clock, no storage. `new Pager(options)`, then `step(frames, state, signals)` before a call with
 * what is mapped; it answers the frames to unmap (usually none) and the next state, plain JSON for the caller to keep.
 *
 * - A prompt's prefix is cheap to send again (`prices.read`) until something in it changes; then what follows is written anew
 *   (`prices.write`). So frames leave in batches: at the high watermark, down to the low one (`highWatermark`).
 * - Order is CLOCK, written as a queue: oldest first; a group that was referenced is spared once and queues up behind the
 *   newest. A frame read back after it had left (`faults`) is spared in batch after batch, half as long each time.
 * - The low watermark follows the page faults: up when they cost more than keeping more would, down when there are none.
 *
 * What must hold: pinned and locked frames never leave, a group leaves whole or not at all, and after a batch the rest is
 * within the low watermark unless what may not leave is larger.
 */

export interface PagerFrame {
  readonly id: number;
  readonly tokens: number;
  readonly pinned: boolean;
  /** Cited, read or found by a search since the last batch that passed it. */
  readonly referenced: boolean;
  /** How often it was read back, halved by every batch that spared it for that (`PagerStep.weakened`). */
  readonly faults: number;
  /** Frames of one group (a turn with its calls and their results) leave together. Groups are numbered in order of age. */
  readonly group: number;
  /** May not leave now: part of the current run, or of a pending approval. */
  readonly locked: boolean;
}

/** Input-token equivalents of one token: written into a provider's cache, and read from it. */
export interface PagerPrices {
  readonly write: number;
  readonly read: number;
}

export interface PagerOptions {
  readonly prices: PagerPrices;
  /** Low watermark to begin with, and the bounds within which faults may move it; in tokens. */
  readonly low: number;
  readonly lowest: number;
  readonly highest: number;
  /** Tokens the body may never exceed: the model's window without prefix, tail and answer. */
  readonly ceiling: number;
  /** Tokens a call is expected to add, until it was learned. */
  readonly growth: number;
}

/** Learned tokens per call, and from how many calls (up to where its memory ends). */
export interface Growth {
  readonly growth: number;
  readonly samples: number;
}

export interface PagerState extends Growth {
  readonly low: number;
  /** Tokens mapped after the last step. */
  readonly size: number;
  /** Since the last batch: calls, and what faults cost, in input-token equivalents. */
  readonly calls: number;
  readonly faultCost: number;
  /** Batches in a row that faults gave no reason to keep as much. */
  readonly quiet: number;
  /** Spared groups, each with the newest group when it was spared. */
  readonly passed: readonly (readonly [group: number, behind: number])[];
}

/** What happened since the last step. */
export interface PagerSignals {
  /** Model calls; 1 when absent. */
  readonly calls?: number;
  /** What reads of pages that had left the body cost (`faultCost`), in input-token equivalents. */
  readonly faultCost?: number;
}

export interface PagerStep {
  /** Frames to unmap, in the order they leave; empty for most steps. */
  readonly evict: readonly number[];
  /** Frames whose `referenced` is used up. */
  readonly cleared: readonly number[];
  /** Frames whose `faults` are to be halved. */
  readonly weakened: readonly number[];
  readonly low: number;
  readonly high: number;
  readonly state: PagerState;
}

/** Calls after which a sample of growth has lost most of its weight, and how many calls the first guess counts for. */
const GROWTH_MEMORY = 50;
const GROWTH_GUESS = 4;
const RAISE = 1.25;
const LOWER = 0.9;
/** Batches without reason to keep as much before the low watermark goes down. */
const QUIET_BATCHES = 2;
/** The share of the ceiling that the low watermark may take, so that a batch frees something worth its price. */
const LOW_SHARE = 0.8;

/**
 * The high watermark of least cost: H* = L + √(2(w−r)·L·g/r). It minimises `costPerCall` over H. Without a discount for
 * cached tokens (w = r) it is the low watermark itself; with free ones there is no reason ever to evict.
 */
export function highWatermark(low: number, growth: number, { write, read }: PagerPrices): number {
  if (write <= read) return low;
  return read <= 0 ? Number.POSITIVE_INFINITY : low + Math.sqrt((2 * (write - read) * low * growth) / read);
}

/**
 * Mean cost of a call, in input-token equivalents, of a body that grows by `growth` a call and is cut from `high` to `low`:
 * r(H+L)/2 to read it, w·g to write what is new, and (w−r)·L·g/(H−L) to write the rest anew after each batch.
 */
export function costPerCall(low: number, high: number, growth: number, { write, read }: PagerPrices): number {
  const between = Math.max(high - low, growth);
  return (read * (high + low)) / 2 + write * growth + ((write - read) * low * growth) / between;
}

/** What one fault costs: the prompt is read once more, the page and the model's call of `output` tokens are written. */
export function faultCost(prompt: number, page: number, output: number, { write, read }: PagerPrices): number {
  return read * prompt + write * (page + output);
}

interface Group {
  readonly number: number;
  readonly rank: number;
  readonly frames: readonly PagerFrame[];
  readonly tokens: number;
  readonly faults: number;
  readonly referenced: boolean;
  readonly stays: boolean;
}

export class Pager {
  readonly #options: PagerOptions;

  constructor(options: PagerOptions) {
    this.#options = options;
  }

  /** The state before the first step. */
  start(): PagerState {
    const { low, growth } = this.#options;
    return { low, growth, samples: GROWTH_GUESS, size: 0, calls: 0, faultCost: 0, quiet: 0, passed: [] };
  }

  /** Both watermarks in a state, when `fixed` tokens may not leave. */
  watermarks(state: PagerState, fixed = 0): { readonly low: number; readonly high: number } {
    const { ceiling, lowest, highest, prices } = this.#options;
    const low = Math.min(Math.max(state.low, lowest), highest, LOW_SHARE * ceiling);
    // What may not leave is no gain of a batch: the gap is measured from there.
    const high = Math.min(highWatermark(Math.max(low, fixed), state.growth, prices), ceiling);
    return { low: Math.round(low), high: Math.round(high) };
  }

  step(frames: readonly PagerFrame[], before: PagerState, signals: PagerSignals = {}): PagerStep {
    const total = sum(frames);
    const state = learn(before, total, signals);
    const groups = queue(frames, state.passed);
    const fixed = sum(groups.filter((group) => group.stays));
    const known = new Set(groups.map((group) => group.number));
    const passed = state.passed.filter(([group]) => known.has(group));
    const marks = this.watermarks(state, fixed);
    if (total <= marks.high) {
      return { evict: [], cleared: [], weakened: [], ...marks, state: { ...state, size: total, passed } };
    }
    const controlled = this.#control(state);
    const { low, high } = this.watermarks(controlled, fixed);
    const batch = sweep(groups, total - low);
    const newest = Math.max(0, ...known);
    const spared = batch.spared.map((group) => [group.number, newest] as const);
    const gone = new Set([...batch.evicted, ...batch.spared].map((group) => group.number));
    const next = {
      ...controlled,
      size: total - sum(batch.evicted),
      calls: 0,
      faultCost: 0,
      passed: [...passed.filter(([group]) => !gone.has(group)), ...spared],
    };
    return {
      evict: ids(batch.evicted),
      cleared: batch.passed.flatMap((group) =>
        group.frames.filter((frame) => frame.referenced).map((frame) => frame.id),
      ),
      weakened: batch.spared.flatMap((group) =>
        group.frames.filter((frame) => frame.faults > 0).map((frame) => frame.id),
      ),
      low,
      high,
      state: next,
    };
  }

  /** Page-fault frequency: moves the low watermark once per batch, up at once and down with hesitation. */
  #control(state: PagerState): PagerState {
    const { lowest, highest, prices } = this.#options;
    const { low } = this.watermarks(state);
    const cost = (at: number): number => costPerCall(at, highWatermark(at, state.growth, prices), state.growth, prices);
    const perCall = state.faultCost / Math.max(1, state.calls);
    const [more, less] = [Math.min(highest, low * RAISE), Math.max(lowest, low * LOWER)];
    if (perCall > 0 && perCall > cost(more) - cost(low)) return { ...state, low: more, quiet: 0 };
    if (perCall > (cost(low) - cost(less)) / 2) return { ...state, low, quiet: 0 };
    return state.quiet + 1 < QUIET_BATCHES
      ? { ...state, low, quiet: state.quiet + 1 }
      : { ...state, low: less, quiet: 0 };
  }
}

function sum(items: readonly { readonly tokens: number }[]): number {
  return items.reduce((tokens, item) => tokens + item.tokens, 0);
}

function ids(groups: readonly Group[]): number[] {
  return groups.flatMap((group) => group.frames.map((frame) => frame.id));
}

/** Takes in what the calls since the last step added and what faults cost them. */
function learn(state: PagerState, total: number, { calls = 1, faultCost: cost = 0 }: PagerSignals): PagerState {
  const since = { ...state, calls: state.calls + calls, faultCost: state.faultCost + cost };
  return { ...since, ...learnGrowth(state, total - state.size, calls) };
}

/** The growth of a call, with `calls` more that added `added` tokens. */
export function learnGrowth(known: Growth, added: number, calls: number): Growth {
  if (calls < 1 || added <= 0) return { growth: known.growth, samples: known.samples };
  const samples = Math.min(known.samples + calls, GROWTH_MEMORY);
  return { samples, growth: known.growth + Math.min(1, calls / samples) * (added / calls - known.growth) };
}

/** The groups in the order in which CLOCK comes to them. */
function queue(frames: readonly PagerFrame[], passed: PagerState["passed"]): Group[] {
  const members = new Map<number, PagerFrame[]>();
  for (const frame of frames) {
    const group = members.get(frame.group);
    if (group === undefined) members.set(frame.group, [frame]);
    else group.push(frame);
  }
  const behind = new Map(passed);
  const groups = [...members].map(([number, own]): Group => {
    const newest = behind.get(number);
    return {
      number,
      rank: newest === undefined ? number : newest + 0.5,
      frames: own,
      tokens: sum(own),
      faults: Math.max(...own.map((frame) => frame.faults)),
      referenced: own.some((frame) => frame.referenced),
      stays: own.some((frame) => frame.pinned || frame.locked),
    };
  });
  return groups.sort((one, other) => one.rank - other.rank || one.number - other.number);
}

interface Batch {
  readonly evicted: readonly Group[];
  readonly spared: readonly Group[];
  /** All that the hand came to: evicted or spared. */
  readonly passed: readonly Group[];
}

/** One batch: goes through the queue until `excess` tokens are free; then, if need be, through what it had spared. */
function sweep(queued: readonly Group[], excess: number): Batch {
  const passed: Group[] = [];
  const evicted: Group[] = [];
  let left = excess;
  const evict = (group: Group): void => {
    evicted.push(group);
    left -= group.tokens;
  };
  for (const group of queued) {
    if (left <= 0) break;
    if (group.stays) continue;
    passed.push(group);
    if (!group.referenced && group.faults < 1) evict(group);
  }
  const chances = passed
    .filter((group) => !evicted.includes(group))
    .sort((one, other) => Math.floor(one.faults) - Math.floor(other.faults) || one.rank - other.rank);
  for (const group of chances) if (left > 0) evict(group);
  return { evicted, passed, spared: chances.filter((group) => !evicted.includes(group)) };
}
