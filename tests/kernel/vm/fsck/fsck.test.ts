/**
 * Fsck: finds every kind of divergence that is put into the stores, mends what can be mended, and then finds nothing.
 */
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Caller } from "#shared/abi.ts";
import { DIVERGENCES, type Divergence, type FsckReport } from "#shared/fsck.ts";
import type { PageHandle } from "#shared/ids.ts";
import { FSCK_CHUNK, FSCK_FOUND, FSCK_PAGES } from "#shared/limits.ts";
import type { Result } from "#shared/result.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { flush } from "#kernel/vm/flush.ts";
import { fsck } from "#kernel/vm/fsck/fsck.ts";
import { dropOldBodies } from "#kernel/vm/page-table.ts";
import { inKernel, installSeam } from "#tests/kernel/kernel-seam.ts";
import { ask, callerOf, objectOf, unwrap } from "#tests/kernel/process-client.ts";

installSeam();

type Counts = Partial<Record<Divergence, number>>;

/** The whole check, and every report of it. */
async function check(caller: Caller, repair = false): Promise<{ counts: Counts; reports: FsckReport[] }> {
  const reports: FsckReport[] = [];
  for (let cursor: string | undefined; ;) {
    const report: FsckReport = unwrap(
      (await objectOf(caller).fsck(caller, {
        repair,
        ...(cursor === undefined ? {} : { cursor }),
      })) as Result<FsckReport>,
    );
    reports.push(report);
    cursor = report.cursor;
    if (cursor === undefined) break;
  }
  const counts: Counts = {};
  for (const report of reports) {
    for (const [kind, times] of Object.entries(report.counts) as [Divergence, number][]) {
      counts[kind] = (counts[kind] ?? 0) + times;
    }
  }
  return { counts, reports };
}

async function settle(caller: Caller): Promise<void> {
  await inKernel(caller, (kernel) => flush(kernel));
}

const d1 = (caller: Caller, query: string, handle: string): Promise<unknown> =>
  env.MEM_0.prepare(`${query} WHERE owner = ? AND handle = ?`).bind(caller.user, handle).run();

/** How each kind comes about on page `number`, whose body is resident. */
const BREAKS: Readonly<
  Record<
    Exclude<Divergence, "body-lost" | "counter-behind">,
    (caller: Caller, kernel: Kernel, number: number) => unknown
  >
