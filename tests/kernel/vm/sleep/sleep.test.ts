/**
 * Sleep: facts from turns and duplicates, found while nothing else goes on; audited, undone, forgotten, exported; never in the way.
 */
import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import type { Caller, ImportReport, PageView } from "#shared/abi.ts";
import type { AuditView, SleepReport, SleepView } from "#shared/sleep-api.ts";
import { failure } from "#shared/errors.ts";
import { composePageHandle, type PageHandle } from "#shared/ids.ts";
import { SLEEP_IDLE_MS, SLEEP_PAGES, SLEEP_TRIES } from "#shared/limits.ts";
import type { Result } from "#shared/result.ts";
import { lines } from "#shared/wire.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { setTimer } from "#kernel/proc/alarm.ts";
import { transact } from "#kernel/proc/transact.ts";
import { insertPage } from "#kernel/vm/page-table.ts";
import { ringIdle, sleepNow, slept } from "#kernel/vm/sleep/sleep.ts";
import {
  everythingStored,
  gate,
  inKernel,
  installSeam,
  play,
  rows,
  says,
  text,
  useCrash,
  useEnv,
  useModel,
} from "#tests/kernel/kernel-seam.ts";
import { ask, callerOf, objectOf, settled, start, unwrap } from "#tests/kernel/process-client.ts";

installSeam();

afterEach(() => {
  useCrash(null);
  useEnv(null);
});

const LONG = "Good morning! My sister Ana Silva lives in Porto. What a day. I am allergic to peanuts.";

/** Puts a page in as an import would. */
function put(
  kernel: Kernel,
  words: string,
  more: { kind?: "turn" | "fact"; source?: string; at?: number } = {},
): number {
  return transact(kernel, () =>
    insertPage(kernel, {
      kind: more.kind ?? "turn",
      role: "user",
      speaker: null,
      source: more.source ?? null,
      at: more.at ?? Date.UTC(2024, 2, 3),
      at_text: null,
      zoned: 1,
      thread: null,
      run: null,
      evidence: 1,
      tags: [],
      text: words,
    }),
  ).number;
}

const slice = (caller: Caller): Promise<SleepReport> =>
  objectOf(caller)
    .sleep(caller)
    .then((report) => unwrap(report as Result<SleepReport>));

/** Slices until nothing is left: on a slow machine one ends early. Answers their sum. */
async function sleep(caller: Caller): Promise<SleepReport> {
  let sum = await slice(caller);
  for (let turn = 0; turn < 40 && sum.left > 0; turn += 1) {
    const { pages: looked, facts: made, duplicates, stale, left, interrupted } = await slice(caller);
    sum = {
      pages: sum.pages + looked,
      facts: sum.facts + made,
      duplicates: sum.duplicates + duplicates,
      stale: sum.stale + stale,
      left,
      interrupted,
    };
  }
  return sum;
}
const undo = async (caller: Caller, entry: number | null = null): Promise<readonly number[]> =>
  unwrap((await objectOf(caller).undoSleep(caller, entry)) as Result<{ undone: readonly number[] }>).undone;
const audit = async (caller: Caller): Promise<readonly AuditView[]> =>
  unwrap((await objectOf(caller).audit(caller, 500)) as Result<{ items: readonly AuditView[] }>).items;
const pages = async (caller: Caller): Promise<readonly PageView[]> =>
  unwrap((await objectOf(caller).pages(caller, { limit: 500 })) as Result<{ items: readonly PageView[] }>).items;
const facts = async (caller: Caller): Promise<string[]> =>
  (await pages(caller)).filter((page) => page.kind === "fact").map((page) => page.text);

