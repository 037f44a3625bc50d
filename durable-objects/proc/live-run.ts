/**
 * Live run: a run this instance is working on, as the cycle's stages share it.
 *
 * What must survive a crash is in the `runs`, `steps`, `events` and `run_pages` tables; `openRun` rebuilds this object from
 * them, so that a run taken up again goes on where its journal ends.
 */
import type { Citation, Instruction } from "#shared/abi.ts";
import type { RunId, ThreadId } from "#shared/ids.ts";
import type { Priority } from "#shared/priority.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { lastEvent } from "#kernel/proc/events.ts";
import type { Message } from "#kernel/proc/messages.ts";
import { readRunUsage, type RunUsage } from "#kernel/proc/run-usage.ts";
import type { RunRow } from "#kernel/proc/runs.ts";
import type { TraceRow } from "#kernel/proc/trace.ts";
import type { Trouble } from "#kernel/proc/trouble.ts";
import { UNUSED, type CallEnd } from "#kernel/sched/pool-api.ts";
import type { Reference } from "#kernel/vm/reference-log.ts";

export interface LiveRun {
  readonly id: RunId;
  readonly thread: ThreadId;
  readonly instruction: Instruction;
  /** The model that is asked next, or was asked last; routing may change it. */
  model: string;
  /** The model that whoever made the run asked for, or null. */
  readonly asked: string | null;
  /** Whether another model may stand in for one that cannot answer. */
  readonly fallback: boolean;
  /** The band of the pool that its inferences wait in. */
  readonly priority: Priority;
  /** True when an earlier instance began this run. */
  readonly recovered: boolean;
  /** The conversation a stateless request brought along, instead of the thread's own. */
  readonly conversation: readonly Message[] | null;
  /** JSON schema the answer must meet, or null. */
  readonly reply: Readonly<Record<string, unknown>> | null;
  readonly startedAt: number;
  /** Aborted by cancel, by the time limit, or when the thread is deleted. */
  readonly abort: AbortController;
  /** Messages of this run after the instruction: calls, their results, and notes of verify. */
  readonly messages: Message[];
  /** Set by refine: what page-in searches for. */
  query: string;
  /** Set by refine: pages the instruction names by handle. */
  named: readonly number[];
  /** Pages in this run's prompt or shown by a system call: the only ones an answer may cite. */
  readonly mapped: Set<number>;
  /** Set by page-in: the tail's pages, best first; those in `above` stand in the body, those in `cuts` are shown in part. */
  tail: readonly number[];
  above: ReadonlySet<number>;
  /** Page → the tokens of it that the tail shows. */
  cuts: ReadonlyMap<number, number>;
  /** How full the body is, in steps. */
  pressure: "low" | "moderate" | "high";
  /** Pages that had left the body and were read back → how often, fading. */
  readonly readBack: Map<number, number>;
  /** The page of the answer, once it is written. */
  answerPage: number | null;
  /** How many inferences' steps an earlier instance had already begun to show. */
  readonly stepsShown: number;
  /** How many inferences were done. */
  step: number;
  /** Attempts of the present inference that came to nothing, newest last. */
  readonly troubles: Trouble[];
  /** Models that this run is done with: each failed it for good, or too often. */
  readonly excluded: Set<string>;
  /** Models that refused to answer this run in their JSON mode. */
  readonly withoutJsonMode: Set<string>;
  /** By model, the shard of its pool that took the run's first call. */
  readonly homes: Map<string, string>;
  /** What became of its last call of a model; `unschedule` tells it to the pool. */
  lastCall: CallEnd;
  /** How many times verify asked again. */
  reasks: number;
  nextEvent: number;
  nextTrace: number;
  /** Trace rows not stored yet. */
  readonly untraced: TraceRow[];
  /** Page references not stored yet. */
  readonly references: Reference[];
  /** Texts it was shown that were forgotten while it was live; nothing it stores may repeat them. */
  readonly forgotten: string[];
  /** A page was forgotten that this run had to do with: it is scrubbed when it ends. */
  scrub: boolean;
  output: string;
  citations: Citation[];
  /** What its calls used, also those an earlier instance made. */
  readonly usage: RunUsage;
}

