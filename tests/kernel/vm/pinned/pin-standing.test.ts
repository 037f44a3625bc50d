/**
 * Pin standing: what a person says for always stands in every prompt from then on, until they take it out or forget it.
 */
import { describe, expect, it } from "vitest";
import type { Caller, ImportReport, NewPage, Page, PageView } from "#shared/abi.ts";
import type { PageHandle } from "#shared/ids.ts";
import { PROVENANCE_PAGES, STANDING_COMPARED, STANDING_PINS } from "#shared/limits.ts";
import type { Result } from "#shared/result.ts";
import { lines } from "#shared/wire.ts";
import type { InferRequest } from "#kernel/infer/drivers/driver.ts";
import { putOwnBlock } from "#kernel/vm/pinned/blocks.ts";
import { insertPage } from "#kernel/vm/page-table.ts";
import { renderPinned } from "#kernel/vm/pinned/pinned.ts";
import {
  calls,
  everythingStored,
  inKernel,
  installSeam,
  play,
  says,
  text,
  useModel,
} from "#tests/kernel/kernel-seam.ts";
import { ask, callerOf, objectOf, unwrap } from "#tests/kernel/process-client.ts";

installSeam();

async function pinned(caller: Caller): Promise<string[]> {
  const rendered = await inKernel(caller, (kernel) => renderPinned(kernel).text);
  const rows = rendered.split("\n").slice(1);
  return rows.map((row) => (JSON.parse(row) as { text: string }).text);
}

async function instructions(caller: Caller): Promise<readonly PageView[]> {
  const list = await objectOf(caller).pages(caller, { kind: "instruction", limit: 100 });
  return unwrap(list as Result<Page<PageView>>).items;
}

async function imported(caller: Caller, ...rows: readonly Record<string, unknown>[]): Promise<ImportReport> {
  const numbered = rows.map((row, index) => ({ line: index + 1, row }));
  return unwrap((await objectOf(caller).importRows(caller, crypto.randomUUID(), numbered)) as Result<ImportReport>);
}

async function write(caller: Caller, page: NewPage): Promise<PageView> {
  return unwrap((await objectOf(caller).writePage(caller, page)) as Result<PageView>);
}

async function exported(caller: Caller): Promise<Record<string, unknown>[]> {
  const stream = unwrap((await objectOf(caller).exportRows(caller)) as Result<ReadableStream<Uint8Array>>);
  const found: Record<string, unknown>[] = [];
  for await (const line of stream.pipeThrough(lines())) found.push(JSON.parse(line) as Record<string, unknown>);
  return found;
}

const said = (words: string, at?: string): Record<string, unknown> => ({
  text: words,
  role: "user",
  ...(at === undefined ? {} : { at }),
});

describe("a turn", () => {
  it("that says something for always leaves a pinned page made from it, and the next prompt has it", async () => {
    const caller = callerOf("standing-turn");
    const prompts: string[] = [];
    useModel(caller, (request: InferRequest) => {
      prompts.push(JSON.stringify(request.messages));
      return play([text("All right.")]);
    });
    await ask(caller, "Hello there. From now on, answer in French. I prefer trains over planes, is that fine?");
    expect(await pinned(caller)).toEqual(["From now on, answer in French.", "I prefer trains over planes"]);
    const [first, second] = await instructions(caller);
    expect(first).toMatchObject({ kind: "instruction", role: "user", pinned: true, tags: ["instruction"] });
    expect(second).toMatchObject({ tags: ["preference"], provenance: first?.provenance });
    await ask(caller, "What now?", { thread: "other" });
    expect(prompts.at(-1)).toContain("From now on, answer in French.");
  });

  it("that says nothing of the kind leaves none, nor does an answer", async () => {
    const caller = callerOf("standing-none");
    useModel(caller, says([text("Always answer in French. I prefer trains.")]));
    await ask(caller, "Tell me about Ghent.");
    await imported(caller, { text: "Always answer in French.", role: "assistant" }, { text: "Always close the gate." });
    await imported(caller, { text: "I prefer trains.", speaker: "Ann" });
    expect(await pinned(caller)).toEqual([]);
  });

  it.each([
    ["tells", "I prefer trains over planes. They are slow.", "turn"],
    ["asks as well", "I prefer trains over planes, so which route should I take?", "instruction"],
  ])("that %s is found once", async (what, words, kind) => {
    const caller = callerOf(`standing-search-${kind}`);
    await imported(caller, said(words));
    useModel(caller, says([calls(["memory_search", { query: "trains or planes" }])], [text("Trains.")]));
    const run = await ask(caller, "Which do I prefer, trains or planes?");
    const { items } = (run.syscalls[0] ?? { result: { items: [] } }).result as { items: { kind: string }[] };
    expect({ what, kinds: items.map((item) => item.kind) }).toEqual({ what, kinds: [kind] });
  });
});

