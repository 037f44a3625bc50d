/**
 * The evidence of one call: the pages that the kernel mapped, read from the prompt's tail and from this run's memory tools.
 *
 * Use: `readEvidence(messages)` gives the pages (best first), today's date, the last user message and this run's tool results.
 *
 * What must hold: pages come only from the system message right before the last user message, and from results of
 * `memory_search` and `memory_read` calls made after it. The same words inside a user message or inside a page's text are plain
 * text. A line that is not exactly a page is skipped; nothing here throws.
 */
import { parseWrittenDate } from "#shared/text/dates.ts";
import type { ChatMessage } from "#workers/local-ai/messages.ts";

export interface EvidencePage {
  readonly handle: string;
  readonly kind: string;
  /** Wall clock as UTC milliseconds. */
  readonly at: number | null;
  readonly role: "user" | "assistant" | null;
  readonly speaker: string | null;
  readonly source: string | null;
  readonly text: string;
  /** 0 is the best match. */
  readonly rank: number;
  /** Handle of the page that says the newer thing; null while this one holds. */
  readonly supersededBy?: string | null;
  /** The time asked about, when the page held then though it was said earlier. */
  readonly heldIn?: { readonly from: number; readonly to: number };
}

export interface ToolResult {
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  /** The parsed result, null when the content is no JSON object. */
  readonly result: Readonly<Record<string, unknown>> | null;
}

/** How the kernel ends a message that is a page: its handle and date. */
const marked = /\n<(p[0-9a-z]{1,12}) (\d{4}-\d\d-\d\d)>$/;
const unmarked = /\n<no page>$/;

interface Said {
  readonly role: "user" | "assistant";
  readonly text: string;
  /** Handle and date of a message that is a page. */
  readonly handle: string | null;
  readonly at: string | null;
}

function readThread(messages: readonly ChatMessage[]): Said[] {
  return messages.flatMap((message): Said[] => {
    if ((message.role !== "user" && message.role !== "assistant") || message.content === null) return [];
    const mark = message.role === "user" ? marked.exec(message.content) : null;
    const text = message.content.replace(mark === null ? unmarked : marked, "");
    return [{ role: message.role, text, handle: mark?.[1] ?? null, at: mark?.[2] ?? null }];
  });
}

/** Lines of pages that stand in a system message before the thread's end: pinned ones. */
function pinnedRows(messages: readonly ChatMessage[]): Record<string, unknown>[] {
  return messages
    .flatMap((message) => (message.role === "system" ? (message.content ?? "").split("\n") : []))
    .flatMap((line) => objects(line.startsWith('{"handle"') ? parseObject(line) : null))
    .filter((row) => typeof row.text === "string");
}

/** A line that points to a message of the thread, or to a pinned page, as the line of that. */
function resolveAbove(
  row: Record<string, unknown>,
  thread: readonly Said[],
  pinned: readonly Record<string, unknown>[],
): Record<string, unknown> {
  if (row.above !== true) return row;
  const said = thread.find((entry) => entry.handle === row.handle);
  if (said !== undefined) return { kind: "turn", at: said.at, role: "user", ...row, text: said.text };
  return { ...pinned.find((entry) => entry.handle === row.handle), ...row };
}

export interface Evidence {
  readonly pages: readonly EvidencePage[];
  readonly today: number | null;
  readonly instruction: string;
  /** User and assistant texts before the instruction, oldest first. */
  readonly thread: readonly { readonly role: "user" | "assistant"; readonly text: string }[];
  /** What the tools of this run answered, in order. */
  readonly results: readonly ToolResult[];
  /** Pages that stand in every prompt, as they are now. */
  readonly pinned: readonly EvidencePage[];
  /** Blocks that stand in every prompt, as pages whose handle is `block:<label>`. */
  readonly blocks: readonly EvidencePage[];
}

const handlePattern = /^p[0-9a-z]{1,12}$/;
const pagesHeader = "Pages mapped for this call";

export function parseObject(text: string): Record<string, unknown> | null {
  try {
    return asObject(JSON.parse(text));
  } catch {
    return null;
  }
}

function asObject(value: unknown): Record<string, unknown> | null {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : null;
}

function objects(value: Record<string, unknown> | null): Record<string, unknown>[] {
  return value === null ? [] : [value];
}

function textOrNull(value: unknown): string | null {
  return typeof value === "string" && value.trim() !== "" ? value : null;
}

