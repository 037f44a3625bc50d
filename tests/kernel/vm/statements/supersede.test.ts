/**
 * Supersession: the newer statement comes first, the older is kept, found by its time, and holds again when the newer is gone.
 */
import { describe, expect, it } from "vitest";
import type { Caller, NewPage, PageView, SearchItem } from "#shared/abi.ts";
import type { PageHandle } from "#shared/ids.ts";
import { CLAIM_CHARACTERS, CLAIMS_COMPARED, PAGES_SUCCEEDED } from "#shared/limits.ts";
import type { Result } from "#shared/result.ts";
import { currentFirst } from "#kernel/vm/statements/supersede.ts";
import { inKernel, installSeam, rows } from "#tests/kernel/kernel-seam.ts";
import { ask, callerOf, objectOf, unwrap } from "#tests/kernel/process-client.ts";

installSeam();

async function write(caller: Caller, text: string, at?: string, more: Partial<NewPage> = {}): Promise<PageHandle> {
  const page = { text, ...(at === undefined ? {} : { at }), ...more };
  return unwrap((await objectOf(caller).writePage(caller, page)) as Result<PageView>).handle;
}

const successors = async (caller: Caller): Promise<Record<string, number | null>> =>
  Object.fromEntries(
    (
      await rows<{ number: number; superseded_by: number | null }>(
        caller,
        "SELECT number, superseded_by FROM pages WHERE deleted = 0 ORDER BY number",
      )
    ).map((row) => [`p${row.number.toString(36)}`, row.superseded_by]),
  );

async function found(caller: Caller, query: string, more: object = {}): Promise<string[]> {
  const answer = await objectOf(caller).search(caller, { query, limit: 10, ...more });
  return unwrap(answer as Result<{ items: readonly SearchItem[] }>).items.map((item) => item.text);
}

describe("a newer statement", () => {
  it("supersedes the older, whatever the order they are told in, and both are kept", async () => {
    const caller = callerOf("super-order");
    await write(caller, "I moved to Berlin.", "2024-05-01");
    await write(caller, "I live in Paris.", "2021-02-03");
    await write(caller, "I live in Rome.", "2019-01-01");
    await write(caller, "I like rye bread.", "2019-01-01");
    expect(await successors(caller)).toEqual({ p1: null, p2: 1, p3: 2, p4: null });
    expect(unwrap((await objectOf(caller).readPage(caller, "p3" as PageHandle)) as Result<PageView>)).toMatchObject({
      supersededBy: "p2",
      text: "I live in Rome.",
    });
  });

  it("is undone when it is forgotten or says something else", async () => {
    const caller = callerOf("super-undo");
    await write(caller, "I live in Rome.", "2019-01-01");
    await write(caller, "I live in Paris.", "2021-02-03");
    await write(caller, "I moved to Berlin.", "2024-05-01");
    expect(await successors(caller)).toEqual({ p1: 2, p2: 3, p3: null });
    await objectOf(caller).editPage(caller, "p2" as PageHandle, { text: "I like Paris." });
    expect(await successors(caller)).toEqual({ p1: 3, p2: null, p3: null });
    await objectOf(caller).forgetPage(caller, "p3" as PageHandle);
    expect(await successors(caller)).toEqual({ p1: null, p2: null });
    expect(await rows(caller, "SELECT page FROM claims WHERE key IN (SELECT key FROM claims WHERE page = 3)")).toEqual(
      [],
    );
  });

  it("is what is said again, so that an old statement holds anew", async () => {
    const caller = callerOf("super-again");
    await write(caller, "I live in Paris.");
    await write(caller, "I live in Berlin now.");
    await write(caller, "I live in Paris.");
    expect(await successors(caller)).toEqual({ p1: 2, p2: 3, p3: null });
  });

  it("is somebody's own: another speaker's supersedes nothing", async () => {
    const caller = callerOf("super-speaker");
    await write(caller, "I live in Paris.", "2021-01-01", { speaker: "Ann" });
    await write(caller, "I live in Berlin.", "2022-01-01", { speaker: "Bob" });
    await write(caller, "I moved to Oslo.", "2023-01-01");
    await write(caller, "I live in a document.", "2023-01-01", { kind: "document" });
    expect(Object.values(await successors(caller))).toEqual([null, null, null, null]);
  });

  it("takes the place of a page only when most of the page is replaced", async () => {
    const caller = callerOf("super-part");
    await write(caller, "I live in Paris. My phone number is 555-1234.", "2021-01-01");
    await write(caller, "I moved to Berlin.", "2022-01-01");
    expect(await successors(caller)).toEqual({ p1: null, p2: null });
    await write(caller, "My new phone number is 777-9999.", "2023-01-01");
    expect(await successors(caller)).toEqual({ p1: 3, p2: null, p3: null });
  });

  it("is read from pages of CLAIM_CHARACTERS at the most", async () => {
    const caller = callerOf("super-long");
    const padded = (text: string, length: number): string => text + "!".repeat(length - text.length);
    await write(caller, padded("I live in Paris.", CLAIM_CHARACTERS), "2021-01-01");
    await write(caller, padded("I live in Rome.", CLAIM_CHARACTERS + 1), "2020-01-01");
    await write(caller, "I moved to Berlin.", "2022-01-01");
    expect(await successors(caller)).toEqual({ p1: 3, p2: null, p3: null });
  });

  it("is compared with CLAIMS_COMPARED others at the most", async () => {
    const caller = callerOf("super-many");
    const told = Array.from({ length: CLAIMS_COMPARED + 1 }, (_, index) => ({
      line: index + 1,
      row: {
        text: `My phone number is ${1_000 + index}.`,
        kind: "fact",
        at: `20${10 + Math.floor(index / 12)}-${String((index % 12) + 1).padStart(2, "0")}-01`,
      },
    }));
    await objectOf(caller).importRows(caller, "k", told);
    const linked = Object.values(await successors(caller));
    expect(linked.slice(1, -1).every((by) => by !== null)).toBe(true);
    expect(linked.at(-1)).toBeNull();
  });
});

