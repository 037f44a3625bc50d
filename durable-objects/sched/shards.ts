/**
 * Shards: which Pool object serves a user's calls of a model.
 *
 * One object per model, named by it, as long as one is enough. With more, a user's calls always go to the same one, so that what
 * the policy knows of the user and of its programs stays in one place; the model's slots and rates are split evenly.
 */
import { shardsOf, type PoolEnv } from "#kernel/sched/pool-limits.ts";

const SEPARATOR = "#";

/** The name of the Pool object for the calls that a user makes of a model. */
export function poolName(env: PoolEnv, model: string, user: string): string {
  const shards = shardsOf(env, model);
  return shards === 1 ? model : `${model}${SEPARATOR}${hash(user) % shards}`;
}

/** The names of all objects of a model's pool. */
export function poolNames(env: PoolEnv, model: string): string[] {
  const shards = shardsOf(env, model);
  if (shards === 1) return [model];
  return Array.from({ length: shards }, (_, shard) => `${model}${SEPARATOR}${shard}`);
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
