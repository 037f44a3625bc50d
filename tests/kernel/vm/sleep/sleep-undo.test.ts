/**
 * Undo, held against a twin: whatever was said, remembered, edited, slept on and undone in between, in the end a process whose
 * sleep-time work was all undone shows and finds what its twin does that never slept.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Caller, PageView, SearchItem } from "#shared/abi.ts";
import { composePageHandle, type PageHandle } from "#shared/ids.ts";
import type { Result } from "#shared/result.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { transact } from "#kernel/proc/transact.ts";
import { insertPage } from "#kernel/vm/page-table.ts";
import { inKernel, installSeam } from "#tests/kernel/kernel-seam.ts";
import { callerOf, objectOf, unwrap } from "#tests/kernel/process-client.ts";

installSeam();

const SENTENCES = [
  "My sister Ana lives in Porto.",
  "I am allergic to peanuts.",
  "What a day!",
  "I work as a plumber in Lisbon.",
  "我姐姐住在上海市。",
  "My sister Ana moved to Braga.",
  "The order AC-1234 is late.",
] as const;
const QUERIES = ["Where does my sister live?", "peanuts", "plumber Lisbon", "姐姐住在哪里", "AC-1234"];

type Step =
  | { readonly does: "say" | "remember"; readonly text: string }
  | { readonly does: "edit"; readonly which: number; readonly text: string }
  | { readonly does: "forget"; readonly which: number }
  | { readonly does: "sleep" }
  | { readonly does: "undo"; readonly which: number | null };

const words = fc.array(fc.constantFrom(...SENTENCES), { minLength: 1, maxLength: 4 }).map((said) => said.join(" "));
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ does: fc.constantFrom("say" as const, "remember" as const), text: words }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant("edit" as const), which: fc.nat(9), text: words }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant("forget" as const), which: fc.nat(9) }) },
  { weight: 3, arbitrary: fc.constant({ does: "sleep" as const }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant("undo" as const), which: fc.option(fc.nat(9)) }) },
);

/** Puts a page in and tells it by a tag of its own, because numbers differ between the twins. */
function put(kernel: Kernel, said: Step & { readonly text: string }, tag: string): void {
  transact(kernel, () =>
    insertPage(kernel, {
      kind: said.does === "remember" ? "fact" : "turn",
      role: "user",
      speaker: null,
      source: null,
      at: Date.UTC(2024, 2, 3),
      at_text: null,
      zoned: 1,
      thread: null,
      run: null,
      evidence: 1,
      tags: [tag],
      text: said.text,
    }),
  );
}

async function byTag(caller: Caller, tag: string): Promise<PageHandle | null> {
  const found = await inKernel(caller, (kernel) =>
    kernel.sql
      .exec<{ number: number }>("SELECT number FROM pages WHERE deleted = 0 AND tags = ?", JSON.stringify([tag]))
      .toArray(),
  );
  return found[0] === undefined ? null : composePageHandle(found[0].number);
}

async function take(caller: Caller, done: Step, at: number, sleeps: boolean): Promise<void> {
  const object = objectOf(caller);
  switch (done.does) {
    case "say":
    case "remember":
      return inKernel(caller, (kernel) => put(kernel, done as Step & { text: string }, `t${at}`));
    case "edit": {
      const handle = await byTag(caller, `t${done.which}`);
      if (handle !== null) await object.editPage(caller, handle, { text: done.text });
      return;
    }
    case "forget": {
      const handle = await byTag(caller, `t${done.which}`);
      if (handle !== null) await object.forgetPage(caller, handle);
      return;
    }
    case "sleep":
      if (sleeps) await object.sleep(caller);
      return;
    case "undo": {
      if (!sleeps) return;
      const entries = (await object.audit(caller, 50)) as Result<{ items: readonly { id: number }[] }>;
      const entry = unwrap(entries).items[done.which ?? 0];
      await object.undoSleep(caller, done.which === null ? null : (entry?.id ?? 1));
    }
  }
}

/** What a person sees: pages by their tag, with marks by tag, and what each query finds, in order. */
async function visible(caller: Caller): Promise<unknown> {
  const object = objectOf(caller);
  const listed = unwrap((await object.pages(caller, { limit: 500 })) as Result<{ items: readonly PageView[] }>).items;
  const tagOf = new Map(listed.map((page) => [page.handle, page.tags.join()]));
  const name = (handle: PageHandle | null): string | null => (handle === null ? null : (tagOf.get(handle) ?? "gone"));
  const found: unknown[] = [];
  for (const query of QUERIES) {
    const items = unwrap(
      (await object.search(caller, { query, limit: 50 })) as Result<{ items: readonly SearchItem[] }>,
    ).items;
    found.push(items.map((item) => [name(item.handle), item.score, item.text]));
  }
  return {
    pages: listed.map((page) => ({
      tag: page.tags,
      kind: page.kind,
      text: page.text,
      at: page.at,
      supersededBy: name(page.supersededBy),
      provenance: page.provenance.map(name),
      pinned: page.pinned,
    })),
    found,
  };
}

describe("undo", () => {
  it("leaves what a process shows as if it had never slept", { timeout: 120_000 }, async () => {
    let turn = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 10 }), async (steps) => {
        turn += 1;
        const [sleeper, twin] = [callerOf(`undo-sleeper-${turn}`), callerOf(`undo-twin-${turn}`)];
        for (const [at, done] of steps.entries()) {
          await take(sleeper, done, at, true);
          await take(twin, done, at, false);
        }
        await objectOf(sleeper).undoSleep(sleeper, null);
        expect(await visible(sleeper)).toEqual(await visible(twin));
        const before = await visible(sleeper);
        await objectOf(sleeper).undoSleep(sleeper, null);
        expect(await visible(sleeper)).toEqual(before);
      }),
      { numRuns: 40 },
    );
  });
});
