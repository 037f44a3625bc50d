/**
 * Messages: the canonical transcript of threads (OpenAI chat shape), and all SQL of `threads` and `messages`.
 *
 * An assistant message with tool calls and the results of those calls are written in one transaction by `saveMessages`, so
 * a stored transcript is always valid to send (rule 5 of the system).
 */
import type { Page } from "#shared/abi.ts";
import type { MessageView, ThreadView } from "#shared/inspection.ts";
import type { SystemCall } from "#shared/calls.ts";
import { composePageHandle, type RunId, type ThreadId } from "#shared/ids.ts";
import { estimateTokens } from "#shared/tokens.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { dropBody } from "#kernel/vm/pager/evictions.ts";
import { dropReferences } from "#kernel/vm/reference-log.ts";

export interface Message {
  readonly role: "system" | "user" | "assistant" | "tool";
  readonly content: string;
  readonly toolCalls?: readonly SystemCall[];
  readonly toolCallId?: string;
}

type MessageRow = {
  id: number;
  run: string | null;
  role: Message["role"];
  content: string;
  tool_calls: string | null;
  tool_call_id: string | null;
  page: number | null;
  tokens: number;
  created_at: number;
  referenced: number;
  faults: number;
};

export interface StoredMessage extends Message {
  readonly id: number;
  readonly run: RunId | null;
  readonly tokens: number;
  readonly page: number | null;
  readonly createdAt: number;
  /** Cited or read since the pager last passed it. */
  readonly referenced: boolean;
  /** How often its page was read back, fading (`pager/policy.ts`). */
  readonly faults: number;
}

/** A message to store, with the page that holds the same text. */
export type NewMessage = Message & { readonly page?: number | null; readonly faults?: number };

/** Creates the thread when it is new. */
export function openThread(kernel: Kernel, thread: ThreadId, ephemeral = false): void {
  const now = kernel.now();
  kernel.sql.exec(
    "INSERT INTO threads (id, ephemeral, created_at, updated_at) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
    thread,
    ephemeral ? 1 : 0,
    now,
    now,
  );
}

