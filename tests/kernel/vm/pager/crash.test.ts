/**
 * An object that dies in the midst of an eviction: it happened wholly or not at all, and the run goes on with a valid prompt.
 */
import { evictDurableObject } from "cloudflare:test";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import type { Caller, RunStarted, RunView } from "#shared/abi.ts";
import type { Result } from "#shared/result.ts";
import type { InferRequest } from "#kernel/infer/drivers/driver.ts";
import { head } from "#kernel/infer/head.ts";
import { STUB_HEADING } from "#kernel/vm/context/stub.ts";
import { calls, installSeam, play, rows, text, useCrash, useEnv, useModel } from "#tests/kernel/kernel-seam.ts";
import { ask, callerOf, objectOf, request, unwrap } from "#tests/kernel/process-client.ts";

installSeam();
beforeAll(() => useEnv((real) => ({ ...real, MODEL_PRICES: '{"lamina/extractive":{"write":1,"read":0.5}}' })));
afterEach(() => useCrash(null));
afterAll(() => useEnv(null));

const long = (said: string): string => `${said} ${"It went on and on without a word of news. ".repeat(140)}`;

/** Asks until the object that dies under it has answered. */
async function insist(caller: Caller, asked: string): Promise<RunView> {
  const sent = request(caller, asked);
  for (let attempt = 0; attempt < 20; attempt += 1) {
    try {
      const started = unwrap((await objectOf(caller).execute(sent)) as Result<RunStarted>);
      const run = unwrap((await objectOf(caller).settled(caller, started.run, 10_000)) as Result<RunView>);
      if (run.status === "done") return run;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  throw new Error("the object never answered");
}

const STATEMENTS = [
  ["before its messages are unmapped", "UPDATE messages SET evicted"],
  ["before its range is written", "INTO evictions"],
  ["before its summary is noted to be retold", "INTO summary_jobs"],
  ["before the marks of its frames are settled", "UPDATE messages SET referenced = 0"],
  ["before the prefix is frozen", "INTO bodies"],
] as const;

it.each(STATEMENTS)(
  "that dies %s leaves nothing lost, nothing twice, and calls with their results",
  async (_, dies) => {
    const caller = callerOf(`pager-crash-${dies.replaceAll(/\W/g, "")}`);
    const sent: InferRequest[] = [];
    useModel(caller, (inference) => {
      sent.push(inference);
      const last = inference.messages.at(-1);
      const lists = last?.role === "user" && last.content.includes("list");
      return play(lists ? [calls(["process_list", {}])] : [text("Noted.")]);
    });
    await ask(caller, "Please list the processes.");
    for (let turn = 1; turn <= 3; turn += 1) await ask(caller, long(`Flat ${turn} is let.`));
    expect(await rows(caller, "SELECT page FROM evictions")).toEqual([]);
    let died = 0;
    useCrash((statement) => {
      if (died > 0 || !statement.includes(dies)) return false;
      died += 1;
      return true;
    });
    await evictDurableObject(objectOf(caller));
    for (let turn = 4; turn <= 8; turn += 1) await insist(caller, long(`Flat ${turn} is let.`));
    expect(died).toBe(1);
    const messages = await rows<{ content: string; evicted: number }>(
      caller,
      "SELECT content, evicted FROM messages ORDER BY id",
    );
    for (let turn = 1; turn <= 8; turn += 1) {
      expect(messages.filter((message) => message.content.startsWith(`Flat ${turn} `))).toHaveLength(1);
    }
    const ranges = await rows<{ page: number; messages: number }>(caller, "SELECT page, messages FROM evictions");
    expect(ranges.length).toBeGreaterThan(0);
    for (const range of ranges) {
      expect(messages.filter((message) => message.evicted === range.page)).toHaveLength(range.messages);
    }
    const summaries = await rows(caller, "SELECT number FROM pages WHERE kind = 'summary' AND deleted = 0");
    expect(summaries).toHaveLength(ranges.length);
    for (const { messages: prompt } of sent) {
      const provider = head(prompt);
      const asked = provider.flatMap((message) => message.tool_calls ?? []);
      expect(provider.filter((message) => message.role === "tool")).toHaveLength(asked.length);
      expect(prompt.filter((message) => message.role === "tool")).toHaveLength(asked.length);
    }
    expect(sent.at(-1)?.messages.some((message) => message.content.startsWith(STUB_HEADING))).toBe(true);
  },
);
