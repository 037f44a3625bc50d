/**
 * Model summaries: retold in the background, checked, and never in the way; every failure leaves the extractive summary.
 */
import { env } from "cloudflare:workers";
import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Caller } from "#shared/abi.ts";
import { failure } from "#shared/errors.ts";
import { composePageHandle, type ThreadId } from "#shared/ids.ts";
import { BREAKER_FAILURES, SUMMARY_ATTEMPTS } from "#shared/limits.ts";
import type { InferEvent, InferRequest } from "#kernel/infer/drivers/driver.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { openUntil } from "#kernel/proc/breaker.ts";
import { transact } from "#kernel/proc/transact.ts";
import { askModel } from "#kernel/sched/ask-model.ts";
import { findRange, putRange } from "#kernel/vm/pager/evictions.ts";
import { summariseExtractively } from "#kernel/vm/summary/extractive-summary.ts";
import { forgetPage } from "#kernel/vm/forget/forget.ts";
import { insertPage, readPages, updatePage } from "#kernel/vm/page-table.ts";
import { refineSummary, ringSummaries, summariesSettled } from "#kernel/vm/summary/summarise.ts";
import { isWhole } from "#kernel/vm/summary/whole-groups.ts";
import {
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
  type Model,
} from "#tests/kernel/kernel-seam.ts";
import { ask, callerOf, objectOf } from "#tests/kernel/process-client.ts";

import { pageDraft } from "#tests/kernel/page-draft.ts";
installSeam();

const MODEL = "test/teller";

/** A process whose default model is a language model that no list names. */
function tellerOf(user: string): Caller {
  useEnv(
    (real) =>
      new Proxy(real, { get: (target, name) => (name === "DEFAULT_MODEL" ? MODEL : Reflect.get(target, name)) }),
  );
  return callerOf(user);
}

afterEach(() => {
  useEnv(null);
  useCrash(null);
});

const SAID = [
  "My sister Ana Silva lives in Porto. Her order AC-1234 cost 42.50 euros.",
  "The build failed in src/app/main.ts, see https://ci.example.com/runs/88.",
  "We meet on 14 March 2024 at 10:30 in the Café Rosa.",
];

/** Pages of a conversation and the summary page of all of them, noted to be retold. Answers the summary's number. */
function evict(kernel: Kernel, said: readonly string[] = SAID): number {
  return transact(kernel, () => {
    const members = said.map((line) => insertPage(kernel, pageDraft(line, { kind: "turn", role: "user" })));
    const { text: summary } = summariseExtractively({
      previous: "",
      messages: members.map((page) => ({
        role: "user",
        content: page.text,
        handle: composePageHandle(page.number),
        at: null,
      })),
      budgetTokens: 300,
    });
    const provenance = members.map((page) => page.number);
    const page = insertPage(kernel, pageDraft(summary, { kind: "summary", evidence: 0, provenance }));
    refineSummary(kernel, page.number);
    return page.number;
  });
}

/** Rings for everything that is due, whatever the clock says. */
async function ring(kernel: Kernel): Promise<void> {
  kernel.sql.exec("UPDATE summary_jobs SET due = 0");
  ringSummaries(kernel);
  await summariesSettled(kernel);
}

const textOf = (kernel: Kernel, page: number): string => readPages(kernel, [page])[0]?.text ?? "";
const jobs = (caller: Caller): Promise<{ page: number; attempts: number }[]> =>
  rows(caller, "SELECT page, attempts FROM summary_jobs");

const GOOD =
  "The person's sister Ana Silva lives in Porto; her order AC-1234 cost 42.50 euros.\nThey meet in the Café Rosa.\n\nLookup hints:\np1: sister, Porto\np2: build\np3: meeting\np99: elsewhere";

