/**
 * Server: one `wrangler dev` in a process group of its own, from spawn to its last process.
 *
 * wrangler's noise goes to `server.log` in the home; lines that tell of an error are repeated on the terminal. Only hashes
 * of the key and the login token are on the command line, where every user of the machine can read them; what a person sets
 * (models, their keys) comes from `settings.env` in the home.
 */
import { closeSync, createReadStream, existsSync, openSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { stripVTControlCharacters } from "node:util";
import { keyPrefix, settingsFile, sha256 } from "./home.mjs";
import { recordGroup, serverMark } from "./lock.mjs";
import { stateFolder } from "./migrate.mjs";
import { nodePath, spawnGroup, toolPath, wranglerEnvironment } from "./repository.mjs";

const START_MS = 90_000;
const LOG_LINES_SHOWN = 30;

/** @typedef {{ home: string, port: number, key: string, token: string }} ServerSettings */

/** Starts the server and notes its group in the lock. @param {ServerSettings} settings */
export function startServer({ home, port, key, token }) {
  const log = openSync(logFile(home), "w", 0o600);
  const child = spawnGroup(nodePath(), [toolPath("wrangler"), "dev", ...developmentOptions(home, port, key, token)], {
    stdio: ["ignore", log, log],
    env: { ...process.env, ...wranglerEnvironment(home), ...serverMark(home) },
  });
  closeSync(log);
  if (child.pid !== undefined) recordGroup(home, child.pid);
  return child;
}

/** @param {string} home @param {number} port @param {string} key @param {string} token */
function developmentOptions(home, port, key, token) {
  const values = { LOCAL_KEY_SHA256: sha256(key), LOCAL_KEY_PREFIX: keyPrefix(key), LOCAL_LOGIN_SHA256: sha256(token) };
  const options = ["--ip", "127.0.0.1", "--port", String(port), "--local", "--persist-to", stateFolder(home)];
  options.push("--inspector-port", "0", "--show-interactive-dev-session=false", "--log-level", "info");
  for (const [name, value] of Object.entries(values)) options.push("--var", `${name}:${value}`);
  if (existsSync(settingsFile(home))) options.push("--env-file", settingsFile(home));
  return options;
}

/**
 * Waits until /health answers 200; false when the server ended, does not build, or took too long.
 * @param {import("node:child_process").ChildProcess} child
 * @param {string} home
 * @param {number} port
 */
export async function serverReady(child, home, port) {
  const deadline = Date.now() + START_MS;
  while (child.exitCode === null && child.signalCode === null && Date.now() < deadline) {
    if (await healthy(port)) return true;
    if (readLog(home).includes("Build failed")) return false; // wrangler would wait for somebody to fix it
    await sleep(50);
  }
  return false;
}

async function healthy(/** @type {number} */ port) {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/health`, { signal: AbortSignal.timeout(5_000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

export function logFile(/** @type {string} */ home) {
  return join(home, "server.log");
}

/** The last lines of the log, for when the server did not come up. */
export function lastLogLines(/** @type {string} */ home) {
  return readLog(home).trimEnd().split("\n").slice(-LOG_LINES_SHOWN).join("\n");
}

function readLog(/** @type {string} */ home) {
  return stripVTControlCharacters(readFileSync(logFile(home), "utf8"));
}

/** Repeats new error lines of the log on the terminal until `signal` says stop. */
export async function showErrors(/** @type {string} */ home, /** @type {AbortSignal} */ signal) {
  let offset = statSync(logFile(home)).size;
  while (!signal.aborted) {
    await sleep(500, undefined, { signal }).catch(() => undefined);
    const { size } = statSync(logFile(home));
    if (size <= offset) continue;
    let text = "";
    for await (const chunk of createReadStream(logFile(home), { start: offset, end: size - 1 })) text += chunk;
    offset = size;
    for (const line of stripVTControlCharacters(text).split("\n"))
      if (/:error\]|\[ERROR\]|Uncaught/.test(line)) process.stderr.write(`${line}\n`);
  }
}
