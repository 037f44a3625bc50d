/**
 * Swap under faults: whatever D1 does, in whatever order, nothing that was acknowledged is lost, nothing forgotten comes back, and a
 * read answers the right words or says that it cannot.
 */
import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import type { Caller, PageView } from "#shared/abi.ts";
import type { PageHandle } from "#shared/ids.ts";
import { PAGE_IN_WAIT_MS } from "#shared/limits.ts";
import type { Result } from "#shared/result.ts";
import { flush } from "#kernel/vm/flush.ts";
import { dropOldBodies, markPage } from "#kernel/vm/page-table.ts";
import { inKernel, installSeam, rows } from "#tests/kernel/kernel-seam.ts";
import { ask, callerOf, eventsOf, objectOf, unwrap } from "#tests/kernel/process-client.ts";
import { faults, useFaultyShard, type Fault } from "#tests/kernel/vm/faulty-shard.ts";

installSeam();
beforeAll(useFaultyShard);

type Step =
  | { readonly do: "write" | "flush" | "drop" | "evict" }
  | { readonly do: "edit" | "forget" | "read" | "mark"; readonly which: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ do: "write" } as const) },
  { weight: 5, arbitrary: fc.constant({ do: "flush" } as const) },
  { weight: 4, arbitrary: fc.constant({ do: "drop" } as const) },
  { weight: 1, arbitrary: fc.constant({ do: "evict" } as const) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constantFrom("edit", "forget", "read", "mark"), which: fc.nat(30) }),
  },
);
const fault = fc.constantFrom<Fault>("well", "well", "away", "lost", "breaks", "slow");

/** What the process was told, and acknowledged. */
class Told {
  readonly living = new Map<PageHandle, string>();
  readonly forgotten = new Set<PageHandle>();
  #made = 0;

  words(): string {
    this.#made += 1;
    return `Statement ${this.#made} of lighthouse ${this.#made * 13}.`;
  }

  pick(which: number): PageHandle | null {
    const handles = [...this.living.keys()];
    return handles[which % Math.max(1, handles.length)] ?? null;
  }
}

async function flushed(caller: Caller): Promise<void> {
  await inKernel(caller, (kernel) => flush(kernel));
}

async function perform(caller: Caller, told: Told, one: Step): Promise<void> {
  const object = objectOf(caller);
  if (one.do === "flush") return flushed(caller);
  if (one.do === "drop") return inKernel(caller, (kernel) => void dropOldBodies(kernel, 0));
  if (one.do === "evict") {
    await inKernel(caller, async (kernel) => {
      while (kernel.flushing !== null) await kernel.flushing;
    });
    return evictDurableObject(object);
  }
  if (one.do === "write") {
    const text = told.words();
    const page = unwrap((await object.writePage(caller, { text })) as Result<PageView>);
    told.living.set(page.handle, text);
    return;
  }
  const handle = "which" in one ? told.pick(one.which) : null;
  if (handle === null) return;
  await change(caller, told, one.do, handle);
}

async function change(caller: Caller, told: Told, kind: string, handle: PageHandle): Promise<void> {
  const object = objectOf(caller);
  if (kind === "mark") {
    await inKernel(caller, (kernel) => markPage(kernel, Number.parseInt(handle.slice(1), 36), { pinned: 1 }));
  } else if (kind === "forget") {
    // A page whose body is out of reach can be forgotten all the same.
    expect(await object.forgetPage(caller, handle)).toMatchObject({ ok: true });
    told.living.delete(handle);
    told.forgotten.add(handle);
  } else if (kind === "edit") {
    const text = told.words();
    const edited = (await object.editPage(caller, handle, { text })) as Result<PageView>;
    if (edited.ok) told.living.set(handle, text);
    else expect(edited.error).toMatchObject({ code: "overloaded", retryAfter: 2 });
  } else await expectRead(caller, handle, told.living.get(handle) ?? null, true);
}

