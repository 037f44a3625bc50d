/**
 * Swap: what happens between the page table and D1 when D1 is well, broken, slow, or gone.
 */
import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import type { Caller, PageView } from "#shared/abi.ts";
import type { PageHandle } from "#shared/ids.ts";
import {
  FLUSH_BATCH_BYTES,
  FLUSH_BATCH_PAGES,
  FLUSH_RETRY_MOST_MS,
  FLUSH_RETRY_MS,
  PAGE_BYTES,
} from "#shared/limits.ts";
import type { Result } from "#shared/result.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { flush } from "#kernel/vm/flush.ts";
import { dropOldBodies, markPage, residentTokens } from "#kernel/vm/page-table.ts";
import { gate, inKernel, installSeam, rows, useEnv } from "#tests/kernel/kernel-seam.ts";
import { ask, callerOf, objectOf, unwrap } from "#tests/kernel/process-client.ts";

installSeam();

/** What the shard does for every process of this file; reset by each test. */
const shard = {
  mode: "well" as "well" | "throws" | "fails-in-batch",
  slow: null as (() => Promise<void>) | null,
  queries: [] as string[],
  statements: 0,
};

/** The memory shard with faults: counts queries, throws, waits, or breaks the last statement of a batch. */
function faulty(database: D1Database): D1Database {
  const meet = async (): Promise<void> => {
    if (shard.slow !== null) await shard.slow();
    if (shard.mode === "throws") throw new Error("D1_ERROR: the database is away");
  };
  const statement = (query: string, inner: D1PreparedStatement): D1PreparedStatement =>
    new Proxy(inner, {
      get(target, property) {
        if (property === "bind") return (...values: unknown[]) => statement(query, target.bind(...values));
        if (property === "all") {
          return async () => {
            shard.queries.push(query);
            await meet();
            return target.all();
          };
        }
        return Reflect.get(target, property) as unknown;
      },
    });
  return new Proxy(database, {
    get(target, property) {
      // Statements of a batch must be the binding's own; those that read are watched one by one.
      if (property === "prepare") {
        return (query: string) =>
          query.startsWith("INSERT") ? target.prepare(query) : statement(query, target.prepare(query));
      }
      if (property !== "batch") return Reflect.get(target, property) as unknown;
      return async (statements: D1PreparedStatement[]) => {
        shard.queries.push("batch");
        shard.statements += statements.length;
        await meet();
        const broken = shard.mode === "fails-in-batch" ? [target.prepare("INSERT INTO nowhere VALUES (1)")] : [];
        return target.batch([...statements, ...broken]);
      };
    },
  });
}

beforeAll(() => useEnv((real) => ({ ...real, MEM_0: faulty(env.MEM_0) })));

function reset(): void {
  Object.assign(shard, { mode: "well", slow: null, queries: [], statements: 0 });
}

async function write(caller: Caller, text: string): Promise<PageView> {
  return unwrap((await objectOf(caller).writePage(caller, { text })) as Result<PageView>);
}

async function flushed(caller: Caller): Promise<void> {
  await inKernel(caller, (kernel) => flush(kernel));
}

async function stored(caller: Caller): Promise<Record<string, unknown>[]> {
  const { results } = await env.MEM_0.prepare(
    "SELECT handle, version, deleted, body FROM pages WHERE owner = ? ORDER BY handle",
  )
    .bind(caller.user)
    .all();
  return results;
}

const dirty = (caller: Caller): Promise<{ number: number }[]> =>
  rows(caller, "SELECT number FROM pages WHERE dirty = 1 ORDER BY number");
const flushDue = (kernel: Kernel): number =>
  kernel.sql.exec<{ due: number }>("SELECT due FROM timers WHERE name = 'flush'").one().due;

