/**
 * Memory: pages written, read, edited, listed, found and forgotten through the process's own methods.
 */
import { describe, expect, it } from "vitest";
import type { Caller, MemoryQuery, NewPage, Page, PageEdit, PageView, SearchItem } from "#shared/abi.ts";
import type { PageHandle } from "#shared/ids.ts";
import { IDEMPOTENCY_MS, PAGE_BYTES, QUERY_CHARACTERS } from "#shared/limits.ts";
import type { Result } from "#shared/result.ts";
import { utf8Bytes } from "#shared/tokens.ts";
import { inKernel, installSeam, rows } from "#tests/kernel/kernel-seam.ts";
import { callerOf, objectOf, unwrap } from "#tests/kernel/process-client.ts";

installSeam();

async function write(caller: Caller, page: NewPage, key?: string): Promise<PageView> {
  return unwrap((await objectOf(caller).writePage(caller, page, key)) as Result<PageView>);
}

async function edit(caller: Caller, handle: PageHandle, change: PageEdit): Promise<Result<PageView>> {
  return (await objectOf(caller).editPage(caller, handle, change)) as Result<PageView>;
}

async function list(caller: Caller, filter: { limit: number; cursor?: string }): Promise<Page<PageView>> {
  return unwrap((await objectOf(caller).pages(caller, filter)) as Result<Page<PageView>>);
}

async function search(caller: Caller, query: Partial<MemoryQuery> & { query: string }): Promise<string[]> {
  const found = (await objectOf(caller).search(caller, { limit: 10, ...query })) as Result<Page<SearchItem>>;
  return unwrap(found).items.map((item) => item.text);
}

describe("writing and reading", () => {
  it("gives back what was written, with its date as it was given", async () => {
    const caller = callerOf("write-read");
    const written = await write(caller, {
      text: "Ann moved to Ghent.",
      kind: "note",
      at: "1:56 pm on 8 May, 2023",
      source: "D3:7",
      speaker: "Ann",
      tags: ["move", "home"],
    });
    const read = unwrap((await objectOf(caller).readPage(caller, written.handle)) as Result<PageView>);
    expect(read).toEqual(written);
    expect(read).toMatchObject({
      handle: "p1",
      version: 1,
      at: "2023-05-08T13:56:00",
      atText: "1:56 pm on 8 May, 2023",
      source: "D3:7",
      tags: ["move", "home"],
    });
  });

  it("knows no handle that is malformed, unknown or not canonical", async () => {
    const caller = callerOf("handles");
    await write(caller, { text: "One page." });
    for (const handle of ["p2", "p01", "p0", "P1", "p", "p1 ", "p-1", "pzzzzzzzzzz", "1"] as PageHandle[]) {
      expect(await objectOf(caller).readPage(caller, handle)).toMatchObject({
        ok: false,
        error: { code: "not_found" },
      });
      expect(await edit(caller, handle, { text: "x" })).toMatchObject({ ok: false, error: { code: "not_found" } });
      expect(await objectOf(caller).forgetPage(caller, handle)).toMatchObject({
        ok: false,
        error: { code: "not_found" },
      });
    }
  });

  it("refuses an empty text and an unreadable date, and stores nothing", async () => {
    const caller = callerOf("refuse");
    for (const page of [{ text: "  \n" }, { text: "When?", at: "the day the music died" }]) {
      expect(await objectOf(caller).writePage(caller, page)).toMatchObject({
        ok: false,
        error: { code: "invalid_request" },
      });
    }
    expect(await rows(caller, "SELECT 1 FROM pages")).toEqual([]);
  });

  it("keeps a page of PAGE_BYTES whole and splits one byte more, losing no letter", async () => {
    const caller = callerOf("split");
    await write(caller, { text: "a".repeat(PAGE_BYTES) });
    expect((await list(caller, { limit: 10 })).items).toHaveLength(1);
    const long = "Bees like clover. ".repeat(2_000).trim();
    await write(caller, { text: `${long}蜂`, source: "hive" });
    const parts = (await list(caller, { limit: 10 })).items.slice(1);
    expect(parts.length).toBeGreaterThan(1);
    expect(parts.map((part) => part.text).join("")).toBe(`${long}蜂`);
    for (const part of parts) {
      expect(utf8Bytes(part.text)).toBeLessThanOrEqual(PAGE_BYTES);
      expect(part.source).toBe("hive");
    }
  });

  it("answers the same key with the same page for a day, another body with a conflict", async () => {
    const caller = callerOf("write-key");
    const both = await inKernel(caller, () =>
      Promise.all([write(caller, { text: "Once." }, "k"), write(caller, { text: "Once." }, "k")]),
    );
    expect(both[0]).toEqual(both[1]);
    expect(await objectOf(caller).writePage(caller, { text: "Twice." }, "k")).toMatchObject({
      ok: false,
      error: { code: "conflict" },
    });
    await inKernel(caller, (kernel) =>
      kernel.sql.exec("UPDATE replies SET created_at = ?", Date.now() - IDEMPOTENCY_MS),
    );
    expect((await write(caller, { text: "Twice." }, "k")).handle).toBe("p2");
  });
});