/** Right words, or that D1 does not answer; never other words, and never that there is no such page. */
async function expectRead(caller: Caller, handle: PageHandle, text: string | null, faulty: boolean): Promise<void> {
  const read = (await objectOf(caller).readPage(caller, handle)) as Result<PageView>;
  if (text === null) expect(read).toMatchObject({ ok: false, error: { code: "not_found" } });
  else if (read.ok || !faulty) expect(read).toMatchObject({ ok: true, value: { text } });
  else expect(read.error.code).toBe("overloaded");
}

async function expectSettled(caller: Caller, told: Told): Promise<void> {
  faults.next = () => "well";
  await flushed(caller);
  await flushed(caller);
  expect(await rows(caller, "SELECT number FROM pages WHERE dirty = 1 OR deleted = 1")).toEqual([]);
  await inKernel(caller, (kernel) => dropOldBodies(kernel, 0));
  for (const [handle, text] of told.living) await expectRead(caller, handle, text, false);
  for (const handle of told.forgotten) await expectRead(caller, handle, null, false);
  const { results } = await env.MEM_0.prepare("SELECT handle, deleted, body FROM pages WHERE owner = ?")
    .bind(caller.user)
    .all<{ handle: PageHandle; deleted: number; body: string }>();
  const alive = results.filter((row) => row.deleted === 0).map((row) => [row.handle, row.body]);
  expect(new Map(alive as [PageHandle, string][])).toEqual(told.living);
  expect(results.filter((row) => row.deleted === 1).every((row) => row.body === "")).toBe(true);
  expect(await objectOf(caller).fsck(caller, { repair: false })).toMatchObject({ ok: true, value: { counts: {} } });
}

describe("a D1 that fails at random", () => {
  it("loses nothing and revives nothing, and reads are right or say so", async () => {
    let round = 0;
    let met = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 20, maxLength: 50 }),
        fc.infiniteStream(fault),
        async (steps, drawn) => {
          round += 1;
          faults.met = 0;
          faults.next = () => drawn.next().value as Fault;
          const caller = callerOf(`faults-${round}`);
          const told = new Told();
          for (const one of steps) await perform(caller, told, one);
          met += faults.met;
          await expectSettled(caller, told);
        },
      ),
      { numRuns: 25 },
    );
    expect(met).toBeGreaterThan(50); // else the test met no fault
  }, 120_000);
});

describe("a D1 that takes 5 s a query", () => {
  it("holds up no write, and a run no longer than PAGE_IN_WAIT_MS, which says that it went on without", async () => {
    const caller = callerOf("faults-slow");
    faults.next = () => "well";
    await objectOf(caller).writePage(caller, { text: "The absent kite is yellow." });
    await flushed(caller);
    await inKernel(caller, (kernel) => dropOldBodies(kernel, 0));
    faults.slowMs = 5_000;
    faults.next = () => "slow";
    const began = Date.now();
    await objectOf(caller).writePage(caller, { text: "My resident lantern is purple." });
    expect(Date.now() - began).toBeLessThan(1_000);
    const run = await ask(caller, "What colour is my lantern, and the absent kite?");
    expect(Date.now() - began).toBeLessThan(PAGE_IN_WAIT_MS + 1_500);
    expect(run.status).toBe("done");
    const event = (await eventsOf(caller, run.run)).find(({ part }) => part.type === "data-page-in");
    expect(event?.part["data"]).toMatchObject({ degraded: "slow" });
    // What came late is at hand for the next run.
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect((await ask(caller, "What colour is the absent kite?", { thread: "later" })).output).toContain("yellow");
    faults.slowMs = 5;
    faults.next = () => "well";
  }, 30_000);

  it("says so in the stream when it does not answer at all", async () => {
    const caller = callerOf("faults-away");
    faults.next = () => "well";
    await objectOf(caller).writePage(caller, { text: "The absent kite is yellow." });
    await flushed(caller);
    await inKernel(caller, (kernel) => dropOldBodies(kernel, 0));
    faults.next = () => "away";
    const run = await ask(caller, "What colour is the absent kite?");
    const event = (await eventsOf(caller, run.run)).find(({ part }) => part.type === "data-page-in");
    expect(event?.part["data"]).toMatchObject({ pages: [], degraded: "overloaded" });
    faults.next = () => "well";
  });
});