> = {
  "missing-in-d1": (caller, _kernel, number) => d1(caller, "DELETE FROM pages", `p${number.toString(36)}`),
  "stale-in-d1": (_caller, { sql }, number) =>
    sql.exec("UPDATE pages SET version = version + 1 WHERE number = ?", number),
  "ahead-in-d1": (caller, _kernel, number) =>
    d1(caller, "UPDATE pages SET version = version + 3", `p${number.toString(36)}`),
  "body-differs": (caller, _kernel, number) =>
    d1(caller, "UPDATE pages SET body = 'Other.'", `p${number.toString(36)}`),
  "forgotten-in-d1": (caller, _kernel, number) =>
    d1(caller, "UPDATE pages SET deleted = 1, body = '', version = version + 1", `p${number.toString(36)}`),
  "orphan-in-d1": (caller, _kernel, number) =>
    env.MEM_0.prepare(
      `INSERT INTO pages (owner, process, handle, version, deleted, kind, body, zoned, tags, created_at, updated_at)
       VALUES (?, 'init', ?, 1, 0, 'fact', 'An orphan.', 0, '[]', 0, 0)`,
    )
      .bind(caller.user, `p${(number + 1_000).toString(36)}`)
      .run(),
  "tombstone-stuck": (_caller, { sql }, number) =>
    sql.exec(
      "INSERT INTO pages (number, kind, text, tokens, version, session, created_at, updated_at, referenced_at, deleted, dirty) VALUES (?, 'note', '', 0, 2, '', 0, 0, 0, 1, 0)",
      number - 500,
    ),
  "dirty-forever": (_caller, { sql, timers }, number) => {
    sql.exec("UPDATE pages SET dirty = 1, version = version + 1 WHERE number = ?", number);
    sql.exec("DELETE FROM timers WHERE name = 'flush'");
    timers.delete("flush");
  },
  "not-indexed": (_caller, { sql, index }, number) => {
    sql.exec("UPDATE pages SET entry = NULL WHERE number = ?", number);
    index.invalidate();
  },
  "index-stale": (_caller, { sql, index }, number) => {
    sql.exec("UPDATE pages SET entry = json_set(entry, '$.terms', json('[\"wrong\"]')) WHERE number = ?", number);
    index.invalidate();
  },
  "index-stray": (_caller, { sql, index }, number) => {
    sql.exec("SELECT 1");
    expect(index.size).toBeGreaterThan(0);
    sql.exec("DELETE FROM pages WHERE number = ? AND deleted = 1", number);
    index.add({ ...strayPage, number: number + 700 });
  },
  "not-noted": (_caller, { sql }, number) => sql.exec("DELETE FROM statements WHERE page = ?", number),
  "note-stray": (_caller, { sql }, number) => sql.exec("INSERT INTO statements VALUES (?, ?)", number, number + 2_000),
  "run-stray": (_caller, { sql }, number) =>
    sql.exec("INSERT INTO run_pages VALUES (?, ?, 'created')", `run_${number}`, number),
  "message-stray": (_caller, { sql }, number) =>
    sql.exec(
      "INSERT INTO messages (thread, role, content, page, tokens, created_at) VALUES ('main', 'user', 'x', ?, 1, 0)",
      number + 3_000,
    ),
  "provenance-stray": (_caller, { sql }, number) =>
    sql.exec("UPDATE pages SET provenance = json_array(?) WHERE number = ?", number + 4_000, number),
  "successor-stray": (_caller, { sql }, number) =>
    sql.exec("UPDATE pages SET superseded_by = ? WHERE number = ?", number + 5_000, number),
};

const strayPage = {
  number: 0,
  kind: "fact" as const,
  role: null,
  speaker: null,
  text: "Stray.",
  tokens: 1,
  version: 1,
  source: null,
  at: null,
  at_text: null,
  zoned: 0,
  tags: "[]",
  thread: null,
  session: "s",
  run: null,
  evidence: 1,
  deleted: 0,
  dirty: 0,
  created_at: 0,
  updated_at: 0,
  referenced_at: 0,
  pinned: 0,
  superseded_by: null,
  provenance: "[]",
};

/** A process of twelve pages, numbered from 501, all of them in D1. */
async function filled(name: string): Promise<Caller> {
  const caller = callerOf(name);
  const found = Array.from({ length: 12 }, (_, index) => ({
    line: index + 1,
    row: {
      text: `Fact ${index} of the old mill: wheel ${index * 7}.`,
      kind: "fact",
      handle: `p${(501 + index).toString(36)}`,
    },
  }));
  expect(await objectOf(caller).importRows(caller, "k", found)).toMatchObject({ ok: true, value: { imported: 12 } });
  await settle(caller);
  return caller;
}

describe("a process that is well", () => {
  it("has nothing to report, after runs, edits and forgetting too", async () => {
    const caller = await filled("fsck-well");
    await objectOf(caller).forgetPage(caller, `p${(505).toString(36)}` as PageHandle);
    await objectOf(caller).editPage(caller, `p${(506).toString(36)}` as PageHandle, { text: "Changed." });
    await ask(caller, "Remember that the mill was sold.");
    expect((await check(caller)).counts).toEqual({});
    await settle(caller);
    const { counts, reports } = await check(caller, true);
    expect(counts).toEqual({});
    expect(reports).toMatchObject([{ repaired: 0, pending: 0 }]);
  });
});

