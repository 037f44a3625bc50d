/**
 * Sleep at its edges: what is out of reach, who cannot help, whose pages an audit speaks of, and facts that are forgotten themselves.
 */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Caller, ImportReport, ImportRow, PageView } from "#shared/abi.ts";
import { composePageHandle } from "#shared/ids.ts";
import { SLEEP_IDLE_MS, SLEEP_TRIES } from "#shared/limits.ts";
import type { Result } from "#shared/result.ts";
import { lines } from "#shared/wire.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { clearTimer } from "#kernel/proc/alarm.ts";
import { transact } from "#kernel/proc/transact.ts";
import { flush } from "#kernel/vm/flush.ts";
import { dropOldBodies, insertPage } from "#kernel/vm/page-table.ts";
import { changeSleep } from "#kernel/vm/sleep/settings.ts";
import { sleepNow } from "#kernel/vm/sleep/sleep.ts";
import { everythingStored, inKernel, installSeam, rows } from "#tests/kernel/kernel-seam.ts";
import { callerOf, objectOf, unwrap } from "#tests/kernel/process-client.ts";
import { faults, useFaultyShard } from "#tests/kernel/vm/faulty-shard.ts";

installSeam();
useFaultyShard();

beforeEach(() => {
  faults.next = () => "well";
});
afterEach(() => {
  faults.next = () => "well";
});

const LONG = "Good morning! My sister Zebulonia Silva lives in Porto. What a day. I am allergic to peanuts.";

/** Puts a page in as an import would. */
function put(kernel: Kernel, words: string, kind: "turn" | "fact" = "turn"): number {
  const said = {
    speaker: null,
    source: null,
    at: Date.UTC(2024, 2, 3),
    at_text: null,
    zoned: 1,
    thread: null,
    run: null,
  };
  return transact(kernel, () => insertPage(kernel, { kind, role: "user", ...said, evidence: 1, tags: [], text: words }))
    .number;
}

async function sleep(kernel: Kernel): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) if ((await sleepNow(kernel, null)).left === 0) return;
}

const facts = async (caller: Caller): Promise<string[]> =>
  unwrap((await objectOf(caller).pages(caller, { limit: 100 })) as Result<{ items: readonly PageView[] }>)
    .items.filter((page) => page.kind === "fact")
    .map((page) => page.text);

/** When the process wakes to sleep again, from now; null when it does not. */
function wakes(kernel: Kernel): number | null {
  const row = kernel.sql.exec<{ due: number }>("SELECT due FROM timers WHERE name = 'idle'").toArray()[0];
  return row === undefined ? null : row.due - kernel.now();
}

describe("a page whose body is out of reach", () => {
  it("is not passed over, however long that lasts, and is not asked for every second", async () => {
    const caller = callerOf("sleep-away");
    await inKernel(caller, async (kernel) => {
      put(kernel, LONG);
      await flush(kernel);
      expect(dropOldBodies(kernel, 0)).toBe(1);
      faults.next = () => "away";
      for (let turn = 0; turn < SLEEP_TRIES * 3; turn += 1) {
        clearTimer(kernel, "idle");
        expect(await sleepNow(kernel, null)).toMatchObject({ pages: 0, left: 1 });
        expect(wakes(kernel)).toBeGreaterThan(SLEEP_IDLE_MS / 2);
      }
      faults.next = () => "well";
      await sleep(kernel);
    });
    expect(await facts(caller)).toHaveLength(2);
  });
});

describe("a model that only quotes", () => {
  it("is not waited for again and again", async () => {
    const caller = callerOf("sleep-quotes");
    await inKernel(caller, async (kernel) => {
      changeSleep(kernel, { modelTokensPerDay: 1_000 });
      put(kernel, LONG);
      for (let turn = 0; turn < 5; turn += 1) {
        clearTimer(kernel, "idle");
        await sleepNow(kernel, null);
      }
      expect(wakes(kernel)).toBeNull();
    });
  });
});

describe("an audit of another process", () => {
  it("is not taken for pages of one's own, and undoing takes none of these", async () => {
    const from = callerOf("sleep-audit-from");
    await inKernel(from, async (kernel) => {
      put(kernel, LONG);
      put(kernel, "The piano was tuned.", "fact");
      put(kernel, "The piano was tuned", "fact");
      await sleep(kernel);
    });
    const stream = unwrap((await objectOf(from).exportRows(from)) as Result<ReadableStream<Uint8Array>>);
    const written: ImportRow[] = [];
    for await (const line of stream.pipeThrough(lines()))
      written.push({ line: written.length + 1, row: JSON.parse(line) as unknown });
    const to = callerOf("sleep-audit-to");
    const own = [
      "The gate is green.",
      "The roof is red.",
      "The door is blue.",
      "The wall is white.",
      "The cat is grey.",
    ];
    await inKernel(to, (kernel) => own.forEach((words) => put(kernel, words, "fact")));
    unwrap((await objectOf(to).importRows(to, "copy", written)) as Result<ImportReport>);
    expect(await rows(to, "SELECT rule FROM audit")).toEqual([]);
    await objectOf(to).undoSleep(to, null);
    expect((await facts(to)).filter((words) => own.includes(words))).toEqual(own);
  });
});

describe("a fact made from an imported turn", () => {
  it("takes the turn with it when it is forgotten", async () => {
    const caller = callerOf("sleep-forget-fact");
    const fact = await inKernel(caller, async (kernel) => {
      put(kernel, LONG);
      put(kernel, "The gate is green.");
      await sleep(kernel);
      return kernel.sql
        .exec<{ number: number }>("SELECT number FROM pages WHERE kind = 'fact' AND text LIKE '%Zebulonia%'")
        .one().number;
    });
    unwrap((await objectOf(caller).forgetPage(caller, composePageHandle(fact))) as Result<unknown>);
    expect(await everythingStored(caller)).not.toMatch(/zebulonia/i);
    expect(await everythingStored(caller)).toContain("The gate is green.");
  });
});