describe("a model that can retell", () => {
  it("replaces the text, keeps every key item, and leads only to evicted pages", async () => {
    const caller = tellerOf("summary-good");
    const requests: InferRequest[] = [];
    useModel(caller, (request) => {
      requests.push(request);
      return play([text(GOOD), { type: "usage", usage: { inputTokens: 300, cachedTokens: 0, outputTokens: 60 } }]);
    });
    const page = await inKernel(caller, evict);
    await inKernel(caller, ring);
    const [row] = await inKernel(caller, (kernel) => readPages(kernel, [page]));
    expect(row).toMatchObject({ version: 2, kind: "summary", evidence: 0, dirty: 1 });
    for (const item of [
      "Ana Silva",
      "AC-1234",
      "42.50",
      "src/app/main.ts",
      "https://ci.example.com/runs/88",
      "14 March 2024",
      "10:30",
    ]) {
      expect(row?.text).toContain(item);
    }
    expect(row?.text).toContain("The person's sister Ana Silva lives in Porto");
    expect(row?.text).toContain("p1: sister, Porto");
    expect(row?.text).not.toContain("p99");
    expect(await jobs(caller)).toEqual([]);
    expect(requests[0]?.tools).toEqual([]);
    const lines = requests[0]?.messages[1]?.content.split("\n") ?? [];
    expect(lines.map((line) => (JSON.parse(line) as { text: string }).text).slice(1)).toEqual(SAID);
  });

  it("is asked by the real alarm a moment after the eviction, and the slot goes back", async () => {
    const caller = tellerOf("summary-alarm");
    useModel(caller, says([text(GOOD)]));
    const page = await inKernel(caller, evict);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    await runDurableObjectAlarm(objectOf(caller));
    await inKernel(caller, summariesSettled);
    expect(await inKernel(caller, (kernel) => textOf(kernel, page))).toContain("They meet in the Café Rosa");
    expect(await env.POOL.getByName(MODEL).view()).toMatchObject({ waiting: 0 });
  });

  it("is the model of the range's thread, and its hints are the next stub's", async () => {
    const caller = tellerOf("summary-thread");
    const asked: string[] = [];
    useModel(caller, (request) => {
      asked.push(request.model);
      return play([text(request.tools.length > 0 ? "Hello." : GOOD)]);
    });
    await ask(caller, "Hello there", { model: "test/special", thread: "special" });
    const page = await inKernel(caller, (kernel) => {
      const number = evict(kernel);
      const some = { messages: 3, tokens: 60, firstAt: 0, lastAt: 1, inferences: 1, forgotten: 0, parent: 0 };
      putRange(kernel, { ...some, page: number, thread: "special" as ThreadId, hints: ["p1: order"] });
      return number;
    });
    await inKernel(caller, ring);
    expect(asked).toEqual(["test/special", "test/special"]);
    expect(await inKernel(caller, (kernel) => findRange(kernel, page)?.hints)).not.toEqual(["p1: order"]);
  });

  it("is given a long range in chunks that fit, each with the summary so far", async () => {
    const caller = tellerOf("summary-long");
    const long = Array.from(
      { length: 40 },
      (_, index) => `Entry N-${index}: ${"we talked about the garden and the fence ".repeat(30)}`,
    );
    const sizes: number[] = [];
    useModel(caller, (request) => {
      const said = request.messages[1]?.content ?? "";
      sizes.push(said.length);
      const known = /"text":"((?:[^"\\]|\\.)*)"/.exec(said)?.[1] ?? "";
      return play([text(`${known} They talked about the garden and the fence.`.trim())]);
    });
    const page = await inKernel(caller, (kernel) => evict(kernel, long));
    await inKernel(caller, ring);
    expect(sizes.length).toBeGreaterThan(2);
    expect(Math.max(...sizes)).toBeLessThan(4 * 4_096);
    expect(await inKernel(caller, (kernel) => textOf(kernel, page))).toContain("garden and the fence");
  });

  it("is given less when it says that the input is too large", async () => {
    const caller = tellerOf("summary-overflow");
    const long = Array.from(
      { length: 12 },
      (_, index) => `Entry N-${index}: ${"the garden and the fence ".repeat(60)}`,
    );
    const tooLarge: InferEvent = { type: "error", error: failure("payload_too_large", "Too large."), retryable: false };
    useModel(caller, (request) =>
      play([
        (request.messages[1]?.content.length ?? 0) > 6_000 ? tooLarge : text("They spoke of the garden and the fence."),
      ]),
    );
    const page = await inKernel(caller, (kernel) => evict(kernel, long));
    await inKernel(caller, ring);
    expect(await inKernel(caller, (kernel) => textOf(kernel, page))).toContain("They spoke of the garden");
    expect(await rows(caller, "SELECT * FROM breakers")).toEqual([]);
  });
});