function readPage(value: Record<string, unknown> | null, rank: number): EvidencePage | null {
  const handle = value?.handle;
  const text = value?.text;
  if (value === null || typeof handle !== "string" || !handlePattern.test(handle) || typeof text !== "string")
    return null;
  const at = textOrNull(value.at);
  return {
    handle,
    kind: textOrNull(value.kind) ?? "turn",
    at: at === null ? null : (parseWrittenDate(at)?.at ?? null),
    role: value.role === "user" || value.role === "assistant" ? value.role : null,
    speaker: textOrNull(value.speaker),
    source: textOrNull(value.source),
    text,
    rank,
    supersededBy: textOrNull(value.supersededBy),
  };
}

function readTail(message: ChatMessage | undefined): { today: number | null; rows: Record<string, unknown>[] } {
  if (message?.role !== "system" || message.content === null) return { today: null, rows: [] };
  const lines = message.content.split("\n");
  const today = /^Today: (\d{4}-\d{2}-\d{2})/.exec(lines.find((line) => line.startsWith("Today: ")) ?? "")?.[1];
  const header = lines.findIndex((line) => line.startsWith(pagesHeader));
  const rows =
    header === -1
      ? []
      : lines.slice(header + 1).flatMap((line) => objects(line.startsWith("{") ? parseObject(line) : null));
  return { today: today === undefined ? null : (parseWrittenDate(today)?.at ?? null), rows };
}

function readResults(messages: readonly ChatMessage[]): ToolResult[] {
  const calls = new Map<string, { name: string; arguments: Record<string, unknown> }>();
  const results: ToolResult[] = [];
  for (const message of messages) {
    for (const call of message.role === "assistant" ? (message.tool_calls ?? []) : []) {
      calls.set(call.id, { name: call.function.name, arguments: parseObject(call.function.arguments) ?? {} });
    }
    const call = message.role === "tool" ? calls.get(message.tool_call_id ?? "") : undefined;
    if (call !== undefined) results.push({ ...call, result: parseObject(message.content ?? "") });
  }
  return results;
}

function rowsOfResult(result: ToolResult): Record<string, unknown>[] {
  if (result.name !== "memory_search" && result.name !== "memory_read") return [];
  const items = result.result?.items;
  const rows: unknown[] = Array.isArray(items) ? items : [result.result?.page];
  return rows.flatMap((row) => objects(asObject(row)));
}

export function readEvidence(messages: readonly ChatMessage[]): Evidence {
  const last = messages.findLastIndex((message) => message.role === "user");
  const tail = readTail(last < 1 ? undefined : messages[last - 1]);
  const results = readResults(last === -1 ? [] : messages.slice(last + 1));
  const pages: EvidencePage[] = [];
  const seen = new Set<string>();
  const before = messages.slice(0, Math.max(0, last));
  const [thread, pinned] = [readThread(before), pinnedRows(before)];
  for (const row of [...tail.rows, ...results.flatMap(rowsOfResult)]) {
    const page = readPage(resolveAbove(row, thread, pinned), pages.length);
    if (page === null || seen.has(page.handle)) continue;
    seen.add(page.handle);
    pages.push(page);
  }
  const standing = readStanding(messages.slice(0, Math.max(0, last)));
  return { pages, today: tail.today, instruction: messages[last]?.content ?? "", thread, results, ...standing };
}

/** Lines of system messages before the pages of the call; a later line stands in the place of an earlier one. */
function readStanding(messages: readonly ChatMessage[]): Pick<Evidence, "pinned" | "blocks"> {
  const rows = new Map<string, Record<string, unknown>>();
  for (const message of messages) {
    if (message.role !== "system" || message.content === null) continue;
    for (const line of message.content.split("\n")) {
      if (line.startsWith(pagesHeader)) break;
      const row = /^\{"(?:block|handle)"/.test(line) ? parseObject(line) : null;
      const name = textOrNull(row?.block) === null ? textOrNull(row?.handle) : `block:${String(row?.block)}`;
      if (row === null || name === null || row.above === true) continue;
      if (row.pinned === false) rows.delete(name);
      else rows.set(name, row);
    }
  }
  const found = [...rows];
  const shared = { kind: "note", at: null, role: "user" as const, speaker: null, source: null, supersededBy: null };
  return {
    pinned: found.flatMap(([name, row], rank) =>
      name.startsWith("block:") ? [] : (readPage({ role: "user", ...row }, rank) ?? []),
    ),
    blocks: found.flatMap(([name, row], rank) => {
      const text = textOrNull(row.value);
      return name.startsWith("block:") && text !== null ? [{ ...shared, handle: name, text, rank }] : [];
    }),
  };
}
