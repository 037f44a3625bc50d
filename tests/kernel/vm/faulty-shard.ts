/**
 * Faulty shard: the memory shard with a fault of its own for each query, drawn by the test.
 *
 * `useFaultyShard()` in a test file; `faults.next` answers the fault of the coming query.
 */
import { env } from "cloudflare:workers";
import { useEnv } from "#tests/kernel/kernel-seam.ts";

/**
 * `away`: refused before it is done. `lost`: done, but the answer never comes. `breaks`: a batch fails at its last statement and
 * nothing of it is done. `slow`: done after `faults.slowMs`.
 */
export type Fault = "well" | "away" | "lost" | "breaks" | "slow";

export const faults = { next: (): Fault => "well", slowMs: 5, met: 0 };

async function meet<Value>(work: () => Promise<Value>, broken: () => Promise<Value>): Promise<Value> {
  const fault = faults.next();
  if (fault !== "well") faults.met += 1;
  if (fault === "away") throw new Error("D1_ERROR: the database is away");
  if (fault === "breaks") return broken();
  if (fault === "slow") await new Promise((resolve) => setTimeout(resolve, faults.slowMs));
  const value = await work();
  if (fault === "lost") throw new Error("D1_ERROR: network connection lost");
  return value;
}

function faulty(database: D1Database): D1Database {
  const reading = (inner: D1PreparedStatement): D1PreparedStatement =>
    new Proxy(inner, {
      get(target, property) {
        if (property === "bind") return (...values: unknown[]) => reading(target.bind(...values));
        if (property !== "all" && property !== "run") return Reflect.get(target, property) as unknown;
        return () =>
          meet(
            () => target[property](),
            () => Promise.reject(new Error("D1_ERROR: broken")),
          );
      },
    });
  return new Proxy(database, {
    get(target, property) {
      // Statements of a batch must be the binding's own.
      if (property === "prepare") {
        return (query: string) =>
          /^(?:INSERT INTO|UPDATE) pages.*json_each\(\?3\)/s.test(query) && !query.includes("deleted = 1")
            ? target.prepare(query)
            : reading(target.prepare(query));
      }
      if (property !== "batch") return Reflect.get(target, property) as unknown;
      return (statements: D1PreparedStatement[]) =>
        meet(
          () => target.batch(statements),
          () => target.batch([...statements, target.prepare("INSERT INTO nowhere VALUES (1)")]),
        );
    },
  });
}

export function useFaultyShard(): void {
  useEnv((real) => ({ ...real, MEM_0: faulty(env.MEM_0) }));
}