describe("a divergence", () => {
  const kinds = Object.keys(BREAKS) as (keyof typeof BREAKS)[];

  it.each(kinds)("%s is found, by its page, left alone by a dry run, and mended", async (kind) => {
    const caller = await filled(`fsck-${kind}`);
    await inKernel(caller, (kernel) => BREAKS[kind](caller, kernel, 504));
    const dry = await check(caller);
    expect(dry.counts).toEqual({ [kind]: 1 });
    expect((await check(caller)).counts).toEqual({ [kind]: 1 });
    const [report] = (await check(caller, true)).reports;
    expect([report?.counts, report?.repaired]).toEqual([{ [kind]: 1 }, 1]);
    await settle(caller);
    expect((await check(caller)).counts).toEqual({});
  });

  it.each([
    "stale-in-d1",
    "ahead-in-d1",
    "forgotten-in-d1",
    "not-indexed",
    "index-stale",
    "not-noted",
    "successor-stray",
  ] as const)("%s is found and mended when the body is only in D1", async (kind) => {
    const caller = await filled(`fsck-absent-${kind}`);
    await inKernel(caller, (kernel) => {
      dropOldBodies(kernel, 0);
      return BREAKS[kind](caller, kernel, 504);
    });
    expect((await check(caller, true)).counts).toEqual({ [kind]: 1 });
    await settle(caller);
    expect((await check(caller)).counts).toEqual({});
    const read = await objectOf(caller).readPage(caller, `p${(504).toString(36)}` as PageHandle);
    if (kind === "forgotten-in-d1") expect(read).toMatchObject({ ok: false, error: { code: "not_found" } });
    else expect(read).toMatchObject({ ok: true, value: { text: "Fact 3 of the old mill: wheel 21." } });
  });

  it("of every sort at once, at random, is found and mended; no page is lost by it", async () => {
    let round = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.tuple(fc.constantFrom(...kinds), fc.integer({ min: 501, max: 512 })), {
          selector: ([, number]) => number,
          maxLength: 8,
        }),
        async (made) => {
          round += 1;
          const caller = await filled(`fsck-random-${round}`);
          const expected: Counts = {};
          for (const [kind, number] of made) {
            await inKernel(caller, (kernel) => BREAKS[kind](caller, kernel, number));
          }
          for (const [kind] of made) expected[kind] = (expected[kind] ?? 0) + 1;
          if ((expected["dirty-forever"] ?? 0) > 1) expected["dirty-forever"] = 1; // the first stands for all
          const found = (await check(caller, true)).counts;
          for (const kind of Object.keys(expected) as Divergence[]) {
            // A cache that was thrown away after a stray was put into it holds no stray.
            if (kind !== "index-stray") expect(found[kind], kind).toBe(expected[kind]);
          }
          await settle(caller);
          await check(caller, true);
          await settle(caller);
          expect((await check(caller)).counts).toEqual({});
          const forgotten = expected["forgotten-in-d1"] ?? 0;
          expect(await objectOf(caller).pages(caller, { limit: 50 })).toMatchObject({
            ok: true,
            value: { items: { length: 12 - forgotten } },
          });
        },
      ),
      { numRuns: 12 },
    );
  });

  it("of the cached index alone is found and mended", async () => {
    const caller = await filled("fsck-cache");
    await inKernel(caller, (kernel) => kernel.index.remove(508));
    expect(await objectOf(caller).search(caller, { query: "wheel 49", limit: 1 })).not.toMatchObject({
      value: { items: [{ text: "Fact 7 of the old mill: wheel 49." }] },
    });
    expect((await check(caller, true)).counts).toEqual({ "not-indexed": 1 });
    expect((await check(caller)).counts).toEqual({});
    expect(await objectOf(caller).search(caller, { query: "wheel 49", limit: 1 })).toMatchObject({
      value: { items: [{ text: "Fact 7 of the old mill: wheel 49." }] },
    });
  });

  it("of a counter is found and mended, so that no number is given out twice", async () => {
    const caller = await filled("fsck-counter");
    await inKernel(caller, ({ sql }) => sql.exec("UPDATE counters SET value = 3 WHERE name = 'page'"));
    expect((await check(caller, true)).counts).toEqual({ "counter-behind": 1 });
    expect(await objectOf(caller).writePage(caller, { text: "New." })).toMatchObject({
      value: { handle: `p${(513).toString(36)}` },
    });
  });

  it("that nothing can mend is told again, and the page is not dropped", async () => {
    const caller = await filled("fsck-lost");
    await inKernel(caller, ({ sql }) => sql.exec("UPDATE pages SET text = NULL WHERE number = 503"));
    await d1(caller, "DELETE FROM pages", `p${(503).toString(36)}`);
    for (let time = 0; time < 2; time += 1) {
      expect((await check(caller, true)).reports[0]).toMatchObject({
        counts: { "body-lost": 1 },
        found: [{ kind: "body-lost", handle: `p${(503).toString(36)}` }],
        repaired: 0,
      });
    }
  });

  it("never brings a forgotten page back: its tombstone in D1 wins", async () => {
    const caller = await filled("fsck-revive");
    await inKernel(caller, (kernel) => BREAKS["forgotten-in-d1"](caller, kernel, 507));
    await check(caller, true);
    await settle(caller);
    expect(await objectOf(caller).readPage(caller, `p${(507).toString(36)}` as PageHandle)).toMatchObject({
      ok: false,
    });
    const row = await env.MEM_0.prepare("SELECT deleted, body FROM pages WHERE owner = ? AND handle = ?")
      .bind(caller.user, `p${(507).toString(36)}`)
      .first();
    expect(row).toEqual({ deleted: 1, body: "" });
  });
});

