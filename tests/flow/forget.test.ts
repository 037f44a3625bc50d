/**
 * Forgetting: after it, the words of a page are in no table of the object, in no row of D1, and in no answer.
 */
import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { Caller, PageView, RunView } from "#shared/abi.ts";
import type { PageHandle } from "#shared/ids.ts";
import type { Result } from "#shared/result.ts";
import { lines } from "#shared/wire.ts";
import { flush } from "#kernel/vm/flush.ts";
import { markPage } from "#kernel/vm/page-table.ts";
import {
  calls,
  everythingStored,
  gate,
  inKernel,
  installSeam,
  play,
  rows,
  says,
  text,
  useModel,
  type Model,
} from "#tests/kernel/kernel-seam.ts";
import { ask, callerOf, eventsOf, objectOf, settled, start, unwrap } from "#tests/kernel/process-client.ts";

installSeam();

const SECRET = "The spare key lies under the turquoise flowerpot.";
/** As written, and as the index knows it. */
const WORD = /turquois/i;

async function remember(caller: Caller, page = SECRET, key?: string): Promise<PageHandle> {
  return unwrap((await objectOf(caller).writePage(caller, { text: page }, key)) as Result<PageView>).handle;
}

async function forget(caller: Caller, handle: PageHandle): Promise<void> {
  unwrap((await objectOf(caller).forgetPage(caller, handle)) as Result<unknown>);
}

/** Forgets a page while a run has it in its prompt; the model then says `said`. Answers the run as it ended. */
async function forgetWhile(caller: Caller, handle: PageHandle, asked: string, said: string): Promise<RunView> {
  const door = gate();
  const begun = gate();
  useModel(caller, async function* () {
    begun.open();
    await door.opened;
    yield text(said);
  });
  const { run } = await start(caller, asked);
  await begun.opened;
  await forget(caller, handle);
  door.open();
  return settled(caller, run);
}

async function expectNowhere(caller: Caller, word = WORD): Promise<void> {
  await inKernel(caller, (kernel) => flush(kernel));
  expect(await everythingStored(caller)).not.toMatch(word);
  const { results } = await env.MEM_0.prepare("SELECT * FROM pages WHERE owner = ?").bind(caller.user).all();
  expect(JSON.stringify(results)).not.toMatch(word);
  const object = objectOf(caller);
  for (const kind of [undefined, "assistant", "turn", "fact"] as const) {
    const found = await object.search(caller, {
      query: "turquoise flowerpot",
      limit: 50,
      ...(kind === undefined ? {} : { kind }),
    });
    expect(JSON.stringify(found)).not.toMatch(word);
  }
  const exported = unwrap((await object.exportRows(caller)) as Result<ReadableStream<Uint8Array>>);
  expect(await new Response(exported).text()).not.toMatch(word);
  await evictDurableObject(object);
  expect(JSON.stringify(await object.search(caller, { query: "turquoise flowerpot", limit: 50 }))).not.toMatch(word);
}

