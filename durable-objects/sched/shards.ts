/**
 * Shards: which Pool objects serve a user's calls of a model.
 *
 * One object per model, named by it, as long as one is enough. With more, a user has a home and a second shard: a program begins at home, or
 * at the second when it would have to wait at home and the second is less busy (`slot.ts`), and stays where it began. So what the
 * policy knows of a user is in two places at the most, and no shard is full while its neighbours idle. The model's slots and
 * rates are split evenly; nothing is coordinated. The arithmetic is in `docs/decisions/0011-scheduling.md`.
 */
import { shardsOf, type PoolEnv } from "#kernel/sched/pool-limits.ts";

const SEPARATOR = "#";

/** The Pool objects for the calls that a user makes of a model; `second` is null when there is only one. */
export function poolsOf(
  env: PoolEnv,
  model: string,
  user: string,
): { readonly home: string; readonly second: string | null } {
  const shards = shardsOf(env, model);
  if (shards === 1) return { home: model, second: null };
  const home = hash(`${user}1`) % shards;
  const other = hash(`${user}2`) % shards;
  const second = other === home ? (home + 1) % shards : other;
  return { home: `${model}${SEPARATOR}${home}`, second: `${model}${SEPARATOR}${second}` };
}

/** The model and the shard that a Pool object's name tells. */
export function readPoolName(name: string): { readonly model: string; readonly shard: number } {
  const match = /^(.*)#(\d{1,4})$/.exec(name);
  return match === null ? { model: name, shard: 0 } : { model: match[1] ?? name, shard: Number(match[2]) };
}

/** FNV-1a, 32 bits, over UTF-16 units, with a last mix so that close names fall far apart. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  return (value ^ (value >>> 13)) >>> 0;
}
