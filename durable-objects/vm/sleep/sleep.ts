/**
 * Sleep: what an idle process does: it looks at the pages it has not looked at yet, one unit after the other, and stops.
 *
 * `whenIdle` sets the timer `idle` after anything was done; when the process has been quiet for a while the timer rings and a
 * slice is done, then another after a pause, until nothing is left. `sleepNow` does one slice at once.
 *
 * What must hold: between two units, of a page each, everything else of the object gets its turn, and a slice ends as soon as an
 * instruction is there; a unit and the move of the cursor are one transaction, so a crash repeats nothing and loses nothing; a page
 * whose unit kills the object is passed over after a few tries.
 */
import {
  HEARTBEAT_MS,
  SLEEP_IDLE_MS,
  SLEEP_PAGES,
  SLEEP_PAUSE_MS,
  SLEEP_SLICE_MS,
  SLEEP_TRIES,
} from "#shared/limits.ts";
import type { SleepReport } from "#shared/sleep-api.ts";
import type { RunId } from "#shared/ids.ts";
import { errorName, logEvent } from "#shared/log.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { setTimer } from "#kernel/proc/alarm.ts";
import { count } from "#kernel/proc/counters.ts";
import { readMeta, writeMeta } from "#kernel/proc/schema.ts";
import { transact } from "#kernel/proc/transact.ts";
import { fault } from "#kernel/vm/fault.ts";
import { flushSoon } from "#kernel/vm/flush.ts";
import { readPages } from "#kernel/vm/page-table.ts";
import { consolidatePage, type Consolidated } from "#kernel/vm/sleep/consolidate.ts";
import { findFactsByModel, modelTurnsLeft } from "#kernel/vm/sleep/model-facts.ts";
import { moveCursor, readCursor, sleepSettings } from "#kernel/vm/sleep/settings.ts";

const NAME = "sleep";
/** Pages whose bodies are brought to hand at once. */
const AHEAD = 20;

/** Has the process sleep when it has been quiet for a while. */
export function whenIdle(kernel: Kernel): void {
  setTimer(kernel, "idle", kernel.now() + SLEEP_IDLE_MS);
}

/** The timer's work. The slice is not waited for: other timers must not wait for it. */
export function ringIdle(kernel: Kernel): void {
  if (!sleepSettings(kernel).enabled || !hasWork(kernel)) return;
  const quiet = quietSince(kernel);
  if (quiet === null) return whenIdle(kernel);
  if (quiet + SLEEP_IDLE_MS > kernel.now()) return setTimer(kernel, "idle", quiet + SLEEP_IDLE_MS);
  setTimer(kernel, "idle", kernel.now() + HEARTBEAT_MS); // wakes an object that dies in mid-slice
  if (!kernel.working.has(NAME)) kernel.background(sleepNow(kernel, null));
}

/** When the last run ended or the last rows came in, or null while a run is live. 0 when there never was one. */
function quietSince(kernel: Kernel): number | null {
  if (isAwake(kernel, null)) return null;
  const row = kernel.sql
    .exec<{ at: number | null }>(
      `SELECT MAX(at) AS at FROM (SELECT finished_at AS at FROM (SELECT finished_at FROM runs ORDER BY id DESC LIMIT 32)
       UNION ALL SELECT created_at FROM replies WHERE key >= 'import ' AND key < 'import!')`,
    )
    .one();
  return row.at ?? 0;
}

/** Whether an instruction is live, other than the one that asked for the slice. */
export function isAwake(kernel: Kernel, asker: RunId | null): boolean {
  const live = "SELECT 1 FROM runs WHERE state IN ('queued', 'running', 'waiting') AND id IS NOT ? LIMIT 1";
  return kernel.sql.exec(live, asker).toArray().length > 0;
}

/** Resolves when no slice is being done any more. */
export async function slept(kernel: Kernel): Promise<void> {
  await kernel.working.get(NAME);
}

/** One slice now, after the one that is being done. Never rejects. */
export async function sleepNow(kernel: Kernel, asker: RunId | null): Promise<SleepReport> {
  for (let other = kernel.working.get(NAME); other !== undefined; other = kernel.working.get(NAME)) await other;
  const done = { pages: 0, facts: 0, duplicates: 0, stale: 0, interrupted: false };
  let pause = SLEEP_PAUSE_MS;
  const work = slice(kernel, asker, done)
    .then((reached) => {
      if (!reached) pause = SLEEP_IDLE_MS;
    })
    .catch((error: unknown) => logEvent("sleep-broke", { error: errorName(error) }, "error"))
    .finally(() => kernel.working.delete(NAME));
  kernel.working.set(NAME, work);
  await work;
  if (done.facts + done.duplicates + done.stale > 0) flushSoon(kernel);
  if (hasWork(kernel) && sleepSettings(kernel).enabled) setTimer(kernel, "idle", kernel.now() + pause);
  return { ...done, left: pagesLeft(kernel) };
}

