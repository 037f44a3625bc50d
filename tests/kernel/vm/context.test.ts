/**
 * Context: the same state gives the same bytes, and unmapping never parts a call from its result.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ThreadId } from "#shared/ids.ts";
import { BODY_HIGH_TOKENS, BODY_LOW_TOKENS, PAGES_MAPPED, TAIL_TOKENS } from "#shared/limits.ts";
import type { InferRequest } from "#kernel/infer/drivers/driver.ts";
import { head } from "#kernel/infer/head.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { openRun } from "#kernel/proc/live-run.ts";
import { saveMessages, openThread, type Message } from "#kernel/proc/messages.ts";
import { readRun } from "#kernel/proc/runs.ts";
import { assembleContext, mappedBody } from "#kernel/vm/context.ts";
import { PREAMBLE } from "#kernel/vm/preamble.ts";
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
        fc.property(fc.array(turn, { maxLength: 14 }), (turns) => {
          round += 1;
          const live = prepare(kernel, run, `thread-${round}` as ThreadId, turns);
          const before = kernel.sql.exec("SELECT COUNT(*) AS n FROM messages").one()["n"];
          const first = assembleContext(kernel, live);
          expect(JSON.stringify(assembleContext(kernel, live))).toBe(JSON.stringify(first));
          expect(kernel.sql.exec("SELECT COUNT(*) AS n FROM messages").one()["n"]).toBe(before); // unmapped, not deleted
          const body = mappedBody(kernel, live.thread, live);
          const all = turns.flat().map((message) => message.content);
          expect(all.slice(all.length - body.length)).toEqual(body.map((message) => message.content));
          const tokens = body.reduce((sum, message) => sum + message.tokens, 0);
          expect(tokens).toBeLessThanOrEqual(BODY_HIGH_TOKENS);
          if (body.length < turns.flat().length) {
            expect(tokens).toBeLessThanOrEqual(BODY_LOW_TOKENS);
            expect(body[0]?.role ?? "user").toBe("user");
          }
          const sent = head(first);
          expect(sent.filter((message) => message.role === "tool")).toHaveLength(
            body.filter((message) => message.role === "tool").length,
          );
        }),
        { numRuns: 60 },
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
      expect(JSON.stringify(request.messages.slice(0, tail))).not.toMatch(/\d{4}-\d\d-\d\d/);
      expect(request.messages[tail]?.content).toMatch(/^Today: \d{4}-\d\d-\d\d \(UTC\)/);
    }
    // The second call's prefix and body begin with the first call's.
    const bare = (request: InferRequest | undefined) =>
      request?.messages.filter((message) => message.role !== "system").map((message) => message.content) ?? [];
    expect(bare(requests[1])).toEqual([...bare(requests[0]), "Yes.", "Two."]);
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

  it("maps at most PAGES_MAPPED pages and TAIL_TOKENS tokens", async () => {
    let mapped = 0;
    let tokens = 0;
    const [small, large] = [callerOf("context-tail-small"), callerOf("context-tail-large")];
    const looks: Model = (request) => {
      const tail =
        request.messages
          .findLast((message) => message.role === "system")
          ?.content.split("\n")
          .slice(2) ?? [];
      mapped = tail.length;
      tokens = tail.reduce((sum, line) => sum + Math.ceil((JSON.parse(line) as { text: string }).text.length / 4), 0);
      return play([text("I don't know.")]);
    };
    useModel(small, looks);
    useModel(large, looks);
    const batch = (size: number, from: number) =>
      Array.from({ length: 60 }, (_, index) => ({
        line: from + index,
        row: { text: `Orchid number ${from + index} ${"petal ".repeat(size)}`, source: `s${from + index}` },
      }));
    await objectOf(small).importRows(small, "key", batch(1, 1));
    await ask(small, "Tell me about the orchid.");
    expect(mapped).toBe(PAGES_MAPPED);
    await objectOf(large).importRows(large, "key", batch(300, 1_000));
    await ask(large, "Tell me about the orchid.");
    expect(tokens).toBeLessThanOrEqual(TAIL_TOKENS);
    expect(tokens).toBeGreaterThan(TAIL_TOKENS / 2);
  });
});
