/**
 * Context: the same state gives the same bytes, and unmapping never parts a call from its result.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ThreadId } from "#shared/ids.ts";
import { TAIL_TOKENS, TOKEN_MARGIN_PERCENT } from "#shared/limits.ts";
import { estimateTokens } from "#shared/tokens.ts";
import type { InferRequest } from "#kernel/infer/drivers/driver.ts";
import { head } from "#kernel/infer/head.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { openRun, type LiveRun } from "#kernel/proc/live-run.ts";
import { saveMessages, openThread, threadBody, type Message } from "#kernel/proc/messages.ts";
import { readRun } from "#kernel/proc/runs.ts";
import { assembleContext } from "#kernel/vm/context/context.ts";
import { planBody, prepareBody } from "#kernel/vm/pager/evict.ts";
import { frozenPrefix } from "#kernel/vm/context/prefix.ts";
import { STUB_HEADING } from "#kernel/vm/context/stub.ts";
import { PREAMBLE } from "#kernel/vm/context/preamble.ts";
import { calls, inKernel, installSeam, play, text, useModel, type Model } from "#tests/kernel/kernel-seam.ts";
import { ask, callerOf, objectOf } from "#tests/kernel/process-client.ts";

installSeam();

/** One turn of a thread: a user's words, perhaps a call with its result, perhaps an answer. */
const turn = fc
  .record({
    asked: fc.integer({ min: 1, max: 6_000 }),
    called: fc.option(fc.integer({ min: 1, max: 9_000 })),
    answered: fc.option(fc.integer({ min: 1, max: 4_000 })),
  })
  .map(({ asked, called, answered }): Message[] => [
    { role: "user", content: "u".repeat(asked) },
    ...(called === null
      ? []
      : [
          {
            role: "assistant" as const,
            content: "",
            toolCalls: [{ id: "c", name: "memory_search", arguments: { query: "x" } }],
          },
          { role: "tool" as const, content: "r".repeat(called), toolCallId: "c" },
        ]),
    ...(answered === null ? [] : [{ role: "assistant" as const, content: "a".repeat(answered) }]),
  ]);

/** How a message that is a page ends, with the line break before it, in JSON and outside of it. */
const MARK = /(?:\n|\\n)?<p[0-9a-z]+ \d{4}-\d\d-\d\d>/g;
const TOKEN_MARGIN = TOKEN_MARGIN_PERCENT / 100; // no model has reported its usage

function planOf(kernel: Kernel, run: LiveRun) {
  const messages = threadBody(kernel, run.thread, run.id);
  return planBody(kernel, messages, frozenPrefix(kernel, run.thread), { model: run.model, own: 0 }).step;
}

/** Puts a thread into the kernel and opens its run again. */
function prepare(kernel: Kernel, run: string, thread: ThreadId, turns: readonly Message[][]) {
  openThread(kernel, thread);
  for (const messages of turns) saveMessages(kernel, thread, null, messages);
  kernel.sql.exec("UPDATE runs SET thread = ? WHERE id = ?", thread, run);
  const row = readRun(kernel, run as never);
  if (row === null) throw new Error("no run");
  return openRun(kernel, row);
}