describe("editing", () => {
  it("raises the version, re-indexes, and refuses an old version", async () => {
    const caller = callerOf("edit");
    const { handle } = await write(caller, { text: "The boat is called Heron.", tags: ["boat"] });
    expect(unwrap(await edit(caller, handle, { text: "The boat is called Plover.", version: 1 }))).toMatchObject({
      version: 2,
      tags: ["boat"],
    });
    expect(await edit(caller, handle, { text: "The boat is called Gull.", version: 1 })).toMatchObject({
      ok: false,
      error: { code: "conflict" },
    });
    expect(await search(caller, { query: "Heron" })).toEqual([]);
    expect(await search(caller, { query: "Plover" })).toEqual(["The boat is called Plover."]);
  });

  it("lets one of two edits of the same version win", async () => {
    const caller = callerOf("edit-race");
    const { handle } = await write(caller, { text: "Start." });
    const both = await inKernel(caller, () =>
      Promise.all(["One.", "Two."].map((text) => edit(caller, handle, { text, version: 1 }))),
    );
    expect(both.filter((result) => result.ok)).toHaveLength(1);
  });

  it("cannot bring back a page that is forgotten while the edit waits", async () => {
    const caller = callerOf("edit-forget");
    const { handle } = await write(caller, { text: "The code is walnut." });
    await inKernel(caller, () =>
      Promise.all([
        edit(caller, handle, { tags: ["safe"] }),
        objectOf(caller).forgetPage(caller, handle),
        edit(caller, handle, { tags: ["x"] }),
      ]),
    );
    expect(await objectOf(caller).readPage(caller, handle)).toMatchObject({ ok: false, error: { code: "not_found" } });
    expect(await search(caller, { query: "walnut" })).toEqual([]);
  });

  it("takes a text of PAGE_BYTES and refuses one byte more and an empty one", async () => {
    const caller = callerOf("edit-size");
    const { handle } = await write(caller, { text: "Small." });
    expect(await edit(caller, handle, { text: "b".repeat(PAGE_BYTES) })).toMatchObject({ ok: true });
    for (const text of ["b".repeat(PAGE_BYTES + 1), " "]) {
      expect(await edit(caller, handle, { text })).toMatchObject({ ok: false, error: { code: "invalid_request" } });
    }
  });
});

describe("editing what a page can be used for", () => {
  it("makes a question that becomes a statement count as evidence", async () => {
    const caller = callerOf("edit-evidence");
    const page = await write(caller, { text: "Where is the kettle?", kind: "turn", role: "user" });
    const evidence = "SELECT evidence FROM pages";
    expect(await rows(caller, evidence)).toEqual([{ evidence: 0 }]);
    unwrap(await edit(caller, page.handle, { text: "The kettle is in the shed." }));
    expect(await rows(caller, evidence)).toEqual([{ evidence: 1 }]);
  });
});

