/**
 * Lock: one server per state folder.
 *
 * `lock.json` names the holder (process id and start time) and the process group of its server. Two servers on one folder
 * would run the same Durable Object twice, so a second start is refused; a holder that is gone leaves a stale lock, and
 * maybe an orphaned workerd, which the next start ends first. Only processes that carry this folder's mark are ended.
 */
import { linkSync, readFileSync, renameSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { groupMembers, hasEnvironment, liveProcesses, sendSignal, startTime } from "./processes.mjs";
import { setTimeout as sleep } from "node:timers/promises";
import { fail } from "./repository.mjs";

/** Set in the environment of every server process; how orphans are known. */
const MARK = "LAMINA_SERVER_HOME";

/** Milliseconds after which a take-over that another start began counts as abandoned. */
const TAKEOVER_MS = 15_000;

/** @typedef {{ pid: number, started: string, port: number, group: number | null }} LockRecord */

export function serverMark(/** @type {string} */ home) {
  return { [MARK]: home };
}

/** Takes the folder's lock or ends this process with one line. */
export async function takeLock(/** @type {string} */ home, /** @type {number} */ port) {
  const file = lockFile(home);
  const record = { pid: process.pid, started: startTime(process.pid) ?? "", port, group: null };
  if (createOnly(file, record)) return endOrphans(home, null);
  refuseWhenHeld(home, readRecord(file));
  const takeover = `${file}.takeover`;
  clearAbandoned(takeover);
  if (!createOnly(takeover, record)) fail(`Another start on ${home} is under way.`);
  try {
    const stale = readRecord(file);
    refuseWhenHeld(home, stale);
    await endOrphans(home, stale);
    write(file, record);
  } finally {
    unlinkSync(takeover);
  }
}

/** Adds the server's process group to our lock. */
export function recordGroup(/** @type {string} */ home, /** @type {number} */ group) {
  const record = readRecord(lockFile(home));
  if (record?.pid === process.pid) write(lockFile(home), { ...record, group });
}

/** Gives the lock back, if it is ours. */
export function releaseLock(/** @type {string} */ home) {
  if (readRecord(lockFile(home))?.pid === process.pid) unlinkSync(lockFile(home));
}

/** The record of a live holder, or null. */
export function lockHolder(/** @type {string} */ home) {
  const record = readRecord(lockFile(home));
  return record !== null && startTime(record.pid) === record.started ? record : null;
}

function lockFile(/** @type {string} */ home) {
  return join(home, "lock.json");
}

function refuseWhenHeld(/** @type {string} */ home, /** @type {LockRecord | null} */ record) {
  if (record === null || startTime(record.pid) !== record.started) return;
  fail(
    `Lamina already runs on ${home} (process ${record.pid}, http://localhost:${record.port}). ` +
      `Stop it, or set LAMINA_HOME to another folder.`,
  );
}

/** Ends what a killed server left behind, else it would keep the port and run the same objects beside us. */
async function endOrphans(/** @type {string} */ home, /** @type {LockRecord | null} */ stale) {
  const orphans = orphanedProcesses(home, stale);
  for (const orphan of orphans) sendSignal(orphan.pid, "SIGKILL");
  const deadline = Date.now() + 3_000;
  // A dying process has no environment to read any more but still holds its port: wait for the process itself.
  while (orphans.some((orphan) => startTime(orphan.pid) === orphan.started)) {
    if (Date.now() > deadline) fail(`Processes of an earlier server on ${home} do not end.`);
    await sleep(25);
  }
}

/** On Linux the mark decides; elsewhere the recorded group, of which only wrangler's and workerd's processes count. */
function orphanedProcesses(/** @type {string} */ home, /** @type {LockRecord | null} */ stale) {
  if (process.platform === "linux") {
    return liveProcesses().filter(
      (entry) => entry.pid !== process.pid && hasEnvironment(entry.pid, `${MARK}=${home}`) === true,
    );
  }
  if (stale === null || stale.group === null) return [];
  return groupMembers(stale.group).filter((entry) => /wrangler|workerd/.test(entry.command));
}

/** @returns {LockRecord | null} */
function readRecord(/** @type {string} */ file) {
  try {
    const record = JSON.parse(readFileSync(file, "utf8"));
    return Number.isInteger(record.pid) && typeof record.started === "string" ? record : null;
  } catch {
    return null; // absent, or its writer died in mid-write: nobody holds it
  }
}

/** Creates a file that holds the record from its first moment (a link of a finished draft); false when it exists. */
function createOnly(/** @type {string} */ file, /** @type {LockRecord} */ record) {
  const draft = writeDraft(file, record);
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  } finally {
    unlinkSync(draft);
  }
}

function clearAbandoned(/** @type {string} */ file) {
  try {
    if (Date.now() - statSync(file).mtimeMs > TAKEOVER_MS) unlinkSync(file);
  } catch {
    // absent: nothing to clear
  }
}

function write(/** @type {string} */ file, /** @type {LockRecord} */ record) {
  renameSync(writeDraft(file, record), file);
}

function writeDraft(/** @type {string} */ file, /** @type {LockRecord} */ record) {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, JSON.stringify(record), { mode: 0o600 });
  return draft;
}