describe("a check", () => {
  it("names every kind it can find", () => {
    expect(Object.keys(DIVERGENCES).toSorted()).toEqual(
      [...Object.keys(BREAKS), "body-lost", "counter-behind"].toSorted(),
    );
  });

  it("refuses a cursor that is none, and says so when D1 is away", async () => {
    const caller = await filled("fsck-cursor");
    expect(await objectOf(caller).fsck(caller, { repair: false, cursor: "x" })).toMatchObject({
      ok: false,
      error: { code: "invalid_request" },
    });
    await inKernel(caller, async (kernel) => {
      const away = { ...kernel, shard: 9 };
      expect(await fsck(away, { repair: false })).toMatchObject({ ok: false, error: { code: "overloaded" } });
    });
  });

  it("looks at FSCK_PAGES pages per call in parts of FSCK_CHUNK, and lists FSCK_FOUND", async () => {
    const caller = callerOf("fsck-many");
    await inKernel(caller, (kernel) => {
      kernel.sql.exec(
        `WITH RECURSIVE n (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM n WHERE number < ?)
         INSERT INTO pages (number, kind, text, tokens, version, session, dirty, created_at, updated_at, referenced_at)
         SELECT number, 'turn', 'Turn ' || number, 2, 1, 's', 0, 0, 0, 0 FROM n`,
        FSCK_PAGES + FSCK_CHUNK,
      );
      kernel.sql.exec("INSERT OR REPLACE INTO counters VALUES ('page', ?)", FSCK_PAGES + FSCK_CHUNK);
    });
    const { counts, reports } = await check(caller);
    expect(counts).toEqual({
      "missing-in-d1": FSCK_PAGES + FSCK_CHUNK,
      "not-indexed": FSCK_PAGES + FSCK_CHUNK,
    });
    expect(reports.map((report) => report.checked)).toEqual([FSCK_PAGES, FSCK_CHUNK]);
    expect(reports[0]?.found).toHaveLength(FSCK_FOUND);
  });

  it("is a command too", async () => {
    const caller = await filled("fsck-command");
    const instruction = {
      kind: "command" as const,
      text: "/fsck",
      command: "fsck",
      call: { kind: "syscall" as const, name: "memory_check", arguments: {} },
    };
    expect((await ask(caller, "", { instruction })).output).toBe("Checked 24; everything agrees.");
  });
});