/** Appends messages to a thread; call it inside the transaction that makes them true. Answers their ids. */
export function saveMessages(
  kernel: Kernel,
  thread: ThreadId,
  run: RunId | null,
  messages: readonly NewMessage[],
): number[] {
  const now = kernel.now();
  const ids = messages.map((message) => {
    const calls = message.toolCalls === undefined ? null : JSON.stringify(message.toolCalls);
    const tokens = estimateTokens(message.content) + (calls === null ? 0 : estimateTokens(calls));
    return kernel.sql
      .exec<{ id: number }>(
        `INSERT INTO messages (thread, run, role, content, tool_calls, tool_call_id, tokens, created_at, page, faults)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
        thread,
        run,
        message.role,
        message.content,
        calls,
        message.toolCallId ?? null,
        tokens,
        now,
        message.page ?? null,
        message.faults ?? 0,
      )
      .one().id;
  });
  kernel.sql.exec("UPDATE threads SET updated_at = ? WHERE id = ?", now, thread);
  return ids;
}

/** Puts a thread of an export back, with its date; one that is here already stays as it is. */
export function restoreThread(kernel: Kernel, thread: ThreadId, createdAt: number): void {
  kernel.sql.exec(
    "INSERT INTO threads (id, created_at, updated_at) VALUES (?1, ?2, ?2) ON CONFLICT (id) DO NOTHING",
    thread,
    createdAt,
  );
}

/** Puts one message of an export back, with its date and its page. */
export function restoreMessage(
  kernel: Kernel,
  thread: ThreadId,
  message: Message & {
    readonly page: number | null;
    readonly run: string | null;
    readonly evicted: number;
    readonly createdAt: number;
  },
): void {
  const before = kernel.sql
    .exec<{ updated_at: number }>("SELECT updated_at FROM threads WHERE id = ?", thread)
    .one().updated_at;
  const [id] = saveMessages(kernel, thread, null, [message]);
  kernel.sql.exec(
    "UPDATE messages SET page = ?, run = ?, evicted = ?, created_at = ? WHERE id = ?",
    message.page,
    message.run,
    message.evicted,
    message.createdAt,
    id,
  );
  kernel.sql.exec("UPDATE threads SET updated_at = MAX(?, ?) WHERE id = ?", before, message.createdAt, thread);
}

/** Ties a message to the page that holds its text. */
export function tieMessageToPage(kernel: Kernel, message: number, page: number): void {
  kernel.sql.exec("UPDATE messages SET page = ? WHERE id = ?", page, message);
}

/** The message of a run's instruction; it is among the newest of its thread, so that is where to look. */
export function instructionOf(kernel: Kernel, thread: ThreadId, run: RunId): number | null {
  const row = kernel.sql
    .exec<{ id: number }>(
      "SELECT id FROM messages WHERE thread = ? AND run = ? AND role = 'user' ORDER BY id DESC LIMIT 1",
      thread,
      run,
    )
    .toArray()[0];
  return row?.id ?? null;
}

function readRow(row: MessageRow): StoredMessage {
  return {
    id: row.id,
    run: row.run as RunId | null,
    role: row.role,
    content: row.content,
    tokens: row.tokens,
    page: row.page,
    createdAt: row.created_at,
    referenced: row.referenced === 1,
    faults: row.faults,
    ...(row.tool_calls === null ? {} : { toolCalls: JSON.parse(row.tool_calls) as SystemCall[] }),
    ...(row.tool_call_id === null ? {} : { toolCallId: row.tool_call_id }),
  };
}

const COLUMNS = "id, run, role, content, tool_calls, tool_call_id, page, tokens, created_at, referenced, faults";

/** The thread's mapped messages, oldest first, without those of `except`. None before `body_start` is mapped. */
export function threadBody(kernel: Kernel, thread: ThreadId, except: RunId | null): StoredMessage[] {
  return kernel.sql
    .exec<MessageRow>(
      `SELECT ${COLUMNS} FROM messages WHERE thread = ?1 AND (?2 IS NULL OR run IS NOT ?2)
       AND id > COALESCE((SELECT body_start FROM threads WHERE id = ?1), 0) AND evicted = 0 ORDER BY id`,
      thread,
      except,
    )
    .toArray()
    .map(readRow);
}

/** All user and assistant texts of a thread, oldest first: what chat/completions compares its messages with. */
export function threadTexts(kernel: Kernel, thread: ThreadId): { role: string; content: string }[] {
  return kernel.sql
    .exec<{ role: string; content: string }>(
      "SELECT role, content FROM messages WHERE thread = ? AND role <> 'tool' AND tool_calls IS NULL ORDER BY id",
      thread,
    )
    .toArray();
}

/** Unmaps messages from their thread's body, into the range that this page summarises. */
export function unmapMessages(kernel: Kernel, thread: ThreadId, ids: readonly number[], summary: number): void {
  kernel.sql.exec(
    "UPDATE messages SET evicted = ? WHERE id IN (SELECT value FROM json_each(?))",
    summary,
    JSON.stringify(ids),
  );
  kernel.sql.exec(
    `UPDATE threads SET body_start = COALESCE(
       (SELECT MIN(id) FROM messages WHERE thread = ?1 AND id > threads.body_start AND evicted = 0) - 1,
       (SELECT MAX(id) FROM messages WHERE thread = ?1), 0) WHERE id = ?1`,
    thread,
  );
}

/** After a batch: takes the reference marks of what it passed, and halves the faults of what it spared and of what is gone. */
export function settleFrames(
  kernel: Kernel,
  thread: ThreadId,
  { cleared, weakened }: { readonly cleared: readonly number[]; readonly weakened: readonly number[] },
): void {
  kernel.sql.exec(
    "UPDATE messages SET referenced = 0 WHERE referenced = 1 AND id IN (SELECT value FROM json_each(?))",
    JSON.stringify(cleared),
  );
  // Below a quarter nothing is spared for it any more, and the row leaves its index.
  kernel.sql.exec(
    `UPDATE messages SET faults = CASE WHEN faults < 0.5 THEN 0 ELSE faults / 2 END
     WHERE thread = ? AND faults > 0 AND (evicted <> 0 OR id IN (SELECT value FROM json_each(?)))`,
    thread,
    JSON.stringify(weakened),
  );
}

/** Messages of one evicted range, oldest first. */
export function evictedMessages(kernel: Kernel, summary: number): StoredMessage[] {
  return kernel.sql
    .exec<MessageRow>(`SELECT ${COLUMNS} FROM messages WHERE evicted = ? ORDER BY id`, summary)
    .toArray()
    .map(readRow);
}

export function listThreads(kernel: Kernel, limit: number, cursor: string | undefined): Page<ThreadView> {
  const rows = kernel.sql
    .exec<{ id: string; created_at: number; updated_at: number; messages: number }>(
      `SELECT id, created_at, updated_at, (SELECT COUNT(*) FROM messages WHERE thread = threads.id) AS messages
       FROM threads WHERE ephemeral = 0 AND id > ? ORDER BY id LIMIT ?`,
      cursor ?? "",
      limit + 1,
    )
    .toArray();
  const items = rows.slice(0, limit).map((row) => ({
    thread: row.id as ThreadId,
    messages: row.messages,
    createdAt: new Date(row.created_at).toISOString(),
    updatedAt: new Date(row.updated_at).toISOString(),
  }));
  const last = items.at(-1);
  return rows.length > limit && last !== undefined ? { items, cursor: last.thread } : { items };
}

export function threadExists(kernel: Kernel, thread: ThreadId): boolean {
  return kernel.sql.exec("SELECT 1 FROM threads WHERE id = ?", thread).toArray().length > 0;
}

export function listMessages(kernel: Kernel, thread: ThreadId, limit: number, after: number): Page<MessageView> {
  const rows = kernel.sql
    .exec<MessageRow>(
      `SELECT ${COLUMNS} FROM messages WHERE thread = ? AND id > ? ORDER BY id LIMIT ?`,
      thread,
      after,
      limit + 1,
    )
    .toArray();
  const items = rows.slice(0, limit).map((row): MessageView => {
    const message = readRow(row);
    return {
      id: row.id,
      role: row.role,
      content: row.content,
      run: row.run as RunId | null,
      page: row.page === null ? null : composePageHandle(row.page),
      createdAt: new Date(row.created_at).toISOString(),
      ...(message.toolCalls === undefined ? {} : { toolCalls: message.toolCalls }),
    };
  });
  const last = items.at(-1);
  return rows.length > limit && last !== undefined ? { items, cursor: String(last.id) } : { items };
}

/** Deletes a thread with its messages. Its pages stay: memory belongs to the process. */
export function dropThread(kernel: Kernel, thread: ThreadId): void {
  kernel.sql.exec("DELETE FROM messages WHERE thread = ?", thread);
  kernel.sql.exec("DELETE FROM threads WHERE id = ?", thread);
  dropReferences(kernel, thread);
  dropBody(kernel, thread);
}
