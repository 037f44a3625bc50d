/**
 * Forgetting reaches what the pager keeps: summaries of what left a thread, its stub, frozen prefixes, results kept as pages.
 */
import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Caller, PageView } from "#shared/abi.ts";
import type { PageHandle } from "#shared/ids.ts";
import type { Result } from "#shared/result.ts";
import { transact } from "#kernel/proc/transact.ts";
import { pinPage } from "#kernel/vm/pinned/pinned.ts";
import { flush } from "#kernel/vm/flush.ts";
import {
  calls,
  everythingStored,
  inKernel,
  installSeam,
  play,
  rows,
  text,
  useEnv,
  useModel,
} from "#tests/kernel/kernel-seam.ts";
import { ask, callerOf, objectOf, unwrap } from "#tests/kernel/process-client.ts";

installSeam();
beforeAll(() => useEnv((real) => ({ ...real, MODEL_PRICES: '{"lamina/extractive":{"write":1,"read":0.5}}' })));
afterAll(() => useEnv(null));

const SECRET = "Codename Turquoise meets at the Quarry on 4711 Elm Road.";
// A time of day in milliseconds may hold the number by chance.
const WORDS = /turquoise|quarry|(?<!\d)4711(?!\d)/i;
const long = (said: string): string => `${said} ${"It went on and on without a word of news. ".repeat(140)}`;

/** Everything a model was sent from now on. */
function overhears(caller: Caller): string[] {
  const prompts: string[] = [];
  useModel(caller, (request) => {
    prompts.push(JSON.stringify(request.messages));
    return play([text("Noted.")]);
  });
  return prompts;
}

async function turnPage(caller: Caller, like: string): Promise<PageHandle> {
  const [row] = await rows<{ number: number }>(
    caller,
    "SELECT number FROM pages WHERE kind = 'turn' AND text LIKE ?",
    like,
  );
  return `p${(row?.number ?? 0).toString(36)}` as PageHandle;
}

async function expectNowhere(caller: Caller): Promise<void> {
  await inKernel(caller, (kernel) => flush(kernel));
  expect(await everythingStored(caller)).not.toMatch(WORDS);
  const { results } = await env.MEM_0.prepare("SELECT * FROM pages WHERE owner = ?").bind(caller.user).all();
  expect(JSON.stringify(results)).not.toMatch(WORDS);
  await evictDurableObject(objectOf(caller));
  const prompts = overhears(caller);
  await ask(caller, "What do you know?");
  await ask(caller, "What do you know?", { thread: "another" });
  expect(prompts.join("\n")).not.toMatch(WORDS);
}

describe("a page that is forgotten after its turn left the body", () => {
  it("is in no summary, no stub and no later prompt, and the rest of its range stays", async () => {
    const caller = callerOf("pager-forget");
    const prompts = overhears(caller);
    await ask(caller, long("Amina pays 850 euros for flat 101."));
    await ask(caller, long(SECRET));
    for (let turn = 0; turn < 5; turn += 1) await ask(caller, long(`Flat ${110 + turn} is empty.`));
    const evicted = await rows(caller, "SELECT id FROM messages WHERE evicted > 0 AND content LIKE '%Turquoise%'");
    expect(evicted).toHaveLength(1);
    expect(prompts.at(-1)).toMatch(WORDS); // in the stub's hints
    unwrap((await objectOf(caller).forgetPage(caller, await turnPage(caller, "%Turquoise%"))) as Result<unknown>);
    const summaries = await rows<{ text: string }>(
      caller,
      "SELECT text FROM pages WHERE kind = 'summary' AND deleted = 0",
    );
    expect(JSON.stringify(summaries)).toContain("Amina");
    await expectNowhere(caller);
  });

  it("is gone from summaries of summaries", async () => {
    const caller = callerOf("pager-forget-folded");
    overhears(caller);
    await ask(caller, long(SECRET));
    for (let turn = 0; turn < 24; turn += 1) await ask(caller, long(`Flat ${110 + turn} is empty.`).repeat(2));
    const folded = await rows(caller, "SELECT page FROM evictions WHERE parent <> 0");
    expect(folded.length).toBeGreaterThan(0);
    unwrap((await objectOf(caller).forgetPage(caller, await turnPage(caller, "%Turquoise%"))) as Result<unknown>);
    await expectNowhere(caller);
  });

  it("takes a range of which nothing else is left with it", async () => {
    const caller = callerOf("pager-forget-all");
    overhears(caller);
    await ask(caller, `${long(SECRET)} ${long("").repeat(3)}`);
    await ask(caller, "Thanks.");
    await ask(caller, "Bye.");
    expect(await rows(caller, "SELECT page FROM evictions")).toHaveLength(1);
    unwrap((await objectOf(caller).forgetPage(caller, await turnPage(caller, "%Turquoise%"))) as Result<unknown>);
    await expectNowhere(caller);
  });
});

describe("a pinned page that is forgotten", () => {
  it("is taken out of every frozen prefix at once", async () => {
    const caller = callerOf("pager-forget-pinned");
    overhears(caller);
    const page = unwrap(
      (await objectOf(caller).writePage(caller, {
        text: SECRET,
        kind: "instruction",
      })) as Result<PageView>,
    );
    await inKernel(caller, (kernel) => transact(kernel, () => pinPage(kernel, 1)));
    await ask(caller, "Hello.");
    await ask(caller, "Hello.", { thread: "second" });
    expect(JSON.stringify(await rows(caller, "SELECT pinned FROM bodies"))).toMatch(WORDS);
    unwrap((await objectOf(caller).forgetPage(caller, page.handle)) as Result<unknown>);
    await expectNowhere(caller);
  });
});

describe("a run that finds a page and forgets it", () => {
  it("is not shown its words again", async () => {
    const caller = callerOf("pager-forget-live");
    const page = unwrap((await objectOf(caller).writePage(caller, { text: SECRET })) as Result<PageView>);
    const prompts: string[] = [];
    const script = [
      [calls(["memory_read", { handle: page.handle }])],
      [calls(["memory_forget", { handle: page.handle }])],
    ];
    useModel(caller, (request) => {
      prompts.push(JSON.stringify(request.messages));
      return play(script[prompts.length - 1] ?? [text("It is gone.")]);
    });
    await ask(caller, "Xyzzy, please.");
    expect(prompts).toHaveLength(3);
    expect(prompts[1]).toMatch(WORDS);
    expect(prompts[2]).not.toMatch(WORDS);
    await expectNowhere(caller);
  });
});

describe("a thread that is deleted", () => {
  it("takes its summaries, its stub and its frozen bytes with it, and its turns stay in memory", async () => {
    const caller = callerOf("pager-delete");
    const prompts = overhears(caller);
    await ask(caller, long("Amina pays 850 euros for flat 101."));
    for (let turn = 0; turn < 6; turn += 1) await ask(caller, long(`Flat ${110 + turn} is empty.`));
    unwrap((await objectOf(caller).deleteThread(caller, "main" as never)) as Result<unknown>);
    expect(await rows(caller, "SELECT page FROM evictions UNION SELECT thread FROM bodies")).toEqual([]);
    expect(await rows(caller, "SELECT number FROM pages WHERE kind = 'summary' AND deleted = 0")).toEqual([]);
    expect(await rows(caller, "SELECT number FROM pages WHERE kind = 'turn'")).toHaveLength(7);
    await ask(caller, "Hello.");
    expect(prompts.at(-1)).not.toContain("Earlier parts of this conversation");
  });
});
