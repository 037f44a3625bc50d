/**
 * Stream replay: a reader may come, leave, come back at any event, and come after a crash: it gets what it missed, once.
 */
import { abortAllDurableObjects } from "cloudflare:test";
import { describe, expect, it, vi } from "vitest";
import type { Caller, StreamLine } from "#shared/abi.ts";
import type { RunId } from "#shared/ids.ts";
import type { Result } from "#shared/result.ts";
import { lines } from "#shared/wire.ts";
import { calls, gate, installSeam, rows, says, text, useModel } from "#tests/kernel/kernel-seam.ts";
import { ask, callerOf, eventsOf, objectOf, settled, start, unwrap } from "#tests/kernel/process-client.ts";

installSeam();

/** A reader of single events. */
async function open(
  caller: Caller,
  run: RunId,
  after: number | null = null,
): Promise<ReadableStreamDefaultReader<string>> {
  const stream = unwrap((await objectOf(caller).events(caller, run, after)) as Result<ReadableStream<Uint8Array>>);
  return stream.pipeThrough(lines()).getReader();
}

async function next(reader: ReadableStreamDefaultReader<string>): Promise<StreamLine | null> {
  const { done, value } = await reader.read();
  return done ? null : (JSON.parse(value) as StreamLine);
}

async function until(reader: ReadableStreamDefaultReader<string>, type: string): Promise<StreamLine[]> {
  const seen: StreamLine[] = [];
  for (;;) {
    const line = await next(reader);
    if (line === null) throw new Error(`no ${type}`);
    seen.push(line);
    if (line.part.type === type) return seen;
  }
}

/** Whether event `after` lies inside an open text part, and which. */
function openPart(events: readonly StreamLine[], after: number): unknown {
  const last = events.findLast(
    (event) => event.id <= after && ["text-start", "text-end", "reset-step"].includes(event.part.type),
  );
  return last?.part.type === "text-start" ? last.part["id"] : null;
}

/** Says one sentence, waits at the gate, says two more. */
function halting(caller: Caller): { readonly open: () => void } {
  const door = gate();
  useModel(caller, async function* () {
    yield text("First sentence. Second ");
    await door.opened;
    yield text("sentence. Third sentence.");
  });
  return door;
}