describe("D1 in good health", () => {
  it("gets every page, once, and only newer versions after it", async () => {
    reset();
    const caller = callerOf("swap-well");
    await write(caller, "One.");
    await write(caller, "Two.");
    await flushed(caller);
    expect(await stored(caller)).toMatchObject([
      { handle: "p1", version: 1, body: "One." },
      { handle: "p2", version: 1, body: "Two." },
    ]);
    await objectOf(caller).editPage(caller, "p1" as PageHandle, { text: "One, changed." });
    await flushed(caller);
    expect((await stored(caller))[0]).toMatchObject({ version: 2, body: "One, changed." });
    expect(await dirty(caller)).toEqual([]);
    expect(await rows(caller, "SELECT name FROM timers WHERE name = 'flush'")).toEqual([]);
  });

  it("gives dropped bodies back by one query, and it is a major fault", async () => {
    reset();
    const caller = callerOf("swap-drop");
    for (let index = 0; index < 8; index += 1) await write(caller, `Number ${index} of a row of lighthouses.`);
    await flushed(caller);
    await inKernel(caller, (kernel) => {
      const before = residentTokens(kernel);
      const dropped = dropOldBodies(kernel, 20);
      expect(dropped).toBeGreaterThan(0);
      expect(residentTokens(kernel)).toBeLessThanOrEqual(20);
      expect(before).toBeGreaterThan(20);
    });
    shard.queries = [];
    const page = await objectOf(caller).pages(caller, { limit: 20 });
    expect(page.ok && page.value.items.map((item) => item.text)).toEqual(
      Array.from({ length: 8 }, (_, index) => `Number ${index} of a row of lighthouses.`),
    );
    expect(shard.queries).toHaveLength(1);
    const stat = await objectOf(caller).vmstat(caller);
    expect(stat).toMatchObject({ ok: true, value: { residentPages: 8 } });
    expect(stat.ok && stat.value["majorFaults"]).toBeGreaterThan(0);
    expect(stat.ok && stat.value["pageIns"]).toBe(stat.ok ? stat.value["majorFaults"] : -1);
  });

  it("never drops a dirty body", async () => {
    reset();
    shard.mode = "throws";
    const caller = callerOf("swap-dirty");
    await write(caller, "Only here.");
    await inKernel(caller, (kernel) => expect(dropOldBodies(kernel, 0)).toBe(0));
    shard.mode = "well";
    expect(await objectOf(caller).readPage(caller, "p1" as PageHandle)).toMatchObject({
      ok: true,
      value: { text: "Only here." },
    });
  });

  it("takes more pages than one batch holds", async () => {
    reset();
    const caller = callerOf("swap-many");
    for (const line of [1, 201]) {
      const batch = Array.from({ length: 200 }, (_, index) => ({
        line: line + index,
        row: { text: `Row ${line + index}.` },
      }));
      await objectOf(caller).importRows(caller, "many", batch);
    }
    await flushed(caller);
    expect(FLUSH_BATCH_PAGES).toBeLessThan(400);
    expect(await stored(caller)).toHaveLength(400);
    expect(await dirty(caller)).toEqual([]);
  });
});

describe("a batch", () => {
  it("is cut into parameters below FLUSH_BATCH_BYTES", async () => {
    reset();
    const caller = callerOf("swap-bytes");
    const rows = Array.from({ length: 100 }, (_, index) => ({
      line: index + 1,
      row: { text: `${index} `.padEnd(PAGE_BYTES, "x") },
    }));
    await objectOf(caller).importRows(caller, "bytes", rows);
    await flushed(caller);
    expect(shard.queries).toHaveLength(1);
    expect(shard.statements).toBe(Math.ceil((100 * PAGE_BYTES) / FLUSH_BATCH_BYTES));
    expect(await stored(caller)).toHaveLength(100);
  });
});

