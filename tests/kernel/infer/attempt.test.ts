/**
 * Attempt: one call of a model always ends: at its deadline, with its run, or with its answer, whatever the model does.
 */
import { describe, expect, it } from "vitest";
import type { InferEvent } from "#kernel/infer/drivers/driver.ts";
import { attempt, type Attempt } from "#kernel/infer/attempt.ts";
import { gate, inKernel, installSeam, play, text, useModel, type Model } from "#tests/kernel/kernel-seam.ts";
import { callerOf } from "#tests/kernel/process-client.ts";
import { newUser } from "#tests/workers/edge-client.ts";

installSeam();

const DEADLINE_MS = 60;

async function attempted(name: string, model: Model, signal?: AbortSignal): Promise<{ made: Attempt; said: string }> {
  const user = await newUser(name);
  await user.call("GET", "/v1/memory");
  const caller = callerOf(name);
  useModel(caller, model);
  return inKernel(caller, async (kernel) => {
    let said = "";
    const say = (piece: string): void => void (said += piece);
    const request = { model: "any", messages: [], tools: [], reply: null, affinity: `${name}/init` };
    const made = await attempt(kernel, request, signal ?? new AbortController().signal, say, DEADLINE_MS);
    return { made, said };
  });
}

describe("a model that", () => {
  it("never stops talking is stopped at the deadline", async () => {
    let stopped = false;
    const { made, said } = await attempted("talks", async function* (_, signal) {
      signal.addEventListener("abort", () => (stopped = true));
      for (;;) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        yield text("on and on ");
      }
    });
    expect(made.failure).toMatchObject({ fault: "timeout", retryable: true, error: { code: "model_unavailable" } });
    expect(said.startsWith("on and on ")).toBe(true);
    expect(made.text).toBe(said);
    expect(stopped).toBe(true);
  });

  it("its provider does not know is named", async () => {
    const error = { code: "not_found", detail: "There is no such model." } as const;
    const { made } = await attempted("unknown", () =>
      play([{ type: "error", error, retryable: false, fault: "refused" }]),
    );
    expect(made.failure).toMatchObject({
      fault: "refused",
      error: { code: "not_found", detail: "Its provider has no model any." },
    });
  });

  it("hangs and does not heed its signal is left behind", async () => {
    const { made } = await attempted("hangs", async function* (): AsyncGenerator<InferEvent> {
      await gate().opened;
      yield text("never");
    });
    expect(made.failure).toMatchObject({ fault: "timeout", retryable: true });
  });

  it("nobody waits for any more is left at once", async () => {
    const abort = new AbortController();
    const { made } = await attempted(
      "aborted",
      async function* () {
        yield text("Half");
        abort.abort();
        await gate().opened;
      },
      abort.signal,
    );
    expect(made).toMatchObject({ text: "Half", failure: { fault: "aborted", retryable: false } });
  });

  it("says nothing, or only space, gave no answer", async () => {
    for (const [name, said] of [
      ["empty", []],
      ["blank", [text(" \n ")]],
    ] as const) {
      const { made } = await attempted(name, async function* () {
        for (const event of said) yield await Promise.resolve(event);
      });
      expect(made.failure).toMatchObject({ fault: "malformed", retryable: true });
    }
  });
});