function hasWork(kernel: Kernel): boolean {
  return pagesLeft(kernel) > 0 || modelTurnsLeft(kernel) > 0;
}

/** False when the bodies of the next pages are out of reach. */
async function slice(
  kernel: Kernel,
  asker: RunId | null,
  done: Consolidated & { pages: number; interrupted: boolean },
): Promise<boolean> {
  const until = kernel.now() + SLEEP_SLICE_MS;
  let ahead: number[] = [];
  while (done.pages < SLEEP_PAGES && kernel.now() < until) {
    if (isAwake(kernel, asker)) {
      done.interrupted = true;
      return true;
    }
    if (ahead.length === 0) {
      ahead = nextPages(kernel);
      if (ahead.length === 0) {
        // The rules are through; a model that the person pays for may go on.
        done.facts += (await findFactsByModel(kernel)) ?? 0;
        return true;
      }
      const begun = tries(kernel, ahead[0] ?? 0);
      await kernel.storage.sync(); // counted also when the object dies of it
      if (begun > SLEEP_TRIES) {
        logEvent("sleep-passed-over", {}, "error");
        pass(kernel, ahead[0] ?? 0);
        ahead = [];
        continue;
      }
      if (!(await fault(kernel, ahead)).ok) {
        writeMeta(kernel.sql, "sleep-tries", "0 0"); // D1's failure, not the page's: it is given another time
        return false;
      }
    }
    const number = ahead.shift() ?? 0;
    transact(kernel, () => unit(kernel, number, done));
    done.pages += 1;
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  return true;
}

function unit(kernel: Kernel, number: number, done: Consolidated): void {
  const [page] = readPages(kernel, [number]);
  if (page !== undefined && page.text !== null) {
    const before = done.facts + done.duplicates + done.stale;
    consolidatePage(kernel, { ...page, text: page.text }, done);
    count(kernel, "consolidated", done.facts + done.duplicates + done.stale - before);
  }
  pass(kernel, number);
}

function pass(kernel: Kernel, number: number): void {
  kernel.sql.exec("DELETE FROM sleep_again WHERE page = ?", number);
  moveCursor(kernel, "sleep-cursor", number);
}

/** How often the next batch was begun at this very page, this time included. */
function tries(kernel: Kernel, first: number): number {
  const [page, before] = (readMeta(kernel.sql, "sleep-tries") ?? "0 0").split(" ").map(Number);
  const now = page === first ? (before ?? 0) + 1 : 1;
  writeMeta(kernel.sql, "sleep-tries", `${first} ${now}`);
  return now;
}

const OPEN = "kind IN ('turn', 'fact', 'note', 'document') AND deleted = 0";

/** Edited pages first, then those after the cursor. */
function nextPages(kernel: Kernel): number[] {
  return kernel.sql
    .exec<{ number: number }>(
      `SELECT number FROM (
         SELECT page AS number, 0 AS later FROM sleep_again
         UNION ALL SELECT * FROM (SELECT number, 1 FROM pages WHERE number > ?1 AND ${OPEN} ORDER BY number LIMIT ?2)
       ) ORDER BY later, number LIMIT ?2`,
      readCursor(kernel, "sleep-cursor"),
      AHEAD,
    )
    .toArray()
    .map((row) => row.number);
}

export function pagesLeft(kernel: Kernel): number {
  return kernel.sql
    .exec<{ left: number }>(
      `SELECT (SELECT COUNT(*) FROM sleep_again) + (SELECT COUNT(*) FROM pages WHERE number > ? AND ${OPEN}) AS left`,
      readCursor(kernel, "sleep-cursor"),
    )
    .one().left;
}

/** A page's words changed: it is to be looked at again. Call it in the transaction that changes them. */
export function lookAgain(kernel: Kernel, number: number): void {
  if (number > readCursor(kernel, "sleep-cursor")) return;
  kernel.sql.exec("INSERT OR IGNORE INTO sleep_again VALUES (?)", number);
}
