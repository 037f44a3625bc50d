/**
 * Process: one user's process as a Durable Object. A shell: every method is one call inward.
 *
 * Each method first compares the caller with the owner that the object stored at its first boot. A process that does not
 * exist, or belongs to somebody else, is `not_found` for every method. The kernel is a module of its own that is loaded with the
 * first object of an isolate, so that the edge starts without it: here only its types may be imported.
 */
import { DurableObject } from "cloudflare:workers";
import type {
  BlockPut,
  BlockView,
  Caller,
  ExecuteRequest,
  ImportReport,
  ImportRow,
  MemoryQuery,
  NewPage,
  Page,
  PageEdit,
  PageKind,
  PageView,
  ProcessApi,
  RunStarted,
  RunUsagePage,
  RunUsageQuestion,
  RunStream,
  RunView,
  SearchItem,
  TraceEvent,
} from "#shared/abi.ts";
import type { ContextView, MessageView, ProcessView, ThreadView, VmStat } from "#shared/inspection.ts";
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
import type { Kernel } from "#kernel/kernel.ts";

const NO_PROCESS = failure("not_found", "There is no such process.");

type Calls = typeof import("#kernel/process-calls.ts");

type Answer<Value> = Result<Value> | Promise<Result<Value>>;

export class Process extends DurableObject<Cloudflare.Env> implements ProcessApi {
  readonly #calls: Promise<Calls>;
  #kernel: Kernel | null = null;

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env);
    this.#calls = ctx.blockConcurrencyWhile(async () => {
      const calls = await import("#kernel/process-calls.ts");
      this.#kernel = calls.boot(ctx, env, null);
      return calls;
    });
  }

  async #as<Value>(caller: Caller, work: (kernel: Kernel, calls: Calls) => Answer<Value>): Promise<Result<Value>> {
    const known = callerSchema.safeParse(caller);
    if (!known.success) return failed(NO_PROCESS);
    const calls = await this.#calls;
    this.#kernel ??= calls.boot(this.ctx, this.env, known.data as Caller);
    const kernel = this.#kernel;
    if (kernel === null || kernel.user !== known.data.user || kernel.process !== known.data.process)
      return failed(NO_PROCESS);
    return await work(kernel, calls);
  }

  #execute<Value>(
    request: ExecuteRequest,
    then: (kernel: Kernel, calls: Calls, started: RunStarted) => Answer<Value>,
  ): Promise<Result<Value>> {
    const parsed = executeSchema.safeParse(request);
    if (!parsed.success) return Promise.resolve(failed(failure("invalid_request", "The instruction is malformed.")));
    return this.#as(parsed.data.caller as Caller, async (kernel, calls) => {
      const refused = await calls.refuseOverBudget(kernel, parsed.data);
      if (refused !== null) return failed(refused);
      const started = calls.runs.execute(kernel, parsed.data, calls.submit, calls.cycle);
      return started.ok ? then(kernel, calls, started.value) : started;
    });
  }

  execute(request: ExecuteRequest): Promise<Result<RunStarted>> {
    return this.#execute(request, (_kernel, _calls, started) => success(started));
  }

  executeAndSettle(request: ExecuteRequest, waitMs: number): Promise<Result<RunView>> {
    return this.#execute(request, (kernel, calls, { run }) => calls.runs.settled(kernel, run, waitMs));
  }

  executeAndStream(request: ExecuteRequest): Promise<Result<RunStream>> {
    return this.#execute(request, (kernel, calls, started) => {
      const events = calls.runs.openEvents(kernel, started.run, null);
      return events.ok ? success({ started, events: events.value }) : events;
    });
  }

  events(caller: Caller, run: RunId, after: number | null): Promise<Result<ReadableStream<Uint8Array>>> {
    return this.#as(caller, (kernel, calls) => calls.runs.openEvents(kernel, run, after));
  }

  settled(caller: Caller, run: RunId, waitMs: number): Promise<Result<RunView>> {
    return this.#as(caller, (kernel, calls) => calls.runs.settled(kernel, run, waitMs));
  }

  runs(caller: Caller, limit: number, cursor?: string): Promise<Result<Page<RunView>>> {
    return this.#as(caller, (kernel, calls) => calls.runs.list(kernel, limit, cursor));
  }

  traceOf(caller: Caller, run: RunId): Promise<Result<readonly TraceEvent[]>> {
    return this.#as(caller, (kernel, calls) => calls.runs.traceOf(kernel, run));
  }

  referencesOf(caller: Caller, run: RunId): Promise<Result<readonly PageReference[]>> {
    return this.#as(caller, (kernel, calls) => calls.runs.referencesOf(kernel, run));
  }

  usageOfRuns(caller: Caller, question: RunUsageQuestion): Promise<Result<RunUsagePage>> {
    return this.#as(caller, (kernel, calls) => success(calls.usageOfRuns(kernel, question)));
  }

  references(caller: Caller, limit: number, cursor?: string): Promise<Result<Page<RunReferences>>> {
    return this.#as(caller, (kernel, calls) => calls.runs.references(kernel, limit, cursor));
  }

  cancel(caller: Caller, run: RunId): Promise<Result<RunView>> {
    return this.#as(caller, (kernel, calls) => calls.runs.cancel(kernel, run));
  }

  resume(caller: Caller, run: RunId, model?: string): Promise<Result<RunStarted>> {
    return this.#as(caller, (kernel, calls) => calls.runs.resume(kernel, run, model ?? null, calls.cycle));
  }

  writePage(caller: Caller, page: NewPage, idempotencyKey?: string): Promise<Result<PageView>> {
    return this.#as(caller, (kernel, calls) => calls.addPage(kernel, page, idempotencyKey));
  }

  readPage(caller: Caller, handle: PageHandle): Promise<Result<PageView>> {
    return this.#as(caller, (kernel, calls) => calls.readPage(kernel, handle));
  }

  editPage(caller: Caller, handle: PageHandle, edit: PageEdit): Promise<Result<PageView>> {
    return this.#as(caller, (kernel, calls) => calls.editPage(kernel, handle, edit));
  }

  forgetPage(caller: Caller, handle: PageHandle): Promise<Result<{ readonly forgotten: PageHandle }>> {
    return this.#as(caller, (kernel, calls) => calls.forget(kernel, handle));
  }

  pages(caller: Caller, filter: { kind?: PageKind; limit: number; cursor?: string }): Promise<Result<Page<PageView>>> {
    return this.#as(caller, (kernel, calls) => calls.listPages(kernel, filter));
  }

  search(caller: Caller, query: MemoryQuery): Promise<Result<Page<SearchItem>>> {
    return this.#as(caller, (kernel, calls) => calls.searchPages(kernel, query));
  }

  importRows(caller: Caller, key: string, rows: readonly ImportRow[]): Promise<Result<ImportReport>> {
    return this.#as(caller, (kernel, calls) => calls.importRows(kernel, key, rows));
  }

  openDocument(caller: Caller, key: string, document: NewDocument): Promise<Result<DocumentProgress>> {
    return this.#as(caller, (kernel, calls) => calls.documents.openDocument(kernel, key, document));
  }

  documentProgress(caller: Caller, document: DocumentId): Promise<Result<DocumentProgress>> {
    return this.#as(caller, (kernel, calls) => calls.documents.documentProgress(kernel, document));
  }

  appendDocument(caller: Caller, document: DocumentId, batch: DocumentBatch): Promise<Result<DocumentView>> {
    return this.#as(caller, (kernel, calls) => calls.documents.appendDocument(kernel, document, batch));
  }

  readDocument(caller: Caller, document: DocumentId): Promise<Result<DocumentView>> {
    return this.#as(caller, (kernel, calls) => calls.documents.readDocument(kernel, document));
  }

  documents(caller: Caller, limit: number, cursor?: string): Promise<Result<Page<DocumentView>>> {
    return this.#as(caller, (kernel, calls) => calls.documents.listDocuments(kernel, limit, cursor));
  }

  forgetDocument(caller: Caller, document: DocumentId): Promise<Result<DocumentForgotten>> {
    return this.#as(caller, (kernel, calls) => calls.forgetDocument(kernel, document));
  }

  exportRows(caller: Caller): Promise<Result<ReadableStream<Uint8Array>>> {
    return this.#as(caller, (kernel, calls) => success(calls.exportRows(kernel)));
  }

  blocks(caller: Caller): Promise<Result<Page<BlockView>>> {
    return this.#as(caller, (kernel, calls) => success({ items: calls.listBlocks(kernel).map(calls.viewBlock) }));
  }

  block(caller: Caller, label: string): Promise<Result<BlockView>> {
    return this.#as(caller, (kernel, calls) => calls.readBlock(kernel, label));
  }

  putBlock(caller: Caller, label: string, put: BlockPut): Promise<Result<BlockView>> {
    return this.#as(caller, (kernel, calls) => calls.putAnyBlock(kernel, label, put));
  }

  deleteBlock(caller: Caller, label: string): Promise<Result<{ readonly deleted: string }>> {
    return this.#as(caller, (kernel, calls) => calls.transact(kernel, () => calls.deleteBlock(kernel, label)));
  }

  sharedBlocks(caller: Caller, labels: readonly string[]): Promise<Result<readonly (BlockView | null)[]>> {
    return this.#as(caller, (kernel, calls) => success(calls.readShared(kernel, labels)));
  }

  editSharedBlock(caller: Caller, edit: SharedEdit, key: string): Promise<Result<BlockView | null>> {
    return this.#as(caller, (kernel, calls) => {
      const parsed = sharedEditSchema.safeParse(edit);
      return parsed.success
        ? calls.editShared(kernel, parsed.data, key)
        : failed(failure("invalid_request", "The edit is malformed."));
    });
  }

  fsck(caller: Caller, options: { repair: boolean; cursor?: string }): Promise<Result<FsckReport>> {
    return this.#as(caller, (kernel, calls) => calls.fsck(kernel, options));
  }

  threads(caller: Caller, limit: number, cursor?: string): Promise<Result<Page<ThreadView>>> {
    return this.#as(caller, (kernel, calls) => calls.threads.list(kernel, limit, cursor));
  }

  messages(caller: Caller, thread: ThreadId, limit: number, cursor?: string): Promise<Result<Page<MessageView>>> {
    return this.#as(caller, (kernel, calls) => calls.threads.messages(kernel, thread, limit, cursor));
  }

  deleteThread(caller: Caller, thread: ThreadId): Promise<Result<{ readonly deleted: ThreadId }>> {
    return this.#as(caller, (kernel, calls) => calls.threads.remove(kernel, thread));
  }

  inspect(caller: Caller): Promise<Result<ProcessView>> {
    return this.#as(caller, (kernel, calls) => success(calls.inspectProcess(kernel)));
  }

  context(caller: Caller, thread: ThreadId): Promise<Result<ContextView>> {
    return this.#as(caller, (kernel, calls) => calls.viewContext(kernel, thread));
  }

  vmstat(caller: Caller): Promise<Result<VmStat>> {
    return this.#as(caller, (kernel, calls) => success(calls.vmstat(kernel)));
  }

  sleepState(caller: Caller): Promise<Result<SleepView>> {
    return this.#as(caller, (kernel, calls) => success(calls.sleep.viewSleep(kernel)));
  }

  setSleep(caller: Caller, change: SleepChange): Promise<Result<SleepView>> {
    return this.#as(caller, (kernel, calls) => calls.sleep.setSleep(kernel, change));
  }

  sleep(caller: Caller): Promise<Result<SleepReport>> {
    return this.#as(caller, (kernel, calls) => calls.sleep.sleepOnce(kernel));
  }

  undoSleep(caller: Caller, entry: number | null): Promise<Result<{ readonly undone: readonly number[] }>> {
    return this.#as(caller, (kernel, calls) => calls.sleep.undo(kernel, entry));
  }

  audit(caller: Caller, limit: number, cursor?: string): Promise<Result<Page<AuditView>>> {
    return this.#as(caller, (kernel, calls) => calls.sleep.audit(kernel, limit, cursor));
  }

  override async alarm(): Promise<void> {
    const calls = await this.#calls;
    if (this.#kernel !== null) await calls.ringAlarm(this.#kernel, calls.TIMER_WORK);
  }
}
