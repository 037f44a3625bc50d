/** `npm start`: what it refuses, what it leaves behind when it stops (nothing), and two servers side by side. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { portFree, someFreePort } from "#scripts/ports.mjs";
import { liveProcesses } from "#scripts/processes.mjs";
import { ROOT } from "#scripts/repository.mjs";
import { call } from "#tests/process/client.ts";
import {
  killServer,
  makeHome,
  processesOf,
  startRefused,
  startServer,
  stopAll,
  stopServer,
} from "#tests/process/server.ts";

const PROMISED_MS = 5_000;

afterEach(stopAll);

describe("npm start", () => {
  it("refuses a taken port at once, with one line", async () => {
    const port = await someFreePort();
    const other = createServer().listen(port, "127.0.0.1");
    const refused = await startRefused(makeHome(), port);
    other.close();
    expect(refused.code).toBe(1);
    expect(refused.errors.trim().split("\n")).toEqual([expect.stringContaining(`Port ${port} is taken`)]);
    expect(refused.ms).toBeLessThan(3_000);
  });

  it("refuses a second start on the same state folder, and the first goes on", async () => {
    const server = await startServer();
    const refused = await startRefused(server.home, await someFreePort());
    expect(refused.code).toBe(1);
    expect(refused.errors.trim().split("\n")).toEqual([expect.stringContaining("already runs on")]);
    expect((await call(server, "GET", "/health")).status).toBe(200);
  });

  it.each(["SIGINT", "SIGTERM"] as const)(
    "ends every process within five seconds on %s and frees the port",
    async (signal) => {
      const server = await startServer();
      expect(processesOf(server.home)).not.toEqual([]);
      const { code, ms } = await stopServer(server, signal);
      expect(code).toBe(0);
      expect(ms).toBeLessThan(PROMISED_MS);
      expect(processesOf(server.home)).toEqual([]);
      expect(await portFree(server.port)).toBe(true);
      expect(readdirSync(server.home)).not.toContain("lock.json");
    },
  );

  it.each(["SIGTERM", "SIGKILL"] as const)("ends when npm gets %s", async (signal) => {
    const server = await startServer(makeHome(), undefined, true);
    await stopServer(server, signal);
    const deadline = Date.now() + PROMISED_MS;
    while (processesOf(server.home).length > 0 && Date.now() < deadline) await sleep(50);
    expect(processesOf(server.home)).toEqual([]);
    expect(await portFree(server.port)).toBe(true);
  });

  it("clears the orphans of a killed start, which keep the port", async () => {
    const server = await startServer();
    server.process.kill("SIGKILL");
    expect((await call(server, "GET", "/health")).status).toBe(200);
    const again = await startServer(server.home, server.port);
    expect(again.group).not.toBe(server.group);
    expect(liveProcesses().filter((entry) => entry.group === server.group)).toEqual([]);
    await stopServer(again);
    await stopServer(server);
  });

  it("is not held up by a lock whose holder is gone, nor by an id that is used again", async () => {
    const home = makeHome();
    writeFileSync(
      join(home, "lock.json"),
      JSON.stringify({ pid: process.pid, started: "1", port: 1, group: process.pid }),
    );
    const server = await startServer(home);
    expect((await call(server, "GET", "/health")).status).toBe(200);
  });

  it("keeps secrets off command lines and out of others' reach", async () => {
    const server = await startServer();
    const token = server.link.split("#login=")[1] ?? "";
    expect(token.length).toBeGreaterThanOrEqual(32);
    const commands = liveProcesses().map((entry) => entry.command);
    expect(commands.filter((command) => command.includes(server.key) || command.includes(token))).toEqual([]);
    expect(statSync(server.home).mode & 0o777).toBe(0o700);
    expect(statSync(join(server.home, "key")).mode & 0o777).toBe(0o600);
    expect(server.key).toMatch(/^lam_[0-9A-Za-z]{32,}$/);
  });
});

describe("two servers side by side", () => {
  it("share nothing", async () => {
    const [one, other] = [await startServer(), await startServer()];
    expect(one.key).not.toBe(other.key);
    expect(
      (await call(one, "POST", "/v1/memory", { text: "Only the first server knows the word ocelot." })).status,
    ).toBeLessThan(300);
    expect((await call({ ...other, key: one.key }, "GET", "/v1/memory")).status).toBe(401);
    expect((await call(other, "GET", "/v1/memory")).body["items"]).toEqual([]);
    await killServer(one);
    expect((await call(other, "GET", "/health")).status).toBe(200);
  });
});

describe("npm run key", () => {
  it("makes a new key that the next start takes, and the old one stops working", async () => {
    const home = makeHome();
    mkdirSync(home, { recursive: true });
    const server = await startServer(home);
    expect((await call(server, "GET", "/v1/memory")).status).toBe(200);
    execFileSync(process.execPath, ["scripts/key.mjs"], { cwd: ROOT, env: { ...process.env, LAMINA_HOME: home } });
    await stopServer(server);
    const again = await startServer(home, server.port);
    expect(again.key).toBe(readFileSync(join(home, "key"), "utf8").trim());
    expect(again.key).not.toBe(server.key);
    expect((await call(again, "GET", "/v1/memory")).status).toBe(200);
    expect((await call({ ...again, key: server.key }, "GET", "/v1/memory")).status).toBe(401);
  });
});
