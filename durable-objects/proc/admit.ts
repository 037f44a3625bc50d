/**
 * Admit: journals a run before anything of it happens.
 *
 * A known idempotency key answers the run it belongs to (or a conflict, when the body differs); a full queue is refused
 * with `overloaded`. After a success the instruction is durable: a crash can delay it, not lose it.
 */
import type { ExecuteRequest, RunStarted } from "#shared/abi.ts";
import { failure } from "#shared/errors.ts";
import { composeRunId, nextUlid, type RunId, type ThreadId } from "#shared/ids.ts";
import { IDEMPOTENCY_MS, RUNS_LIVE, THREAD_QUEUE } from "#shared/limits.ts";
import { failed, success, type Result } from "#shared/result.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { transact } from "#kernel/proc/transact.ts";
import { openThread, saveMessages, threadTexts, tieMessageToPage, type Message } from "#kernel/proc/messages.ts";
import { findRunByKey, insertRun, liveRuns, newestRun, type RunRow } from "#kernel/proc/runs.ts";
import { storeTrace, trace } from "#kernel/proc/trace.ts";
import { flushSoon } from "#kernel/vm/flush.ts";
import { writePage } from "#kernel/vm/write-page.ts";

const RETRY_AFTER_SECONDS = 1;
const ULID_CHARACTERS = 26;

export function admit(kernel: Kernel, request: ExecuteRequest): Result<RunStarted> {
  const known = findRunByKey(kernel, request.idempotencyKey);
  if (known !== null && kernel.now() - known.created_at < IDEMPOTENCY_MS) {
    if (known.body_hash !== request.bodyHash) {
      return failed(failure("conflict", "This Idempotency-Key was used with another request."));
    }
    return success(started(kernel, known, true));
  }
  const stateless = request.conversation?.mode === "replace";
  const thread = request.thread as ThreadId;
  if (liveRuns(kernel, null) >= RUNS_LIVE || (!stateless && liveRuns(kernel, thread) >= THREAD_QUEUE)) {
    return failed(failure("overloaded", "Too many instructions are waiting.", RETRY_AFTER_SECONDS));
  }
  const now = kernel.now();
  const run = composeRunId(kernel.process, nextUlid(newestRun(kernel)?.slice(-ULID_CHARACTERS) ?? null, now));
  return transact(kernel, () => {
    // A key past its day is taken off the old run, so that it can name the new one.
    kernel.sql.exec("UPDATE runs SET idempotency_key = NULL WHERE idempotency_key = ?", request.idempotencyKey);
    const runThread = stateless ? (`~${run.slice(-ULID_CHARACTERS)}` as ThreadId) : thread;
    openThread(kernel, runThread, stateless);
    if (request.conversation?.mode === "append") {
      const rest = unknownMessages(kernel, thread, request.conversation.messages);
      if (rest === null) return failed(failure("conflict", DIVERGED));
      appendHistory(kernel, thread, rest);
    }
    insertRun(kernel, {
      id: run,
      thread: runThread,
      instruction: JSON.stringify(request.instruction),
      model: request.model ?? kernel.env.DEFAULT_MODEL,
      asked: request.model ?? null,
      // Whoever names a model gets it, or hears why not.
      fallback: (request.fallback ?? request.model === undefined) ? 1 : 0,
      priority: request.priority ?? "interactive",
      conversation: stateless ? JSON.stringify(request.conversation?.messages ?? []) : null,
      reply: request.reply === undefined ? null : JSON.stringify(request.reply),
      idempotency_key: request.idempotencyKey,
      body_hash: request.bodyHash,
      ephemeral: stateless ? 1 : 0,
    });
    const traced = { id: run, nextTrace: 0, untraced: [] };
    trace(kernel, traced, "admit-start");
    trace(kernel, traced, "admit-end", { thread: runThread, kind: request.instruction.kind });
    storeTrace(kernel, traced);
    return success({ run, thread: runThread, process: kernel.process, state: "queued", replayed: false });
  });
}

/** Earlier messages that a client brings along are remembered like any other turn. */
function appendHistory(kernel: Kernel, thread: ThreadId, messages: readonly Message[]): void {
  const ids = saveMessages(kernel, thread, null, messages);
  for (const [index, { role, content }] of messages.entries()) {
    if (role !== "user" && role !== "assistant") continue;
    const kind = role === "user" ? "turn" : "assistant";
    const pages = writePage(kernel, { text: content, kind, role, thread }, { defaultAt: kernel.now() });
    const [page, id] = [pages.ok ? pages.value[0] : undefined, ids[index]];
    if (page !== undefined && id !== undefined) tieMessageToPage(kernel, id, page.number);
  }
  flushSoon(kernel);
}

const DIVERGED =
  "The messages differ from this thread's own. Send the thread's messages unchanged before the new one, only the new one, or use another thread.";

/**
 * The messages that come after the longest common prefix with the thread, or null when they diverge from it. A request that
 * brings no earlier message simply continues the thread.
 */
function unknownMessages(kernel: Kernel, thread: ThreadId, sent: readonly Message[]): readonly Message[] | null {
  if (sent.every((message) => message.role === "system")) return [];
  const known = threadTexts(kernel, thread).filter((message) => message.role !== "system");
  const texts = sent.filter((message) => message.role !== "system");
  for (const [index, message] of known.entries()) {
    const other = texts[index];
    if (other === undefined || other.role !== message.role || other.content !== message.content) return null;
  }
  return texts.slice(known.length);
}

function started(kernel: Kernel, row: RunRow, replayed: boolean): RunStarted {
  return {
    run: row.id as RunId,
    thread: row.thread as ThreadId,
    process: kernel.process,
    state: row.state,
    replayed,
  };
}
