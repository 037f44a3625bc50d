/**
 * Idempotency: one key, one run, whoever asks how often, and whatever dies in between.
 */
import { abortAllDurableObjects, evictDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { Caller, ExecuteRequest, RunStarted } from "#shared/abi.ts";
import { IDEMPOTENCY_MS } from "#shared/limits.ts";
import type { Result } from "#shared/result.ts";
import { calls, gate, inKernel, installSeam, rows, says, text, useModel } from "#tests/kernel/kernel-seam.ts";
import { callerOf, objectOf, request, settled, unwrap } from "#tests/kernel/process-client.ts";

installSeam();

async function execute(asked: ExecuteRequest, caller: Caller): Promise<Result<RunStarted>> {
  return (await objectOf(caller).execute(asked)) as Result<RunStarted>;
}

describe("an idempotency key", () => {
  it("sent many times at once starts one run and one effect", async () => {
    const caller = callerOf("once");
    useModel(caller, says([calls(["memory_write", { text: "The gate code is 4711." }])], [text("Noted.")]));
    const asked = request(caller, "Remember the gate code.", { idempotencyKey: "k" });
    const started = (await Promise.all(Array.from({ length: 8 }, () => execute(asked, caller)))).map(unwrap);
    expect(new Set(started.map((one) => one.run)).size).toBe(1);
    expect(started.filter((one) => !one.replayed)).toHaveLength(1);
    await settled(caller, started[0]?.run ?? ("" as never));
    expect(await rows(caller, "SELECT 1 FROM runs")).toHaveLength(1);
    expect(await rows(caller, "SELECT 1 FROM pages WHERE kind = 'fact'")).toHaveLength(1);
  });

  it("attaches to the run while it is under way, and tells its state", async () => {
    const caller = callerOf("attach");
    const door = gate();
    useModel(caller, async function* () {
      await door.opened;
      yield text("Here.");
    });
    const asked = request(caller, "wait", { idempotencyKey: "k" });
    const first = unwrap(await execute(asked, caller));
    const second = unwrap(await execute(asked, caller));
    expect(second).toEqual({ ...first, state: "running", replayed: true });
    door.open();
    expect((await settled(caller, second.run)).output).toBe("Here.");
    expect(unwrap(await execute(asked, caller))).toEqual({ ...first, state: "done", replayed: true });
  });

  it("with another body is a conflict and starts nothing", async () => {
    const caller = callerOf("other-body");
    useModel(caller, says([text("One.")]));
    const asked = request(caller, "one", { idempotencyKey: "k", bodyHash: "a".repeat(64) });
    unwrap(await execute(asked, caller));
    const other = await execute({ ...request(caller, "two"), idempotencyKey: "k", bodyHash: "b".repeat(64) }, caller);
    expect(other).toMatchObject({ ok: false, error: { code: "conflict" } });
    expect(await rows(caller, "SELECT 1 FROM runs")).toHaveLength(1);
  });

  it("names the same run after the object was evicted, and after it was killed", async () => {
    const caller = callerOf("survives");
    useModel(caller, says([text("Yes.")]));
    const asked = request(caller, "hello", { idempotencyKey: "k" });
    const first = unwrap(await execute(asked, caller));
    await settled(caller, first.run);
    await evictDurableObject(objectOf(caller));
    expect(unwrap(await execute(asked, caller)).run).toBe(first.run);
    await abortAllDurableObjects();
    expect(unwrap(await execute(asked, caller)).run).toBe(first.run);
    expect(await execute({ ...asked, bodyHash: "f".repeat(64) }, caller)).toMatchObject({
      ok: false,
      error: { code: "conflict" },
    });
  });

  it("is one user's own: the same key of another is another run", async () => {
    const [ann, bob] = [callerOf("key-ann"), callerOf("key-bob")];
    const one = unwrap(await execute(request(ann, "hello", { idempotencyKey: "shared" }), ann));
    const other = unwrap(
      await execute(request(bob, "hello", { idempotencyKey: "shared", bodyHash: "b".repeat(64) }), bob),
    );
    expect(other.replayed).toBe(false);
    expect(other.run).not.toBe(one.run);
  });

  it("lasts to the last millisecond of its day and not longer", async () => {
    const caller = callerOf("expires");
    useModel(caller, says([text("Yes.")]));
    const asked = request(caller, "hello", { idempotencyKey: "k" });
    const first = unwrap(await execute(asked, caller));
    await settled(caller, first.run);
    const age = (ms: number): Promise<void> =>
      inKernel(
        caller,
        (kernel) => void kernel.sql.exec("UPDATE runs SET created_at = ? WHERE id = ?", Date.now() - ms, first.run),
      );
    await age(IDEMPOTENCY_MS - 5_000);
    expect(unwrap(await execute(asked, caller))).toMatchObject({ run: first.run, replayed: true });
    await age(IDEMPOTENCY_MS);
    const next = unwrap(await execute(asked, caller));
    expect(next.replayed).toBe(false);
    expect(next.run).not.toBe(first.run);
    expect(unwrap(await execute(asked, caller)).run).toBe(next.run);
    expect((await settled(caller, first.run)).status).toBe("done");
  });

  it("is not used up by a refusal", async () => {
    const caller = callerOf("refused");
    useModel(caller, says([text("Yes.")]));
    const broken = request(caller, "hello", { idempotencyKey: "k", reply: { type: "nonsense" } });
    expect(await execute(broken, caller)).toMatchObject({ ok: false, error: { code: "invalid_request" } });
    expect(unwrap(await execute(request(caller, "hello", { idempotencyKey: "k" }), caller)).replayed).toBe(false);
  });
});