/** Makes the live run of a stored one. */
export function openRun(kernel: Kernel, row: RunRow): LiveRun {
  const run = row.id as RunId;
  const recovered = row.recoveries > 0 || row.started_at !== null;
  return {
    ...(recovered ? readProgress(kernel, run) : FRESH),
    id: run,
    thread: row.thread as ThreadId,
    instruction: JSON.parse(row.instruction) as Instruction,
    model: row.model,
    asked: row.asked,
    fallback: row.fallback === 1,
    priority: row.priority,
    recovered,
    conversation: row.conversation === null ? null : (JSON.parse(row.conversation) as Message[]),
    reply: row.reply === null ? null : (JSON.parse(row.reply) as Record<string, unknown>),
    startedAt: kernel.now(),
    abort: new AbortController(),
    messages: [],
    query: "",
    named: [],
    mapped: new Set(recovered ? shownPages(kernel, run) : []),
    tail: [],
    above: new Set(),
    cuts: new Map(),
    pressure: "low",
    readBack: new Map(),
    answerPage: null,
    step: 0,
    troubles: [],
    excluded: new Set(),
    withoutJsonMode: new Set(),
    homes: new Map(),
    lastCall: UNUSED,
    reasks: 0,
    untraced: [],
    references: [],
    forgotten: [],
    output: "",
    citations: [],
    usage: readRunUsage(row),
  };
}

type Progress = Pick<LiveRun, "nextEvent" | "nextTrace" | "stepsShown" | "scrub">;

/** A run that was only admitted: two trace rows, nothing else. */
const FRESH: Progress = { nextEvent: 0, nextTrace: 2, stepsShown: 0, scrub: false };

/** How far an earlier instance came. */
function readProgress(kernel: Kernel, run: RunId): Progress {
  const row = kernel.sql
    .exec<{ trace: number; steps: number; forgotten: number }>(
      `SELECT (SELECT COALESCE(MAX(id), -1) FROM trace WHERE run = ?1) AS trace,
         (SELECT COUNT(*) FROM events WHERE run = ?1 AND part ->> '$.type' = 'start-step') AS steps,
         (SELECT COUNT(*) FROM run_pages WHERE run = ?1 AND how = 'forgotten') AS forgotten`,
      run,
    )
    .one();
  return {
    nextEvent: lastEvent(kernel, run) + 1,
    nextTrace: row.trace + 1,
    stepsShown: row.steps,
    scrub: row.forgotten > 0,
  };
}

function shownPages(kernel: Kernel, run: RunId): number[] {
  return kernel.sql
    .exec<{ page: number }>(
      `SELECT page FROM run_pages WHERE run = ?1 AND how IN ('mapped', 'returned', 'created')
       UNION SELECT value FROM runs, json_each(runs.tail) WHERE runs.id = ?1`,
      run,
    )
    .toArray()
    .map((row) => row.page);
}

/** How a page belongs to a run; forgetting a page scrubs the runs it belongs to. */
export type PageUse = "mapped" | "returned" | "created" | "cited" | "forgotten";

/** Notes the pages in the tail of a run's prompt: in its own row, because there are many and few are ever asked for again. */
export function noteTail(kernel: Kernel, run: RunId, pages: readonly number[]): void {
  kernel.sql.exec("UPDATE runs SET tail = ? WHERE id = ?", JSON.stringify(pages), run);
}

/** Notes that a run used pages. */
export function notePages(kernel: Kernel, run: RunId, pages: Iterable<number>, how: PageUse): void {
  kernel.sql.exec(
    "INSERT OR IGNORE INTO run_pages SELECT ?, value, ? FROM json_each(?)",
    run,
    how,
    JSON.stringify([...pages]),
  );
}
