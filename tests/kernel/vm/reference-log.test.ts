/**
 * Reference log: what a run mapped and used is one row of numbers, bounded, and a forgotten page leaves it.
 */
import { describe, expect, it } from "vitest";
import type { RunId, ThreadId } from "#shared/ids.ts";
import { REFERENCE_RUNS, REFERENCES_PER_RUN } from "#shared/limits.ts";
import {
  forgetReferences,
  listReferences,
  noteReferences,
  readReferences,
  storeReferences,
  type ReferenceNotes,
} from "#kernel/vm/reference-log.ts";
import { pinPage } from "#kernel/vm/pinned/pinned.ts";
import { calls, inKernel, installSeam, play, rows, text, useModel } from "#tests/kernel/kernel-seam.ts";
import { ask, callerOf, objectOf, unwrap } from "#tests/kernel/process-client.ts";

installSeam();

function notes(run: string, thread = "main", step = 0): ReferenceNotes {
  return { id: run as RunId, thread: thread as ThreadId, step, references: [] };
}

describe("the reference log", () => {
  it("holds what a run mapped, read, cited and left in its body", async () => {
    const caller = callerOf("log-of-a-run");
    const page = unwrap(await objectOf(caller).writePage(caller, { text: "The spare key is under the blue pot." }));
    let turn = 0;
    useModel(caller, () => {
      turn += 1;
      return turn === 1
        ? play([calls(["memory_read", { handle: page.handle }])])
        : play([text(`The spare key is under the blue pot [${page.handle}].`)]);
    });
    const { run } = await ask(caller, "Where is the spare key?");
    const row = await inKernel(caller, (kernel) => readReferences(kernel, run));
    const hows = row?.references.map(({ how, step, id }) => [how, step, id > 0 ? `p${id.toString(36)}` : "message"]);
    expect(hows).toEqual([
      ["tail", 0, page.handle],
      ["read", 1, page.handle],
      ["cited", 2, page.handle],
      ["body", 2, "p2"],
      ["body", 2, "message"],
      ["body", 2, "message"],
      ["body", 2, "p3"], // the answer
    ]);
    expect(row?.references[0]).toMatchObject({ why: "search" });
    expect(row?.references[0]?.tokens).toBeGreaterThan(page.tokens); // its whole line
    expect(row?.references[1]).toMatchObject({ tokens: page.tokens });
    expect(JSON.stringify(await rows(caller, "SELECT * FROM page_references"))).not.toMatch(/spare|blue/);
  });

  it("tells what was pinned, named, and only pointed to", async () => {
    const caller = callerOf("log-of-pins");
    const pinned = unwrap(await objectOf(caller).writePage(caller, { text: "I live in Ghent.", kind: "fact" }));
    await inKernel(caller, (kernel) => pinPage(kernel, 1));
    useModel(caller, () => play([text("Noted.")]));
    await ask(caller, "The gate of the yard is painted yellow.");
    const { run } = await ask(caller, `What of ${pinned.handle} and the yellow gate of the yard?`);
    const row = await inKernel(caller, (kernel) => readReferences(kernel, run));
    const tail = row?.references.filter(({ how }) => how !== "body").map(({ how, id, why }) => [how, id, why]);
    expect(tail).toEqual([
      ["pinned", 1, null],
      ["tail", 1, "named, pointer"],
      ["tail", 2, "search, pointer"],
    ]);
  });

  it("forgets a page", async () => {
    const caller = callerOf("log-forgets");
    const page = unwrap(await objectOf(caller).writePage(caller, { text: "My locker code is four four two." }));
    useModel(caller, () => play([text("I don't know.")]));
    const { run } = await ask(caller, "What is my locker code?");
    const before = await inKernel(caller, (kernel) => readReferences(kernel, run));
    expect(before?.references.some(({ id }) => id === 1)).toBe(true);
    unwrap(await objectOf(caller).forgetPage(caller, page.handle));
    const after = await inKernel(caller, (kernel) => readReferences(kernel, run));
    expect(after?.references.some(({ id }) => id === 1)).toBe(false);
    expect(after?.references.length).toBeGreaterThan(0);
  });

  it("keeps the last runs only, and no more of one run than its limit", async () => {
    const caller = callerOf("log-is-bounded");
    await inKernel(caller, (kernel) => {
      for (let number = 0; number < 5; number += 1) {
        const run = notes(`run_init_${number}`);
        noteReferences(kernel, run, "tail", [{ id: 7, tokens: 3 }]);
        storeReferences(kernel, run);
      }
      kernel.sql.exec("UPDATE page_references SET seq = seq + ? WHERE run = 'run_init_4'", REFERENCE_RUNS - 3);
      const last = notes("run_init_last");
      for (let id = 1; id <= REFERENCES_PER_RUN + 1; id += 1) noteReferences(kernel, last, "tail", [{ id, tokens: 1 }]);
      storeReferences(kernel, last);
      expect(listReferences(kernel, 10, 0).map(({ run }) => run)).toEqual([
        "run_init_3",
        "run_init_4",
        "run_init_last",
      ]);
      expect(readReferences(kernel, "run_init_last" as RunId)?.references.length).toBe(REFERENCES_PER_RUN);
    });
  });

  it("adds to the row of a run that closes twice, and notes a frame once per kind and step", async () => {
    const caller = callerOf("log-twice");
    await inKernel(caller, (kernel) => {
      const first = notes("run_init_1", "main", 1);
      noteReferences(kernel, first, "tail", [{ id: 3, tokens: 5 }], "named");
      noteReferences(kernel, first, "tail", [{ id: 3, tokens: 5 }], "search");
      storeReferences(kernel, first);
      const second = notes("run_init_1", "main", 2);
      noteReferences(kernel, second, "cited", [{ id: 3, tokens: 5 }]);
      storeReferences(kernel, second);
      expect(readReferences(kernel, "run_init_1" as RunId)?.references).toEqual([
        { step: 1, how: "tail", id: 3, tokens: 5, why: "named" },
        { step: 2, how: "cited", id: 3, tokens: 5, why: null },
      ]);
      forgetReferences(kernel, 3);
      expect(readReferences(kernel, "run_init_1" as RunId)?.references).toEqual([]);
    });
  });
});