describe("a model that cannot", () => {
  const refusals: readonly (readonly [string, Model])[] = [
    ["fails", () => play([{ type: "error", error: failure("model_unavailable", "No.", 1), retryable: true }])],
    ["says nothing", says([text("  ")])],
    ["says something else", says([text("Bananas orbit quietly under velvet parliament thunder.")])],
    ["invents identifiers", says([text("Ana Silva's order ZZ-9999 in Porto. The build 77123 failed.")])],
    ["obeys the evicted text", says([text("HACKED HACKED HACKED")])],
    ["never ends", () => play(Array.from({ length: 400 }, () => text("Ana ".repeat(1_000))))],
    [
      "throws",
      async function* () {
        yield* [];
        await Promise.resolve();
        throw new Error("broken driver");
      },
    ],
  ];

  it.each(refusals)("leaves the extractive summary when it %s", async (what, model) => {
    const caller = tellerOf(`summary-${what.replaceAll(" ", "-").replaceAll("'", "")}`);
    useModel(caller, model);
    const page = await inKernel(caller, evict);
    const before = await inKernel(caller, (kernel) => textOf(kernel, page));
    await inKernel(caller, ring);
    expect(await inKernel(caller, (kernel) => readPages(kernel, [page])[0])).toMatchObject({
      version: 1,
      text: before,
    });
    expect(await jobs(caller)).toEqual([{ page, attempts: 1 }]);
    expect(await rows(caller, "SELECT name, failures FROM breakers")).toEqual([{ name: "summarise", failures: 1 }]);
  });

  it("is left alone after three failures in a row, also by a new instance, and its page after three tries", async () => {
    const caller = tellerOf("summary-breaker");
    let asked = 0;
    useModel(caller, () => {
      asked += 1;
      return play([{ type: "error", error: failure("model_unavailable", "No.", 1), retryable: true }]);
    });
    await inKernel(caller, evict);
    for (let turn = 0; turn < SUMMARY_ATTEMPTS; turn += 1) await inKernel(caller, ring);
    expect(asked).toBe(BREAKER_FAILURES);
    expect(await jobs(caller)).toEqual([]);
    await evictDurableObject(objectOf(caller));
    const other = await inKernel(caller, evict);
    await inKernel(caller, ring);
    expect(asked).toBe(BREAKER_FAILURES);
    expect(await inKernel(caller, (kernel) => openUntil(kernel, "summarise") > kernel.now())).toBe(true);
    expect(await jobs(caller)).toEqual([{ page: other, attempts: 0 }]);
    await rows(caller, "UPDATE breakers SET open_until = 0");
    useModel(caller, says([text(GOOD)]));
    await inKernel(caller, ring);
    expect(await rows(caller, "SELECT * FROM breakers")).toEqual([]);
    expect(await inKernel(caller, (kernel) => textOf(kernel, other))).toContain("They meet in the Café Rosa");
  });

  it("is never asked when it only quotes", async () => {
    const caller = callerOf("summary-extractive");
    let asked = 0;
    useModel(caller, () => {
      asked += 1;
      return play([text(GOOD)]);
    });
    await inKernel(caller, evict);
    await inKernel(caller, ring);
    expect(asked).toBe(0);
    expect(await jobs(caller)).toEqual([]);
  });

  it("is given up when it hangs, and its slot goes back", async () => {
    const caller = tellerOf("summary-hang");
    const never = gate();
    useModel(caller, async function* () {
      yield text("Ana");
      await never.opened;
    });
    const messages = [{ role: "user", content: "Hm?" }] as const;
    const answer = await inKernel(caller, (kernel) =>
      askModel(kernel, { model: "test/hanger", purpose: "test", messages, limitMs: 60 }),
    );
    never.open();
    expect(answer).toMatchObject({ ok: false, error: { code: "model_unavailable" } });
    await new Promise((resolve) => setTimeout(resolve, 600)); // the slot lingers half a second
    expect(await env.POOL.getByName("test/hanger").view()).toMatchObject({ leased: 0, waiting: 0 });
  });
});