describe("one slice", () => {
  it("makes facts from what a turn tells, with where each is from, once", async () => {
    const caller = callerOf("sleep-facts");
    const turn = await inKernel(caller, (kernel) => put(kernel, LONG));
    expect(await sleep(caller)).toMatchObject({ facts: 2, duplicates: 0, left: 0, interrupted: false });
    const made = (await pages(caller)).filter((page) => page.kind === "fact");
    expect(made.map((page) => page.text)).toEqual(["My sister Ana Silva lives in Porto.", "I am allergic to peanuts."]);
    for (const page of made) {
      expect(page).toMatchObject({
        provenance: [composePageHandle(turn)],
        tags: ["derived"],
        at: "2024-03-03T00:00:00.000Z",
      });
    }
    expect(await audit(caller)).toMatchObject([
      { rule: "fact", model: null, sources: [composePageHandle(turn)], before: { exists: false }, state: "done" },
      { rule: "fact", text: "My sister Ana Silva lives in Porto." },
    ]);
    expect(await sleep(caller)).toMatchObject({ pages: 0, facts: 0 });
    await evictDurableObject(objectOf(caller));
    expect(await sleep(caller)).toMatchObject({ pages: 0, facts: 0 });
  });

  it("reads Chinese, and leaves questions, guesses and what needs its neighbours", async () => {
    const caller = callerOf("sleep-chinese");
    await inKernel(caller, (kernel) => {
      put(kernel, "你好！我姐姐住在上海市。今天天气真好。我对花生过敏。");
      put(
        kernel,
        "Where does Ana live? If I moved to Rome I would be happy. She likes it there. I am so glad. He works at IKEA.",
      );
    });
    expect(await sleep(caller)).toMatchObject({ facts: 2 });
    expect(await facts(caller)).toEqual(["我姐姐住在上海市。", "我对花生过敏。"]);
  });

  it("makes no fact of a turn that is one, nor of what is remembered already", async () => {
    const caller = callerOf("sleep-known");
    await inKernel(caller, (kernel) => {
      put(kernel, "My sister Ana Silva lives in Porto.");
      put(kernel, "I am allergic to peanuts.", { kind: "fact" });
      put(kernel, "Hello again. I am allergic to peanuts. Nice weather.");
    });
    expect(await sleep(caller)).toMatchObject({ facts: 0 });
    expect(await facts(caller)).toEqual(["I am allergic to peanuts."]);
  });

  it("marks what is remembered twice, the older one, and keeps both", async () => {
    const caller = callerOf("sleep-twice");
    const [older, newer, other] = await inKernel(caller, (kernel) => [
      put(kernel, "The piano was tuned by Mr. Lee in March 2023.", { kind: "fact" }),
      put(kernel, "The piano was tuned by Mr. Lee, in March 2023", { kind: "fact" }),
      put(kernel, "The piano was tuned by Mr. Lee in March 2024.", { kind: "fact" }),
    ]);
    expect(await sleep(caller)).toMatchObject({ duplicates: 1 });
    const marked = new Map((await pages(caller)).map((page) => [page.handle, page.supersededBy]));
    expect(marked.get(composePageHandle(older ?? 0))).toBe(composePageHandle(newer ?? 0));
    expect(marked.get(composePageHandle(newer ?? 0))).toBeNull();
    expect(marked.get(composePageHandle(other ?? 0))).toBeNull();
    await undo(caller);
    expect((await pages(caller)).every((page) => page.supersededBy === null)).toBe(true);
    expect(await sleep(caller)).toMatchObject({ duplicates: 0 });
  });

  it("marks what is no longer so: in pages from before that was watched, and in the facts it makes", async () => {
    const caller = callerOf("sleep-stale");
    const [paris, berlin] = await inKernel(caller, (kernel) => [
      put(kernel, "I live in Paris.", { at: Date.UTC(2023, 0, 1) }),
      put(kernel, "I live in Berlin.", { at: Date.UTC(2024, 0, 1) }),
      put(kernel, "Hello again! I live in Rome. What a day.", { at: Date.UTC(2022, 0, 1) }),
    ]);
    const [was, is] = [composePageHandle(paris ?? 0), composePageHandle(berlin ?? 0)];
    // As an earlier version of the system left them.
    await rows(caller, "DELETE FROM claims");
    await rows(caller, "UPDATE pages SET superseded_by = NULL");
    expect((await sleep(caller)).stale).toBe(1);
    const marked = new Map((await pages(caller)).map((page) => [page.text, page.supersededBy]));
    expect(marked.get("I live in Paris.")).toBe(is);
    expect(marked.get("I live in Berlin.")).toBeNull();
    expect(marked.get("I live in Rome.")).not.toBeNull();
    const entry = (await audit(caller)).find(({ rule }) => rule === "stale");
    expect(entry).toMatchObject({
      page: was,
      sources: [is],
      before: { supersededBy: null },
      after: { supersededBy: is },
    });
    expect(await undo(caller, entry?.id ?? 0)).toEqual([entry?.id]);
    await inKernel(caller, (kernel) => put(kernel, "I live in Madrid.", { at: Date.UTC(2025, 0, 1) }));
    await sleep(caller);
    expect((await pages(caller)).find((page) => page.handle === was)?.supersededBy).toBeNull();
  });

  it("looks at so many pages and no more, and at the rest in the next one", async () => {
    const caller = callerOf("sleep-many");
    await inKernel(caller, (kernel) => {
      for (let index = 0; index < SLEEP_PAGES + 5; index += 1) put(kernel, `Just talk number ${index}, nothing else.`);
    });
    const first = await slice(caller);
    expect(first.pages).toBeLessThanOrEqual(SLEEP_PAGES);
    expect(first.left).toBeGreaterThan(0);
    expect((await sleep(caller)).left).toBe(0);
    expect((await rows<{ value: string }>(caller, "SELECT value FROM meta WHERE key = 'sleep-cursor'"))[0]?.value).toBe(
      String(SLEEP_PAGES + 5),
    );
  });
});

