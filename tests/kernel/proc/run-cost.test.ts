/**
 * Run cost: what one plain instruction reads and writes of the object's tables, however long the process has lived.
 */
import { expect, it } from "vitest";
import type { Caller } from "#shared/abi.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { inKernel, installSeam, says, text, useModel } from "#tests/kernel/kernel-seam.ts";
import { ask, callerOf } from "#tests/kernel/process-client.ts";

installSeam();

interface Cost {
  statements: number;
  read: number;
  written: number;
}

/** What the statements of some instructions cost, per instruction. */
async function costOf(caller: Caller, instructions: readonly string[]): Promise<Cost> {
  const cursors: SqlStorageCursor<Record<string, SqlStorageValue>>[] = [];
  const real = await inKernel(caller, (kernel: Kernel) => {
    const { exec } = kernel.sql;
    Object.defineProperty(kernel.sql, "exec", {
      configurable: true,
      value: (query: string, ...bindings: SqlStorageValue[]) => {
        const cursor = exec.call(kernel.sql, query, ...bindings);
        cursors.push(cursor);
        return cursor;
      },
    });
    return exec;
  });
  for (const words of instructions) await ask(caller, words);
  return inKernel(caller, (kernel) => {
    Object.defineProperty(kernel.sql, "exec", { configurable: true, value: real });
    const sum = { statements: cursors.length, read: 0, written: 0 };
    for (const cursor of cursors) {
      sum.read += cursor.rowsRead;
      sum.written += cursor.rowsWritten;
    }
    const each = (of: number): number => Math.round(of / instructions.length);
    return { statements: each(sum.statements), read: each(sum.read), written: each(sum.written) };
  });
}

/** Runs and messages of long ago, as a long life leaves them; the messages of `main` have left its body. */
function grow(kernel: Kernel, many: number): void {
  const run = "'run_init_00000000000000000000' || printf('%06d', value)";
  const numbers =
    "(WITH RECURSIVE count (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM count LIMIT ?) SELECT value FROM count)";
  kernel.sql.exec(
    `INSERT INTO runs (id, thread, state, instruction, model, body_hash, created_at, finished_at)
     SELECT ${run}, 'main', 'done', '{}', 'test', '', 1, 2 FROM ${numbers}`,
    many,
  );
  kernel.sql.exec(
    `INSERT INTO messages (id, thread, run, role, content, tokens, created_at, evicted)
     SELECT -value, 'main', ${run}, 'user', 'Long ago.', 3, 1, -1 FROM ${numbers}`,
    many,
  );
}

const said = (from: number): string[] =>
  Array.from({ length: 4 }, (_, index) => `The garden of Cy has ${from + index} roses and a shed.`);

it("costs the same however many runs and messages there were before", async () => {
  const caller = callerOf("run-cost");
  useModel(caller, says([text("I don't know.")]));
  await ask(caller, "We went to the market and bought pears for Bo.");
  const young = await costOf(caller, said(10));
  await inKernel(caller, (kernel) => grow(kernel, 3_000));
  const old = await costOf(caller, said(20));
  expect(old.statements).toBeLessThanOrEqual(young.statements + 2);
  expect(old.written).toBeLessThanOrEqual(young.written + 2);
  expect(old.read).toBeLessThan(young.read * 2);
  // What an instruction may cost; raise it knowingly.
  expect(young.statements).toBeLessThanOrEqual(75);
  expect(young.written).toBeLessThanOrEqual(70);
});
