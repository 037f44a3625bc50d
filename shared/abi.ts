/**
 * ABI: what the edge and the kernel say to each other.
 *
 * The edge calls `ProcessApi` on a Durable Object stub that `workers/trap.ts` found by the *authenticated* user; every
 * request carries the caller, and the process compares it with the owner it stored at its first boot. Requests are read
 * by their schema inside the object. Every method answers a `Result`, never throws for an expected failure.
 */
import { z } from "zod";
import type { Failure } from "#shared/errors.ts";
import type { FsckReport } from "#shared/fsck.ts";
import type { PageHandle, ProcessId, RunId, ThreadId, UserId } from "#shared/ids.ts";
import type { ContextView, MessageView, ProcessView, ThreadView, VmStat } from "#shared/inspection.ts";
import { PRIORITIES } from "#shared/priority.ts";
import type { PageReference, RunReferences } from "#shared/references.ts";
import type { Result } from "#shared/result.ts";
import type { UsageCounts, UsageItem } from "#shared/schema/usage.ts";
import type { SleepApi } from "#shared/sleep-api.ts";
import type { SharedEdit } from "#shared/schema/blocks.ts";
import type { DocumentApi } from "#shared/document-api.ts";

/** Who calls: always from the verified key or session, never from the request's body or path. */
export interface Caller {
  readonly user: UserId;
  readonly process: ProcessId;
  /** Number of the D1 memory shard (`MEM_<shard>`) that holds the user's page bodies. */
  readonly shard: number;
}

export const callerSchema = z.strictObject({
  user: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/),
  process: z.string().regex(/^[a-z0-9-]{1,32}$/),
  shard: z.int().min(0).max(4095),
});

// ---- Instructions and runs

/** What a person asked, parsed at the edge. `text` is always the original. */
export type Instruction =
  | { readonly kind: "language"; readonly text: string }
  | { readonly kind: "command"; readonly text: string; readonly command: string; readonly call: CommandCall };

/** What a command does: one system call, or a text that is already known (help, an error with a suggestion). */
export type CommandCall =
  | { readonly kind: "syscall"; readonly name: string; readonly arguments: Record<string, unknown> }
  | { readonly kind: "text"; readonly output: string };

export const instructionSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("language"), text: z.string().min(1) }),
  z.strictObject({
    kind: z.literal("command"),
    text: z.string().min(1),
    command: z.string(),
    call: z.discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("syscall"), name: z.string(), arguments: z.record(z.string(), z.unknown()) }),
      z.strictObject({ kind: z.literal("text"), output: z.string() }),
    ]),
  }),
]);

export type RunState = "queued" | "running" | "waiting" | "done" | "failed" | "cancelled" | "interrupted";

export const TERMINAL_STATES: readonly RunState[] = ["done", "failed", "cancelled", "interrupted"];

export const executeSchema = z.strictObject({
  caller: callerSchema,
  instruction: instructionSchema,
  thread: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/),
  model: z.string().max(200).optional(),
  /** Whether another model may stand in; absent: only when none was asked for. */
  fallback: z.boolean().optional(),
  /** How much it hurries; interactive when absent. */
  priority: z.enum(PRIORITIES).optional(),
  /** JSON schema the answer must meet; free text when absent. */
  reply: z.record(z.string(), z.unknown()).optional(),
  idempotencyKey: z.string().min(1).max(255),
  /** SHA-256 (hex) of the request without `stream`; the same key with another hash is a conflict. */
  bodyHash: z.string().length(64),
  /**
   * Messages that come before the instruction, for chat/completions. With `mode: "append"` the thread's own messages must
   * be a prefix of them (else conflict) and the rest is appended; with `mode: "replace"` the run is stateless: they are
   * the whole conversation, no thread is kept, and the run dies with its reader.
   */
  conversation: z
    .strictObject({
      mode: z.enum(["append", "replace"]),
      messages: z.array(z.strictObject({ role: z.enum(["system", "user", "assistant"]), content: z.string() })),
    })
    .optional(),
});

export type ExecuteRequest = z.infer<typeof executeSchema>;

export interface RunStarted {
  readonly run: RunId;
  readonly thread: ThreadId;
  readonly process: ProcessId;
  readonly state: RunState;
  /** True when the idempotency key was known and nothing new was started. */
  readonly replayed: boolean;
}

export interface RunStream {
  readonly started: RunStarted;
  /** Bytes of `StreamLine`s, as `events` answers them. */
  readonly events: ReadableStream<Uint8Array>;
}

export interface Citation {
  readonly handle: PageHandle;
  /** Verbatim words of the page. */
  readonly quote: string;
  readonly source: string | null;
  /** ISO 8601, or null when the page has no date. */
  readonly at: string | null;
}

export interface Usage {
  readonly model: string;
  readonly inputTokens: number;
  readonly cachedTokens: number;
  readonly outputTokens: number;
  readonly microdollars: number;
  readonly neurons: number;
  /** Wall time of the run in milliseconds. */
  readonly ms: number;
  /** Each model by itself, when the run used several; `ms` is the time it worked. */
  readonly models?: readonly (UsageCounts & { readonly model: string })[];
}

