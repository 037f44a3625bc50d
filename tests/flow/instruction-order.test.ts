/**
 * The order of an instruction's stages is what `cycle.ts` and the docs say.
 */
import { describe, expect, it } from "vitest";
import type { TraceEvent } from "#shared/abi.ts";
import type { Result } from "#shared/result.ts";
import { ask, callerOf, eventsOf, objectOf, unwrap } from "#tests/kernel/process-client.ts";
import pathOfAnInstruction from "#docs/path-of-an-instruction.md?raw";

const caller = callerOf("order");

async function stagesOf(text: string): Promise<string[]> {
  const run = await ask(caller, text);
  const trace = unwrap((await objectOf(caller).traceOf(caller, run.run)) as Result<readonly TraceEvent[]>);
  return trace.map((event) => event.event);
}

describe("the order of one instruction", () => {
  it("goes through every stage once when one inference answers", async () => {
    expect(await stagesOf("hello")).toEqual([
      "admit-start",
      "admit-end",
      "refine-start",
      "refine-end",
      "page-in-start",
      "page-in-end",
      "schedule-start",
      "schedule-end",
      "infer-start",
      "infer-end",
      "verify-start",
      "verify-end",
      "page-out-start",
      "page-out-end",
      "retire-start",
      "retire-end",
    ]);
  });

  it("loops over schedule, infer, syscall and verify when the model acts", async () => {
    const stages = await stagesOf("Remember that my bicycle is green.");
    const starts = stages.filter((stage) => stage.endsWith("-start")).map((stage) => stage.replace("-start", ""));
    expect(starts).toEqual([
      ...["admit", "refine", "page-in"],
      ...["schedule", "infer", "syscall", "verify"],
      ...["schedule", "infer", "verify"],
      ...["page-out", "retire"],
    ]);
  });

  it("shows start first, then data-run, and ends with finish", async () => {
    const run = await ask(caller, "What colour is my bicycle?");
    const events = await eventsOf(caller, run.run);
    const types = events.map((event) => event.part.type);
    expect(types.slice(0, 2)).toEqual(["start", "data-run"]);
    expect(types.at(-1)).toBe("finish");
    expect(events.map((event) => event.id)).toEqual(events.map((_, index) => index));
    expect(run.output).toContain("green");
    expect(run.citations).toHaveLength(1);
  });

  it("is the order the docs tell", () => {
    expect(pathOfAnInstruction).toContain(
      "admit → refine → page-in → loop( schedule → infer → syscall → verify ) → page-out → retire",
    );
  });
});
