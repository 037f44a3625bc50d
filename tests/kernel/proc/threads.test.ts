/**
 * Threads: order within one, parallel between several, bounded queues, cancel and delete.
 */
import { runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Caller, RunView } from "#shared/abi.ts";
import type { RunId, ThreadId } from "#shared/ids.ts";
import { HEARTBEAT_MS, RUN_MS, RUNS_LIVE, THREAD_QUEUE } from "#shared/limits.ts";
import type { Result } from "#shared/result.ts";
import type { InferRequest } from "#kernel/infer/drivers/driver.ts";
import { gate, inKernel, installSeam, play, rows, text, useModel } from "#tests/kernel/kernel-seam.ts";
import { ask, callerOf, eventsOf, objectOf, request, settled, start, unwrap } from "#tests/kernel/process-client.ts";

installSeam();

const instructionOf = (asked: InferRequest): string =>
  asked.messages.findLast((message) => message.role === "user")?.content ?? "";

/** A model that answers an instruction only when its gate is open, and notes the order in which it was asked. */
function gated(caller: Caller): { readonly asked: string[]; readonly open: () => void } {
  const door = gate();
  const asked: string[] = [];
  useModel(caller, async function* (inference, signal) {
    asked.push(instructionOf(inference));
    const cut = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    await Promise.race([door.opened, cut]);
    if (signal.aborted) return;
    yield* play([text(`Answer to ${instructionOf(inference)}.`)]);
  });
  return { asked, open: door.open };
}

async function cancel(caller: Caller, run: RunId): Promise<Result<RunView>> {
  return (await objectOf(caller).cancel(caller, run)) as Result<RunView>;
}

