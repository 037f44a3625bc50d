/**
 * The pager in a process: what a thread's prompts begin with, what leaves them, and how it is found again.
 */
import { evictDurableObject } from "cloudflare:test";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Caller, PageView } from "#shared/abi.ts";
import type { ContextView, VmStat } from "#shared/inspection.ts";
import type { ThreadId } from "#shared/ids.ts";
import type { Result } from "#shared/result.ts";
import { STUB_RANGES, STUB_TOKENS } from "#shared/limits.ts";
import { estimateTokens } from "#shared/tokens.ts";
import type { InferEvent, InferRequest } from "#kernel/infer/drivers/driver.ts";
import { head } from "#kernel/infer/head.ts";
import type { Message } from "#kernel/proc/messages.ts";
import { pinPage } from "#kernel/vm/pinned/pinned.ts";
import { transact } from "#kernel/proc/transact.ts";
import { STUB_HEADING } from "#kernel/vm/context/stub.ts";
import { PINNED_HEADING } from "#kernel/vm/pinned/pinned-lines.ts";
import { calls, inKernel, installSeam, play, rows, text, useEnv, useModel } from "#tests/kernel/kernel-seam.ts";
import { ask, callerOf, objectOf, unwrap } from "#tests/kernel/process-client.ts";

installSeam();
// Cached tokens at half the price: batches come soon, so that a test needs few turns.
beforeAll(() => useEnv((env) => ({ ...env, MODEL_PRICES: '{"lamina/extractive":{"write":1,"read":0.5}}' })));
afterAll(() => useEnv(null));

/** Remembers every request; answers by `answer`, or with a word. */
function listens(caller: Caller, answer?: (request: InferRequest) => InferEvent[] | undefined): InferRequest[] {
  const requests: InferRequest[] = [];
  useModel(caller, (request) => {
    requests.push(request);
    return play(answer?.(request) ?? [text("Noted.")]);
  });
  return requests;
}

const contents = (request: InferRequest | undefined): string[] =>
  (request?.messages ?? []).map((message) => message.content);

/** What of a prompt a provider may have cached: everything before its tail. */
function stable(request: InferRequest | undefined): readonly Message[] {
  const messages = request?.messages ?? [];
  return messages.slice(
    0,
    messages.findLastIndex((message) => message.content.startsWith("Today: ")),
  );
}

const stubOf = (request: InferRequest | undefined): string =>
  contents(request).find((content) => content.startsWith(STUB_HEADING)) ?? "";

const stubLines = (request: InferRequest | undefined): { handle: string; messages: number; about?: string[] }[] =>
  stubOf(request)
    .split("\n")
    .slice(1)
    .map((line) => JSON.parse(line) as { handle: string; messages: number });

/** Some two thousand tokens that say one thing. */
const long = (said: string): string => `${said} ${"It went on and on without a word of news. ".repeat(140)}`;

async function tell(caller: Caller, count: number, said: (turn: number) => string): Promise<void> {
  for (let turn = 1; turn <= count; turn += 1) await ask(caller, long(said(turn)));
}

async function restart(caller: Caller): Promise<void> {
  await objectOf(caller).inspect(caller); // one that does not run cannot be stopped
  await evictDurableObject(objectOf(caller));
}

const stat = async (caller: Caller): Promise<VmStat> =>
  unwrap((await objectOf(caller).vmstat(caller)) as Result<VmStat>);

const NAMES = ["Amina", "Boris", "Chloe", "Dario", "Edwin", "Fatma", "Greta", "Hiro", "Irena", "Jonas"];
const tenant = (turn: number): string => `Flat ${100 + turn} is let to ${NAMES[turn % 10]} for ${700 + turn} euros.`;

