/**
 * Process: one user's process as a Durable Object. A shell: every method is one call inward.
 *
 * Each method first compares the caller with the owner that the object stored at its first boot. A process that does not
 * exist, or belongs to somebody else, is `not_found` for every method.
 */
import { DurableObject } from "cloudflare:workers";
import type {
  BlockPut,
  BlockView,
  Caller,
  ContextView,
  ExecuteRequest,
  ImportReport,
  ImportRow,
  MemoryQuery,
  MessageView,
  NewPage,
  Page,
  PageEdit,
  PageKind,
  PageView,
  ProcessApi,
  ProcessView,
  RunStarted,
  RunStream,
  RunView,
  SearchItem,
  ThreadView,
  TraceEvent,
  VmStat,
} from "#shared/abi.ts";
import type { AuditView, SleepChange, SleepReport, SleepView } from "#shared/sleep-api.ts";
import { callerSchema, executeSchema } from "#shared/abi.ts";
import { failure } from "#shared/errors.ts";
import type { FsckReport } from "#shared/fsck.ts";
import type { DocumentId, PageHandle, RunId, ThreadId } from "#shared/ids.ts";
import type { PageReference, RunReferences } from "#shared/references.ts";
import { failed, success, type Result } from "#shared/result.ts";
import { sharedEditSchema, type SharedEdit } from "#shared/schema/blocks.ts";
import type {
  DocumentBatch,
  DocumentForgotten,
  DocumentProgress,
  DocumentView,
  NewDocument,
} from "#shared/schema/documents.ts";
import { boot } from "#kernel/boot.ts";
import { cycle, submit } from "#kernel/cycle.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { ringAlarm } from "#kernel/proc/alarm.ts";
import { TIMER_WORK } from "#kernel/proc/timer-work.ts";
import { inspectProcess } from "#kernel/proc/inspect.ts";
import * as runCalls from "#kernel/proc/run-calls.ts";
import * as threadCalls from "#kernel/proc/thread-calls.ts";
import { transact } from "#kernel/proc/transact.ts";
import { listBlocks } from "#kernel/vm/block-table.ts";
import { deleteBlock, readBlock, viewBlock } from "#kernel/vm/blocks.ts";
import { viewContext } from "#kernel/vm/context-view.ts";
import * as documentCalls from "#kernel/vm/documents.ts";
import { exportRows } from "#kernel/vm/export-rows.ts";
import { forgetDocument } from "#kernel/vm/forget-document.ts";
import { fsck } from "#kernel/vm/fsck.ts";
import { importRows } from "#kernel/vm/import-rows.ts";
import { addPage, editPage, forget, listPages, readPage } from "#kernel/vm/memory.ts";
import { searchPages } from "#kernel/vm/search.ts";
import { editShared, putAnyBlock, readShared } from "#kernel/vm/shared-blocks.ts";
import * as sleepCalls from "#kernel/vm/sleep/sleep-calls.ts";
import { vmstat } from "#kernel/vm/vmstat.ts";

const NO_PROCESS = failure("not_found", "There is no such process.");

type Answer<Value> = Result<Value> | Promise<Result<Value>>;

