/**
 * Events: a run's UI message stream as numbered, stored chunks, and readers of it.
 *
 * A part is stored before any reader sees it. A reader is only that: it starts anywhere, sees each part once and in order,
 * and leaving it cancels nothing. Ids count from 0 within a run.
 */
import type { RunState, StreamLine, StreamPart } from "#shared/abi.ts";
import { TERMINAL_STATES } from "#shared/abi.ts";
import type { RunId } from "#shared/ids.ts";
import type { Kernel } from "#kernel/kernel.ts";
import type { LiveRun } from "#kernel/proc/live-run.ts";

/** Stores a part and wakes the run's readers. */
export function emit(kernel: Kernel, run: LiveRun, part: StreamPart): void {
  kernel.sql.exec("INSERT INTO events VALUES (?, ?, ?)", run.id, run.nextEvent, JSON.stringify(part));
  run.nextEvent += 1;
  wake(kernel, run.id);
}

/** Shows a run's first parts: the message it is, then which run, thread and process (in this order, for `useChat`). */
export function emitStart(kernel: Kernel, run: LiveRun): void {
  if (run.nextEvent > 0) return;
  emit(kernel, run, { type: "start", messageId: run.id });
  emit(kernel, run, { type: "data-run", data: { run: run.id, thread: run.thread, process: kernel.process } });
}

/** Wakes every reader of a run; call it after the change is stored. */
export function wake(kernel: Kernel, run: RunId): void {
  const readers = kernel.readers.get(run);
  if (readers === undefined) return;
  kernel.readers.delete(run);
  for (const notify of readers) notify();
}

/** Resolves at the run's next change, or after `ms` milliseconds. */
export function nextChange(kernel: Kernel, run: RunId, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const readers = kernel.readers.get(run) ?? new Set();
    kernel.readers.set(run, readers);
    const timer = setTimeout(notify, ms);
    function notify(): void {
      clearTimeout(timer);
      readers.delete(notify);
      resolve();
    }
    readers.add(notify);
  });
}

/** The id of the run's newest event, or -1. */
export function lastEvent(kernel: Kernel, run: RunId): number {
  return kernel.sql.exec<{ id: number }>("SELECT COALESCE(MAX(id), -1) AS id FROM events WHERE run = ?", run).one().id;
}

function eventsAfter(kernel: Kernel, run: RunId, after: number): StreamLine[] {
  return kernel.sql
    .exec<{ id: number; part: string }>("SELECT id, part FROM events WHERE run = ? AND id > ? ORDER BY id", run, after)
    .toArray()
    .map((row) => ({ id: row.id, part: JSON.parse(row.part) as StreamPart }));
}

/** The id of the text part that is open after event `after`, if any. */
function openTextAt(kernel: Kernel, run: RunId, after: number): string | null {
  const row = kernel.sql
    .exec<{ part: string }>(
      `SELECT part FROM events WHERE run = ? AND id <= ?
       AND json_extract(part, '$.type') IN ('text-start', 'text-end', 'reset-step') ORDER BY id DESC LIMIT 1`,
      run,
      after,
    )
    .toArray()[0];
  if (row === undefined) return null;
  const part = JSON.parse(row.part) as StreamPart;
  return part.type === "text-start" && typeof part["id"] === "string" ? part["id"] : null;
}

function runState(kernel: Kernel, run: RunId): RunState | null {
  const row = kernel.sql.exec<{ state: RunState }>("SELECT state FROM runs WHERE id = ?", run).toArray()[0];
  return row?.state ?? null;
}

const READER_POLL_MS = 5_000;

/**
 * The run's events above `after` as bytes, one `StreamLine` per line, until the run ends.
 *
 * A reader that resumes inside a text part first gets that part's `text-start` again, under the id it already has, because
 * `useChat` refuses a delta of a part it has not seen open.
 */
export function readEvents(kernel: Kernel, run: RunId, after: number | null): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let seen = after ?? -1;
  let left = false;
  const reopened = after === null ? null : openTextAt(kernel, run, after);
  const lines: StreamLine[] = reopened === null ? [] : [{ id: seen, part: { type: "text-start", id: reopened } }];
  return new ReadableStream({
    type: "bytes",
    async pull(controller: ReadableByteStreamController) {
      for (;;) {
        const ended = TERMINAL_STATES.includes(runState(kernel, run) ?? "done");
        lines.push(...eventsAfter(kernel, run, seen));
        seen = lines.at(-1)?.id ?? seen;
        if (lines.length > 0) {
          await kernel.storage.sync(); // nobody may see a part that a crash could still take back
          controller.enqueue(
            encoder.encode(
              lines
                .splice(0)
                .map((line) => `${JSON.stringify(line)}\n`)
                .join(""),
            ),
          );
          if (!ended) return;
        }
        if (ended || left) {
          controller.close();
          controller.byobRequest?.respond(0);
          return;
        }
        await nextChange(kernel, run, READER_POLL_MS);
      }
    },
    cancel() {
      left = true;
    },
  });
}