describe("a thread that grows long", () => {
  it("loses its oldest turns in batches, into a stub that says how to find them", async () => {
    const caller = callerOf("pager-batch");
    const requests = listens(caller);
    await tell(caller, 12, tenant);
    const batches = requests.filter((request, index) => index > 0 && stubOf(request) !== stubOf(requests[index - 1]));
    expect(batches.length).toBeGreaterThanOrEqual(1);
    expect(batches.length).toBeLessThanOrEqual(4); // batches, not every turn
    const [line] = stubLines(requests.at(-1));
    expect(line?.messages).toBeGreaterThan(1);
    expect(stubOf(requests.at(-1))).toMatch(/Amina|Boris|Chloe|Flat 10/);
    const { batches: counted, unmappedMessages, prefixSharedRatio } = await stat(caller);
    expect(counted).toBe(batches.length);
    expect(unmappedMessages).toBe(stubLines(requests.at(-1)).reduce((sum, one) => sum + one.messages, 0));
    expect(prefixSharedRatio).toBeGreaterThan(0.3);
  });

  it("keeps the whole former prefix and body as a prefix of the next prompt until a batch leaves", async () => {
    const caller = callerOf("pager-prefix");
    const requests = listens(caller);
    await tell(caller, 9, tenant);
    for (const [index, request] of requests.entries()) {
      const before = stable(requests[index - 1]);
      if (index === 0 || stubOf(request) !== stubOf(requests[index - 1])) continue;
      expect(stable(request).slice(0, before.length)).toEqual(before);
    }
  });

  it("answers the handle of a range with a summary and its members, and counts the read of a member", async () => {
    const caller = callerOf("pager-fault");
    const requests = listens(caller);
    await tell(caller, 8, tenant);
    const range = stubLines(requests.at(-1))[0]?.handle ?? "";
    let member = "";
    listens(caller, ({ messages }) => {
      const result = messages.findLast((message) => message.role === "tool");
      const shown = result === undefined ? null : (JSON.parse(result.content) as { covers?: string[]; page: PageView });
      if (shown === null) return [calls(["memory_read", { handle: range }])];
      if (shown.covers === undefined) return [text(`It was said [${shown.page.handle}].`)];
      expect(shown.page.kind).toBe("summary");
      member = shown.covers[0] ?? "";
      return [calls(["memory_read", { handle: member }])];
    });
    await ask(caller, "Xyzzy.");
    expect(member).toMatch(/^p/);
    const { contextFaults, refaults, prematureEvictions } = await stat(caller);
    expect([contextFaults, refaults, prematureEvictions]).toEqual([2, 2, 2]);
    const read = await rows<{ faults: number }>(caller, "SELECT faults FROM messages WHERE role = 'tool' ORDER BY id");
    expect(read.map((row) => row.faults)).toEqual([1, 1]);
    // What was read back is spared by the next batch.
    listens(caller);
    const pins = async (): Promise<number> => (await stat(caller)).faultPins ?? 0;
    for (let turn = 20; turn < 40 && (await pins()) === 0; turn += 1) await ask(caller, long(tenant(turn)));
    const mapped = await rows(caller, "SELECT id FROM messages WHERE role = 'tool' AND evicted = 0");
    expect(mapped).toHaveLength(2);
    expect(await pins()).toBe(2);
    // Not for ever.
    for (let turn = 40; turn < 56; turn += 1) await ask(caller, long(tenant(turn)));
    expect(await rows(caller, "SELECT id FROM messages WHERE role = 'tool' AND evicted = 0")).toEqual([]);
  });

  it("does not count the read of a page that stands in the prompt, or that never was in this thread", async () => {
    const caller = callerOf("pager-no-fault");
    const page = unwrap(
      (await objectOf(caller).writePage(caller, { text: "The boiler is in the attic." })) as Result<PageView>,
    );
    let asked = 0;
    listens(caller, () => ((asked += 1) === 1 ? [calls(["memory_read", { handle: page.handle }])] : [text("Noted.")]));
    await ask(caller, "Tell me something else entirely.");
    expect((await stat(caller)).contextFaults).toBe(0);
  });

  it("folds old ranges so that the stub stays bounded, and every turn is still reached from it", async () => {
    const caller = callerOf("pager-fold");
    const requests = listens(caller);
    for (let turn = 1; turn <= 26; turn += 1) await ask(caller, long(tenant(turn)).repeat(2));
    const last = requests.at(-1);
    expect(stubLines(last).length).toBeLessThanOrEqual(STUB_RANGES);
    expect(estimateTokens(stubOf(last))).toBeLessThanOrEqual(STUB_TOKENS);
    const evictions = await rows<{ page: number; parent: number }>(caller, "SELECT page, parent FROM evictions");
    expect(evictions.some((range) => range.parent !== 0)).toBe(true);
    const parents = new Map(evictions.map((range) => [range.page, range.parent]));
    const inStub = new Set(stubLines(last).map((line) => Number.parseInt(line.handle.slice(1), 36)));
    const evicted = await rows<{ evicted: number }>(caller, "SELECT DISTINCT evicted FROM messages WHERE evicted <> 0");
    for (const { evicted: range } of evicted) {
      let top = range;
      while ((parents.get(top) ?? 0) !== 0) top = parents.get(top) ?? 0;
      expect(inStub.has(top)).toBe(true);
    }
    const total = stubLines(last).reduce((sum, line) => sum + line.messages, 0);
    expect(await rows(caller, "SELECT id FROM messages WHERE evicted > 0")).toHaveLength(total);
  });
});