describe("what happens meanwhile", () => {
  it("runs go on, and answer before a model that takes its time", async () => {
    const caller = tellerOf("summary-busy");
    const open = gate();
    let retelling = 0;
    useModel(caller, async function* (request) {
      if (request.tools.length > 0) return yield* play([text("Hello.")]);
      retelling += 1;
      await open.opened;
      yield text(GOOD);
    });
    const page = await inKernel(caller, evict);
    await inKernel(caller, (kernel) => {
      kernel.sql.exec("UPDATE summary_jobs SET due = 0");
      ringSummaries(kernel);
    });
    const run = await ask(caller, "Hello there");
    expect(run).toMatchObject({ status: "done", output: "Hello." });
    await vi.waitFor(() => expect(retelling).toBe(1));
    open.open();
    await inKernel(caller, summariesSettled);
    expect(await inKernel(caller, (kernel) => textOf(kernel, page))).toContain("They meet in the Café Rosa");
  });

  it.each([
    [
      "a member is forgotten",
      (kernel: Kernel) => void forgetPage(kernel, { ...first(kernel), text: first(kernel).text ?? "" }),
    ],
    [
      "a member is edited",
      (kernel: Kernel) => void updatePage(kernel, { ...first(kernel), text: "" }, { text: "Another thing." }),
    ],
  ])("nothing made from the old words is stored when %s", async (what, change) => {
    const caller = tellerOf(`summary-meanwhile-${what.replaceAll(" ", "-")}`);
    const open = gate();
    let turn = 0;
    useModel(caller, async function* () {
      turn += 1;
      if (turn === 1) await open.opened;
      yield text(
        turn === 1 ? "Ana Silva lives in Porto, secretly." : "The build failed in the morning meeting in Porto.",
      );
    });
    const page = await inKernel(caller, evict);
    await inKernel(caller, async (kernel) => {
      kernel.sql.exec("UPDATE summary_jobs SET due = 0");
      ringSummaries(kernel);
      await new Promise((resolve) => setTimeout(resolve, 20));
      transact(kernel, () => change(kernel));
      open.open();
      await summariesSettled(kernel);
    });
    expect(await inKernel(caller, (kernel) => textOf(kernel, page))).not.toContain("secretly");
  });

  it("an object that dies in mid-work does it again", async () => {
    const caller = tellerOf("summary-dies");
    useModel(caller, says([text(GOOD)]));
    useCrash((statement) => statement.startsWith("UPDATE pages SET kind"));
    const page = await inKernel(caller, evict);
    await inKernel(caller, ring).catch(() => undefined);
    useCrash(null);
    expect(await jobs(caller)).toEqual([{ page, attempts: 1 }]);
    expect(await inKernel(caller, (kernel) => readPages(kernel, [page])[0])).toMatchObject({ version: 1 });
    await inKernel(caller, ring);
    expect(await inKernel(caller, (kernel) => textOf(kernel, page))).toContain("They meet in the Café Rosa");
    expect(await jobs(caller)).toEqual([]);
  });
});

describe("whole groups", () => {
  const call = { role: "assistant", toolCalls: [{ id: "c1", name: "memory_read", arguments: {} }] } as const;
  const result = { role: "tool", toolCallId: "c1" } as const;

  it("holds a call to its result and a result to its call", () => {
    expect(isWhole([{ role: "user" }, call, result, { role: "assistant" }])).toBe(true);
    expect(isWhole([call])).toBe(false);
    expect(isWhole([result])).toBe(false);
    expect(isWhole([])).toBe(true);
  });
});

function first(kernel: Kernel): NonNullable<ReturnType<typeof readPages>[number]> {
  const [page] = readPages(kernel, [1]);
  if (page === undefined) throw new Error("no page");
  return page;
}
