/**
 * An export carries what left a thread's body, and an import brings it back the same: stub, ranges, members.
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Caller } from "#shared/abi.ts";
import type { Result } from "#shared/result.ts";
import { lines } from "#shared/wire.ts";
import { STUB_HEADING } from "#kernel/vm/context/stub.ts";
import { installSeam, play, rows, text, useEnv, useModel } from "#tests/kernel/kernel-seam.ts";
import { ask, callerOf, objectOf, unwrap } from "#tests/kernel/process-client.ts";

installSeam();
beforeAll(() => useEnv((real) => ({ ...real, MODEL_PRICES: '{"lamina/extractive":{"write":1,"read":0.5}}' })));
afterAll(() => useEnv(null));

const long = (said: string): string => `${said} ${"It went on and on without a word of news. ".repeat(140)}`.repeat(2);

function stubs(caller: Caller): string[] {
  const seen: string[] = [];
  useModel(caller, ({ messages }) => {
    seen.push(messages.find((message) => message.content.startsWith(STUB_HEADING))?.content ?? "");
    return play([text("Noted.")]);
  });
  return seen;
}

async function rowsOf(caller: Caller): Promise<unknown[]> {
  const exported: unknown[] = [];
  const stream = unwrap((await objectOf(caller).exportRows(caller)) as Result<ReadableStream<Uint8Array>>);
  for await (const line of stream.pipeThrough(lines())) exported.push(JSON.parse(line));
  return exported;
}

async function take(caller: Caller, exported: readonly unknown[]): Promise<{ line: number; reason: string }[]> {
  const skipped: { line: number; reason: string }[] = [];
  for (let start = 0; start < exported.length; start += 50) {
    const batch = exported.slice(start, start + 50).map((row, index) => ({ line: start + index + 1, row }));
    skipped.push(...unwrap(await objectOf(caller).importRows(caller, "key", batch)).skipped);
  }
  return skipped;
}

it("brings ranges back with their members, also folded ones", async () => {
  const [from, to] = [callerOf("range-from"), callerOf("range-to")];
  const before = stubs(from);
  for (let turn = 1; turn <= 22; turn += 1) await ask(from, long(`Flat ${turn} is let to Amina.`));
  const ranges = "SELECT page, parent, messages, tokens, hints FROM evictions ORDER BY page";
  const members = "SELECT evicted, COUNT(*) AS n FROM messages WHERE evicted > 0 GROUP BY evicted ORDER BY evicted";
  expect(await take(to, await rowsOf(from))).toEqual([]);
  expect(await rows(to, ranges)).toEqual(await rows(from, ranges));
  expect(await rows(to, members)).toEqual(await rows(from, members));
  const after = stubs(to);
  await ask(to, "Hello.");
  expect(before.at(-1)).toContain('"handle"');
  expect(after.at(-1)).toContain('"handle"');
});

it("brings messages back mapped when their summary could not come back", async () => {
  const [from, to] = [callerOf("range-from-lost"), callerOf("range-to-lost")];
  stubs(from);
  for (let turn = 1; turn <= 6; turn += 1) await ask(from, long(`Flat ${turn} is let to Amina.`));
  const exported = await rowsOf(from);
  const lost = exported.filter((row) => (row as { kind?: string }).kind !== "summary");
  const skipped = await take(to, lost);
  expect(skipped.map(({ reason }) => reason)).toEqual(skipped.map(() => "handle: no summary of a range"));
  expect(skipped.length).toBeGreaterThan(0);
  expect(await rows(to, "SELECT id FROM messages WHERE evicted <> 0")).toEqual([]);
  stubs(to);
  await ask(to, "Hello."); // and the next run evicts what is too much
  expect((await rows(to, "SELECT id FROM messages WHERE evicted > 0")).length).toBeGreaterThan(0);
});