describe("a replay", () => {
  it("from every event of an ended run gives exactly the events after it", async () => {
    const caller = callerOf("replay-ended");
    useModel(
      caller,
      says(
        [text("Looking. "), calls(["memory_write", { text: "Owls hoot." }], ["memory_search", { query: "owls" }])],
        [text("Owls hoot. [p1] That is all. Good night.")],
      ),
    );
    const run = await ask(caller, "Tell me of owls.");
    const all = await eventsOf(caller, run.run);
    expect(all.length).toBeGreaterThan(12);
    for (let after = 0; after < all.length - 1; after += 1) {
      const part = openPart(all, after);
      const again = part === null ? [] : [{ id: after, part: { type: "text-start", id: part } }];
      expect(await eventsOf(caller, run.run, after)).toEqual([...again, ...all.slice(after + 1)]);
    }
    expect(await eventsOf(caller, run.run, all.length - 1)).toEqual([]);
  });

  it("of an unknown id, or of an unknown run, is refused", async () => {
    const caller = callerOf("replay-unknown");
    useModel(caller, says([text("Yes.")]));
    const run = await ask(caller, "hello");
    const last = (await eventsOf(caller, run.run)).length - 1;
    for (const after of [last + 1, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
      expect(await objectOf(caller).events(caller, run.run, after)).toMatchObject({
        ok: false,
        error: { code: "invalid_request" },
      });
    }
    const other = "run_init_01ARZ3NDEKTSV4RRFFQ69G5FAV" as RunId;
    expect(await objectOf(caller).events(caller, other, null)).toMatchObject({
      ok: false,
      error: { code: "not_found" },
    });
  });

  it("in mid-run, inside a text part, re-opens the part and goes on live", async () => {
    const caller = callerOf("replay-live");
    const door = halting(caller);
    const run = await start(caller, "Talk.");
    const first = await open(caller, run.run);
    const seen = await until(first, "text-delta");
    const after = seen.at(-1)?.id ?? -1;
    const second = await open(caller, run.run, after);
    expect(await next(second)).toEqual({ id: after, part: { type: "text-start", id: "text-1" } });
    door.open();
    const rest = await until(second, "finish");
    expect(rest[0]?.id).toBe(after + 1);
    expect([...seen, ...rest]).toEqual(await eventsOf(caller, run.run));
    expect(await next(second)).toBeNull();
    await first.cancel();
  });

  it("after the object died goes on where the reader was, with the cut step taken back", async () => {
    const caller = callerOf("replay-crash");
    const door = halting(caller);
    const run = await start(caller, "Talk.");
    const first = await open(caller, run.run);
    const seen = await until(first, "text-delta");
    await abortAllDurableObjects();
    await expect(until(first, "finish")).rejects.toThrow();
    door.open();
    const rest = await eventsOf(caller, run.run, seen.at(-1)?.id ?? -1);
    expect(rest[0]?.part).toEqual({ type: "text-start", id: "text-1" });
    const types = rest.slice(1).map((event) => event.part.type);
    expect(types).toContain("reset-step");
    expect(types.at(-1)).toBe("finish");
    const all = await eventsOf(caller, run.run);
    expect([...seen, ...rest.slice(1)]).toEqual(all);
    const reset = all.findIndex((event) => event.part.type === "reset-step");
    const said = all
      .slice(reset)
      .filter((event) => event.part.type === "text-delta")
      .map((event) => event.part["delta"]);
    expect(said.join("")).toBe("First sentence. Second sentence. Third sentence.");
  });

  it("from every event of a run that died and came back gives the events after it", async () => {
    const caller = callerOf("replay-after-crash");
    const door = halting(caller);
    const run = await start(caller, "Talk.");
    await until(await open(caller, run.run), "text-delta");
    await abortAllDurableObjects();
    door.open();
    await vi.waitUntil(async () => (await settled(caller, run.run).catch(() => null))?.status === "done");
    const all = await eventsOf(caller, run.run);
    for (let after = 0; after < all.length - 1; after += 1) {
      const replayed = await eventsOf(caller, run.run, after);
      expect(replayed.filter((event) => event.id > after)).toEqual(all.slice(after + 1));
    }
  });
});

describe("readers", () => {
  it("that leave cancel nothing", async () => {
    const caller = callerOf("reader-leaves");
    const door = halting(caller);
    const run = await start(caller, "Talk.");
    const reader = await open(caller, run.run);
    await until(reader, "text-delta");
    await reader.cancel();
    door.open();
    expect(await settled(caller, run.run)).toMatchObject({
      status: "done",
      output: "First sentence. Second sentence. Third sentence.",
    });
  });

  it("of the same run all get the same", async () => {
    const caller = callerOf("two-readers");
    const door = halting(caller);
    const run = await start(caller, "Talk.");
    const reading = Promise.all([eventsOf(caller, run.run), eventsOf(caller, run.run), eventsOf(caller, run.run)]);
    door.open();
    const [one, two, three] = await reading;
    expect(two).toEqual(one);
    expect(three).toEqual(one);
    expect(one?.at(-1)?.part.type).toBe("finish");
  });

  it("see nothing that is not stored", async () => {
    const caller = callerOf("stored-first");
    const door = halting(caller);
    const run = await start(caller, "Talk.");
    const reader = await open(caller, run.run);
    const seen = await until(reader, "text-delta");
    const stored = await rows<{ id: number; part: string }>(
      caller,
      "SELECT id, part FROM events WHERE run = ? ORDER BY id",
      run.run,
    );
    expect(stored.slice(0, seen.length).map((row) => ({ id: row.id, part: JSON.parse(row.part) as unknown }))).toEqual(
      seen,
    );
    door.open();
    await until(reader, "finish");
  });

  it("may read a run that waits in the queue from its first event on", async () => {
    const caller = callerOf("read-queued");
    const door = halting(caller);
    await start(caller, "First.");
    const queued = await start(caller, "Second.");
    const reading = eventsOf(caller, queued.run);
    door.open();
    const events = await reading;
    expect(events.slice(0, 2).map((event) => event.part.type)).toEqual(["start", "data-run"]);
    expect(events.at(-1)?.part.type).toBe("finish");
  });
});
