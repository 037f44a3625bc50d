/**
 * Processes: who is in a process group, since when, and ending a whole group.
 *
 * A process is named by its id and its start time together, since ids are used again. wrangler's workerd outlives a killed
 * wrangler and keeps the port, so a server is always ended and looked for as a group. Reads /proc on Linux, `ps` elsewhere.
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * A live process; `started` is only good for comparing with an earlier reading on the same boot of the machine.
 * @typedef {{ pid: number, group: number, started: string, command: string }} LiveProcess
 */

/** Every live process of this machine; zombies are left out. @returns {LiveProcess[]} */
export function liveProcesses() {
  if (process.platform !== "linux") return processesFromPs();
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => processFromProc(Number(name)))
    .filter((entry) => entry !== null);
}

/** Start time of a live process, or null when there is none with this id. */
export function startTime(/** @type {number} */ pid) {
  return liveProcesses().find((entry) => entry.pid === pid)?.started ?? null;
}

/** Fields of proc_pid_stat(5): 3 is the state, 5 the process group, 22 the start time in clock ticks since boot. */
function processFromProc(/** @type {number} */ pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z" || fields[0] === "X") return null;
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
    return { pid, group: Number(fields[2]), started: String(fields[19]), command };
  } catch {
    return null; // it ended while we read
  }
}

/** @returns {LiveProcess[]} */
function processesFromPs() {
  const listing = execFileSync("ps", ["-A", "-o", "pid=,pgid=,state=,lstart=,args="], { encoding: "utf8" });
  return listing.split("\n").flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(\S+\s+\S+\s+\S+\s+\S+\s+\S+)\s+(.*)$/.exec(line);
    if (match === null || match[3]?.startsWith("Z")) return [];
    return [{ pid: Number(match[1]), group: Number(match[2]), started: String(match[4]), command: String(match[5]) }];
  });
}

/** The live members of a process group. */
export function groupMembers(/** @type {number} */ group) {
  return liveProcesses().filter((entry) => entry.group === group);
}

/**
 * True when a process carries `NAME=value` in the environment it was started with; null when that cannot be read.
 * @param {number} pid
 * @param {string} assignment
 */
export function hasEnvironment(pid, assignment) {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").includes(assignment);
  } catch {
    return null;
  }
}

/** Sends a signal to a process, or to a group when `pid` is negative; a process that is gone already is fine. */
export function sendSignal(/** @type {number} */ pid, /** @type {NodeJS.Signals} */ signal) {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

/** Asks a group to end, then ends it; answers once no member is left. */
export async function endGroup(/** @type {number} */ group, /** @type {number} */ graceMs) {
  sendSignal(-group, "SIGTERM");
  if (await groupEnded(group, graceMs)) return;
  sendSignal(-group, "SIGKILL");
  if (!(await groupEnded(group, 2_000))) throw new Error(`process group ${group} does not end`);
}

/** Waits until a group has no live member; false after `waitMs`. */
export async function groupEnded(/** @type {number} */ group, /** @type {number} */ waitMs) {
  const deadline = Date.now() + waitMs;
  while (groupMembers(group).length > 0) {
    if (Date.now() >= deadline) return false;
    await sleep(25);
  }
  return true;
}