describe("what is remembered on purpose", () => {
  it("is pinned itself when it is an instruction or a preference", async () => {
    const caller = callerOf("standing-remembered");
    expect(await write(caller, { text: "Answer me like a pirate", kind: "instruction" })).toMatchObject({
      pinned: true,
    });
    expect(await write(caller, { text: "I prefer tea over coffee." })).toMatchObject({ pinned: true });
    expect(await write(caller, { text: "I moved to Ghent in May." })).toMatchObject({ pinned: false });
    expect(await write(caller, { text: "Always lock the door, says the manual.", kind: "document" })).toMatchObject({
      pinned: false,
    });
    useModel(caller, says([calls(["memory_write", { text: "The user prefers short answers." }])], [text("Noted.")]));
    await ask(caller, "Remember that I prefer short answers.");
    expect(await pinned(caller)).toEqual([
      "Answer me like a pirate",
      "I prefer tea over coffee.",
      "The user prefers short answers.",
    ]);
  });
});

describe("saying it again", () => {
  it("pins nothing twice, and notes every turn", async () => {
    const caller = callerOf("standing-again");
    await imported(caller, said("Please always cite your sources."), said("Always cite your sources!"));
    expect(await pinned(caller)).toEqual(["Please always cite your sources."]);
    const [page] = await instructions(caller);
    expect(page?.provenance).toHaveLength(2);
  });

  it("notes no more turns than a page may name", async () => {
    const caller = callerOf("standing-often");
    await imported(caller, said("Please always cite your sources."));
    const often = Array.from({ length: PROVENANCE_PAGES }, (_, index) => index + 10_000);
    await inKernel(caller, (kernel) =>
      kernel.sql.exec("UPDATE pages SET provenance = ? WHERE kind = 'instruction'", JSON.stringify(often)),
    );
    await imported(caller, said("Always cite your sources!"));
    const [page] = await instructions(caller);
    expect(page?.provenance).toHaveLength(PROVENANCE_PAGES);
    expect(page?.provenance.at(-1)).toBe("p3");
  });

  it("is held against the newest STANDING_COMPARED, and always against what a person took out", async () => {
    const caller = callerOf("standing-many");
    const lines = (from: number, many: number): Promise<void> =>
      inKernel(caller, (kernel) => {
        for (let number = from; number < from + many; number += 1) {
          const nobody = { speaker: null, source: null, at: null, at_text: null, zoned: 0, thread: null, run: null };
          const line = { kind: "instruction" as const, role: "user" as const, ...nobody, evidence: 1 as const };
          insertPage(kernel, { ...line, tags: ["instruction"], text: `Line ${number} of a long list.` });
        }
      });
    const kept = (words: string): Promise<number> =>
      inKernel(caller, (kernel) => {
        const count = "SELECT COUNT(*) AS count FROM pages WHERE kind = 'instruction' AND text = ?";
        return kernel.sql.exec<{ count: number }>(count, words).one().count;
      });
    await imported(caller, said("Always cite your sources."), said("I prefer Sindarin over Westron."));
    for (const page of await instructions(caller)) {
      if (page.text.includes("Sindarin")) await objectOf(caller).editPage(caller, page.handle, { pinned: false });
    }
    await inKernel(caller, (kernel) => kernel.sql.exec("UPDATE pages SET pinned = 0")); // as if it had made room
    await lines(0, STANDING_COMPARED - 2);
    await imported(caller, said("Always cite your sources!"));
    expect(await kept("Always cite your sources!")).toBe(0);
    await inKernel(caller, (kernel) => kernel.sql.exec("UPDATE pages SET pinned = 0"));
    await lines(STANDING_COMPARED, 2);
    await imported(caller, said("Always cite your sources!"), said("I prefer Sindarin over Westron!"));
    expect(await kept("Always cite your sources!")).toBe(1);
    expect(await kept("I prefer Sindarin over Westron!")).toBe(0);
  });

  it("otherwise takes the older's place; both stay pages", async () => {
    const caller = callerOf("standing-newer");
    await imported(caller, said("From now on, answer in French.", "2024-03-01"));
    await imported(caller, said("From now on, answer in German.", "2024-05-01"));
    expect(await pinned(caller)).toEqual(["From now on, answer in German."]);
    const [older, newer] = await instructions(caller);
    expect(older).toMatchObject({ pinned: false, supersededBy: newer?.handle });
    // What is imported late was still said early.
    await imported(caller, said("From now on, answer in Dutch.", "2023-01-01"));
    expect(await pinned(caller)).toEqual(["From now on, answer in German."]);
    await imported(caller, said("From now on, answer in French.", "2024-06-01"));
    expect(await pinned(caller)).toEqual(["From now on, answer in French."]);
  });

  it("does not bring back what a person took out", async () => {
    const caller = callerOf("standing-unpinned");
    await imported(caller, said("From now on, answer in French."));
    const handle = (await instructions(caller))[0]?.handle ?? ("p0" as PageHandle);
    expect(await objectOf(caller).editPage(caller, handle, { pinned: false })).toMatchObject({
      ok: true,
      value: { pinned: false, tags: ["instruction", "unpinned"] },
    });
    await imported(caller, said("From now on, answer in French."), said("Please, from now on answer in French."));
    expect(await pinned(caller)).toEqual([]);
    const copy = callerOf("standing-unpinned-copy");
    await imported(copy, ...(await exported(caller)));
    await imported(copy, said("From now on, answer in French."));
    expect(await pinned(copy)).toEqual([]);
    await objectOf(caller).editPage(caller, handle, { pinned: true });
    expect(await pinned(caller)).toEqual(["From now on, answer in French."]);
  });

  it("beyond the limit lets the oldest preference go first", async () => {
    const caller = callerOf("standing-limit");
    await imported(caller, said("Never use tables.", "2020-01-01"), said("I prefer oats over rice.", "2020-01-02"));
    // A pair of made-up words each, so that no two say the same.
    const word = (number: number): string =>
      [...number.toString(5).padStart(4, "0")].map((digit) => "bdgkm"[Number(digit)]).join("o");
    const rows = Array.from({ length: STANDING_PINS - 1 }, (_, number) =>
      said(`I prefer ${word(2 * number)} over ${word(2 * number + 1)}.`, "2024-01-01"),
    );
    for (let start = 0; start < rows.length; start += 100) await imported(caller, ...rows.slice(start, start + 100));
    const { count } = await inKernel(caller, (kernel) =>
      kernel.sql.exec<{ count: number }>("SELECT COUNT(*) AS count FROM pages WHERE pinned = 1").one(),
    );
    expect(count).toBe(STANDING_PINS);
    expect((await instructions(caller)).slice(0, 2)).toMatchObject([{ pinned: true }, { pinned: false }]);
  });
});

