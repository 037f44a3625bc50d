/**
 * Crash and resume: an object that dies at any statement of a run loses nothing that was acknowledged and does nothing twice.
 */
import { abortAllDurableObjects, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Caller, RunStarted, RunView } from "#shared/abi.ts";
import type { RunId } from "#shared/ids.ts";
import { LEASE_MS, RUN_RECOVERIES } from "#shared/limits.ts";
import type { Result } from "#shared/result.ts";
import { flush } from "#kernel/vm/flush.ts";
import {
  calls,
  everythingStored,
  gate,
  inKernel,
  installSeam,
  play,
  rows,
  text,
  useCrash,
  useModel,
} from "#tests/kernel/kernel-seam.ts";
import { counted, dying, expectValidTranscript, insist } from "#tests/flow/dying.ts";
import { callerOf, eventsOf, objectOf, settled, shown, start, unwrap } from "#tests/kernel/process-client.ts";

installSeam();
afterEach(() => {
  useCrash(null);
  vi.useRealTimers();
});

/** Remembers once, searches once, then answers: what to do next it knows only from the messages it is shown. */
function remembers(caller: Caller): void {
  useModel(caller, (inference) => {
    const results = inference.messages
      .slice(inference.messages.findLastIndex((message) => message.role === "user"))
      .filter((message) => message.role === "tool");
    if (results.length === 0) return play([calls(["memory_write", { text: "The kayak is stored in Leeds." }])]);
    if (results.length === 1) return play([text("Let me look. "), calls(["memory_search", { query: "kayak" }])]);
    const handle = /"handle":"(p[0-9a-z]+)"/.exec(results[0]?.content ?? "")?.[1] ?? "p0";
    return play([text(`The kayak is in Leeds. [${handle}] `), text("Anything else?")]);
  });
}

async function expectWhole(caller: Caller, run: RunView): Promise<void> {
  const pages = await rows<{ kind: string; text: string }>(
    caller,
    "SELECT kind, text FROM pages WHERE deleted = 0 ORDER BY kind, number",
  );
  expect(pages.map((page) => page.kind)).toEqual(["assistant", "fact", "turn"]);
  expect(run.output).toMatch(/^Let me look\. The kayak is in Leeds\. \[p[0-9a-z]+\] Anything else\?$/);
  expect(run.citations).toHaveLength(1);
  expect(run.syscalls.map((call) => call.name)).toEqual(["memory_write", "memory_search"]);
  await expectValidTranscript(caller);
  const events = await eventsOf(caller, run.run);
  expect(events.map((event) => event.id)).toEqual(events.map((_, index) => index));
  expect(events.slice(0, 2).map((event) => event.part.type)).toEqual(["start", "data-run"]);
  expect(events.filter((event) => event.part.type === "finish")).toHaveLength(1);
  expect(shown(events)).toBe(run.output);
  await inKernel(caller, (kernel) => flush(kernel));
  const { results } = await env.MEM_0.prepare("SELECT body FROM pages WHERE owner = ? AND deleted = 0")
    .bind(caller.user)
    .all();
  expect(results).toHaveLength(3);
}

const REMEMBER = "Remember that the kayak is stored in Leeds.";
const FORGET = "Forget that the heirloom sits behind the vermilion curtain.";

/** Looks for the page, forgets it, and says so in the page's own words. */
function forgets(caller: Caller, handle: string): void {
  useModel(caller, (inference) => {
    const results = inference.messages.filter((message) => message.role === "tool").length;
    if (results === 0) return play([calls(["memory_search", { query: "heirloom" }])]);
    if (results === 1)
      return play([text("It sits behind the vermilion curtain. "), calls(["memory_forget", { handle }])]);
    return play([text("I forgot that the heirloom sits behind the vermilion curtain.")]);
  });
}

