/**
 * Pool registry: which pools there are, for `GET /v1/pool`.
 *
 * It is kept by the Pool object of a name that no model can have: a pool tells it its name once per life of its object, behind its first
 * call. A list in D1 would need a table and a query for the same; asking the pools of all models that exist would make objects of
 * models that nobody uses. What was told long ago is forgotten. What must hold: losing the list costs a view, nothing else.
 */
import { POOLS_LISTED, POOLS_LISTED_MS } from "#shared/limits.ts";

/** Name of the object that keeps the list. A model's name has no such sign. */
export const REGISTRY = "~pools";

const PREFIX = "pool ";

export async function notePool(storage: DurableObjectStorage, pool: string, now: number): Promise<void> {
  await storage.put(PREFIX + pool, now);
}

/** Names of the pools in use, by name. */
export async function listPools(storage: DurableObjectStorage, now: number): Promise<string[]> {
  const stored = await storage.list<number>({ prefix: PREFIX });
  const old = [...stored].filter(([, toldAt]) => now - toldAt > POOLS_LISTED_MS).map(([key]) => key);
  if (old.length > 0) await storage.delete(old.slice(0, 128)); // as many as one call takes
  const names = [...stored.keys()].filter((key) => !old.includes(key)).map((key) => key.slice(PREFIX.length));
  return names.slice(0, POOLS_LISTED);
}