describe("an idle process", () => {
  /** As if the last run had ended long ago, and its timer were due. */
  const longAgo = (caller: Caller): Promise<void> =>
    inKernel(caller, (kernel) => {
      kernel.sql.exec("UPDATE runs SET finished_at = finished_at - ?", 2 * SLEEP_IDLE_MS);
      kernel.sql.exec("UPDATE timers SET due = 0 WHERE name = 'idle'");
      kernel.timers.clear();
      kernel.alarmAt = null;
      setTimer(kernel, "heartbeat", kernel.now() + 1);
    });

  it("is woken by its alarm, sleeps, and is then left alone", async () => {
    const caller = callerOf("sleep-alarm");
    useModel(caller, says([text("Good to know.")]));
    await ask(caller, LONG);
    expect(await rows(caller, "SELECT name FROM timers WHERE name = 'idle'")).toHaveLength(1);
    await longAgo(caller);
    await runDurableObjectAlarm(objectOf(caller));
    await inKernel(caller, slept);
    expect(await facts(caller)).toHaveLength(2);
    for (let turn = 0; turn < 6; turn += 1) {
      await longAgo(caller);
      await runDurableObjectAlarm(objectOf(caller));
      await inKernel(caller, slept);
    }
    expect(await rows(caller, "SELECT name FROM timers WHERE name = 'idle'")).toEqual([]);
    expect(await facts(caller)).toHaveLength(2);
  });

  it("does not sleep before it was quiet for a while, nor when it was told not to", async () => {
    const caller = callerOf("sleep-quiet");
    useModel(caller, says([text("Good to know.")]));
    await ask(caller, LONG);
    await inKernel(caller, async (kernel) => {
      ringIdle(kernel);
      await slept(kernel);
    });
    expect(await facts(caller)).toEqual([]);
    await objectOf(caller).setSleep(caller, { enabled: false });
    await longAgo(caller);
    await runDurableObjectAlarm(objectOf(caller));
    await inKernel(caller, slept);
    expect(await facts(caller)).toEqual([]);
    expect(await sleep(caller)).toMatchObject({ facts: 2 }); // asked for by hand, it does it all the same
  });

  it("is awake at the next page when an instruction comes, and the instruction does not wait", async () => {
    const caller = callerOf("sleep-interrupted");
    const door = gate();
    useModel(caller, async function* () {
      await door.opened;
      yield text("Hello.");
    });
    await inKernel(caller, (kernel) => {
      for (let index = 0; index < SLEEP_PAGES; index += 1)
        put(kernel, `Talk ${index}. My cousin number ${index} lives in Porto.`);
    });
    const dozing = inKernel(caller, (kernel) => sleepNow(kernel, null));
    const { run } = await start(caller, "Hello there");
    const report = await dozing;
    expect(report.interrupted).toBe(true);
    expect(report.left).toBeGreaterThan(0);
    door.open();
    expect(await settled(caller, run)).toMatchObject({ status: "done", output: "Hello." });
    expect((await facts(caller)).length).toBe(report.facts);
  });
});

describe("a crash in mid-work", () => {
  it("leaves nothing half done and nothing done twice", async () => {
    const caller = callerOf("sleep-dies");
    await inKernel(caller, (kernel) => put(kernel, LONG));
    let writes = 0;
    useCrash((statement) => statement.startsWith("INSERT OR IGNORE INTO audit") && (writes += 1) === 2);
    await evictDurableObject(objectOf(caller));
    await sleep(caller).catch(() => undefined);
    useCrash(null);
    expect(writes).toBe(2);
    expect(await facts(caller)).toEqual([]);
    expect(await audit(caller)).toEqual([]);
    expect(await sleep(caller)).toMatchObject({ facts: 2 });
    expect(await audit(caller)).toHaveLength(2);
  });

  it("passes over a page that kills the object every time", async () => {
    const caller = callerOf("sleep-killer");
    await inKernel(caller, (kernel) => {
      put(kernel, LONG);
      put(kernel, "Hi. I am a plumber in Lisbon, by trade.");
    });
    for (let turn = 0; turn < SLEEP_TRIES; turn += 1) {
      let died = false;
      useCrash((statement) => !died && statement.startsWith("INSERT OR IGNORE INTO audit") && (died = true));
      await evictDurableObject(objectOf(caller)).catch(() => undefined);
      await sleep(caller).catch(() => undefined);
      expect(died).toBe(true);
    }
    useCrash(null);
    await sleep(caller);
    expect(await facts(caller)).toEqual(["I am a plumber in Lisbon, by trade."]);
  });
});

