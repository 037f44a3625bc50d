/**
 * Slots as processes hold them, call by call: how many calls of a pool an inference costs, cancels, and shards.
 */
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { failure } from "#shared/errors.ts";
import { LINGER_MS } from "#shared/limits.ts";
import { failed } from "#shared/result.ts";
import type { Kernel } from "#kernel/kernel.ts";
import * as budget from "#kernel/proc/budget.ts";
import type { CallEnd, SlotAsk } from "#kernel/sched/pool-api.ts";
import { poolsOf } from "#kernel/sched/shards.ts";
import { takeSlot, type SlotRequest } from "#kernel/sched/slot.ts";
import { Speech } from "#kernel/verify/speech.ts";
import { calls, gate, inKernel, installSeam, says, text, useEnv, useModel } from "#tests/kernel/kernel-seam.ts";
import { ask, callerOf, objectOf, start, unwrap } from "#tests/kernel/process-client.ts";

installSeam();
afterEach(() => useEnv(null));

const ANSWERED: CallEnd = { outcome: "answered", tokens: 1, retryAfterMs: null, programOver: true };

/** The environment with its pools' calls noted, and with other limits. */
function watched(noted: string[], limits?: unknown): (real: Cloudflare.Env) => Cloudflare.Env {
  return (real) => {
    const pools: Pick<typeof real.POOL, "getByName"> = {
      getByName: (name) =>
        new Proxy(real.POOL.getByName(name), {
          get(stub, method) {
            const value: unknown = Reflect.get(stub, method);
            if (typeof value !== "function") return value;
            return (...args: unknown[]): unknown => {
              noted.push(String(method));
              return Reflect.apply(value, stub, args);
            };
          },
        }),
    };
    return {
      ...real,
      POOL: Object.assign(Object.create(real.POOL), pools),
      ...(limits === undefined ? {} : { POOL_LIMITS: JSON.stringify(limits) }),
    };
  };
}

function requestOf(model: string, more: Partial<SlotRequest> = {}): SlotRequest {
  const { signal } = new AbortController();
  return { model, holder: "h", band: "interactive", program: "p", tokens: 0, signal, ...more };
}

describe("calls of the pool per inference", () => {
  it("are one on the way of the first, none for the next, and one behind all of them", async () => {
    const noted: string[] = [];
    useEnv(watched(noted));
    const caller = callerOf("counted");
    useModel(
      caller,
      says(
        [calls(["memory_search", { query: "keys" }])],
        [calls(["memory_search", { query: "pot" }])],
        [text("Done.")],
      ),
    );
    expect((await ask(caller, "Look twice.", { model: "test/counted" })).status).toBe("done");
    expect(noted).toEqual(["acquire"]);
    await vi.waitUntil(() => noted.length > 1, { timeout: LINGER_MS * 6 });
    expect(noted).toEqual(["acquire", "release"]);
    await vi.waitUntil(async () => (await env.POOL.getByName("test/counted").view()).leased === 0);
    expect((await env.POOL.getByName("test/counted").view()).today).toMatchObject({ calls: 3, refused: 0 });
  });
});

describe("a run that is cancelled", () => {
  it("frees its slot at once, whatever its provider still does", async () => {
    const caller = callerOf("cancelled-slot");
    const never = gate();
    useModel(caller, async function* () {
      await never.opened; // heeds no signal
      yield text("");
    });
    const run = await start(caller, "Hang.", { model: "test/cancelled" });
    const pool = env.POOL.getByName("test/cancelled");
    await vi.waitUntil(async () => (await pool.view()).leased === 1);
    await objectOf(caller).cancel(caller, run.run);
    await vi.waitUntil(async () => (await pool.view()).leased === 0, { timeout: 2_000 });
    never.open();
  });

  it("leaves the line, and the next one is served", async () => {
    const caller = callerOf("cancelled-wait");
    await ask(caller, "Hello.");
    const view = () => env.POOL.getByName("test/line").view();
    await env.POOL.getByName("test/line").resize(1);
    await inKernel(caller, async (kernel: Kernel) => {
      const first = unwrap(await takeSlot(kernel, requestOf("test/line")));
      const abort = new AbortController();
      const second = takeSlot(kernel, requestOf("test/line", { signal: abort.signal }));
      const third = takeSlot(kernel, requestOf("test/line"));
      await vi.waitUntil(async () => (await view()).waiting === 2);
      abort.abort(new Error("cancelled"));
      await expect(second).rejects.toThrow("cancelled");
      await vi.waitUntil(async () => (await view()).waiting === 1);
      first.end(ANSWERED);
      unwrap(await third).end(ANSWERED);
    });
    await vi.waitUntil(async () => (await view()).leased === 0);
  });
});

