/**
 * Import rows: takes a batch of NDJSON rows into the process, all of it in one transaction.
 *
 * Rows are a union by `type` (`page` when absent). A row that cannot be read is skipped and reported with its line; the
 * others are taken. The report of a batch is remembered by the import's key, so that a batch sent again, after a cut
 * connection or a restart, is answered and not imported twice. Handles of an export are restored when they are free.
 */
import { z } from "zod";
import type { ImportReport, ImportRow } from "#shared/abi.ts";
import { PAGE_KINDS } from "#shared/abi.ts";
import { failure } from "#shared/errors.ts";
import {
  composePageHandle,
  pageNumber,
  parsePageHandle,
  parseThreadId,
  type PageHandle,
  type RunId,
} from "#shared/ids.ts";
import {
  IDEMPOTENCY_MS,
  IMPORT_BATCH_ROWS,
  PAGE_NUMBER_GAP,
  PROVENANCE_PAGES,
  SOURCE_CHARACTERS,
  TAGS_PER_PAGE,
  TAG_CHARACTERS,
} from "#shared/limits.ts";
import { failed, success, type Result } from "#shared/result.ts";
import { storableText } from "#shared/schema/text.ts";
import { sha256 } from "#shared/sha256.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { setTimer } from "#kernel/proc/alarm.ts";
import { raiseCounter, readCounter } from "#kernel/proc/counters.ts";
import { openThread, restoreMessage, restoreThread } from "#kernel/proc/messages.ts";
import { transact } from "#kernel/proc/transact.ts";
import { countDocumentPage } from "#kernel/vm/documents/document-count.ts";
import { documentOfRow, documentRow, restoreDocument } from "#kernel/vm/documents/document-rows.ts";
import { flush } from "#kernel/vm/flush.ts";
import { blockRow, takeBlock } from "#kernel/vm/pinned/block-rows.ts";
import { findPage, insertPage, type PageDraft } from "#kernel/vm/page-table.ts";
import { importEvicted, rangeRow, takeRange } from "#kernel/vm/summary/range-rows.ts";
import { foreignRun, linkFields, messageRun, takeLinks } from "#kernel/vm/forget/run-links.ts";
import { UNPINNED } from "#kernel/vm/pinned/pin-by-hand.ts";
import { insertRemembered, pinStanding } from "#kernel/vm/pinned/pin-standing.ts";
import { auditRow, restoreAudit, restoreSleep, sleepRow } from "#kernel/vm/sleep/sleep-rows.ts";
import { whenIdle } from "#kernel/vm/sleep/sleep.ts";
import { draftPages } from "#kernel/vm/write-page.ts";

const label = z.string().min(1).max(SOURCE_CHARACTERS).nullish();

const pageRow = z.strictObject({
  type: z.literal("page").optional(),
  text: storableText.min(1),
  kind: z.enum([...PAGE_KINDS, "assistant"]).optional(),
  role: z.enum(["user", "assistant", "tool", "system"]).nullish(),
  speaker: label,
  at: z.string().max(128).nullish(),
  atText: z.string().max(128).nullish(),
  source: label,
  thread: label,
  tags: z
    .array(z.string().min(1).max(TAG_CHARACTERS))
    .refine((tags) => tags.filter((tag) => tag !== UNPINNED).length <= TAGS_PER_PAGE, "too many")
    .optional(),
  document: z.string().optional(),
  handle: z.string().optional(),
  version: z.int().min(1).optional(),
  evidence: z.boolean().optional(),
  createdAt: z.iso.datetime().optional(),
  updatedAt: z.iso.datetime().optional(),
  pinned: z.boolean().optional(),
  supersededBy: z.string().nullish(),
  provenance: z.array(z.string()).max(PROVENANCE_PAGES).optional(),
  ...linkFields,
});

const threadRow = z.strictObject({
  type: z.literal("thread"),
  thread: z.string(),
  createdAt: z.iso.datetime().optional(),
});

const messageRow = z.strictObject({
  type: z.literal("message"),
  thread: z.string(),
  role: z.enum(["user", "assistant", "tool"]),
  content: storableText,
  toolCalls: z.array(z.object({ id: z.string(), name: z.string(), arguments: z.unknown() })).optional(),
  toolCallId: z.string().optional(),
  page: z.string().nullish(),
  evicted: z.string().nullish(),
  run: messageRun,
  createdAt: z.iso.datetime().optional(),
});

type PageImport = z.infer<typeof pageRow>;
type Taken =
  | { readonly ok: true; readonly handles: readonly PageHandle[] }
  | { readonly ok: false; readonly reason: string };