describe("a thread that was long before its first run here", () => {
  it("is evicted into ranges that each list all of their members", async () => {
    const caller = callerOf("pager-imported");
    const requests = listens(caller);
    const turns = Array.from({ length: 260 }, (_, index) => [
      {
        type: "page",
        text: `Flat ${index} is let to Amina.`,
        kind: "turn",
        role: "user",
        handle: `p${(index + 1).toString(36)}`,
      },
      {
        type: "message",
        thread: "main",
        role: "user",
        content: `Flat ${index} is let to Amina.`,
        page: `p${(index + 1).toString(36)}`,
      },
      { type: "message", thread: "main", role: "assistant", content: "Noted. ".repeat(30) },
    ]).flat();
    for (let start = 0; start < turns.length; start += 200) {
      const batch = turns.slice(start, start + 200).map((row, index) => ({ line: start + index + 1, row }));
      expect(unwrap(await objectOf(caller).importRows(caller, "key", batch)).skipped).toEqual([]);
    }
    await ask(caller, "Hello.");
    const lines = stubLines(requests.at(-1));
    expect(lines.length).toBeGreaterThan(1);
    const ranges = await rows<{ messages: number; provenance: string }>(
      caller,
      "SELECT evictions.messages, pages.provenance FROM evictions JOIN pages ON pages.number = evictions.page",
    );
    const members = ranges.flatMap((range) => JSON.parse(range.provenance) as number[]);
    const evicted = await rows<{ page: number }>(
      caller,
      "SELECT page FROM messages WHERE evicted > 0 AND page IS NOT NULL",
    );
    expect(new Set(members)).toEqual(new Set(evicted.map(({ page }) => page)));
  });
});

describe("a call and its result", () => {
  it("never part, and a result that left is read by its handle", async () => {
    const caller = callerOf("pager-tools");
    const requests = listens(caller, ({ messages }) => {
      const last = messages.at(-1);
      return last?.role === "user" && last.content.includes("list") ? [calls(["process_list", {}])] : undefined;
    });
    await ask(caller, "Please list the processes.");
    await tell(caller, 10, tenant);
    for (const request of requests) {
      const sent = head(request.messages);
      const asked = sent.flatMap((message) => message.tool_calls ?? []);
      expect(sent.filter((message) => message.role === "tool")).toHaveLength(asked.length);
      expect(request.messages.filter((message) => message.role === "tool")).toHaveLength(asked.length);
    }
    const kept = await rows<{ number: number; evidence: number; text: string }>(
      caller,
      "SELECT number, evidence, text FROM pages WHERE kind = 'tool'",
    );
    expect(kept).toHaveLength(1);
    expect(kept[0]).toMatchObject({ evidence: 0 });
    const page = unwrap(
      (await objectOf(caller).readPage(caller, `p${kept[0]?.number.toString(36)}` as never)) as Result<PageView>,
    );
    expect(page.text).toContain("init");
  });
});

