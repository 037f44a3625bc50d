/**
 * Reference log: which pages each run had in its prompt and which it used, without a word of them.
 *
 * Use `noteReferences(kernel, run, how, frames, why)` where something happens; it only remembers. `storeReferences` writes
 * the run as one row when it closes, `readReferences` and `listReferences` answer rows for the run's trace and for the
 * replay of a process's own references (`docs/observing-memory.md`).
 *
 * What must hold: a frame is a page number, or the negative of a message id when the message has no page of its own; no text
 * is ever stored here; the table keeps the last REFERENCE_RUNS runs; a forgotten page leaves it at once. A run cut off by a
 * crash loses what it had noted, nothing else.
 */
import { REFERENCE_RUNS, REFERENCES_PER_RUN } from "#shared/limits.ts";
import type { PageReference } from "#shared/references.ts";
import { composePageHandle, type RunId, type ThreadId } from "#shared/ids.ts";
import type { Kernel } from "#kernel/kernel.ts";

export type ReferenceKind = PageReference["how"];

export interface Frame {
  readonly id: number;
  readonly tokens: number;
}

export interface Reference extends Frame {
  readonly how: ReferenceKind;
  /** How many inferences the run had begun. */
  readonly step: number;
  readonly why: string | null;
}

export interface ReferenceRow {
  readonly seq: number;
  readonly run: RunId;
  readonly thread: ThreadId;
  readonly at: number;
  readonly references: readonly Reference[];
}

/** What a live run has noted. */
export interface ReferenceNotes {
  readonly id: RunId;
  readonly thread: ThreadId;
  readonly step: number;
  readonly references: Reference[];
}

/** The frame of a stored message. */
export function frameOf(message: {
  readonly id: number;
  readonly page: number | null;
  readonly tokens: number;
}): Frame {
  return { id: message.page ?? -message.id, tokens: message.tokens };
}

/** The frame of a page. */
export function pageFrame(page: { readonly number: number; readonly tokens: number }): Frame {
  return { id: page.number, tokens: page.tokens };
}

/** Notes that frames were mapped, used or evicted in a run. The same frame is noted once per kind and step. */
export function noteReferences(
  _kernel: Kernel,
  run: ReferenceNotes,
  how: ReferenceKind,
  frames: Iterable<Frame>,
  why: string | null = null,
): void {
  for (const { id, tokens } of frames) {
    if (run.references.length >= REFERENCES_PER_RUN) return;
    const noted = run.references.some((one) => one.id === id && one.how === how && one.step === run.step);
    if (!noted) run.references.push({ step: run.step, how, id, tokens, why });
  }
}

type Packed = [step: number, how: ReferenceKind, id: number, tokens: number, why: string | null];

/**
 * Stores what a run noted, with the messages it added to its thread, as one row; call it in the transaction that closes the
 * run. A run that is closed a second time, after it was resumed, adds to its row.
 */
export function storeReferences(kernel: Kernel, run: ReferenceNotes): void {
  const entered = kernel.sql
    .exec<{ id: number; page: number | null; tokens: number }>(
      // From its instruction on: the thread before it may be long.
      `SELECT id, page, tokens FROM messages WHERE thread = ?1 AND run = ?2 AND id >= COALESCE(
         (SELECT id FROM messages WHERE thread = ?1 AND run = ?2 AND role = 'user' ORDER BY id DESC LIMIT 1), 0) ORDER BY id`,
      run.thread,
      run.id,
    )
    .toArray();
  noteReferences(kernel, run, "body", entered.map(frameOf));
  const packed = run.references.splice(0).map(({ step, how, id, tokens, why }): Packed => [step, how, id, tokens, why]);
  if (packed.length === 0) return;
  const known = readReferences(kernel, run.id);
  const { seq } = kernel.sql
    .exec<{ seq: number }>(
      `INSERT INTO page_references (run, thread, at, pages) VALUES (?1, ?2, ?3, ?4)
       ON CONFLICT (run) DO UPDATE SET pages = excluded.pages RETURNING seq`,
      run.id,
      run.thread,
      kernel.now(),
      JSON.stringify([...(known?.references ?? []).map(pack), ...packed].slice(0, REFERENCES_PER_RUN)),
    )
    .one();
  kernel.sql.exec("DELETE FROM page_references WHERE seq <= ?", seq - REFERENCE_RUNS);
}

function pack({ step, how, id, tokens, why }: Reference): Packed {
  return [step, how, id, tokens, why];
}

type StoredRow = { seq: number; run: string; thread: string; at: number; pages: string };

function unpack(row: StoredRow): ReferenceRow {
  const references = (JSON.parse(row.pages) as Packed[]).map(([step, how, id, tokens, why]): Reference => ({
    step,
    how,
    id,
    tokens,
    why,
  }));
  return { seq: row.seq, run: row.run as RunId, thread: row.thread as ThreadId, at: row.at, references };
}

/** A reference as the API shows it. */
export function viewReference({ how, step, id, tokens, why }: Reference): PageReference {
  const own = id > 0 ? { page: composePageHandle(id), message: null } : { page: null, message: -id };
  return { how, step, ...own, tokens, why };
}

/** What a run noted; null when it is not in the log. */
export function readReferences(kernel: Kernel, run: RunId): ReferenceRow | null {
  const row = kernel.sql.exec<StoredRow>("SELECT * FROM page_references WHERE run = ?", run).toArray()[0];
  return row === undefined ? null : unpack(row);
}

/** Runs of the log in the order in which they closed, after `after`. */
export function listReferences(kernel: Kernel, limit: number, after: number): ReferenceRow[] {
  return kernel.sql
    .exec<StoredRow>("SELECT * FROM page_references WHERE seq > ? ORDER BY seq LIMIT ?", after, limit)
    .toArray()
    .map(unpack);
}

/** Takes a page out of the log, and out of what live runs have noted. */
export function forgetReferences(kernel: Kernel, page: number): void {
  // A reference is `[step,"how",page,…`: the rows that hold it are found as text, so that the others need not be read as JSON.
  kernel.sql.exec(
    `UPDATE page_references SET pages = (SELECT COALESCE(json_group_array(json(value)), '[]') FROM json_each(pages) WHERE value ->> 2 <> ?1)
     WHERE instr(pages, '",' || CAST(?1 AS INTEGER) || ',') > 0`,
    page,
  );
  for (const run of kernel.live.values()) {
    const kept = run.references.filter((reference) => reference.id !== page);
    run.references.splice(0, run.references.length, ...kept);
  }
}

/** Takes the runs of a deleted thread out of the log. */
export function dropReferences(kernel: Kernel, thread: ThreadId): void {
  kernel.sql.exec("DELETE FROM page_references WHERE thread = ?", thread);
}
