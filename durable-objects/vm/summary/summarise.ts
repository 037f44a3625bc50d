/**
 * Summarise: has a language model retell what the extractive summary of an evicted range holds, in the background.
 *
 * `refineSummary` notes the summary page for it, in the transaction that made the page. A moment later the timer `summarise`
 * calls the model, a chunk of the evicted pages at a time with the summary so far; `summary-check.ts` decides whether the
 * result becomes the page's next version. An instruction never waits for any of this, and no failure does more than leave the
 * extractive summary as it is: the tries of a page are counted, and three failures in a row pause all of it (`proc/breaker.ts`).
 *
 * What must hold: nothing is stored when the page, or a page it was made from, changed or was forgotten meanwhile; an object that
 * dies in mid-work finds the note again and begins anew.
 */
import {
  HEARTBEAT_MS,
  SUMMARY_ATTEMPTS,
  SUMMARY_CALL_MS,
  SUMMARY_CHUNKS,
  SUMMARY_DELAY_MS,
  SUMMARY_HALVINGS,
  SUMMARY_INPUT_TOKENS,
  SUMMARY_PATIENCE_MS,
  SUMMARY_TOKENS_MOST,
  SUMMARY_WINDOW_TOKENS,
} from "#shared/limits.ts";
import { composePageHandle } from "#shared/ids.ts";
import { errorName, logEvent } from "#shared/log.ts";
import { failure } from "#shared/errors.ts";
import { failed, success, type Result } from "#shared/result.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { setTimer } from "#kernel/proc/alarm.ts";
import { noteFailure, noteSuccess, openUntil } from "#kernel/proc/breaker.ts";
import { count } from "#kernel/proc/counters.ts";
import { liveRuns } from "#kernel/proc/runs.ts";
import { transact } from "#kernel/proc/transact.ts";
import { askModel } from "#kernel/sched/ask-model.ts";
import { findRange, putRange } from "#kernel/vm/pager/evictions.ts";
import { fault } from "#kernel/vm/fault.ts";
import { flushSoon } from "#kernel/vm/flush.ts";
import { languageModel } from "#kernel/vm/summary/language-model.ts";
import { isoDate, provenanceOf, type PageRow, type ResidentPage } from "#kernel/vm/page.ts";
import { readPages, updatePage } from "#kernel/vm/page-table.ts";
import { checkSummary } from "#kernel/vm/summary/summary-check.ts";
import { parseSummary, writeHint } from "#kernel/vm/summary/summary-format.ts";
import { chunkLines, PROMPT_TOKENS, summaryPrompt } from "#kernel/vm/summary/summary-prompt.ts";

const NAME = "summarise";
const RETRY_MS = 30_000;
const BUSY_RETRY_MS = 5_000;
const LEAST_CHUNK_TOKENS = 200;

type Job = { page: number; created_at: number; due: number; attempts: number };

/** Notes a summary page to be retold. Call it in the transaction that wrote the page; again when its sources changed. */
export function refineSummary(kernel: Kernel, page: number): void {
  const due = kernel.now() + SUMMARY_DELAY_MS;
  kernel.sql.exec(
    "INSERT INTO summary_jobs VALUES (?, ?, ?, 0) ON CONFLICT (page) DO UPDATE SET due = excluded.due, attempts = 0",
    page,
    kernel.now(),
    due,
  );
  setTimer(kernel, NAME, due);
}

/** The timer's work: starts, or keeps alive, this instance's one worker. Alarms of other timers never wait for a model. */
export function ringSummaries(kernel: Kernel): void {
  const next = nextDue(kernel);
  if (next === null) return;
  if (next > kernel.now() && !kernel.working.has(NAME)) return setTimer(kernel, NAME, next);
  setTimer(kernel, NAME, kernel.now() + HEARTBEAT_MS); // this beat keeps the object alive, and wakes it after a crash
  if (!kernel.working.has(NAME)) kernel.background(workOff(kernel));
}

/** Resolves when no summary is being written any more. */
export async function summariesSettled(kernel: Kernel): Promise<void> {
  await kernel.working.get(NAME);
}

function nextDue(kernel: Kernel): number | null {
  const { due } = kernel.sql.exec<{ due: number | null }>("SELECT MIN(due) AS due FROM summary_jobs").one();
  return due === null ? null : Math.max(due, openUntil(kernel, NAME));
}

function workOff(kernel: Kernel): Promise<void> {
  const work = drain(kernel)
    .catch((error: unknown) => logEvent("summarise-broke", { error: errorName(error) }, "error"))
    .finally(() => {
      kernel.working.delete(NAME);
      const next = nextDue(kernel);
      if (next !== null) setTimer(kernel, NAME, Math.max(next, kernel.now() + SUMMARY_DELAY_MS));
    });
  kernel.working.set(NAME, work);
  return work;
}

async function drain(kernel: Kernel): Promise<void> {
  for (;;) {
    const now = kernel.now();
    if (openUntil(kernel, NAME) > now) return;
    const job = kernel.sql
      .exec<Job>("SELECT * FROM summary_jobs WHERE due <= ? ORDER BY due LIMIT 1", now)
      .toArray()[0];
    if (job === undefined) return;
    if (liveRuns(kernel, null) > 0 && now - job.created_at < SUMMARY_PATIENCE_MS) {
      return postpone(kernel, job.page, now + BUSY_RETRY_MS);
    }
    await doJob(kernel, job);
  }
}

function postpone(kernel: Kernel, page: number, due: number): void {
  kernel.sql.exec("UPDATE summary_jobs SET due = ? WHERE page = ?", due, page);
}

