/**
 * Near duplicates: what is remembered twice is one page, what was said twice takes one slot.
 */
import { describe, expect, it } from "vitest";
import type { Caller, NewPage, PageView } from "#shared/abi.ts";
import type { PageHandle } from "#shared/ids.ts";
import { TAGS_PER_PAGE } from "#shared/limits.ts";
import type { Result } from "#shared/result.ts";
import { flush } from "#kernel/vm/flush.ts";
import { withoutDuplicates } from "#kernel/vm/statements/near-duplicates.ts";
import type { ResidentPage } from "#kernel/vm/page.ts";
import { dropOldBodies, readPages } from "#kernel/vm/page-table.ts";
import { calls, inKernel, installSeam, rows, says, text, useModel } from "#tests/kernel/kernel-seam.ts";
import { ask, callerOf, objectOf, unwrap } from "#tests/kernel/process-client.ts";

installSeam();

async function write(caller: Caller, page: NewPage | string): Promise<PageView> {
  const whole = typeof page === "string" ? { text: page } : page;
  return unwrap((await objectOf(caller).writePage(caller, whole)) as Result<PageView>);
}

const living = (caller: Caller): Promise<{ number: number }[]> =>
  rows(caller, "SELECT number FROM pages WHERE deleted = 0 ORDER BY number");

describe("a text that is remembered already", () => {
  it("answers the page that says it, with what the new one adds", async () => {
    const caller = callerOf("near-same");
    const first = await write(caller, { text: "I'm allergic to nuts.", tags: ["health"] });
    const again = await write(caller, { text: "I am allergic to nuts!", tags: ["food"], source: "form 7" });
    expect(again).toMatchObject({
      handle: first.handle,
      text: "I'm allergic to nuts.",
      tags: ["health", "food"],
      source: "form 7",
      version: 2,
    });
    expect(await living(caller)).toEqual([{ number: 1 }]);
    const full = Array.from({ length: TAGS_PER_PAGE }, (_, index) => `tag ${index}`);
    expect((await write(caller, { text: "I am allergic to nuts", tags: full })).tags).toHaveLength(TAGS_PER_PAGE);
  });

  it("is found in a longer page, and when its body is only in D1", async () => {
    const caller = callerOf("near-part");
    const page = await write(caller, "The boiler is a Vaillant. It was serviced in 2023.");
    await inKernel(caller, async (kernel) => {
      await flush(kernel);
      dropOldBodies(kernel, 0);
    });
    expect(await write(caller, "The boiler is a Vaillant")).toMatchObject({ handle: page.handle, text: page.text });
    expect(await living(caller)).toHaveLength(1);
  });

  it.each<[string, NewPage, NewPage]>([
    ["another number", { text: "The code is 4711." }, { text: "The code is 4712." }],
    ["another source", { text: "The sky is blue.", source: "a" }, { text: "The sky is blue.", source: "b" }],
    ["another speaker", { text: "I am tall.", speaker: "Ann" }, { text: "I am tall.", speaker: "Bob" }],
    ["another kind", { text: "Answer in French." }, { text: "Answer in French.", kind: "instruction" }],
    ["another date", { text: "Watered it.", at: "2024-05-01" }, { text: "Watered it.", at: "2024-05-02" }],
  ])("is kept beside it with %s", async (name, one, other) => {
    const caller = callerOf(`near-${name.replaceAll(" ", "-")}`);
    expect((await write(caller, one)).handle).not.toBe((await write(caller, other)).handle);
    expect(await living(caller)).toHaveLength(2);
  });

  it("is a new page once the old one was changed or forgotten", async () => {
    const caller = callerOf("near-gone");
    const page = await write(caller, "The gate squeaks in winter.");
    await objectOf(caller).editPage(caller, page.handle, { text: "The gate squeaks in summer." });
    const second = await write(caller, "The gate squeaks in winter.");
    expect(second.handle).not.toBe(page.handle);
    await objectOf(caller).forgetPage(caller, second.handle);
    expect((await write(caller, "The gate squeaks in winter.")).handle).not.toBe(second.handle);
    expect((await write(caller, "The gate squeaks in summer.")).handle).toBe(page.handle);
    await objectOf(caller).forgetPage(caller, page.handle);
    expect(await rows(caller, "SELECT page FROM statements")).toEqual([{ page: 3 }]);
  });

  it("takes the runs that said it again along when it is forgotten", async () => {
    const caller = callerOf("near-run");
    await write(caller, "The spare key lies under the turquoise pot.");
    useModel(
      caller,
      says([calls(["memory_write", { text: "The spare key lies under the turquoise pot" }])], [text("Noted.")]),
    );
    await ask(caller, "Mind you, look below the blue-green one for the key.");
    expect(await rows(caller, "SELECT kind, evidence FROM pages WHERE deleted = 0 ORDER BY number")).toEqual([
      { kind: "fact", evidence: 1 },
      { kind: "turn", evidence: 0 },
      { kind: "assistant", evidence: 0 },
    ]);
    await objectOf(caller).forgetPage(caller, "p1" as PageHandle);
    expect(await living(caller)).toEqual([]);
  });
});

describe("pages for a prompt", () => {
  const told = "2024-05-0";
  async function pagesOf(caller: Caller, texts: readonly string[]): Promise<ResidentPage[]> {
    const found = texts.map((line, index) => ({
      line: index + 1,
      row: { text: line, role: "user", kind: "turn", at: `${told}${index + 1}` },
    }));
    await objectOf(caller).importRows(caller, "k", found);
    return inKernel(caller, (kernel) =>
      readPages(
        kernel,
        texts.map((_, index) => index + 1),
      ).filter((page): page is ResidentPage => page.text !== null),
    );
  }

  it("leave out what was said before or is held by another, and keep the newest in the first place", async () => {
    const pages = (
      await pagesOf(callerOf("near-tail"), [
        "I live in Lisbon.",
        "My cat is called Fig.",
        "I live in Lisbon with my brother.",
        "My cat is called Fig!",
        "I don't live in Lisbon.",
        "My cat is called Figaro.",
      ])
    ).map((page) => ({ ...page, at_text: null }));
    expect(withoutDuplicates(pages).map((page) => page.number)).toEqual([3, 4, 5, 6]); // 1 is held by 3, 2 was said again as 4
    expect(withoutDuplicates(pages, new Set([1, 2])).map((page) => page.number)).toEqual([1, 2, 3, 5, 6]);
  });

  it("stay as they are when nothing is said twice", async () => {
    const pages = await pagesOf(callerOf("near-none"), ["Dogs chase cats.", "Cats chase dogs.", "Cats chase 2 dogs."]);
    expect(withoutDuplicates(pages)).toEqual(pages);
  });
});
