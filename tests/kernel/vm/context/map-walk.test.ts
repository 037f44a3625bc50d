/** A question for a walk along time: many short lines in the order of time, within the tail's budget. All sentences are invented. */
import { describe, expect, it } from "vitest";
import { composePageHandle } from "#shared/ids.ts";
import { PAGES_MAPPED, WALK_TOKENS } from "#shared/limits.ts";
import { estimateTokens } from "#shared/tokens.ts";
import type { InferRequest } from "#kernel/infer/drivers/driver.ts";
import { insertPage } from "#kernel/vm/page-table.ts";
import { inKernel, installSeam, play, text, useModel } from "#tests/kernel/kernel-seam.ts";
import { ask, callerOf } from "#tests/kernel/process-client.ts";

installSeam();

interface Line {
  readonly handle: string;
  readonly at?: string;
  readonly text: string;
}

function linesOf(request: InferRequest | null): { lines: Line[]; tail: string } {
  const tail = request?.messages.findLast((message) => message.role === "system")?.content ?? "";
  return { tail, lines: tail.split("\n").flatMap((line) => (line.startsWith("{") ? [JSON.parse(line) as Line] : [])) };
}

const FILLER = "It was a long day and there was a lot to carry up the stairs before dark. ".repeat(12);

/** Told from the newest to the oldest, so that the order of arrival is not the order of time. */
async function renovate(user: string, count: number): Promise<void> {
  await inKernel(callerOf(user), (kernel) => {
    for (let page = 0; page < count; page += 1) {
      insertPage(kernel, {
        kind: "turn",
        role: "user",
        speaker: null,
        source: null,
        at: Date.UTC(2024, 6, 1) - page * 86_400_000,
        at_text: null,
        zoned: 1,
        thread: null,
        run: null,
        evidence: 1,
        tags: [],
        text: `Step ${page} of the renovation of the attic is done. ${FILLER}`,
      });
    }
  });
}

describe("a walk along time", () => {
  it("lists more pages than a search maps, in the order of time, within the budget", async () => {
    const caller = callerOf("walk-list");
    await renovate("walk-list", 80);
    let asked: InferRequest | null = null;
    useModel(caller, (request) => {
      asked = request;
      return play([text("It went step by step.")]);
    });
    await ask(caller, "Summarize how my renovation of the attic went.");
    const { lines, tail } = linesOf(asked);
    expect(lines.length).toBeGreaterThan(PAGES_MAPPED);
    const days = lines.map(({ at }) => at ?? "");
    expect(days).toEqual(days.toSorted());
    expect(new Set(days).size).toBeGreaterThan(PAGES_MAPPED);
    for (const line of lines) expect(line.text).toContain("renovation of the attic");
    expect(estimateTokens(tail)).toBeLessThan(WALK_TOKENS + 120);
  });

  it("lets an answer cite a page of the list", async () => {
    const caller = callerOf("walk-cite");
    await renovate("walk-cite", 30);
    const handle = composePageHandle(7);
    useModel(caller, () => play([text(`Step 6 of the renovation was done. [${handle}]`)]));
    const run = await ask(caller, "In what order did I mention the steps of the renovation?");
    expect(run.citations.map((citation) => citation.handle)).toEqual([handle]);
  });

  it("leaves a question for one thing to the search", async () => {
    const caller = callerOf("walk-not");
    await renovate("walk-not", 40);
    let asked: InferRequest | null = null;
    useModel(caller, (request) => {
      asked = request;
      return play([text("I don't know.")]);
    });
    await ask(caller, "Is step 12 of the renovation done?");
    const { lines, tail } = linesOf(asked);
    expect(lines.length).toBeLessThanOrEqual(PAGES_MAPPED);
    expect(tail).not.toContain("Short lines are in the order of time");
  });
});
