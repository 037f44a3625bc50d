/**
 * Infer: what is tried again, what is not, and what a run costs.
 */
import { describe, expect, it } from "vitest";
import type { InferEvent } from "#kernel/infer/drivers/driver.ts";
import { INFER_ATTEMPTS, OUTPUT_CHARACTERS } from "#shared/limits.ts";
import { calls, installSeam, play, says, text, useModel } from "#tests/kernel/kernel-seam.ts";
import { ask, callerOf, eventsOf, shown } from "#tests/kernel/process-client.ts";

installSeam();

const passing: InferEvent = {
  type: "error",
  error: { code: "model_unavailable", detail: "Busy.", retryAfter: 5 },
  retryable: true,
};
const final: InferEvent = { type: "error", error: { code: "quota_exceeded", detail: "Used up." }, retryable: false };

function counted(
  caller: ReturnType<typeof callerOf>,
  ...script: readonly (readonly InferEvent[])[]
): { readonly asked: () => number } {
  const model = says(...script);
  let asked = 0;
  useModel(caller, (request, signal) => {
    asked += 1;
    return model(request, signal);
  });
  return { asked: () => asked };
}

describe("a failing model", () => {
  it("is asked again when its failure can pass", async () => {
    const caller = callerOf("retry");
    const model = counted(caller, [passing], [passing], [text("At last.")]);
    expect(await ask(caller, "hello")).toMatchObject({ status: "done", output: "At last." });
    expect(model.asked()).toBe(3);
  });

  it("is given up after three tries, with its own reason", async () => {
    const caller = callerOf("retry-ends");
    const model = counted(caller, [passing]);
    expect(await ask(caller, "hello")).toMatchObject({
      status: "failed",
      error: { code: "model_unavailable", detail: "Busy." },
    });
    expect(model.asked()).toBe(3);
  });

  it("is not asked again when the failure is final", async () => {
    const caller = callerOf("final");
    const model = counted(caller, [final], [text("Never.")]);
    expect(await ask(caller, "hello")).toMatchObject({ status: "failed", error: { code: "quota_exceeded" } });
    expect(model.asked()).toBe(1);
  });

  it("is asked again after it broke off, and what it had said is taken back once", async () => {
    const caller = callerOf("spoke");
    const model = counted(caller, [text("A whole sentence. And half"), passing], [text("All of it. Said once.")]);
    const run = await ask(caller, "hello");
    expect(run).toMatchObject({ status: "done", output: "All of it. Said once." });
    expect(model.asked()).toBe(2);
    const types = (await eventsOf(caller, run.run)).map((event) => event.part.type);
    expect(types.filter((type) => type === "reset-step")).toHaveLength(1);
    expect(types.filter((type) => type === "start-step")).toHaveLength(1);
    expect(types.filter((type) => type === "finish-step")).toHaveLength(1);
  });

  it("that breaks off each time ends the run, and what a reader has stays", async () => {
    const caller = callerOf("spoke-ends");
    const model = counted(caller, [text("A whole sentence. And half"), passing]);
    const run = await ask(caller, "hello");
    expect(run).toMatchObject({ status: "failed", output: "A whole sentence. ", error: { detail: "Busy." } });
    expect(model.asked()).toBe(INFER_ATTEMPTS);
    expect(shown(await eventsOf(caller, run.run))).toBe(run.output);
  });

  it("that breaks its promise and throws ends the run as failed", async () => {
    const caller = callerOf("throws");
    // oxlint-disable-next-line require-yield
    useModel(caller, async function* () {
      await Promise.resolve();
      throw new Error("driver bug");
    });
    expect(await ask(caller, "hello")).toMatchObject({ status: "failed", error: { code: "internal" } });
    useModel(caller, () => play([text("Back.")]));
    expect((await ask(caller, "again")).status).toBe("done");
  });
});

describe("an answer", () => {
  it("may have OUTPUT_CHARACTERS and not one more", async () => {
    const caller = callerOf("output");
    counted(caller, [text("x".repeat(OUTPUT_CHARACTERS))], [text("x".repeat(OUTPUT_CHARACTERS)), text("y")]);
    expect((await ask(caller, "one")).output).toHaveLength(OUTPUT_CHARACTERS);
    expect(await ask(caller, "two")).toMatchObject({ status: "failed", error: { code: "internal" } });
  });

  it("is charged as the model reports it, summed over the run, or estimated", async () => {
    const caller = callerOf("usage");
    const usage = (inputTokens: number): InferEvent => ({
      type: "usage",
      usage: { inputTokens, cachedTokens: 2, outputTokens: 3 },
    });
    counted(
      caller,
      [calls(["memory_search", { query: "x" }]), usage(10)],
      [text("Fine."), usage(20)],
      [text("Estimate me, please.")],
    );
    expect((await ask(caller, "one")).usage).toMatchObject({ inputTokens: 30, cachedTokens: 4, outputTokens: 6 });
    expect((await ask(caller, "two")).usage).toMatchObject({ cachedTokens: 0, outputTokens: 5 });
  });
});

describe("a structured answer", () => {
  const reply = {
    type: "object",
    properties: { colour: { type: "string" } },
    required: ["colour"],
    additionalProperties: false,
  };

  it("is taken when it meets the schema, also fenced, and after system calls", async () => {
    const caller = callerOf("structured");
    counted(caller, [calls(["memory_search", { query: "x" }])], [text('```json\n{ "colour": "red" }\n```')]);
    expect(await ask(caller, "which?", { reply })).toMatchObject({ status: "done", output: '{"colour":"red"}' });
  });

  it("is asked for once more, then the run fails; an empty one is no answer either", async () => {
    for (const [name, wrong] of [
      ["prose", "Red."],
      ["other", '{"color":"red"}'],
      ["empty", ""],
    ] as const) {
      const repaired = callerOf(`structured-${name}`);
      counted(
        repaired,
        [text(wrong)].filter((event) => event.type === "text" && event.text !== ""),
        [text('{"colour":"red"}')],
      );
      expect(await ask(repaired, "which?", { reply })).toMatchObject({ status: "done", output: '{"colour":"red"}' });
      const failing = callerOf(`structured-fails-${name}`);
      counted(failing, wrong === "" ? [] : [text(wrong)]);
      expect(await ask(failing, "which?", { reply })).toMatchObject({
        status: "failed",
        output: "",
        error: { code: "model_unavailable" },
      });
    }
  });
});