describe("D1 that fails", () => {
  it("keeps pages dirty, tries again with a growing pause, and loses nothing", async () => {
    reset();
    const caller = callerOf("swap-throws");
    await write(caller, "Before.");
    await flushed(caller);
    shard.mode = "throws";
    await write(caller, "During.");
    const pauses = await inKernel(caller, async (kernel) => {
      while (kernel.flushing !== null) await kernel.flushing;
      const found: number[] = [];
      for (let turn = 0; turn < 10; turn += 1) {
        await flush(kernel);
        found.push(flushDue(kernel) - kernel.now());
      }
      return found;
    });
    expect(pauses.every((pause, index) => index === 0 || pause >= (pauses[index - 1] ?? 0) - 1_000)).toBe(true);
    expect(pauses[0]).toBeGreaterThan(FLUSH_RETRY_MS);
    expect(pauses.at(-1)).toBeGreaterThan(FLUSH_RETRY_MOST_MS - 1_000);
    expect(pauses.at(-1)).toBeLessThanOrEqual(FLUSH_RETRY_MOST_MS);
    expect(await dirty(caller)).toEqual([{ number: 2 }]);
    shard.mode = "well";
    await runDurableObjectAlarm(objectOf(caller)); // may be early: due is what counts
    await inKernel(caller, (kernel) => flush(kernel));
    expect(await dirty(caller)).toEqual([]);
    expect(await stored(caller)).toHaveLength(2);
  });

  it("is tried again by the alarm alone, also in a new instance", async () => {
    reset();
    const caller = callerOf("swap-alarm");
    shard.mode = "throws";
    await write(caller, "Kept.");
    await flushed(caller);
    await evictDurableObject(objectOf(caller));
    shard.mode = "well";
    await inKernel(caller, (kernel) => kernel.sql.exec("UPDATE timers SET due = ?", Date.now() - 1));
    await runDurableObjectAlarm(objectOf(caller));
    expect(await stored(caller)).toMatchObject([{ handle: "p1", body: "Kept." }]);
    expect(await dirty(caller)).toEqual([]);
  });

  it("writes nothing of a batch that breaks in the middle", async () => {
    reset();
    const caller = callerOf("swap-batch");
    shard.mode = "fails-in-batch";
    await write(caller, "All or nothing.");
    await flushed(caller);
    expect(await stored(caller)).toEqual([]);
    expect(await dirty(caller)).toHaveLength(1);
    shard.mode = "well";
    await flushed(caller);
    expect(await stored(caller)).toHaveLength(1);
  });

  it("makes reads of absent bodies overloaded, while resident pages still answer", async () => {
    reset();
    const caller = callerOf("swap-read");
    await write(caller, "The absent kite is yellow.");
    await flushed(caller);
    await inKernel(caller, (kernel) => dropOldBodies(kernel, 0));
    await write(caller, "My resident lantern is purple.");
    await flushed(caller);
    shard.mode = "throws";
    const object = objectOf(caller);
    for (const answer of [
      await object.readPage(caller, "p1" as PageHandle),
      await object.editPage(caller, "p1" as PageHandle, { text: "x" }),
      await object.pages(caller, { limit: 10 }),
      await object.search(caller, { query: "kite", limit: 10 }),
    ]) {
      expect(answer).toMatchObject({ ok: false, error: { code: "overloaded", retryAfter: 2 } });
    }
    expect(await object.readPage(caller, "p2" as PageHandle)).toMatchObject({ ok: true });
    const run = await ask(caller, "What colour is my lantern?");
    expect(run.status).toBe("done");
    expect(run.output).toContain("purple");
    shard.mode = "well";
    expect(await object.readPage(caller, "p1" as PageHandle)).toMatchObject({
      ok: true,
      value: { text: "The absent kite is yellow." },
    });
  });

  it("lets a page be forgotten whose body is out of reach, and the body goes when D1 is back", async () => {
    reset();
    const caller = callerOf("swap-forget");
    await write(caller, "A secret in the attic.");
    await flushed(caller);
    await inKernel(caller, (kernel) => dropOldBodies(kernel, 0));
    shard.mode = "throws";
    expect(await objectOf(caller).forgetPage(caller, "p1" as PageHandle)).toMatchObject({ ok: true });
    expect(await objectOf(caller).readPage(caller, "p1" as PageHandle)).toMatchObject({
      ok: false,
      error: { code: "not_found" },
    });
    await inKernel(caller, async (kernel) => {
      while (kernel.flushing !== null) await kernel.flushing;
    });
    shard.mode = "well";
    await flushed(caller);
    expect(await stored(caller)).toMatchObject([{ handle: "p1", version: 2, deleted: 1, body: "" }]);
  });
});