export interface RunUsageQuestion {
  /** First and last day, days since 1970 (UTC). */
  readonly from: number;
  readonly to: number;
  readonly limit: number;
  /** Id of the last run that was seen, or null. */
  readonly before: string | null;
}

export interface RunUsagePage extends Page<UsageItem> {
  /** Of all runs of these days. */
  readonly total: UsageCounts;
}

export interface SyscallView {
  readonly id: string;
  readonly name: string;
  readonly arguments: unknown;
  readonly ok: boolean;
  readonly result: unknown;
}

/** A run as the API shows it. */
export interface RunView {
  readonly run: RunId;
  readonly thread: ThreadId;
  readonly process: ProcessId;
  readonly status: RunState;
  readonly input: string;
  readonly output: string;
  readonly citations: readonly Citation[];
  readonly syscalls: readonly SyscallView[];
  readonly usage: Usage;
  /** True when the answer says that nothing known supports an answer. */
  readonly abstained: boolean;
  readonly error: Failure | null;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
}

/** One row of a run's trace: `event` is `<stage>-start`, `<stage>-end` or a remark; `data` never holds a prompt. */
export interface TraceEvent {
  readonly id: number;
  readonly at: string;
  readonly event: string;
  readonly data: Record<string, unknown>;
}

/**
 * One part of the AI SDK UI message stream v1 (https://ai-sdk.dev, stream protocol). OS events are `data-…` parts.
 * Within a run every part has an integer id, counting from 0.
 */
export interface StreamPart {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** One line of the byte stream that `events` answers: JSON, then a newline. */
export interface StreamLine {
  readonly id: number;
  readonly part: StreamPart;
}

// ---- Memory

export const PAGE_KINDS = ["turn", "fact", "document", "tool", "summary", "note", "instruction"] as const;

/** `assistant` pages are the process's own answers: searchable when asked for by kind, never evidence. */
export type PageKind = (typeof PAGE_KINDS)[number] | "assistant";

export type PageRole = "user" | "assistant" | "tool" | "system";

export interface PageView {
  readonly handle: PageHandle;
  readonly kind: PageKind;
  readonly text: string;
  readonly role: PageRole | null;
  readonly speaker: string | null;
  readonly source: string | null;
  /** ISO 8601 (naive when the original named no zone), or null. */
  readonly at: string | null;
  /** The date as it was given, or null. */
  readonly atText: string | null;
  readonly tags: readonly string[];
  readonly thread: string | null;
  readonly version: number;
  readonly tokens: number;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly pinned: boolean;
  /** The page that says the newer thing of the same subject; null while this one holds. */
  readonly supersededBy: PageHandle | null;
  readonly provenance: readonly PageHandle[];
}

export interface SearchItem {
  readonly handle: PageHandle;
  readonly score: number;
  readonly snippet: string;
  readonly text: string;
  readonly kind: PageKind;
  readonly speaker: string | null;
  readonly source: string | null;
  readonly at: string | null;
  readonly supersededBy: PageHandle | null;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  /** Opaque; absent on the last page of a list. */
  readonly cursor?: string;
}

/** A new page. `at` is a written date (ISO 8601 or "1:56 pm on 8 May, 2023"), null for none, absent for now. */
export interface NewPage {
  readonly text: string;
  readonly kind?: PageKind;
  readonly role?: PageRole;
  readonly speaker?: string;
  readonly at?: string | null;
  readonly source?: string;
  readonly thread?: string;
  readonly tags?: readonly string[];
}

/** A change to a page; absent fields stay. Ids, dates of creation and provenance cannot be changed. */
export interface PageEdit {
  readonly text?: string;
  readonly kind?: PageKind;
  readonly at?: string | null;
  readonly source?: string | null;
  readonly tags?: readonly string[];
  /** True puts it into every prompt, false takes it out for good. */
  readonly pinned?: boolean;
  /** When given, the edit fails with `conflict` unless the page is at this version. */
  readonly version?: number;
}

export interface MemoryQuery {
  readonly query: string;
  readonly limit: number;
  readonly kind?: PageKind;
  /** Written dates; a date-only `to` includes the day. */
  readonly from?: string;
  readonly to?: string;
  readonly tags?: readonly string[];
}

/** One row of an import, already valid JSON; `line` is its 1-based line in the file. Unknown until the object reads it. */
export interface ImportRow {
  readonly line: number;
  readonly row: unknown;
}

export interface ImportReport {
  readonly imported: number;
  readonly handles: readonly PageHandle[];
  readonly skipped: readonly { readonly line: number; readonly reason: string }[];
}

// ---- Blocks

/** A labelled text that stands in every prompt. */
export interface BlockView {
  readonly label: string;
  readonly description: string;
  readonly value: string;
  /** Characters (code points) it has, and may have. */
  readonly characters: number;
  readonly limit: number;
  /** True when models may not change it here. */
  readonly readOnly: boolean;
  readonly version: number;
  /** The process that owns it, when it is attached. */
  readonly sharedBy: { readonly process: string; readonly label: string } | null;
  /** True when its owner did not answer; `value` is then the last one known. */
  readonly outOfReach: boolean;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** A new state of a block; absent fields stay. `attach` shares a block of another process of the same user. */
export interface BlockPut {
  readonly value?: string;
  readonly description?: string;
  readonly limit?: number;
  readonly readOnly?: boolean;
  readonly attach?: { readonly process: string; readonly label: string };
  /** When given, `conflict` unless the block is at this version; 0 when there must be none. */
  readonly version?: number;
}

/** The process's face to the edge. Streams are bytes: one JSON value per line. */
export interface ProcessApi extends DocumentApi, SleepApi<Caller> {
  execute(request: ExecuteRequest): Promise<Result<RunStarted>>;
  /** `execute`, then `settled`, in one call: the way of a reply that does not stream. */
  executeAndSettle(request: ExecuteRequest, waitMs: number): Promise<Result<RunView>>;
  /** `execute`, then `events` from the start, in one call: the way of a reply that streams. */
  executeAndStream(request: ExecuteRequest): Promise<Result<RunStream>>;
  /** Parts with an id above `after` (all when null), then live ones until the run ends. Bytes of `StreamLine`s. */
  events(caller: Caller, run: RunId, after: number | null): Promise<Result<ReadableStream<Uint8Array>>>;
  /** The run once it ended, or as it is after `waitMs` milliseconds. */
  settled(caller: Caller, run: RunId, waitMs: number): Promise<Result<RunView>>;
  runs(caller: Caller, limit: number, cursor?: string): Promise<Result<Page<RunView>>>;
  /** Not `trace`: that name is taken by the runtime for tail workers. */
  traceOf(caller: Caller, run: RunId): Promise<Result<readonly TraceEvent[]>>;
  /** What a run did with the pages of its prompts, until now. */
  referencesOf(caller: Caller, run: RunId): Promise<Result<readonly PageReference[]>>;
  /** What each run of some days used, newest first. */
  usageOfRuns(caller: Caller, question: RunUsageQuestion): Promise<Result<RunUsagePage>>;
  /** The reference log, in the order in which runs closed. */
  references(caller: Caller, limit: number, cursor?: string): Promise<Result<Page<RunReferences>>>;
  cancel(caller: Caller, run: RunId): Promise<Result<RunView>>;
  /** Continues an interrupted run, with another model when one is given. */
  resume(caller: Caller, run: RunId, model?: string): Promise<Result<RunStarted>>;