describe("a page that is forgotten", () => {
  it("is gone when it was written with a key", async () => {
    const caller = callerOf("forget-key");
    await forget(caller, await remember(caller, SECRET, "key"));
    await expectNowhere(caller);
  });

  it("is gone when it was one part of a text written with a key", async () => {
    const caller = callerOf("forget-part");
    await remember(caller, `${"Filler about nothing at all. ".repeat(700)}${SECRET}`, "key");
    const parts = await rows<{ number: number; text: string }>(
      caller,
      "SELECT number, text FROM pages ORDER BY number",
    );
    const part = parts.find((one) => WORD.test(one.text));
    expect(part?.number).toBeGreaterThan(1);
    await forget(caller, `p${(part?.number ?? 0).toString(36)}` as PageHandle);
    await expectNowhere(caller);
  });

  it("is gone after an edit, with its older words", async () => {
    const caller = callerOf("forget-edited");
    const handle = await remember(caller, SECRET, "key");
    await objectOf(caller).editPage(caller, handle, { text: "The key moved." });
    await forget(caller, handle);
    await expectNowhere(caller);
  });

  it("takes the instruction, call, result, events, answer and turn of the run that wrote it", async () => {
    const caller = callerOf("forget-written");
    useModel(
      caller,
      says(
        [calls(["memory_write", { text: "Spare key: turquoise flowerpot." }])],
        [text("I will remember the turquoise flowerpot.")],
      ),
    );
    const run = await ask(caller, "Remember that my spare key is hidden under a turquoise pot.");
    const before = await eventsOf(caller, run.run);
    await forget(caller, "p1" as PageHandle);
    await expectNowhere(caller);
    const after = await eventsOf(caller, run.run);
    expect(after.map((event) => [event.id, event.part.type])).toEqual(
      before.map((event) => [event.id, event.part.type]),
    );
  });

  it("takes the answers that quoted it and the results that showed it", async () => {
    const caller = callerOf("forget-quoted");
    const handle = await remember(caller);
    useModel(
      caller,
      says(
        [calls(["memory_search", { query: "spare key" }], ["memory_read", { handle }])],
        [text(`The spare key lies under the turquoise flowerpot. [${handle}]`)],
        [text(`Under a turquoise one. [${handle}]`)],
      ),
    );
    const run = await ask(caller, "Where is the spare key?");
    expect(run.citations).toHaveLength(1);
    await ask(caller, "Which flowerpot?", { thread: "other" });
    await forget(caller, handle);
    await expectNowhere(caller);
  });

  it("leaves what has nothing to do with it", async () => {
    const caller = callerOf("forget-others");
    useModel(caller, says([text("Hello there.")]));
    const kept = await ask(caller, "Good morning, this is unrelated.");
    const handle = await remember(caller);
    await forget(caller, handle);
    expect(await settled(caller, kept.run)).toEqual(kept);
    expect(await rows(caller, "SELECT 1 FROM pages WHERE deleted = 0")).toHaveLength(2);
  });
});

describe("what was made of a page that is forgotten", () => {
  const CLAIM = "My locker code is turquoise-77.";

  it("goes too: its claims, its hashes, and the older page holds again", async () => {
    const caller = callerOf("forget-claim");
    await remember(caller, "My locker code is red-11.");
    const handle = await remember(caller, CLAIM);
    await remember(caller, "My locker code is turquoise 77!!"); // not the same words
    expect(await rows(caller, "SELECT page FROM claims")).toHaveLength(3);
    await forget(caller, handle);
    await forget(caller, "p3" as PageHandle);
    await expectNowhere(caller);
    expect(await rows(caller, "SELECT page FROM claims UNION ALL SELECT page FROM statements")).toEqual([
      { page: 1 },
      { page: 1 },
    ]);
    expect(await rows(caller, "SELECT superseded_by FROM pages WHERE number = 1")).toEqual([{ superseded_by: null }]);
  });

  it("goes too: pages made from it, and from those, and the runs that showed them", async () => {
    const caller = callerOf("forget-made");
    const handle = await remember(caller);
    for (const text of ["Key: turquoise pot.", "Keys are kept in turquoise things.", "The gate is green."]) {
      await remember(caller, text);
    }
    await inKernel(caller, (kernel) => {
      markPage(kernel, 2, { provenance: "[1]" });
      markPage(kernel, 3, { provenance: "[2]" });
      markPage(kernel, 4, { provenance: "[3,5]" });
    });
    useModel(caller, says([text("In turquoise things. [p3]")]));
    await ask(caller, "Where are keys kept in general?");
    await forget(caller, handle);
    await expectNowhere(caller);
    expect(await rows(caller, "SELECT number FROM pages WHERE deleted = 0 AND kind = 'fact'")).toEqual([]);
  });

  it("goes too in another process that read the export, with the turn that said it in other words", async () => {
    const caller = callerOf("forget-export");
    useModel(
      caller,
      says(
        [calls(["memory_write", { text: SECRET }])],
        [text("Noted.")],
        [calls(["memory_search", { query: "spare key" }])],
        [text("It lies under the turquoise flowerpot, that spare key. [p1]")],
        [text("The spare key lies under the turquoise flowerpot, as you know.")],
      ),
    );
    await ask(caller, "Mind you: the blue-green container on the porch hides what opens the door.");
    await ask(caller, "Where is the spare key?", { thread: "second" });
    await ask(caller, "And again, where is the spare key lying?", { thread: "third" });
    const exported = unwrap((await objectOf(caller).exportRows(caller)) as Result<ReadableStream<Uint8Array>>);
    const found: { line: number; row: unknown }[] = [];
    for await (const line of exported.pipeThrough(lines()))
      found.push({ line: found.length + 1, row: JSON.parse(line) });
    const other = callerOf("forget-import");
    expect(await objectOf(other).importRows(other, "k", found)).toMatchObject({ ok: true, value: { skipped: [] } });
    await forget(other, "p1" as PageHandle);
    await inKernel(other, ({ sql }) => sql.exec("DELETE FROM replies")); // the import's report holds handles only
    await expectNowhere(other);
    await expectNowhere(other, /blue-green/);
    const kept = await rows(other, "SELECT kind, text FROM pages WHERE deleted = 0");
    expect(kept.every((page) => page["kind"] === "turn")).toBe(true); // the questions
    expect(await everythingStored(caller)).toMatch(WORD); // the first process is untouched
  });
});