function drop(kernel: Kernel, page: number): void {
  kernel.sql.exec("DELETE FROM summary_jobs WHERE page = ?", page);
}

/** One try at one page. Counted before it begins, so that a page whose summary kills the object is not tried for ever. */
async function doJob(kernel: Kernel, job: Job): Promise<void> {
  if (job.attempts >= SUMMARY_ATTEMPTS) return drop(kernel, job.page);
  kernel.sql.exec("UPDATE summary_jobs SET attempts = attempts + 1 WHERE page = ?", job.page);
  const retold = await retell(kernel, job.page);
  if (retold.ok) {
    if (retold.value !== "stale") drop(kernel, job.page);
    if (retold.value === "written") {
      noteSuccess(kernel, NAME);
      count(kernel, "summaries");
    }
    return;
  }
  count(kernel, "summary-failures");
  noteFailure(kernel, NAME);
  logEvent("summary-failed", { code: retold.error.code, attempts: job.attempts + 1 });
  if (job.attempts + 1 >= SUMMARY_ATTEMPTS) drop(kernel, job.page);
  else postpone(kernel, job.page, kernel.now() + RETRY_MS * 2 ** job.attempts);
}

/** `stale`: the page changed meanwhile and is to be retold again; `needless`: there is nothing, or nobody, to retell it. */
type Retold = "written" | "needless" | "stale";

async function retell(kernel: Kernel, number: number): Promise<Result<Retold>> {
  const [row] = readPages(kernel, [number]);
  if (row === undefined || row.kind !== "summary") return success("needless");
  const model = await languageModel(kernel, modelOf(kernel, row));
  if (model === null) return success("needless");
  const found = await fault(kernel, [number, ...provenanceOf(row)]);
  if (!found.ok) return found;
  const page = found.value.pages.find((entry) => entry.number === number);
  const members = found.value.pages.filter((entry) => entry.number !== number);
  if (page === undefined || members.length === 0) return success("needless");
  const written = await converse(kernel, model, page, members);
  if (!written.ok) return written;
  const checked = checkSummary({
    written: written.value,
    extractive: page.text,
    sources: members.map((member) => member.text),
    handles: new Set(members.map((member) => composePageHandle(member.number))),
  });
  if (!checked.ok) return failed(failure("model_unavailable", `The model's summary is no use (${checked.why}).`, 60));
  return success(store(kernel, page, members, checked.text));
}

/** The model that answered last in the thread the page is of. */
function modelOf(kernel: Kernel, page: PageRow): string {
  const thread = findRange(kernel, page.number)?.thread ?? page.thread;
  const run = kernel.sql
    .exec<{ model: string }>("SELECT model FROM runs WHERE thread IS ? ORDER BY id DESC LIMIT 1", thread)
    .toArray()[0];
  return run?.model ?? kernel.env.DEFAULT_MODEL;
}

interface Summariser {
  readonly id: string;
  readonly contextWindow: number | null;
}

/** Chunk after chunk, each with the summary so far. A chunk that the model refuses as too large is tried in halves. */
async function converse(
  kernel: Kernel,
  model: Summariser,
  page: ResidentPage,
  members: readonly ResidentPage[],
): Promise<Result<string>> {
  const window = model.contextWindow ?? SUMMARY_WINDOW_TOKENS;
  const said = members.map((member) => ({
    handle: composePageHandle(member.number),
    role: member.role,
    at: isoDate(member.at, member.zoned === 1),
    text: member.text,
  }));
  const size = Math.min(SUMMARY_TOKENS_MOST, Math.max(page.tokens, 100), Math.floor(window / 8));
  for (let halvings = 0; ; halvings += 1) {
    const room = Math.min(SUMMARY_INPUT_TOKENS, Math.floor(window / 2)) / 2 ** halvings - PROMPT_TOKENS - size;
    const chunks = chunkLines(said, Math.max(LEAST_CHUNK_TOKENS, Math.floor(room))).slice(0, SUMMARY_CHUNKS);
    let summary = "";
    let refused = false;
    for (const lines of chunks) {
      const answer = await askModel(kernel, {
        model: model.id,
        purpose: NAME,
        messages: summaryPrompt(summary, lines, Math.floor(size * 0.6)),
        limitMs: SUMMARY_CALL_MS,
      });
      refused = !answer.ok && (answer.error.code === "payload_too_large" || answer.error.code === "invalid_request");
      if (refused && halvings < SUMMARY_HALVINGS) break;
      if (!answer.ok) return answer;
      summary = answer.value.text.slice(0, size * 6);
    }
    if (!refused) return success(summary);
  }
}

/** The next version of the page, unless anything it rests on is another by now. */
function store(kernel: Kernel, page: ResidentPage, members: readonly ResidentPage[], text: string): Retold {
  const stored = transact(kernel, (): Retold => {
    const [now, ...still] = readPages(kernel, [page.number, ...members.map((member) => member.number)]);
    if (now === undefined || now.number !== page.number) return "needless";
    const same = still.length === members.length && still.every((row, at) => row.version === members[at]?.version);
    if (!same || now.text !== page.text || now.provenance !== page.provenance) return "stale";
    updatePage(kernel, { ...now, text: page.text }, { text, evidence: now.evidence });
    const range = findRange(kernel, page.number);
    // The thread's stub is frozen; the next one that is made has these.
    if (range !== null) putRange(kernel, { ...range, hints: parseSummary(text).hints.map(writeHint) });
    return "written";
  });
  if (stored === "written") flushSoon(kernel);
  return stored;
}