  writePage(caller: Caller, page: NewPage, idempotencyKey?: string): Promise<Result<PageView>>;
  readPage(caller: Caller, handle: PageHandle): Promise<Result<PageView>>;
  editPage(caller: Caller, handle: PageHandle, edit: PageEdit): Promise<Result<PageView>>;
  forgetPage(caller: Caller, handle: PageHandle): Promise<Result<{ readonly forgotten: PageHandle }>>;
  pages(caller: Caller, filter: { kind?: PageKind; limit: number; cursor?: string }): Promise<Result<Page<PageView>>>;
  search(caller: Caller, query: MemoryQuery): Promise<Result<Page<SearchItem>>>;
  /** Imports rows in order, all or nothing per call; rows of `key` that were imported before are not imported again. */
  importRows(caller: Caller, key: string, rows: readonly ImportRow[]): Promise<Result<ImportReport>>;
  /** The whole process as NDJSON bytes that `importRows` reads back. */
  exportRows(caller: Caller): Promise<Result<ReadableStream<Uint8Array>>>;

  blocks(caller: Caller): Promise<Result<Page<BlockView>>>;
  block(caller: Caller, label: string): Promise<Result<BlockView>>;
  putBlock(caller: Caller, label: string, put: BlockPut): Promise<Result<BlockView>>;
  deleteBlock(caller: Caller, label: string): Promise<Result<{ readonly deleted: string }>>;
  /** Asked by another process of the same user that has these blocks attached; null for one that is not there. */
  sharedBlocks(caller: Caller, labels: readonly string[]): Promise<Result<readonly (BlockView | null)[]>>;
  /** An edit by such a process; the same key is answered as it was the first time. */
  editSharedBlock(caller: Caller, edit: SharedEdit, key: string): Promise<Result<BlockView | null>>;

  /** Checks whether page table, search index and D1 agree, a bounded part per call; `repair` makes them. */
  fsck(caller: Caller, options: { repair: boolean; cursor?: string }): Promise<Result<FsckReport>>;
  threads(caller: Caller, limit: number, cursor?: string): Promise<Result<Page<ThreadView>>>;
  messages(caller: Caller, thread: ThreadId, limit: number, cursor?: string): Promise<Result<Page<MessageView>>>;
  deleteThread(caller: Caller, thread: ThreadId): Promise<Result<{ readonly deleted: ThreadId }>>;
  inspect(caller: Caller): Promise<Result<ProcessView>>;
  context(caller: Caller, thread: ThreadId): Promise<Result<ContextView>>;
  vmstat(caller: Caller): Promise<Result<VmStat>>;
}