export async function importRows(
  kernel: Kernel,
  key: string,
  rows: readonly ImportRow[],
): Promise<Result<ImportReport>> {
  const first = rows[0];
  if (first === undefined || rows.length > IMPORT_BATCH_ROWS)
    return failed(failure("invalid_request", "Not a batch of rows."));
  const name = `import ${key} ${first.line}`;
  const hash = await sha256(JSON.stringify(rows));
  const known = kernel.sql
    .exec<{ hash: string; reply: string }>(
      "SELECT hash, reply FROM replies WHERE key = ? AND created_at > ?",
      name,
      kernel.now() - IDEMPOTENCY_MS,
    )
    .toArray()[0];
  if (known !== undefined) {
    if (known.hash !== hash) return failed(failure("conflict", "This Idempotency-Key was used with another import."));
    return success(JSON.parse(known.reply) as ImportReport);
  }
  const report = transact(kernel, () => {
    const taken = takeAll(kernel, rows);
    kernel.sql.exec(
      "INSERT OR REPLACE INTO replies VALUES (?, ?, ?, ?)",
      name,
      hash,
      JSON.stringify(taken),
      kernel.now(),
    );
    setTimer(kernel, "expire", kernel.now() + IDEMPOTENCY_MS + 1);
    return taken;
  });
  kernel.background(flush(kernel));
  whenIdle(kernel);
  return success(report);
}

function takeAll(kernel: Kernel, rows: readonly ImportRow[]): ImportReport {
  const handles: PageHandle[] = [];
  const skipped: { line: number; reason: string }[] = [];
  let imported = 0;
  for (const { line, row } of rows) {
    const taken = takeRow(kernel, row);
    if (taken.ok) {
      imported += 1;
      handles.push(...taken.handles);
    } else {
      skipped.push({ line, reason: taken.reason });
    }
  }
  return { imported, handles, skipped };
}

function refuse(error: z.ZodError): Taken {
  const issue = error.issues[0];
  return { ok: false, reason: `${issue?.path.join(".") || "row"}: ${issue?.message ?? "unreadable"}` };
}

function takeRow(kernel: Kernel, row: unknown): Taken {
  const type = z.object({ type: z.string().optional() }).safeParse(row);
  if (!type.success) return { ok: false, reason: "row: not a JSON object" };
  switch (type.data.type) {
    case undefined:
    case "page": {
      const page = pageRow.safeParse(row);
      return page.success ? takePage(kernel, page.data) : refuse(page.error);
    }
    case "block": {
      const block = blockRow.safeParse(row);
      if (!block.success) return refuse(block.error);
      const refused = takeBlock(kernel, block.data);
      return refused === null ? { ok: true, handles: [] } : { ok: false, reason: refused };
    }
    case "document": {
      const document = documentRow.safeParse(row);
      if (!document.success) return refuse(document.error);
      const reason = restoreDocument(kernel, document.data);
      return reason === null ? { ok: true, handles: [] } : { ok: false, reason };
    }
    case "audit": {
      const entry = auditRow.safeParse(row);
      if (!entry.success) return refuse(entry.error);
      const reason = restoreAudit(kernel, entry.data);
      return reason === null ? { ok: true, handles: [] } : { ok: false, reason };
    }
    case "sleep": {
      const sleep = sleepRow.safeParse(row);
      if (!sleep.success) return refuse(sleep.error);
      restoreSleep(kernel, sleep.data);
      return { ok: true, handles: [] };
    }
    case "thread": {
      const thread = threadRow.safeParse(row);
      if (!thread.success) return refuse(thread.error);
      const id = parseThreadId(thread.data.thread);
      if (id === null) return { ok: false, reason: "thread: not a thread id" };
      restoreThread(kernel, id, thread.data.createdAt === undefined ? kernel.now() : Date.parse(thread.data.createdAt));
      return { ok: true, handles: [] };
    }
    case "message": {
      const message = messageRow.safeParse(row);
      return message.success ? takeMessage(kernel, message.data) : refuse(message.error);
    }
    case "range": {
      const range = rangeRow.safeParse(row);
      if (!range.success) return refuse(range.error);
      const refused = takeRange(kernel, range.data);
      return refused === null ? { ok: true, handles: [] } : { ok: false, reason: refused };
    }
    default:
      return { ok: false, reason: "type: unknown" };
  }
}