describe("a run that forgets", () => {
  const forgets = (handle: string, ...after: string[]): Model => {
    let turn = 0;
    return () => {
      turn += 1;
      return play(turn === 1 ? [calls(["memory_forget", { handle }])] : after.map(text));
    };
  };

  it("keeps nothing of the words in its own instruction and answer", async () => {
    const caller = callerOf("forget-own");
    const handle = await remember(caller);
    useModel(caller, forgets(handle, "I have forgotten that the spare key lies under the turquoise flowerpot."));
    const run = await ask(caller, "Forget that the spare key lies under the turquoise flowerpot.");
    expect(run.status).toBe("done");
    await expectNowhere(caller);
  });

  it("keeps nothing when it said and cited the words before it forgot", async () => {
    const caller = callerOf("forget-said-before");
    const handle = await remember(caller);
    useModel(
      caller,
      says(
        [
          text(`The spare key lies under the turquoise flowerpot. [${handle}] Forgetting it now.`),
          calls(["memory_forget", { handle }]),
        ],
        [text("Done.")],
      ),
    );
    expect((await ask(caller, "Forget where the spare key is.")).status).toBe("done");
    await expectNowhere(caller);
  });

  it("keeps nothing when it searched first, and its harmless answer stays", async () => {
    const caller = callerOf("forget-searched");
    const handle = await remember(caller);
    useModel(
      caller,
      says(
        [calls(["memory_search", { query: "spare key flowerpot" }])],
        [calls(["memory_forget", { handle }])],
        [text("That is gone.")],
      ),
    );
    const run = await ask(caller, "Forget where the spare key is.");
    expect(run).toMatchObject({ status: "done", output: "That is gone." });
    await expectNowhere(caller);
  });

  it("keeps nothing of another run that is under way with the page in its prompt", async () => {
    const caller = callerOf("forget-while");
    const handle = await remember(caller);
    await forgetWhile(
      caller,
      handle,
      "Where is the spare key?",
      `The spare key lies under the turquoise flowerpot. [${handle}]`,
    );
    await expectNowhere(caller);
  });

  it("leaves alone what another run under way says, when that is something else", async () => {
    const caller = callerOf("forget-beside");
    const handle = await remember(caller);
    const run = await forgetWhile(caller, handle, "The spare bicycle has a new saddle.", "Noted.");
    const mapped = await rows(caller, "SELECT tail FROM runs");
    expect(mapped).toEqual([{ tail: "[1]" }]); // else the run had nothing to do with the page
    expect(run).toMatchObject({
      status: "done",
      input: "The spare bicycle has a new saddle.",
      output: "Noted.",
    });
    expect(await rows(caller, "SELECT text FROM pages WHERE kind = 'turn' AND deleted = 0")).toEqual([
      { text: "The spare bicycle has a new saddle." },
    ]);
    await expectNowhere(caller);
  });

  it("by command leaves no word either", async () => {
    const caller = callerOf("forget-command");
    const handle = await remember(caller);
    const run = await ask(caller, "", {
      instruction: {
        kind: "command",
        text: `/forget ${handle}`,
        command: "forget",
        call: { kind: "syscall", name: "memory_forget", arguments: { handle } },
      },
    });
    expect(run).toMatchObject({ status: "done", output: `Forgotten: ${handle}.` });
    await expectNowhere(caller);
  });
});