describe("a mark on a page whose body is only in D1", () => {
  it("reaches D1 without the body, which can be read before and after", async () => {
    reset();
    const caller = callerOf("swap-marked");
    await write(caller, "Lives in Paris.");
    await write(caller, "Moved to Berlin.");
    await flushed(caller);
    await inKernel(caller, (kernel) => {
      dropOldBodies(kernel, 0);
      markPage(kernel, 1, { superseded_by: 2, pinned: 1, provenance: "[2]" });
      markPage(kernel, 1, { superseded_by: 2 }); // nothing new: no version
      const { sql } = kernel;
      expect(sql.exec("SELECT text, version, dirty FROM pages WHERE number = 1").one()).toEqual({
        text: null,
        version: 2,
        dirty: 1,
      });
    });
    const read = (): Promise<unknown> => objectOf(caller).readPage(caller, "p1" as PageHandle);
    const marked = { ok: true, value: { text: "Lives in Paris.", supersededBy: "p2", pinned: true, version: 2 } };
    expect(await read()).toMatchObject(marked);
    await inKernel(caller, (kernel) => kernel.sql.exec("UPDATE pages SET text = NULL").rowsWritten);
    await flushed(caller);
    const row = await env.MEM_0.prepare("SELECT * FROM pages WHERE owner = ? AND handle = 'p1'")
      .bind(caller.user)
      .first();
    expect(row).toMatchObject({ version: 2, body: "Lives in Paris.", pinned: 1, superseded_by: 2, provenance: "[2]" });
    expect(await read()).toMatchObject(marked);
    await objectOf(caller).forgetPage(caller, "p1" as PageHandle);
    await flushed(caller);
    expect((await stored(caller))[0]).toMatchObject({ deleted: 1, body: "" });
  });
});

describe("D1 that is slow", () => {
  it("runs one flush at a time, and what changes meanwhile stays dirty", async () => {
    reset();
    const caller = callerOf("swap-slow");
    const door = gate();
    shard.slow = () => door.opened;
    await write(caller, "First.");
    await objectOf(caller).editPage(caller, "p1" as PageHandle, { text: "Second." });
    await inKernel(caller, (kernel) => {
      expect(flush(kernel)).toBe(flush(kernel));
      expect(shard.queries).toEqual(["batch"]);
      door.open();
      return flush(kernel);
    });
    expect(await stored(caller)).toMatchObject([{ version: 2, body: "Second." }]);
    expect(await dirty(caller)).toEqual([]);
  });

  it("cannot revive a page that is forgotten while its write is under way", async () => {
    reset();
    const caller = callerOf("swap-late");
    const door = gate();
    shard.slow = () => door.opened;
    await write(caller, "A short-lived thought.");
    await objectOf(caller).forgetPage(caller, "p1" as PageHandle);
    door.open();
    await flushed(caller);
    expect(await stored(caller)).toMatchObject([{ handle: "p1", version: 2, deleted: 1, body: "" }]);
    // A write of the old version that comes even later, from an instance that was thought dead:
    await env.MEM_0.prepare(
      `INSERT INTO pages (owner, process, handle, version, deleted, kind, body, zoned, tags, created_at, updated_at)
       VALUES (?, 'init', 'p1', 1, 0, 'fact', 'A short-lived thought.', 0, '[]', 0, 0)
       ON CONFLICT (owner, process, handle) DO UPDATE SET body = excluded.body WHERE excluded.version > pages.version`,
    )
      .bind(caller.user)
      .run();
    expect((await stored(caller))[0]).toMatchObject({ deleted: 1, body: "" });
  });

  it("gives an absent body that was edited meanwhile as it is now", async () => {
    reset();
    const caller = callerOf("swap-edited");
    await write(caller, "Old words.");
    await flushed(caller);
    await inKernel(caller, (kernel) => dropOldBodies(kernel, 0));
    const door = gate();
    shard.slow = () => door.opened;
    await inKernel(caller, async () => {
      const reading = objectOf(caller).readPage(caller, "p1" as PageHandle);
      const forgetting = objectOf(caller).forgetPage(caller, "p1" as PageHandle);
      const editing = objectOf(caller).editPage(caller, "p1" as PageHandle, { text: "New words." });
      door.open();
      await Promise.all([reading, forgetting, editing]);
    });
    await flushed(caller);
    expect(await objectOf(caller).readPage(caller, "p1" as PageHandle)).toMatchObject({
      ok: false,
      error: { code: "not_found" },
    });
    expect((await stored(caller)).every((row) => row["deleted"] === 1 && row["body"] === "")).toBe(true);
  });
});

describe("a shard that is not bound", () => {
  it("keeps everything in the object", async () => {
    reset();
    const caller = { ...callerOf("swap-unbound"), shard: 9 };
    await write(caller, "Still here.");
    await inKernel(caller, async (kernel) => {
      while (kernel.flushing !== null) await kernel.flushing;
    });
    expect(await dirty(caller)).toHaveLength(1);
    expect(await objectOf(caller).readPage(caller, "p1" as PageHandle)).toMatchObject({ ok: true });
  });
});