describe("undo", () => {
  it("takes back one change, and does not do it again", async () => {
    const caller = callerOf("sleep-undo-one");
    await inKernel(caller, (kernel) => put(kernel, LONG));
    await sleep(caller);
    const [last] = await audit(caller);
    expect(await undo(caller, last?.id ?? 0)).toEqual([last?.id]);
    expect(await facts(caller)).toEqual(["My sister Ana Silva lives in Porto."]);
    expect(await undo(caller, last?.id ?? 0)).toEqual([]);
    await sleep(caller);
    expect(await facts(caller)).toEqual(["My sister Ana Silva lives in Porto."]);
    expect((await audit(caller))[0]).toMatchObject({ state: "undone", text: null });
    expect(await objectOf(caller).undoSleep(caller, 999)).toMatchObject({ ok: false, error: { code: "not_found" } });
  });

  it("leaves a fact that the person has edited since: it is theirs", async () => {
    const caller = callerOf("sleep-undo-edited");
    await inKernel(caller, (kernel) => put(kernel, LONG));
    await sleep(caller);
    const [last] = await audit(caller);
    await objectOf(caller).editPage(caller, last?.page as PageHandle, {
      text: "I am allergic to peanuts and to cashews.",
    });
    expect(await objectOf(caller).undoSleep(caller, last?.id ?? 0)).toMatchObject({
      ok: false,
      error: { code: "conflict" },
    });
    await undo(caller);
    expect(await facts(caller)).toEqual(["I am allergic to peanuts and to cashews."]);
  });

  it("undoes what rests on a fact before the fact", async () => {
    const caller = callerOf("sleep-undo-chain");
    await inKernel(caller, (kernel) => put(kernel, "Hello. I am allergic to peanuts. Bye."));
    await sleep(caller);
    const [made] = await audit(caller);
    await inKernel(caller, (kernel) => put(kernel, "I am allergic to peanuts", { kind: "fact" }));
    expect(await sleep(caller)).toMatchObject({ duplicates: 1 });
    expect(await undo(caller, made?.id ?? 0)).toHaveLength(2);
    expect((await pages(caller)).map((page) => page.supersededBy)).toEqual([null, null]);
  });
});

describe("the turns that facts are made from", () => {
  it("take the facts with them when they are forgotten, and the audit's rows", async () => {
    const caller = callerOf("sleep-forget");
    useModel(caller, says([text("Noted.")]));
    await ask(caller, "Good morning! My sister Zebulonia lives in Porto. What a day.");
    await sleep(caller);
    const [turn] = (await pages(caller)).filter((page) => page.kind === "turn");
    expect(await facts(caller)).toHaveLength(1);
    await objectOf(caller).forgetPage(caller, turn?.handle as PageHandle);
    expect(await pages(caller)).toEqual([]);
    expect(await audit(caller)).toEqual([]);
    expect(await everythingStored(caller)).not.toMatch(/zebulonia/i);
  });

  it("make new facts when they are edited, and the old ones go", async () => {
    const caller = callerOf("sleep-edit");
    const turn = await inKernel(caller, (kernel) => put(kernel, LONG));
    await sleep(caller);
    await objectOf(caller).editPage(caller, composePageHandle(turn), {
      text: "Good morning! My sister Ana Silva lives in Braga. What a day.",
    });
    expect(await facts(caller)).toEqual([]);
    await sleep(caller);
    expect(await facts(caller)).toEqual(["My sister Ana Silva lives in Braga."]);
  });

  it("stand in a prompt in place of their facts, never beside them", async () => {
    const caller = callerOf("sleep-fold");
    await inKernel(caller, (kernel) => put(kernel, LONG));
    await sleep(caller);
    let tail = "";
    useModel(caller, (request) => {
      tail = request.messages.findLast((message) => message.role === "system")?.content ?? "";
      return play([text("In Porto.")]);
    });
    await ask(caller, "Where does my sister Ana Silva live?");
    const shown = tail.split("\n").filter((line) => line.startsWith("{"));
    expect(shown.map((line) => (JSON.parse(line) as { text: string }).text)).toEqual([LONG]);
  });
});