async function until(check: () => boolean | Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 400; turn += 1) {
    if (await check()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error("it never came to be");
}

describe("a thread's queue", () => {
  it("works off instructions in the order they were taken, also within one millisecond", async () => {
    const caller = callerOf("order-within");
    const model = gated(caller);
    model.open();
    const names = Array.from({ length: 12 }, (_, index) => `instruction ${index}`);
    const started = await inKernel(caller, async () => {
      const object = objectOf(caller);
      return Promise.all(names.map((name) => object.execute(request(caller, name))));
    });
    const runs = started.map((one) => unwrap(one as Result<{ run: RunId }>).run);
    await Promise.all(runs.map((run) => settled(caller, run)));
    expect(model.asked).toEqual(names);
    const listed = unwrap((await objectOf(caller).runs(caller, 50)) as Result<{ items: readonly RunView[] }>);
    expect(listed.items.map((run) => run.input)).toEqual(names.toReversed());
  });

  it("runs threads beside each other", async () => {
    const caller = callerOf("parallel");
    const model = gated(caller);
    const one = await start(caller, "first", { thread: "one" });
    const two = await start(caller, "second", { thread: "two" });
    const behind = await start(caller, "third", { thread: "one" });
    await until(() => model.asked.length === 2);
    expect(model.asked.toSorted()).toEqual(["first", "second"]);
    model.open();
    for (const started of [one, two, behind]) expect((await settled(caller, started.run)).status).toBe("done");
  });

  it("takes THREAD_QUEUE instructions and refuses the next, but not another thread's", async () => {
    const caller = callerOf("thread-queue");
    const model = gated(caller);
    for (let index = 0; index < THREAD_QUEUE; index += 1) await start(caller, `instruction ${index}`);
    const refused = await objectOf(caller).execute(request(caller, "one too many"));
    expect(refused).toMatchObject({
      ok: false,
      error: { code: "overloaded", retryAfter: expect.any(Number) as number },
    });
    await start(caller, "elsewhere", { thread: "other" });
    expect(await rows(caller, "SELECT 1 FROM runs WHERE instruction LIKE '%one too many%'")).toEqual([]);
    model.open();
  });

  it("holds RUNS_LIVE runs in a process and refuses the next", async () => {
    const caller = callerOf("runs-live");
    const model = gated(caller);
    for (let index = 0; index < RUNS_LIVE; index += 1) await start(caller, "hold", { thread: `thread-${index}` });
    const refused = await objectOf(caller).execute(request(caller, "one too many", { thread: "last" }));
    expect(refused).toMatchObject({ ok: false, error: { code: "overloaded" } });
    model.open();
    await until(async () => (await rows(caller, "SELECT 1 FROM runs WHERE state <> 'done'")).length === 0);
    await start(caller, "now there is room", { thread: "last" });
  });
});

describe("cancel", () => {
  it("ends a running run at once, leaves a valid thread, and lets the next one run", async () => {
    const caller = callerOf("cancel-running");
    const model = gated(caller);
    const first = await start(caller, "first");
    const next = await start(caller, "next");
    await until(() => model.asked.length === 1);
    expect(unwrap(await cancel(caller, first.run))).toMatchObject({ status: "cancelled" });
    expect((await eventsOf(caller, first.run)).at(-1)?.part.type).toBe("abort");
    model.open();
    expect(await settled(caller, next.run)).toMatchObject({ status: "done", output: "Answer to next." });
  });

  it("ends a queued run before it begins", async () => {
    const caller = callerOf("cancel-queued");
    const model = gated(caller);
    await start(caller, "first");
    const queued = await start(caller, "queued");
    expect(unwrap(await cancel(caller, queued.run))).toMatchObject({ status: "cancelled", startedAt: null });
    model.open();
    const types = (await eventsOf(caller, queued.run)).map((event) => event.part.type);
    expect(types.slice(0, 2)).toEqual(["start", "data-run"]);
    expect(types.at(-1)).toBe("abort");
    expect(model.asked).toEqual(["first"]);
  });

  it("leaves an ended run as it is, also when asked twice", async () => {
    const caller = callerOf("cancel-ended");
    gated(caller).open();
    const run = await ask(caller, "done already");
    expect(unwrap(await cancel(caller, run.run))).toEqual(run);
    expect(unwrap(await cancel(caller, run.run))).toEqual(run);
  });

  it("keeps what the person said as a page", async () => {
    const caller = callerOf("cancel-keeps");
    const model = gated(caller);
    const run = await start(caller, "My umbrella is in the blue cupboard.");
    await until(() => model.asked.length === 1);
    await cancel(caller, run.run);
    expect(await rows(caller, "SELECT kind, text FROM pages")).toEqual([
      { kind: "turn", text: "My umbrella is in the blue cupboard." },
    ]);
  });
});

describe("a run that takes too long", () => {
  afterEach(() => void vi.useRealTimers());

  it("is ended after RUN_MS, not before, and says so", async () => {
    const caller = callerOf("run-ms");
    let asked = 0;
    useModel(caller, async function* (_request, signal) {
      asked += 1;
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
      yield text("");
    });
    await objectOf(caller).inspect(caller);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const run = await start(caller, "Take your time.");
    while (asked === 0) await objectOf(caller).inspect(caller);
    const pass = (ms: number): Promise<unknown> => inKernel(caller, () => vi.advanceTimersByTime(ms));
    await pass(RUN_MS - 1);
    expect((await settled(caller, run.run, 0)).status).toBe("running");
    await pass(1);
    vi.useRealTimers();
    expect(await settled(caller, run.run)).toMatchObject({
      status: "failed",
      error: { code: "internal", detail: "The run took too long." },
    });
  });

  it("has a heartbeat within HEARTBEAT_MS while it lives, and no further one after", async () => {
    const caller = callerOf("heartbeat");
    const model = gated(caller);
    const run = await start(caller, "hold");
    await until(() => model.asked.length === 1);
    const [beat] = await rows<{ due: number }>(caller, "SELECT due FROM timers WHERE name = 'heartbeat'");
    expect(beat?.due).toBeLessThanOrEqual(Date.now() + HEARTBEAT_MS);
    model.open();
    await settled(caller, run.run);
    await rows(caller, "UPDATE timers SET due = 1 WHERE name = 'heartbeat'");
    await runDurableObjectAlarm(objectOf(caller));
    expect(await rows(caller, "SELECT due FROM timers WHERE name = 'heartbeat'")).toEqual([]);
  });
});

describe("deleting a thread", () => {
  it("cancels what runs and waits in it, and removes its messages but no page", async () => {
    const caller = callerOf("delete-thread");
    const model = gated(caller);
    const running = await start(caller, "I keep bees.");
    const queued = await start(caller, "queued");
    const elsewhere = await start(caller, "elsewhere", { thread: "other" });
    await until(() => model.asked.length === 2);
    expect(await objectOf(caller).deleteThread(caller, "main" as ThreadId)).toMatchObject({ ok: true });
    model.open();
    for (const run of [running, queued]) expect((await settled(caller, run.run)).status).toBe("cancelled");
    expect((await settled(caller, elsewhere.run)).status).toBe("done");
    expect(await rows(caller, "SELECT 1 FROM messages WHERE thread = 'main'")).toEqual([]);
    expect(await rows(caller, "SELECT text FROM pages WHERE text = 'I keep bees.'")).toHaveLength(1);
    expect(await objectOf(caller).messages(caller, "main" as ThreadId, 10)).toMatchObject({
      ok: false,
      error: { code: "not_found" },
    });
  });

  it("leaves no message of a run that ends after its thread is gone", async () => {
    const caller = callerOf("delete-late");
    const door = gate();
    useModel(caller, async function* () {
      await door.opened; // deaf to the abort, as a stuck provider is
      yield text("Too late.");
    });
    const run = await start(caller, "slow");
    await inKernel(caller, async (kernel) => {
      await until(() => kernel.live.has(run.run));
      kernel.sql.exec("DELETE FROM messages WHERE thread = 'main'");
      kernel.sql.exec("DELETE FROM threads WHERE id = 'main'");
    });
    door.open();
    await settled(caller, run.run);
    expect(await rows(caller, "SELECT 1 FROM messages")).toEqual([]);
  });
});