function takeMessage(kernel: Kernel, row: z.infer<typeof messageRow>): Taken {
  const thread = parseThreadId(row.thread);
  if (thread === null) return { ok: false, reason: "thread: not a thread id" };
  openThread(kernel, thread);
  const handle = typeof row.page === "string" ? parsePageHandle(row.page) : null;
  restoreMessage(kernel, thread, {
    role: row.role,
    content: row.content,
    ...(row.toolCalls === undefined ? {} : { toolCalls: row.toolCalls }),
    ...(row.toolCallId === undefined ? {} : { toolCallId: row.toolCallId }),
    page: handle === null ? null : pageWithWords(kernel, handle, row.content),
    evicted: importEvicted(kernel, thread, row.evicted),
    run: foreignRun(kernel, row.run),
    createdAt: row.createdAt === undefined ? kernel.now() : Date.parse(row.createdAt),
  });
  return { ok: true, handles: [] };
}

/** The page of this handle, if it holds the message's words; another process's handle may name another page here. */
function pageWithWords(kernel: Kernel, handle: PageHandle, content: string): number | null {
  const page = findPage(kernel, handle);
  if (page === null || page.text === null) return null;
  return content.trim().startsWith(page.text.trim()) ? page.number : null;
}

function takePage(kernel: Kernel, row: PageImport): Taken {
  const spoken = (row.role ?? row.speaker ?? null) !== null;
  const drafts = draftPages(
    {
      text: row.text,
      kind: row.kind ?? (spoken ? "turn" : "document"),
      at: row.at ?? null,
      ...(row.role === null || row.role === undefined ? {} : { role: row.role }),
      ...(row.speaker === null || row.speaker === undefined ? {} : { speaker: row.speaker }),
      ...(row.source === null || row.source === undefined ? {} : { source: row.source }),
      ...(row.thread === null || row.thread === undefined ? {} : { thread: row.thread }),
      ...(row.tags === undefined ? {} : { tags: row.tags }),
    },
    { defaultAt: null },
  );
  if (!drafts.ok) return { ok: false, reason: drafts.error.detail };
  const number = row.handle === undefined ? null : freeNumber(kernel, row.handle);
  if (number === "too far") return { ok: false, reason: "handle: too far beyond this process's own" };
  if (number === "used") return { ok: false, reason: "handle: already used in this process" };
  const document = documentOfRow(kernel, row.document);
  // Rows of an export bring their pins along; what comes from elsewhere is read for them.
  const fromExport = row.handle !== undefined || row.pinned !== undefined;
  const take = fromExport ? insertPage : insertRemembered;
  const handles = drafts.value.map((plain, part) => {
    const linked = { ...plain, run: foreignRun(kernel, row.run) as RunId | null };
    const draft = document === null ? linked : { ...linked, session: document };
    const whole = drafts.value.length === 1 && number !== null;
    const page = take(kernel, part === 0 ? restored(whole ? { ...draft, text: row.text } : draft, row, number) : draft);
    takeLinks(kernel, page.number, row);
    countDocumentPage(kernel, page, 1);
    if (!fromExport) pinStanding(kernel, page);
    return composePageHandle(page.number);
  });
  return { ok: true, handles };
}

function restored(draft: PageDraft, row: PageImport, number: number | null): PageDraft {
  return {
    ...draft,
    ...(row.atText === undefined ? {} : { at_text: row.atText }),
    ...(row.evidence === undefined ? {} : { evidence: row.evidence ? 1 : 0 }),
    ...(row.createdAt === undefined ? {} : { createdAt: Date.parse(row.createdAt) }),
    ...(row.updatedAt === undefined ? {} : { updatedAt: Date.parse(row.updatedAt) }),
    ...(row.version === undefined ? {} : { version: row.version }),
    ...(row.pinned === undefined ? {} : { pinned: row.pinned ? 1 : 0 }),
    // Other pages are known by their handles only where these were given back.
    ...(number === null ? {} : { number, ...linked(row) }),
  };
}

function linked(row: PageImport): Pick<PageDraft, "supersededBy" | "provenance"> {
  const numberOf = (handle: string): number | null => {
    const parsed = parsePageHandle(handle);
    return parsed === null ? null : pageNumber(parsed);
  };
  return {
    supersededBy: typeof row.supersededBy === "string" ? numberOf(row.supersededBy) : null,
    provenance: (row.provenance ?? []).flatMap((handle) => numberOf(handle) ?? []),
  };
}

/**
 * The number of an exported handle, when no page ever had it here; the page counter moves past it. Exports come in the order
 * of their numbers, so a number at or below the counter was used, and perhaps forgotten.
 */
function freeNumber(kernel: Kernel, handle: string): number | "used" | "too far" | null {
  const parsed = parsePageHandle(handle);
  const number = parsed === null ? null : pageNumber(parsed);
  if (number === null || number < 1) return null;
  const last = readCounter(kernel, "page");
  if (number > last + PAGE_NUMBER_GAP) return "too far";
  if (number <= last) return "used";
  raiseCounter(kernel, "page", number);
  return number;
}
