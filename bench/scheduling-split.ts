/**
 * Scheduling split: a model's slots over the shards of its pool, by what each needs now. Pure.
 *
 * Every shard keeps a quarter of its even share, so that a call that comes to an idle one starts at once; the rest goes by demand, the
 * calls that wait or run. What must hold: each shard has at least one slot; a shard that gives slots up while its calls still run
 * counts with those, so that in all shards together never more calls run than there are slots.
 */
export interface Demand {
  readonly running: number;
  readonly waiting: number;
}

/** Part of its even share that a shard keeps without demand. */
const KEPT = 0.25;

/** Slots of each shard from now on. `slots` is at least the number of shards. */
export function splitSlots(slots: number, shards: readonly Demand[]): number[] {
  const kept = Math.max(1, Math.floor((slots / shards.length) * KEPT));
  const wanted = shards.map(({ running, waiting }) => Math.max(0, running + waiting - kept) + 0.01);
  const total = wanted.reduce((sum, one) => sum + one, 0);
  const spare = slots - kept * shards.length;
  const exact = wanted.map((one) => (spare * one) / total);
  const split = exact.map((one) => kept + Math.floor(one));
  const rest = slots - split.reduce((sum, one) => sum + one, 0);
  const byRemainder = exact.map((one, index) => ({ index, part: one - Math.floor(one) }));
  byRemainder.sort((one, other) => other.part - one.part || one.index - other.index);
  for (const { index } of byRemainder.slice(0, rest)) split[index] = (split[index] ?? 0) + 1;
  return withinRunning(slots, split, shards);
}

/** Takes back from those that would grow what others still use. */
function withinRunning(slots: number, split: readonly number[], shards: readonly Demand[]): number[] {
  const over = split.map((share, index) => Math.max(0, (shards[index]?.running ?? 0) - share));
  let missing = over.reduce((sum, one) => sum + one, 0) + split.reduce((sum, one) => sum + one, 0) - slots;
  return split.map((share, index) => {
    const running = shards[index]?.running ?? 0;
    const given = Math.min(Math.max(0, missing), Math.max(0, share - Math.max(1, running)));
    missing -= given;
    return share - given;
  });
}