describe("the frozen prefix", () => {
  const pin = (caller: Caller, words: string): Promise<void> =>
    objectOf(caller)
      .writePage(caller, { text: words, kind: "instruction" })
      .then((page) =>
        inKernel(caller, (kernel) =>
          transact(kernel, () =>
            pinPage(kernel, Number.parseInt(unwrap(page as Result<PageView>).handle.slice(1), 36)),
          ),
        ),
      );

  it("is frozen for a thread, follows in the tail, and is refreshed with a batch or in a new thread", async () => {
    const caller = callerOf("pager-pinned");
    const requests = listens(caller);
    await ask(caller, "Hello there.");
    await pin(caller, "Always answer in rhymes.");
    await ask(caller, "Hello again.");
    const second = requests.at(-1);
    expect(stable(second).some((message) => message.content.includes("rhymes"))).toBe(false);
    expect(contents(second).find((content) => content.startsWith("Today: "))).toContain("rhymes");
    await ask(caller, "Hello.", { thread: "another" });
    expect(stable(requests.at(-1))[1]?.content).toMatch(new RegExp(`^${PINNED_HEADING.slice(0, 20)}`));
    await tell(caller, 8, tenant);
    expect(stubOf(requests.at(-1))).not.toBe("");
    expect(stable(requests.at(-1))[1]?.content).toContain("rhymes");
    const tail = contents(requests.at(-1)).find((content) => content.startsWith("Today: ")) ?? "";
    expect(tail).not.toContain("rhymes");
  });

  it("has the same bytes for the same state, also after a restart", async () => {
    const caller = callerOf("pager-same");
    const requests = listens(caller);
    const step = fc.oneof(
      fc.record({ kind: fc.constant("say" as const), size: fc.integer({ min: 1, max: 12_000 }) }),
      fc.record({ kind: fc.constant("pin" as const), size: fc.integer({ min: 1, max: 400 }) }),
      fc.record({ kind: fc.constant("restart" as const), size: fc.constant(0) }),
    );
    let round = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 9 }), async (steps) => {
        round += 1;
        const thread = `t${round}` as ThreadId;
        for (const [index, { kind, size }] of steps.entries()) {
          if (kind === "pin") await pin(caller, `Rule ${round}.${index}: ${"be kind ".repeat(size / 8)}`);
          if (kind === "restart") await restart(caller);
          if (kind === "say") await ask(caller, `Word ${round}.${index} ${"w".repeat(size)}`, { thread });
        }
        // The same instruction on the same state, once before and once after a restart.
        const probe = async (): Promise<string> => {
          await ask(caller, "What now?", { thread });
          await inKernel(caller, (kernel) => {
            kernel.sql.exec(
              "DELETE FROM messages WHERE thread = ? AND content IN ('What now?', 'Noted.') AND id > (SELECT MAX(id) - 2 FROM messages)",
              thread,
            );
          });
          return JSON.stringify(stable(requests.at(-1)));
        };
        const own = requests.filter((request) =>
          contents(request).some((content) => content.startsWith(`Word ${round}.`)),
        );
        for (const [index, request] of own.entries()) {
          const before = stable(own[index - 1]);
          if (index === 0 || stubOf(request) !== stubOf(own[index - 1])) continue;
          expect(stable(request).slice(0, before.length)).toEqual(before);
        }
        let before = await probe();
        const stub = stubOf(requests.at(-1));
        await restart(caller);
        let after = await probe();
        if (stubOf(requests.at(-1)) !== stub) {
          // What the first probe taught the pager made a batch leave: the state is the same from now on.
          before = after;
          await restart(caller);
          after = await probe();
        }
        expect(after).toBe(before);
      }),
      { numRuns: 5 },
    );
  }, 90_000);
});

describe("the context view", () => {
  it("shows the frames of the next prompt: pinned lines, stub, messages, and the watermarks", async () => {
    const caller = callerOf("pager-view");
    const requests = listens(caller);
    await tell(caller, 8, tenant);
    await ask(caller, "Thanks.");
    const view = unwrap((await objectOf(caller).context(caller, "main" as ThreadId)) as Result<ContextView>);
    const stubs = view.frames.filter((frame) => frame.kind === "stub" && frame.handle !== null);
    expect(stubs.map((frame) => frame.handle)).toEqual(stubLines(requests.at(-1)).map((line) => line.handle));
    const body = view.frames.filter((frame) => frame.region === "body" && frame.kind !== "stub");
    const sent = stable(requests.at(-1)).filter((message) => message.role !== "system");
    expect(body).toHaveLength(sent.length + 2); // the last turn has joined the body
    expect(view.low).toBeLessThan(view.high);
    expect(view.tokens).toBeLessThanOrEqual(view.budget);
    const exact = sent.map((message) => estimateTokens(message.content));
    expect(body.slice(0, exact.length).map((frame) => frame.tokens)).toEqual(exact);
  });
});