describe("the prompt", () => {
  it("has the same bytes for the same state, keeps pairs, and stays within its watermark", async () => {
    const caller = callerOf("context");
    useModel(caller, () => play([text("Yes.")]));
    const { run } = await ask(caller, "hello", { thread: "first" });
    let round = 0;
    await inKernel(caller, (kernel) => {
      fc.assert(
        fc.property(fc.array(turn, { maxLength: 18 }), (turns) => {
          round += 1;
          const live = prepare(kernel, run, `thread-${round}` as ThreadId, turns);
          const mapped = prepareBody(kernel, live, {});
          const first = assembleContext(kernel, live);
          expect(prepareBody(kernel, live, {})).toEqual(mapped); // nothing more leaves
          expect(JSON.stringify(assembleContext(kernel, live))).toBe(JSON.stringify(first));
          const all = turns.flat();
          const stored = kernel.sql.exec("SELECT COUNT(*) AS n FROM messages WHERE thread = ?", live.thread).one()["n"];
          expect(stored).toBe(all.length); // unmapped, not deleted
          const { low, high } = planOf(kernel, live);
          const tokens = mapped.reduce((sum, message) => sum + Math.ceil(message.tokens * TOKEN_MARGIN), 0);
          expect(tokens).toBeLessThanOrEqual(mapped.length < all.length ? low : high);
          const sent = head(first);
          const isResult = (message: { role: string }) => message.role === "tool";
          expect(sent.filter(isResult)).toHaveLength(mapped.filter(isResult).length);
          const stubs = first.filter((message) => message.content.startsWith(STUB_HEADING));
          expect(stubs).toHaveLength(mapped.length < all.length ? 1 : 0);
        }),
        { numRuns: 40 },
      );
    });
  });

  it("begins with the same bytes for every thread, and has no clock before its tail", async () => {
    const caller = callerOf("context-prefix");
    const requests: InferRequest[] = [];
    useModel(caller, (request) => {
      requests.push(request);
      return play([text("Yes.")]);
    });
    await ask(caller, "One.", { thread: "a" });
    await ask(caller, "Two.", { thread: "a" });
    await ask(caller, "Three.", { thread: "b" });
    for (const request of requests) {
      expect(request.messages[0]).toEqual({ role: "system", content: PREAMBLE });
      expect(JSON.stringify(request.tools)).toBe(JSON.stringify(requests[0]?.tools));
      const tail = request.messages.findLastIndex((message) => message.role === "system");
      const stable = JSON.stringify(request.messages.slice(0, tail)).replaceAll(MARK, "");
      expect(stable).not.toMatch(/\d{4}-\d\d-\d\d/);
      expect(request.messages[tail]?.content).toMatch(/^Today: \d{4}-\d\d-\d\d \(UTC\)/);
    }
    // The second call's prefix and body begin with the first call's.
    const bare = (request: InferRequest | undefined) =>
      request?.messages.filter((message) => message.role !== "system").map((message) => message.content) ?? [];
    expect(bare(requests[1]).map((content) => content.replaceAll(MARK, ""))).toEqual(["One.", "Yes.", "Two."]);
    expect(bare(requests[1])[0]).toMatch(/^One\.\n<p1 \d{4}-\d\d-\d\d>$/);
  });

  it("carries an instruction, its calls and their results once each, in order", async () => {
    const caller = callerOf("context-loop");
    const requests: InferRequest[] = [];
    useModel(caller, (request) => {
      requests.push(request);
      return play(
        requests.length < 3 ? [calls(["memory_search", { query: `q${requests.length}` }])] : [text("I don't know.")],
      );
    });
    await ask(caller, "Find it.");
    const roles = requests
      .at(-1)
      ?.messages.slice(2)
      .map((message) => message.role);
    expect(roles).toEqual(["user", "assistant", "tool", "assistant", "tool"]);
    const second = requests[1]?.messages ?? [];
    expect(requests[2]?.messages.slice(0, second.length)).toEqual(second);
  });

  it("maps pages within TAIL_TOKENS, many small ones or parts of long ones", async () => {
    const tails: string[] = [];
    const [small, large] = [callerOf("context-tail-small"), callerOf("context-tail-large")];
    const looks: Model = (request) => {
      tails.push(request.messages.findLast((message) => message.role === "system")?.content ?? "");
      return play([text("I don't know.")]);
    };
    useModel(small, looks);
    useModel(large, looks);
    const batch = (size: number, from: number) =>
      Array.from({ length: 60 }, (_, index) => ({
        line: from + index,
        row: { text: `Orchid number ${from + index}. ${"A petal fell. ".repeat(size)}`, source: `s${from + index}` },
      }));
    await objectOf(small).importRows(small, "key", batch(1, 1));
    await ask(small, "Tell me about the orchid.");
    await objectOf(large).importRows(large, "key", batch(600, 1_000));
    await ask(large, "Tell me about the orchid.");
    const lines = tails.map((tail) =>
      tail
        .split("\n")
        .slice(2)
        .map((line) => JSON.parse(line) as { text: string }),
    );
    for (const tail of tails) {
      expect(estimateTokens(tail)).toBeLessThanOrEqual(TAIL_TOKENS + 100);
      expect(estimateTokens(tail)).toBeGreaterThan(TAIL_TOKENS / 3);
    }
    expect(lines[0]?.length).toBeGreaterThan(20);
    expect(lines[1]?.length).toBeGreaterThan(2);
    for (const page of lines[1] ?? []) expect(page.text).toMatch(/^Orchid number \d+\. .*…$/);
  });
});