describe("an object that dies", () => {
  it("at any one statement of a run ends the run as if it had not", async () => {
    const calm = callerOf("calm");
    remembers(calm);
    const { run: undisturbed, statements } = await counted(calm, REMEMBER);
    await expectWhole(calm, undisturbed);
    expect(statements).toBeGreaterThan(40);

    let round = 0;
    let died = 0;
    const deaths = fc.array(fc.integer({ min: 1, max: statements }), { minLength: 1, maxLength: 2 });
    await fc.assert(
      fc.asyncProperty(deaths, async (at) => {
        round += 1;
        const caller = callerOf(`dies-${round}`);
        remembers(caller);
        const ended = await dying(caller, at, REMEMBER);
        died += ended.died;
        expect(ended.run.status).toBe("done");
        await expectWhole(caller, ended.run);
      }),
      { numRuns: 40 },
    );
    expect(died).toBeGreaterThan(20);
  }, 60_000);

  it("at any one statement of a run that forgets keeps no word of the page, and forgets nothing else", async () => {
    const handleOf = async (caller: Caller): Promise<string> => {
      await objectOf(caller).writePage(caller, { text: "The heirloom sits behind the vermilion curtain." });
      await objectOf(caller).writePage(caller, { text: "The ladder is in the barn." });
      forgets(caller, "p1");
      return "p1";
    };
    const calm = callerOf("calm-forget");
    await handleOf(calm);
    const { statements } = await counted(calm, FORGET);
    let round = 0;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: statements }), async (at) => {
        round += 1;
        const caller = callerOf(`forget-dies-${round}`);
        await handleOf(caller);
        const ended = await dying(caller, [at], FORGET);
        expect(ended.run.status).toBe("done");
        await inKernel(caller, (kernel) => flush(kernel));
        expect(await everythingStored(caller)).not.toContain("vermilion");
        const kept = await rows(caller, "SELECT text FROM pages WHERE deleted = 0 AND kind = 'fact'");
        expect(kept).toEqual([{ text: "The ladder is in the barn." }]);
        await expectValidTranscript(caller);
      }),
      { numRuns: 30 },
    );
  }, 60_000);

  it("too often leaves the run interrupted, and resume ends it", async () => {
    const caller = callerOf("too-often");
    const door = gate();
    let asked = 0;
    useModel(caller, async function* () {
      asked += 1;
      yield text("Half a sentence");
      await door.opened;
      yield text(" and the rest.");
    });
    const run = await start(caller, "My bicycle is in the shed.");
    for (let death = 1; death <= RUN_RECOVERIES + 1; death += 1) {
      expect((await insist(() => settled(caller, run.run, 0))).status).toBe("running");
      await vi.waitUntil(() => asked === death);
      await abortAllDurableObjects();
    }
    const cut = await insist(() => settled(caller, run.run));
    expect(cut).toMatchObject({ status: "interrupted", error: { code: "internal" } });
    expect((await eventsOf(caller, run.run)).at(-1)?.part.type).toBe("error");
    expect(asked).toBe(RUN_RECOVERIES + 1);

    door.open();
    const resumed = (await objectOf(caller).resume(caller, run.run)) as Result<RunStarted>;
    expect(resumed).toMatchObject({ ok: true, value: { run: run.run } });
    expect(await settled(caller, run.run)).toMatchObject({ status: "done", output: "Half a sentence and the rest." });
    expect((await eventsOf(caller, run.run)).at(-1)?.part.type).toBe("finish");
    await expectValidTranscript(caller);
    expect(await rows(caller, "SELECT kind FROM pages ORDER BY kind")).toEqual([
      { kind: "assistant" },
      { kind: "turn" },
    ]);
    expect(await objectOf(caller).resume(caller, run.run)).toMatchObject({ ok: false, error: { code: "conflict" } });
  });

  it("may be resumed after its events expired, with one instruction in the thread", async () => {
    const caller = callerOf("late-resume");
    useModel(caller, () => play([text("Welcome back.")]));
    const door = gate();
    useModel(caller, async function* () {
      await door.opened;
      yield text("Welcome back.");
    });
    const run = await start(caller, "Good evening.");
    await inKernel(caller, (kernel) => {
      kernel.sql.exec("UPDATE runs SET recoveries = ?", RUN_RECOVERIES);
    });
    await abortAllDurableObjects();
    expect((await insist(() => settled(caller, run.run))).status).toBe("interrupted");
    await inKernel(caller, (kernel) => void kernel.sql.exec("DELETE FROM events"));
    door.open();
    unwrap((await objectOf(caller).resume(caller, run.run)) as Result<RunStarted>);
    expect((await settled(caller, run.run)).status).toBe("done");
    await expectValidTranscript(caller);
  });

  it("while several runs wait takes all of them up, in order", async () => {
    const caller = callerOf("queue-dies");
    const door = gate();
    const answered: string[] = [];
    useModel(caller, async function* (inference) {
      const asked = inference.messages.findLast((message) => message.role === "user")?.content ?? "";
      await door.opened;
      answered.push(asked);
      yield text(`Yes to ${asked}.`);
    });
    const runs: RunId[] = [];
    for (const name of ["first", "second", "third"]) runs.push((await start(caller, name)).run);
    await abortAllDurableObjects();
    door.open();
    for (const run of runs) expect((await insist(() => settled(caller, run))).status).toBe("done");
    expect(answered.slice(-3)).toEqual(["first", "second", "third"]);
  });

  it("leaves slots that expire by themselves", async () => {
    const caller = callerOf("lease-dies");
    const model = "lease-dies-model";
    const door = gate();
    useModel(caller, async function* () {
      await door.opened;
      yield text("Done.");
    });
    const run = await start(caller, "hold a slot", { model });
    const pool = env.POOL.getByName(model);
    await vi.waitUntil(async () => (await pool.view()).leased === 1);
    await abortAllDurableObjects();
    door.open();
    await insist(() => settled(caller, run.run));
    await vi.waitUntil(async () => (await env.POOL.getByName(model).view()).leased <= 1);
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.setSystemTime(Date.now() + LEASE_MS + 1_000);
    expect(await runInDurableObject(env.POOL.getByName(model), (inside) => inside.view().leased)).toBe(0);
  });

  it("ends a stateless run, whose reader is gone, as interrupted and keeps no thread of it", async () => {
    const caller = callerOf("stateless-dies");
    const door = gate();
    useModel(caller, async function* () {
      await door.opened;
      yield text("Nobody hears this.");
    });
    const run = await start(caller, "What now?", {
      conversation: { mode: "replace", messages: [{ role: "user", content: "Hi." }] },
    });
    await abortAllDurableObjects();
    door.open();
    expect((await insist(() => settled(caller, run.run))).status).toBe("interrupted");
    expect(await rows(caller, "SELECT id FROM threads")).toEqual([]);
    expect(await rows(caller, "SELECT id FROM messages")).toEqual([]);
    expect(await objectOf(caller).resume(caller, run.run)).toMatchObject({ ok: false, error: { code: "conflict" } });
  });
});
