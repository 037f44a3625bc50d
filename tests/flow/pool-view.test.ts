/**
 * The view of the pools: who waits and who holds, shown to whom it concerns, and runs of a lower priority in their own band.
 */
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import type { PoolItem } from "#shared/schema/pool.ts";
import { gate, installSeam, text, useModel } from "#tests/kernel/kernel-seam.ts";
import { callerOf } from "#tests/kernel/process-client.ts";
import { newUser, type User } from "#tests/workers/edge-client.ts";

installSeam();

async function poolsOf(user: User): Promise<readonly PoolItem[]> {
  const { status, body } = await user.call("GET", "/v1/pool");
  expect(status).toBe(200);
  return body["items"] as PoolItem[];
}

async function pool(user: User): Promise<PoolItem> {
  const found = (await poolsOf(user)).find((item) => item.pool === env.DEFAULT_MODEL);
  if (found === undefined) throw new Error("the default model's pool is not listed");
  return found;
}

describe("GET /v1/pool", () => {
  it("shows a user their own calls, an admin everybody's, and nobody what is asked", async () => {
    const [user, other, admin] = [
      await newUser("pool-user"),
      await newUser("pool-other"),
      await newUser("pool-admin", ["run", "admin"]),
    ];
    const door = gate();
    useModel(callerOf("pool-user"), async function* () {
      await door.opened;
      yield text("Fine.");
    });
    const asked = user.call("POST", "/v1/instructions", {
      input: "Tell me of Nadia.",
      priority: "normal",
      stream: false,
    });
    await vi.waitUntil(async () => (await env.POOL.getByName(env.DEFAULT_MODEL).view()).bands.normal.leased === 1);
    await vi.waitUntil(async () => (await poolsOf(user)).length > 0);
    const own = await pool(user);
    expect(own).toMatchObject({ policy: "ervd", leased: 1, waiting: 0, today: null, pausedUntil: null });
    expect(own.holders).toMatchObject([{ user: "pool-user", priority: "normal", state: "leased" }]);
    expect((await pool(other)).holders).toEqual([]);
    const all = await pool(admin);
    expect(all.holders).toEqual(own.holders);
    expect(all.today).toMatchObject({ refused: 0 });
    expect(JSON.stringify(all)).not.toContain("Nadia");
    door.open();
    expect((await asked).body["status"]).toBe("done");
    await vi.waitUntil(async () => ((await pool(admin)).today?.calls ?? 0) > 0, { timeout: 5_000 });
  });

  it("refuses a priority that is none", async () => {
    const user = await newUser("pool-priority");
    const reply = await user.call("POST", "/v1/instructions", { input: "Hello.", priority: "urgent", stream: false });
    expect(reply.status).toBe(400);
  });
});
