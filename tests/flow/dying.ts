/**
 * Dying: runs of an object that the test stops at chosen statements, and what must hold of the transcript they leave.
 */
import { evictDurableObject } from "cloudflare:test";
import { expect } from "vitest";
import type { Caller, ExecuteRequest, RunStarted, RunView } from "#shared/abi.ts";
import type { Result } from "#shared/result.ts";
import { rows, useCrash } from "#tests/kernel/kernel-seam.ts";
import { objectOf, request, settled, unwrap } from "#tests/kernel/process-client.ts";

/** Calls until the object, which may be dying, answers. */
export async function insist<Value>(call: () => Promise<Value>): Promise<Value> {
  for (let turn = 0; ; turn += 1) {
    try {
      return await call();
    } catch (error) {
      if (turn === 40) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
}

async function finish(caller: Caller, asked: ExecuteRequest): Promise<RunView> {
  const started = unwrap(await insist(async () => (await objectOf(caller).execute(asked)) as Result<RunStarted>));
  return insist(() => settled(caller, started.run));
}

/** Every call has its result right behind it, no result is alone, and there is one user message per run. */
export async function expectValidTranscript(caller: Caller): Promise<void> {
  const messages = await rows<{ run: string; role: string; tool_calls: string | null; tool_call_id: string | null }>(
    caller,
    "SELECT run, role, tool_calls, tool_call_id FROM messages ORDER BY id",
  );
  const users = messages.filter((message) => message.role === "user").map((message) => message.run);
  expect(new Set(users).size).toBe(users.length);
  let open: string[] = [];
  for (const message of messages) {
    if (message.role === "tool") {
      expect(open).toContain(message.tool_call_id);
      open = open.filter((id) => id !== message.tool_call_id);
    } else {
      expect(open).toEqual([]);
      open =
        message.tool_calls === null ? [] : (JSON.parse(message.tool_calls) as { id: string }[]).map((call) => call.id);
    }
  }
  expect(open).toEqual([]);
}

/** Runs an instruction to its end and counts the statements that the object made for it. */
export async function counted(
  caller: Caller,
  asked: string,
): Promise<{ readonly run: RunView; readonly statements: number }> {
  let statements = 0;
  await objectOf(caller).inspect(caller);
  useCrash(() => {
    statements += 1;
    return false;
  });
  await evictDurableObject(objectOf(caller));
  const run = await finish(caller, request(caller, asked));
  useCrash(null);
  return { run, statements };
}

/** Runs an instruction while the object dies at the given statements, each counted from the death before. */
export async function dying(
  caller: Caller,
  at: readonly number[],
  asked: string,
): Promise<{ readonly run: RunView; readonly died: number }> {
  const left = [...at];
  let count = 0;
  await insist(async () => (await objectOf(caller).inspect(caller)).ok);
  useCrash(() => {
    count += 1;
    if (left[0] === undefined || count < left[0]) return false;
    left.shift();
    count = 0;
    return true;
  });
  await evictDurableObject(objectOf(caller));
  const run = await finish(caller, request(caller, asked));
  const died = at.length - left.length;
  left.length = 0;
  useCrash(null);
  await insist(async () => (await objectOf(caller).inspect(caller)).ok);
  return { run, died };
}
