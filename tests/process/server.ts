/**
 * Server: a real `npm start` as a test sees it, on a free port with a state folder of its own.
 *
 * `startServer` waits for the welcome; `stopAll` in `afterEach` ends every server the file started and nothing else.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { inject } from "vitest";
import { stateFolder } from "#scripts/migrate.mjs";
import { portFree, someFreePort } from "#scripts/ports.mjs";
import { groupEnded, hasEnvironment, liveProcesses, sendSignal } from "#scripts/processes.mjs";
import { ROOT } from "#scripts/repository.mjs";

const START_MS = 90_000;

/** What a start printed and how it ended, for starts that must be refused. */
export interface FailedStart {
  readonly code: number | null;
  readonly errors: string;
  readonly ms: number;
}

export interface Server {
  readonly address: string;
  readonly port: number;
  readonly home: string;
  readonly key: string;
  /** The one-time chat link. */
  readonly link: string;
  /** Process group of wrangler and workerd. */
  readonly group: number;
  readonly process: ChildProcess;
}

const servers = new Set<Server>();
const homes = new Set<string>();

/** A state folder that `stopAll` removes, with its databases made already. */
export function makeHome(): string {
  const home = mkdtempSync(join(tmpdir(), "lamina-home-"));
  cpSync(inject("preparedState"), stateFolder(home), { recursive: true });
  homes.add(home);
  return home;
}

function launch(home: string, port: number, throughNpm = false): ChildProcess {
  const environment = { ...process.env, LAMINA_HOME: home, PORT: String(port) };
  const [command, parameters] = throughNpm ? ["npm", ["start"]] : [process.execPath, ["scripts/start.mjs"]];
  return spawn(command, parameters, { cwd: ROOT, env: environment, stdio: "pipe" });
}

/** Starts a server; `throughNpm` as a person does, else its script directly. */
export async function startServer(home = makeHome(), chosen?: number, throughNpm = false): Promise<Server> {
  const port = chosen ?? (await someFreePort());
  const child = launch(home, port, throughNpm);
  let output = "";
  child.stdout?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const deadline = Date.now() + START_MS;
  while (!output.includes("Ctrl-C")) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`npm start did not come up:\n${output}`);
    await sleep(50);
  }
  const link = /http:\/\/localhost:\d+\/#login=\S+/.exec(output)?.[0] ?? "";
  const { group } = JSON.parse(readFileSync(join(home, "lock.json"), "utf8")) as { group: number };
  const key = readFileSync(join(home, "key"), "utf8").trim();
  const server = { address: `http://localhost:${port}`, port, home, key, link, group, process: child };
  servers.add(server);
  return server;
}

/** A start that must end by itself. */
export async function startRefused(home: string, port: number): Promise<FailedStart> {
  const started = Date.now();
  const child = launch(home, port);
  let errors = "";
  child.stderr?.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  await once(child, "close");
  return { code: child.exitCode, errors, ms: Date.now() - started };
}

/** Sends a signal to `npm start` and waits for its end; answers its exit code and how long it took. */
export async function stopServer(
  server: Server,
  signal: NodeJS.Signals = "SIGINT",
): Promise<{ code: number | null; ms: number }> {
  servers.delete(server);
  const started = Date.now();
  if (server.process.exitCode === null && server.process.signalCode === null) {
    server.process.kill(signal);
    await once(server.process, "exit");
  }
  return { code: server.process.exitCode, ms: Date.now() - started };
}

/** `kill -9` of everything at once, as a power cut would; proves that the port is dead. */
export async function killServer(server: Server): Promise<void> {
  servers.delete(server);
  const exited = once(server.process, "exit");
  server.process.kill("SIGKILL");
  sendSignal(-server.group, "SIGKILL");
  await exited;
  if (!(await groupEnded(server.group, 5_000))) throw new Error("the server's process group outlived SIGKILL");
  // A connection that another program just opened may borrow the number for a moment, so one look is not enough.
  const deadline = Date.now() + 5_000;
  while (!(await portFree(server.port))) {
    if (Date.now() > deadline) throw new Error("the port still answers after SIGKILL");
    await sleep(50);
  }
}

/** Processes that were started for a home and still live. */
export function processesOf(home: string): string[] {
  return liveProcesses()
    .filter((entry) => hasEnvironment(entry.pid, `LAMINA_SERVER_HOME=${home}`) === true)
    .map((entry) => `${entry.pid} ${entry.command}`);
}

export async function stopAll(): Promise<void> {
  await Promise.all([...servers].map((server) => stopServer(server, "SIGTERM")));
  for (const home of homes) rmSync(home, { recursive: true, force: true });
  homes.clear();
}