export class Process extends DurableObject<Cloudflare.Env> implements ProcessApi {
  #kernel: Kernel | null;

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env);
    this.#kernel = boot(ctx, env, null);
  }

  async #as<Value>(caller: Caller, work: (kernel: Kernel) => Answer<Value>): Promise<Result<Value>> {
    const known = callerSchema.safeParse(caller);
    if (!known.success) return failed(NO_PROCESS);
    this.#kernel ??= boot(this.ctx, this.env, known.data as Caller);
    const kernel = this.#kernel;
    if (kernel === null || kernel.user !== known.data.user || kernel.process !== known.data.process)
      return failed(NO_PROCESS);
    return await work(kernel);
  }

  #execute<Value>(
    request: ExecuteRequest,
    then: (kernel: Kernel, started: RunStarted) => Answer<Value>,
  ): Promise<Result<Value>> {
    const parsed = executeSchema.safeParse(request);
    if (!parsed.success) return Promise.resolve(failed(failure("invalid_request", "The instruction is malformed.")));
    return this.#as(parsed.data.caller as Caller, (kernel) => {
      const started = runCalls.execute(kernel, parsed.data, submit, cycle);
      return started.ok ? then(kernel, started.value) : started;
    });
  }

  execute(request: ExecuteRequest): Promise<Result<RunStarted>> {
    return this.#execute(request, (_kernel, started) => success(started));
  }

  executeAndSettle(request: ExecuteRequest, waitMs: number): Promise<Result<RunView>> {
    return this.#execute(request, (kernel, { run }) => runCalls.settled(kernel, run, waitMs));
  }

  executeAndStream(request: ExecuteRequest): Promise<Result<RunStream>> {
    return this.#execute(request, (kernel, started) => {
      const events = runCalls.openEvents(kernel, started.run, null);
      return events.ok ? success({ started, events: events.value }) : events;
    });
  }

  events(caller: Caller, run: RunId, after: number | null): Promise<Result<ReadableStream<Uint8Array>>> {
    return this.#as(caller, (kernel) => runCalls.openEvents(kernel, run, after));
  }

  settled(caller: Caller, run: RunId, waitMs: number): Promise<Result<RunView>> {
    return this.#as(caller, (kernel) => runCalls.settled(kernel, run, waitMs));
  }

  runs(caller: Caller, limit: number, cursor?: string): Promise<Result<Page<RunView>>> {
    return this.#as(caller, (kernel) => runCalls.list(kernel, limit, cursor));
  }

  traceOf(caller: Caller, run: RunId): Promise<Result<readonly TraceEvent[]>> {
    return this.#as(caller, (kernel) => runCalls.traceOf(kernel, run));
  }

  referencesOf(caller: Caller, run: RunId): Promise<Result<readonly PageReference[]>> {
    return this.#as(caller, (kernel) => runCalls.referencesOf(kernel, run));
  }

  references(caller: Caller, limit: number, cursor?: string): Promise<Result<Page<RunReferences>>> {
    return this.#as(caller, (kernel) => runCalls.references(kernel, limit, cursor));
  }

  cancel(caller: Caller, run: RunId): Promise<Result<RunView>> {
    return this.#as(caller, (kernel) => runCalls.cancel(kernel, run));
  }

  resume(caller: Caller, run: RunId): Promise<Result<RunStarted>> {
    return this.#as(caller, (kernel) => runCalls.resume(kernel, run, cycle));
  }

  writePage(caller: Caller, page: NewPage, idempotencyKey?: string): Promise<Result<PageView>> {
    return this.#as(caller, (kernel) => addPage(kernel, page, idempotencyKey));
  }

  readPage(caller: Caller, handle: PageHandle): Promise<Result<PageView>> {
    return this.#as(caller, (kernel) => readPage(kernel, handle));
  }

  editPage(caller: Caller, handle: PageHandle, edit: PageEdit): Promise<Result<PageView>> {
    return this.#as(caller, (kernel) => editPage(kernel, handle, edit));
  }

  forgetPage(caller: Caller, handle: PageHandle): Promise<Result<{ readonly forgotten: PageHandle }>> {
    return this.#as(caller, (kernel) => forget(kernel, handle));
  }

  pages(caller: Caller, filter: { kind?: PageKind; limit: number; cursor?: string }): Promise<Result<Page<PageView>>> {
    return this.#as(caller, (kernel) => listPages(kernel, filter));
  }

  search(caller: Caller, query: MemoryQuery): Promise<Result<Page<SearchItem>>> {
    return this.#as(caller, (kernel) => searchPages(kernel, query));
  }

  importRows(caller: Caller, key: string, rows: readonly ImportRow[]): Promise<Result<ImportReport>> {
    return this.#as(caller, (kernel) => importRows(kernel, key, rows));
  }

  openDocument(caller: Caller, key: string, document: NewDocument): Promise<Result<DocumentProgress>> {
    return this.#as(caller, (kernel) => documentCalls.openDocument(kernel, key, document));
  }

  documentProgress(caller: Caller, document: DocumentId): Promise<Result<DocumentProgress>> {
    return this.#as(caller, (kernel) => documentCalls.documentProgress(kernel, document));
  }

  appendDocument(caller: Caller, document: DocumentId, batch: DocumentBatch): Promise<Result<DocumentView>> {
    return this.#as(caller, (kernel) => documentCalls.appendDocument(kernel, document, batch));
  }

  readDocument(caller: Caller, document: DocumentId): Promise<Result<DocumentView>> {
    return this.#as(caller, (kernel) => documentCalls.readDocument(kernel, document));
  }

  documents(caller: Caller, limit: number, cursor?: string): Promise<Result<Page<DocumentView>>> {
    return this.#as(caller, (kernel) => documentCalls.listDocuments(kernel, limit, cursor));
  }

  forgetDocument(caller: Caller, document: DocumentId): Promise<Result<DocumentForgotten>> {
    return this.#as(caller, (kernel) => forgetDocument(kernel, document));
  }

  exportRows(caller: Caller): Promise<Result<ReadableStream<Uint8Array>>> {
    return this.#as(caller, (kernel) => success(exportRows(kernel)));
  }

  blocks(caller: Caller): Promise<Result<Page<BlockView>>> {
    return this.#as(caller, (kernel) => success({ items: listBlocks(kernel).map(viewBlock) }));
  }

  block(caller: Caller, label: string): Promise<Result<BlockView>> {
    return this.#as(caller, (kernel) => readBlock(kernel, label));
  }

  putBlock(caller: Caller, label: string, put: BlockPut): Promise<Result<BlockView>> {
    return this.#as(caller, (kernel) => putAnyBlock(kernel, label, put));
  }

  deleteBlock(caller: Caller, label: string): Promise<Result<{ readonly deleted: string }>> {
    return this.#as(caller, (kernel) => transact(kernel, () => deleteBlock(kernel, label)));
  }

  sharedBlocks(caller: Caller, labels: readonly string[]): Promise<Result<readonly (BlockView | null)[]>> {
    return this.#as(caller, (kernel) => success(readShared(kernel, labels)));
  }

  editSharedBlock(caller: Caller, edit: SharedEdit, key: string): Promise<Result<BlockView | null>> {
    return this.#as(caller, (kernel) => {
      const parsed = sharedEditSchema.safeParse(edit);
      return parsed.success
        ? editShared(kernel, parsed.data, key)
        : failed(failure("invalid_request", "The edit is malformed."));
    });
  }

  fsck(caller: Caller, options: { repair: boolean; cursor?: string }): Promise<Result<FsckReport>> {
    return this.#as(caller, (kernel) => fsck(kernel, options));
  }

  threads(caller: Caller, limit: number, cursor?: string): Promise<Result<Page<ThreadView>>> {
    return this.#as(caller, (kernel) => threadCalls.list(kernel, limit, cursor));
  }

  messages(caller: Caller, thread: ThreadId, limit: number, cursor?: string): Promise<Result<Page<MessageView>>> {
    return this.#as(caller, (kernel) => threadCalls.messages(kernel, thread, limit, cursor));
  }

  deleteThread(caller: Caller, thread: ThreadId): Promise<Result<{ readonly deleted: ThreadId }>> {
    return this.#as(caller, (kernel) => threadCalls.remove(kernel, thread));
  }

  inspect(caller: Caller): Promise<Result<ProcessView>> {
    return this.#as(caller, (kernel) => success(inspectProcess(kernel)));
  }

  context(caller: Caller, thread: ThreadId): Promise<Result<ContextView>> {
    return this.#as(caller, (kernel) => viewContext(kernel, thread));
  }

  vmstat(caller: Caller): Promise<Result<VmStat>> {
    return this.#as(caller, (kernel) => success(vmstat(kernel)));
  }

  sleepState(caller: Caller): Promise<Result<SleepView>> {
    return this.#as(caller, (kernel) => success(sleepCalls.viewSleep(kernel)));
  }

  setSleep(caller: Caller, change: SleepChange): Promise<Result<SleepView>> {
    return this.#as(caller, (kernel) => sleepCalls.setSleep(kernel, change));
  }

  sleep(caller: Caller): Promise<Result<SleepReport>> {
    return this.#as(caller, (kernel) => sleepCalls.sleepOnce(kernel));
  }

  undoSleep(caller: Caller, entry: number | null): Promise<Result<{ readonly undone: readonly number[] }>> {
    return this.#as(caller, (kernel) => sleepCalls.undo(kernel, entry));
  }

  audit(caller: Caller, limit: number, cursor?: string): Promise<Result<Page<AuditView>>> {
    return this.#as(caller, (kernel) => sleepCalls.audit(kernel, limit, cursor));
  }

  override async alarm(): Promise<void> {
    if (this.#kernel !== null) await ringAlarm(this.#kernel, TIMER_WORK);
  }
}