describe("export and import", () => {
  it("carry the audit, the settings and how far it came", async () => {
    const from = callerOf("sleep-export");
    await inKernel(from, (kernel) => {
      put(kernel, LONG);
      put(kernel, "The piano was tuned.", { kind: "fact" });
      put(kernel, "The piano was tuned", { kind: "fact" });
    });
    await sleep(from);
    await undo(from, (await audit(from)).find((entry) => entry.rule === "fact")?.id ?? 0);
    await objectOf(from).setSleep(from, { modelTokensPerDay: 7 });
    const stream = unwrap((await objectOf(from).exportRows(from)) as Result<ReadableStream<Uint8Array>>);
    const written: { line: number; row: unknown }[] = [];
    for await (const line of stream.pipeThrough(lines()))
      written.push({ line: written.length + 1, row: JSON.parse(line) });
    const to = callerOf("sleep-import");
    const report = unwrap((await objectOf(to).importRows(to, "copy", written)) as Result<ImportReport>);
    expect(report.skipped).toEqual([]);
    const plain = (entries: readonly AuditView[]): unknown[] => entries.map(({ id: _id, ...entry }) => entry);
    expect(plain(await audit(to))).toEqual(plain(await audit(from)));
    expect(unwrap((await objectOf(to).sleepState(to)) as Result<SleepView>)).toMatchObject({
      modelTokensPerDay: 7,
      left: 0,
    });
    expect(await sleep(to)).toMatchObject({ facts: 0, duplicates: 0 });
    await undo(to);
    expect((await pages(to)).map((page) => [page.text, page.supersededBy])).toEqual([
      [LONG, null],
      ["The piano was tuned.", null],
      ["The piano was tuned", null],
    ]);
  });
});

describe("a model that helps", () => {
  const TALK = ["My sister is called Ana Silva.", "She moved to Porto in May, to work at the aquarium."];

  function teller(user: string): Caller {
    useEnv(
      (real) =>
        new Proxy(real, {
          get: (target, name) => (name === "DEFAULT_MODEL" ? "test/teller" : Reflect.get(target, name)),
        }),
    );
    return callerOf(user);
  }

  it("finds what needs its neighbours, within the tokens of the day, and is believed only so far", async () => {
    const caller = teller("sleep-model");
    let asked = 0;
    useModel(caller, () => {
      asked += 1;
      const said = [
        { from: "p2", fact: "Ana Silva moved to Porto in May to work at the aquarium." },
        { from: "p2", fact: "Ana Silva hates elephants, bananas and thunderstorms." },
        { from: "p2", fact: "Ana Silva moved to Porto, order ZX-9981." },
        { from: "p77", fact: "Ana Silva moved to Porto in May." },
      ];
      return play([
        text(`Sure!\n${said.map((line) => JSON.stringify(line)).join("\n")}\nnot json {`),
        { type: "usage", usage: { inputTokens: 500, cachedTokens: 0, outputTokens: 100 } },
      ]);
    });
    await inKernel(caller, (kernel) => TALK.forEach((line) => put(kernel, line)));
    await sleep(caller);
    expect(asked).toBe(0); // nobody gave it tokens
    await objectOf(caller).setSleep(caller, { modelTokensPerDay: 550 });
    expect(await sleep(caller)).toMatchObject({ facts: 1 });
    expect(await facts(caller)).toEqual(["Ana Silva moved to Porto in May to work at the aquarium."]);
    expect(await audit(caller)).toMatchObject([{ rule: "fact", model: "test/teller", sources: ["p2"] }]);
    await inKernel(caller, (kernel) => put(kernel, "My brother is called Rui."));
    await sleep(caller);
    await sleep(caller);
    expect(asked).toBe(1); // the day's tokens are spent
    expect(unwrap((await objectOf(caller).sleepState(caller)) as Result<SleepView>)).toMatchObject({
      modelTokensToday: 600,
    });
  });

  it("that fails leaves the rules alone, and is asked no more after three times", async () => {
    const caller = teller("sleep-model-fails");
    let asked = 0;
    useModel(caller, () => {
      asked += 1;
      return play([{ type: "error", error: failure("model_unavailable", "No.", 1), retryable: true }]);
    });
    await objectOf(caller).setSleep(caller, { modelTokensPerDay: 1_000_000 });
    await inKernel(caller, (kernel) => put(kernel, LONG));
    for (let turn = 0; turn < 6; turn += 1) await sleep(caller);
    expect(asked).toBe(3);
    expect(await facts(caller)).toHaveLength(2);
  });
});
