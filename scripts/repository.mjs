/**
 * Repository: where things are, and how a script runs a tool.
 *
 * Plain JavaScript without dependencies, because scripts run before anything is installed, on the machine's own Node
 * (20 or newer). Tools run on the pinned Node of node_modules, each in its own process group, so that a stop can end all
 * that a tool started.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { endGroup, sendSignal } from "./processes.mjs";

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** Groups that this script started and that still run. */
const groups = new Set();

// A script that fails early leaves nothing behind.
process.once("exit", () => {
  for (const group of groups) sendSignal(-group, "SIGKILL");
});

/** The pinned Node once it is installed, else the one that runs this script. */
export function nodePath() {
  const pinned = join(ROOT, "node_modules", ".bin", "node");
  return existsSync(pinned) ? pinned : process.execPath;
}

/** A tool's entry file under node_modules/.bin. */
export function toolPath(/** @type {string} */ name) {
  return join(ROOT, "node_modules", ".bin", name);
}

/**
 * Starts a program in a process group of its own.
 * @param {string} command
 * @param {readonly string[]} parameters
 * @param {import("node:child_process").SpawnOptions} [options]
 */
export function spawnGroup(command, parameters, options = {}) {
  const child = spawn(command, [...parameters], { cwd: ROOT, ...options, detached: true });
  const group = child.pid;
  if (group !== undefined) {
    groups.add(group);
    child.once("exit", () => groups.delete(group));
  }
  return child;
}

/**
 * Runs a program to its end; answers its exit code (1 when it could not start or a signal ended it) and what it printed,
 * which is null when it printed straight to this script's own output.
 * @param {string} command
 * @param {readonly string[]} parameters
 * @param {{ quiet?: boolean, environment?: Record<string, string | undefined> }} [options]
 * @returns {Promise<{ code: number, output: string | null }>}
 */
export function runProgram(command, parameters, { quiet = false, environment = {} } = {}) {
  const child = spawnGroup(command, parameters, {
    stdio: ["ignore", quiet ? "pipe" : "inherit", quiet ? "pipe" : "inherit"],
    env: { ...process.env, ...environment },
  });
  let output = "";
  child.stdout?.on("data", (/** @type {Buffer} */ chunk) => (output += chunk.toString()));
  child.stderr?.on("data", (/** @type {Buffer} */ chunk) => (output += chunk.toString()));
  return new Promise((resolve) => {
    child.once("error", (error) => resolve({ code: 1, output: `${output}${error.message}\n` }));
    child.once("close", (code) => resolve({ code: code ?? 1, output: quiet ? output : null }));
  });
}

/**
 * Runs a tool of node_modules on the pinned Node.
 * @param {string} name
 * @param {readonly string[]} parameters
 * @param {{ quiet?: boolean, environment?: Record<string, string | undefined> }} [options]
 */
export function runTool(name, parameters, options) {
  return runProgram(nodePath(), [toolPath(name), ...parameters], options);
}

/** Ends everything that this script started, within `graceMs` and a second. */
export async function endChildren(/** @type {number} */ graceMs) {
  await Promise.all([...groups].map((group) => endGroup(group, graceMs)));
}

/**
 * Says one line and ends with failure; for a reason that the person at the terminal can act on.
 * @param {string} line
 * @returns {never}
 */
export function fail(line) {
  process.stderr.write(`${line}\n`);
  process.exit(1);
}

/**
 * What wrangler is told through its environment: no questions, no metrics, no look at the network, nothing outside `home`.
 * @param {string} home
 */
export function wranglerEnvironment(home) {
  return {
    CI: "true",
    WRANGLER_HIDE_BANNER: "true", // the banner also asks the registry for a newer version
    WRANGLER_SEND_METRICS: "false",
    WRANGLER_WRITE_LOGS: "false",
    WRANGLER_REGISTRY_PATH: join(home, "registry"), // servers of other homes must not be found by name
    WRANGLER_CACHE_DIR: join(home, "cache"),
    CLOUDFLARE_CF_FETCH_ENABLED: "false",
    X_LOCAL_OBSERVABILITY: "false", // a trace of every statement and call, kept on disk: half of the processor time of an instruction
    X_LOCAL_EXPLORER: "false", // a page that shows every table, without a key
    NO_COLOR: "1",
    FORCE_COLOR: undefined,
  };
}