describe("pages for a query", () => {
  async function told(name: string): Promise<Caller> {
    const caller = callerOf(name);
    await write(caller, "I live in Paris.", "2021-02-03");
    await write(caller, "I moved to Berlin.", "2024-05-01");
    await write(caller, "The bakery is in Paris.", "2022-01-01");
    return caller;
  }
  const NOW = Date.UTC(2025, 0, 1);
  const order = (caller: Caller, numbers: readonly number[], query: string): Promise<number[]> =>
    inKernel(caller, (kernel) => currentFirst(kernel, numbers, query, NOW));

  it("have what holds before what it replaced, also when the search missed it", async () => {
    const caller = await told("super-query");
    expect(await order(caller, [1, 3, 2], "Where do I live?")).toEqual([2, 1, 3]);
    expect(await order(caller, [3, 1], "Where do I live?")).toEqual([3, 2, 1]);
    expect(await order(caller, [3], "Where is the bakery?")).toEqual([3]);
  });

  it("have what held at the time asked about first", async () => {
    const caller = await told("super-dated");
    expect(await order(caller, [2], "Where did I live in 2023?")).toEqual([1, 2]);
    expect(await order(caller, [2, 1], "Where did I live in March 2022?")).toEqual([1, 2]);
    expect(await order(caller, [1], "Where did I live in June 2024?")).toEqual([2, 1]);
    expect(await order(caller, [2], "Where did I live before?")).toEqual([2, 1]);
  });

  it("follow PAGES_SUCCEEDED steps at the most", async () => {
    const caller = callerOf("super-chain");
    for (let year = 0; year < PAGES_SUCCEEDED + 3; year += 1)
      await write(caller, `My rent is ${500 + year}.`, `${2000 + year}`);
    expect(await order(caller, [1], "What is my rent?")).toEqual([PAGES_SUCCEEDED + 1, 1]);
  });

  it("are ranked so by the search of the API, and a range finds the older", async () => {
    const caller = await told("super-api");
    expect((await found(caller, "Where do I live?"))[0]).toBe("I moved to Berlin.");
    expect(await found(caller, "where do I live", { to: "2023-12-31" })).not.toContain("I moved to Berlin.");
    expect((await found(caller, "live in Paris", { to: "2023-12-31" }))[0]).toBe("I live in Paris.");
    expect(await found(caller, "Where do I live?", { limit: 1 })).toEqual(["I moved to Berlin."]);
  });
});

describe("an answer", () => {
  const at = (year: number): string => `${year}-03-01`;

  it.each([
    [
      "en",
      "I live in Paris.",
      "I moved to Berlin.",
      "Where do I live?",
      "Berlin",
      "Where did I live in 2022?",
      "Paris",
    ],
    [
      "en-number",
      "My phone number is 555-1234.",
      "My phone number is now 555-9876.",
      "What is my phone number?",
      "555-9876",
      "What was my phone number in 2022?",
      "555-1234",
    ],
    ["zh", "我住在巴黎。", "我搬到柏林了。", "我住在哪里？", "柏林", "2022年我住在哪里？", "巴黎"],
    [
      "zh-number",
      "我的手机号是13800000000。",
      "我的手机号换成了13900000000。",
      "我的手机号是多少？",
      "13900000000",
      "2022年我的手机号是多少？",
      "13800000000",
    ],
  ])("is the newer, and of a time before the older (%s)", async (name, older, newer, now, current, then, former) => {
    const caller = callerOf(`super-answer-${name}`);
    await write(caller, older, at(2021));
    await write(caller, newer, at(2024));
    expect((await ask(caller, now)).output).toContain(current);
    expect((await ask(caller, then, { thread: "other" })).output).toContain(former);
    await objectOf(caller).forgetPage(caller, "p2" as PageHandle);
    expect((await ask(caller, now, { thread: "third" })).output).toContain(former);
  });
});