describe("listing", () => {
  it("pages through everything once, in order, and by kind", async () => {
    const caller = callerOf("list");
    for (let index = 0; index < 7; index += 1)
      await write(caller, { text: `Page ${index}.`, kind: index % 2 === 0 ? "fact" : "note" });
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await list(caller, { limit: 3, ...(cursor === undefined ? {} : { cursor }) });
      seen.push(...page.items.map((item) => item.handle));
      cursor = page.cursor;
    } while (cursor !== undefined);
    expect(seen).toEqual(["p1", "p2", "p3", "p4", "p5", "p6", "p7"]);
    const notes = unwrap((await objectOf(caller).pages(caller, { kind: "note", limit: 3 })) as Result<Page<PageView>>);
    expect(notes).toMatchObject({ items: [{ handle: "p2" }, { handle: "p4" }, { handle: "p6" }] });
    expect(notes.cursor).toBeUndefined();
    expect(await objectOf(caller).pages(caller, { limit: 3, cursor: "nonsense!" })).toMatchObject({
      ok: false,
      error: { code: "invalid_request" },
    });
  });

  it("goes on after a page that was forgotten meanwhile", async () => {
    const caller = callerOf("list-forget");
    for (let index = 0; index < 4; index += 1) await write(caller, { text: `Page ${index}.` });
    const first = await list(caller, { limit: 2 });
    await objectOf(caller).forgetPage(caller, "p2" as PageHandle);
    const next = await list(caller, { limit: 2, cursor: first.cursor ?? "" });
    expect(next.items.map((item) => item.handle)).toEqual(["p3", "p4"]);
  });
});

describe("searching", () => {
  const caller = callerOf("search");
  it("filters by kind, tags and dates, a date-only end included", async () => {
    await write(caller, {
      text: "Swim at the lake on Friday.",
      at: "2024-06-07T23:59:59",
      kind: "note",
      tags: ["sport", "lake"],
    });
    await write(caller, { text: "Swim at the pool on Saturday.", at: "2024-06-08", tags: ["sport"] });
    await write(caller, { text: "Swim at the sea on Sunday.", at: "2024-06-09T08:00:00" });
    const swims = async (more: Partial<MemoryQuery>): Promise<string[]> =>
      (await search(caller, { query: "swim", ...more })).map((text) => /the (\w+)/.exec(text)?.[1] ?? "").toSorted();
    expect(await swims({})).toEqual(["lake", "pool", "sea"]);
    expect(await swims({ kind: "note" })).toEqual(["lake"]);
    expect(await swims({ tags: ["sport"] })).toEqual(["lake", "pool"]);
    expect(await swims({ tags: ["sport", "lake"] })).toEqual(["lake"]);
    expect(await swims({ tags: ["nothing"] })).toEqual([]);
    expect(await swims({ to: "2024-06-07" })).toEqual(["lake"]);
    expect(await swims({ from: "2024-06-08" })).toEqual(["pool", "sea"]);
    expect(await swims({ from: "2024-06-08", to: "2024-06-08" })).toEqual(["pool"]);
    expect(await objectOf(caller).search(caller, { query: "swim", limit: 5, from: "whenever" })).toMatchObject({
      ok: false,
      error: { code: "invalid_request" },
    });
  });

  it("takes any text as a query, up to QUERY_CHARACTERS", async () => {
    for (const query of [
      '"',
      "' OR 1=1 --",
      "NEAR(a, b) AND NOT *",
      "swim:*",
      "(((",
      "\u0000",
      "蛋糕？",
      "%_",
      "x".repeat(QUERY_CHARACTERS),
    ]) {
      expect(await objectOf(caller).search(caller, { query, limit: 5 })).toMatchObject({ ok: true });
    }
    expect(await objectOf(caller).search(caller, { query: "x".repeat(QUERY_CHARACTERS + 1), limit: 5 })).toMatchObject({
      ok: false,
    });
  });

  it("finds Chinese by parts of words", async () => {
    const chinese = callerOf("search-chinese");
    await write(chinese, { text: "我妹妹住在南京的秦淮河边。" });
    await write(chinese, { text: "周末我们去爬山。" });
    expect((await search(chinese, { query: "妹妹住在哪里" }))[0]).toBe("我妹妹住在南京的秦淮河边。");
  });
});

describe("handles", () => {
  it("are never used again, not even after forgetting and a new instance", async () => {
    const caller = callerOf("never-reused");
    const first = await write(caller, { text: "Gone soon." });
    await objectOf(caller).forgetPage(caller, first.handle);
    await inKernel(caller, async (kernel) => {
      while (kernel.flushing !== null) await kernel.flushing;
    });
    expect(await rows(caller, "SELECT 1 FROM pages")).toEqual([]); // the tombstone went to D1 and is dropped here
    expect((await write(caller, { text: "Next." })).handle).toBe("p2");
  });
});