it("a run that breaks between its slot and its call gives the slot back", async () => {
  const caller = callerOf("broken-between");
  await ask(caller, "Hello.");
  const broken = vi.spyOn(Speech.prototype, "begin").mockImplementation(() => {
    throw new Error("no room for events");
  });
  const run = await ask(caller, "Hello.", { model: "test/between" });
  broken.mockRestore();
  expect(run).toMatchObject({ status: "failed", error: { code: "internal" } });
  await vi.waitUntil(async () => (await env.POOL.getByName("test/between").view()).leased === 0, { timeout: 5_000 });
});

describe("a pool whose answers are lost", () => {
  it("is told that the call is off, so that the slot it may have given is free", async () => {
    const model = "test/lost";
    useEnv((real) => {
      const getByName: typeof real.POOL.getByName = (name) => {
        const stub = real.POOL.getByName(name);
        return new Proxy(stub, {
          get: (_, method) => {
            if (method === "withdraw") return (ticket: string) => stub.withdraw(ticket);
            return async (asked: SlotAsk) => {
              await stub.acquire(asked);
              throw new Error("the connection was lost");
            };
          },
        });
      };
      return { ...real, POOL: Object.assign(Object.create(real.POOL), { getByName }) };
    });
    const caller = callerOf("lost-answer");
    await ask(caller, "/recall keys");
    await inKernel(caller, async (kernel: Kernel) => {
      expect(await takeSlot(kernel, requestOf(model))).toMatchObject({ ok: false, error: { code: "overloaded" } });
    });
    await vi.waitUntil(async () => (await env.POOL.getByName(model).view()).leased === 0, { timeout: 2_000 });
  });
});

it("a call that its budget does not allow was none: the pool counts no call, and gives back its part of the rate", async () => {
  const caller = callerOf("unpaid");
  await ask(caller, "Hello.");
  const refusal = failed(failure("quota_exceeded", "Used up."));
  const refusing = vi.spyOn(budget, "reserveBudget").mockResolvedValue(refusal);
  const run = await ask(caller, "Hello.", { model: "test/unpaid" });
  refusing.mockRestore();
  expect(run).toMatchObject({ status: "failed", error: { code: "quota_exceeded" } });
  const view = () => env.POOL.getByName("test/unpaid").view();
  await vi.waitUntil(async () => (await view()).leased === 0, { timeout: 5_000 });
  expect((await view()).today.calls).toBe(0);
});

describe("a pool of several shards", () => {
  const model = "test/shards";
  const limits = { [model]: { slots: 4, shards: 4 } };

  it("begins a program at home, at the second shard when home is full, and waits at the less busy one", async () => {
    const noted: string[] = [];
    useEnv(watched(noted, limits));
    const caller = callerOf("sharded");
    await ask(caller, "Hello.");
    noted.length = 0;
    const { home, second } = poolsOf({ POOL_LIMITS: JSON.stringify(limits) }, model, "sharded");
    for (const name of [home, second ?? ""]) await env.POOL.getByName(name).resize(1);
    await inKernel(caller, async (kernel: Kernel) => {
      const program = () => requestOf(model, { homes: new Map() });
      const requests = [program(), program(), program()];
      const first = unwrap(await takeSlot(kernel, requests[0] ?? program()));
      const other = unwrap(await takeSlot(kernel, requests[1] ?? program()));
      expect(requests.slice(0, 2).map(({ homes }) => homes?.get(model))).toEqual([home, second]);
      expect(noted.filter((method) => method === "offer" || method === "acquire")).toEqual(["offer", "offer", "offer"]);
      const waits = takeSlot(kernel, requests[2] ?? program());
      await vi.waitUntil(async () => (await env.POOL.getByName(home).view()).waiting === 1);
      first.end(ANSWERED);
      unwrap(await waits).end(ANSWERED);
      other.end(ANSWERED);
      expect(requests[2]?.homes?.get(model)).toBe(home);
    });
    for (const name of [home, second ?? ""]) {
      await vi.waitUntil(async () => (await env.POOL.getByName(name).view()).leased === 0);
    }
  });
});
