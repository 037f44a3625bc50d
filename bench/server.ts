/**
 * Server: what a figure needs of a running Lamina: its address, a key of a fresh user, and calls over HTTP.
 *
 * Without `LAMINA_URL` a server is started with `scripts/start.mjs` on a free port and a state folder of its own, and ended
 * with the figure; with it, that server is measured and `LAMINA_API_KEY` (or `.lamina/key`) is its admin key.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "#bench/report.ts";
import { wranglerEnvironment } from "#scripts/repository.mjs";

export interface Server {
  readonly url: string;
  /** Key of a user made for this measurement. */
  readonly key: string;
  /** Its state folder; null when the server was there before. */
  readonly home: string | null;
  /** Makes a key of another user. */
  makeKey(user: string): Promise<string>;
  close(): Promise<void>;
}

const READY_MS = 180_000;

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise<unknown>((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

export async function waitFor(url: string, ms: number): Promise<void> {
  const deadline = Date.now() + ms;
  while (Date.now() < deadline) {
    const up = await fetch(url).then(
      (response) => response.ok,
      () => false,
    );
    if (up) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${url} did not come up`);
}

/** Ends a process and waits until it is gone. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await gone;
}

async function makeKey(url: string, admin: string, user = `bench-${Date.now().toString(36)}`): Promise<string> {
  const made = await post(url, admin, "/v1/keys", { user, scopes: ["run", "memory"] });
  const key = (made as { key?: unknown }).key;
  if (typeof key !== "string") throw new Error("the server made no key");
  return key;
}

export async function post(url: string, key: string, path: string, body: unknown): Promise<unknown> {
  const response = await fetch(`${url}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

export async function get(url: string, key: string, path: string): Promise<unknown> {
  const response = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${key}` } });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

/** A Worker of a figure's own: bench/<name>/wrangler.toml, with a state folder that goes with it. */
export async function startWorker(
  name: string,
  settings = "",
): Promise<{ url: string; pid: number; close(): Promise<void> }> {
  const port = await freePort();
  const home = mkdtempSync(join(tmpdir(), `lamina-${name}-`));
  const options = ["--config", `bench/${name}/wrangler.toml`, "--ip", "127.0.0.1", "--port", String(port)];
  options.push("--inspector-port", "0", "--persist-to", join(home, "state"));
  if (settings !== "") {
    writeFileSync(join(home, "settings.env"), settings);
    options.push("--env-file", join(home, "settings.env"));
  }
  const wrangler = join(ROOT, "node_modules/wrangler/bin/wrangler.js");
  const child = spawn(process.execPath, [wrangler, "dev", ...options], {
    cwd: ROOT,
    stdio: "ignore",
    env: { ...process.env, ...wranglerEnvironment(home) },
  });
  const close = async (): Promise<void> => {
    await end(child);
    rmSync(home, { recursive: true, force: true });
  };
  const url = `http://127.0.0.1:${port}`;
  try {
    await waitFor(`${url}/`, READY_MS);
    return { url, pid: child.pid ?? 0, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Opens the server; one that is started gets `settings`, lines of `NAME=value`, as its variables. */
export async function openServer(settings = ""): Promise<Server> {
  const given = process.env["LAMINA_URL"];
  if (given !== undefined) {
    const home = process.env["LAMINA_HOME"] ?? join(ROOT, ".lamina");
    const admin = process.env["LAMINA_API_KEY"] ?? readFileSync(join(home, "key"), "utf8").trim();
    const make = (user?: string): Promise<string> => makeKey(given, admin, user);
    return { url: given, key: await make(), home: null, makeKey: make, close: () => Promise.resolve() };
  }
  const port = await freePort();
  const home = mkdtempSync(join(tmpdir(), "lamina-bench-"));
  if (settings !== "") writeFileSync(join(home, "settings.env"), settings, { mode: 0o600 });
  const environment = { ...process.env, PORT: String(port), LAMINA_HOME: home };
  const child = spawn(process.execPath, [join(ROOT, "scripts/start.mjs")], {
    cwd: ROOT,
    env: environment,
    stdio: "ignore",
  });
  const url = `http://127.0.0.1:${port}`;
  const close = async (): Promise<void> => {
    await end(child);
    rmSync(home, { recursive: true, force: true });
  };
  try {
    await waitFor(`${url}/health`, READY_MS);
    const admin = readFileSync(join(home, "key"), "utf8").trim();
    const make = (user?: string): Promise<string> => makeKey(url, admin, user);
    return { url, key: await make(), home, makeKey: make, close };
  } catch (error) {
    await close();
    throw error;
  }
}
