/**
 * Pool limits: what the deployment allows a model, from the variable `POOL_LIMITS`.
 *
 *     {"*": {"slots": 64, "reserved": 4}, "@cf/meta/llama-3.1-8b": {"requestsPerMinute": 300, "tokensPerMinute": 200000, "shards": 4}}
 *
 * A model's own entry counts before `*`, field by field; what neither names is the default. A variable that cannot be read is
 * logged and counts as absent. The limits are of the model as a whole: `limitsOf` answers the part of one shard.
 */
import { z } from "zod";
import { POOL_SHARDS_MOST, POOL_SLOTS } from "#shared/limits.ts";
import { readVariable } from "#shared/variable.ts";

/** What one shard of a model's pool may do. */
export interface PoolLimits {
  /** Calls at once, at the most. */
  readonly slots: number;
  /** Slots that only interactive calls get; null for the default part. */
  readonly reserved: number | null;
  readonly requestsPerMinute: number | null;
  readonly tokensPerMinute: number | null;
}

const rate = z.number().positive().max(1e12);

const modelLimits = z
  .strictObject({
    slots: z.number().int().min(1).max(100_000),
    reserved: z.number().int().min(0),
    requestsPerMinute: rate,
    tokensPerMinute: rate,
    shards: z.number().int().min(1).max(POOL_SHARDS_MOST),
  })
  .partial();

const variable = z.record(z.string(), modelLimits);

type Variable = z.infer<typeof variable>;

export type PoolEnv = Pick<Cloudflare.Env, "POOL_LIMITS">;

let read: { readonly text: string; readonly value: Variable } | null = null;

/** The limits of shard number `shard` of the model's pool. */
export function limitsOf(env: PoolEnv, model: string, shard = 0): PoolLimits {
  const { slots = POOL_SLOTS, reserved, requestsPerMinute, tokensPerMinute } = settingsOf(env, model);
  const shards = shardsOf(env, model);
  return {
    slots: Math.max(1, partOf(slots, shard, shards)),
    reserved: reserved === undefined ? null : partOf(reserved, shard, shards),
    requestsPerMinute: requestsPerMinute === undefined ? null : requestsPerMinute / shards,
    tokensPerMinute: tokensPerMinute === undefined ? null : tokensPerMinute / shards,
  };
}

/** How many objects the model's pool is made of; never more than it has slots. */
export function shardsOf(env: PoolEnv, model: string): number {
  const { shards = 1, slots = POOL_SLOTS } = settingsOf(env, model);
  return Math.min(shards, slots);
}

/** Shard number `shard`'s part of a whole number; the parts differ by one at most and make up the whole. */
function partOf(whole: number, shard: number, shards: number): number {
  return Math.floor(whole / shards) + (shard < whole % shards ? 1 : 0);
}

function settingsOf(env: PoolEnv, model: string): Variable[string] {
  const limits = limitsIn(env.POOL_LIMITS ?? "");
  return { ...limits["*"], ...limits[model] };
}

function limitsIn(text: string): Variable {
  if (read?.text !== text) read = { text, value: readVariable(text, variable, "pool-limits-unreadable") ?? {} };
  return read.value;
}