describe("forgetting", () => {
  it("the turn forgets what was taken from it, also from the next prompt", async () => {
    const caller = callerOf("standing-forget-turn");
    const { handles } = await imported(caller, said("From now on, answer in Quenya. I prefer Sindarin over Westron."));
    expect(await pinned(caller)).toHaveLength(2);
    await objectOf(caller).forgetPage(caller, handles[0] ?? ("p0" as PageHandle));
    expect(await pinned(caller)).toEqual([]);
    expect(await everythingStored(caller)).not.toMatch(/Quenya|Sindarin/);
  });

  it("the page forgets the turn that said it, and leaves what else that turn said", async () => {
    const caller = callerOf("standing-forget-page");
    await imported(caller, said("Always add the exchange rate in Zlotys. I prefer hostels over grand hotels."));
    const [rate] = await instructions(caller);
    await objectOf(caller).forgetPage(caller, rate?.handle ?? ("p0" as PageHandle));
    expect(await everythingStored(caller)).not.toContain("Zloty");
    expect(await pinned(caller)).toEqual(["I prefer hostels over grand hotels."]);
  });

  it("one of two turns leaves what the other said", async () => {
    const caller = callerOf("standing-forget-one");
    const { handles } = await imported(
      caller,
      said("Please always cite your sources."),
      said("Always cite your sources!"),
    );
    await objectOf(caller).forgetPage(caller, handles[0] ?? ("p0" as PageHandle));
    expect(await pinned(caller)).toEqual(["Always cite your sources!"]);
    await objectOf(caller).forgetPage(caller, handles[1] ?? ("p0" as PageHandle));
    expect(await pinned(caller)).toEqual([]);
  });

  it("takes the turn of a conversation and its run along", async () => {
    const caller = callerOf("standing-forget-run");
    useModel(caller, says([text("All right.")]));
    await ask(caller, "From now on, call me Zebulon.");
    const [page] = await instructions(caller);
    await objectOf(caller).forgetPage(caller, page?.handle ?? ("p0" as PageHandle));
    expect(await everythingStored(caller)).not.toContain("Zebulon");
  });

  it("takes the lines of blocks that repeat it, and no others", async () => {
    const caller = callerOf("standing-forget-block");
    const page = await write(caller, { text: "The spare key is under the third flower pot." });
    await inKernel(caller, (kernel) =>
      putOwnBlock(kernel, "home", {
        value: "Has a garden.\nThe spare key is under the third flower pot, she said.\nThe pot is blue.",
      }),
    );
    await objectOf(caller).forgetPage(caller, page.handle);
    const block = await objectOf(caller).block(caller, "home");
    expect(block).toMatchObject({ value: { value: "Has a garden.\nThe pot is blue.", version: 2 } });
    expect(await everythingStored(caller)).not.toContain("spare key");
  });
});

describe("export and import", () => {
  it("give the pins back as they were, and make none anew", async () => {
    const from = callerOf("standing-export");
    await imported(from, said("Hi. From now on, answer in French."), said("I prefer trains over planes."));
    await imported(from, said("From now on, answer in German."));
    const to = callerOf("standing-import");
    const written = await exported(from);
    expect((await imported(to, ...written)).skipped).toEqual([]);
    expect(await exported(to)).toEqual(written);
    expect(await pinned(to)).toEqual(await pinned(from));
  });
});
