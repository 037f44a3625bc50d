/**
 * Swap: the one door to the D1 shard that holds page bodies.
 *
 * Writes are idempotent and monotonic: a row is replaced only by a higher version, so a repeated or late batch changes
 * nothing. Every statement carries the owner and the process. Rows are read by a schema: D1 is outside.
 */
import { z } from "zod";
import { composePageHandle } from "#shared/ids.ts";
import { D1_WAIT_MS, FLUSH_BATCH_BYTES } from "#shared/limits.ts";
import { utf8Bytes } from "#shared/tokens.ts";
import type { Kernel } from "#kernel/kernel.ts";
import type { PageRow } from "#kernel/vm/page.ts";

const SHARD_BINDING = /^MEM_\d+$/;

/** The user's shard. Throws when the binding is missing: a deployment error, not a caller's. */
function shard(kernel: Kernel): D1Database {
  const name = `MEM_${kernel.shard}`;
  const bindings = new Map<string, unknown>(Object.entries(kernel.env));
  const database = SHARD_BINDING.test(name) ? bindings.get(name) : undefined;
  if (database === undefined) throw new SwapFailure(`no D1 binding ${name}`);
  return database as D1Database;
}

const FIELDS = [
  "handle",
  "version",
  "deleted",
  "kind",
  "role",
  "speaker",
  "body",
  "source",
  "at",
  "at_text",
  "zoned",
  "tags",
  "thread",
  "created_at",
  "updated_at",
  "pinned",
  "superseded_by",
  "provenance",
] as const;

const UPSERT = `INSERT INTO pages (owner, process, ${FIELDS.join(", ")})
  SELECT ?1, ?2, ${FIELDS.map((_, index) => `value ->> ${index}`).join(", ")} FROM json_each(?3) WHERE true
  ON CONFLICT (owner, process, handle) DO UPDATE SET ${FIELDS.slice(1)
    .map((field) => `${field} = excluded.${field}`)
    .join(", ")}
  WHERE excluded.version > pages.version`;

/** For pages that were marked while their body was only here: everything but the body, which stays. */
const UPDATE = `UPDATE pages SET ${FIELDS.flatMap((field, index) =>
  field === "handle" || field === "body" ? [] : [`${field} = page.value ->> ${index}`],
).join(", ")} FROM json_each(?3) AS page
  WHERE pages.owner = ?1 AND pages.process = ?2 AND pages.handle = page.value ->> 0 AND page.value ->> 1 > pages.version`;

function swapRow(page: PageRow): string {
  return JSON.stringify([
    composePageHandle(page.number),
    page.version,
    page.deleted,
    page.kind,
    page.role,
    page.speaker,
    page.text,
    page.source,
    page.at,
    page.at_text,
    page.zoned,
    page.tags,
    page.thread,
    page.created_at,
    page.updated_at,
    page.pinned,
    page.superseded_by,
    page.provenance,
  ]);
}

/** Cuts rows into JSON arrays below the byte limit of one D1 parameter. */
function parameters(rows: readonly string[]): string[] {
  const batches: string[][] = [[]];
  let bytes = 0;
  for (const row of rows) {
    const size = utf8Bytes(row) + 1;
    if (bytes + size > FLUSH_BATCH_BYTES && bytes > 0) {
      batches.push([]);
      bytes = 0;
    }
    batches.at(-1)?.push(row);
    bytes += size;
  }
  return batches.filter((batch) => batch.length > 0).map((batch) => `[${batch.join(",")}]`);
}

/** Writes pages and tombstones in one transaction of the shard. Throws what D1 throws; nothing is written then. */
export async function writeSwap(kernel: Kernel, pages: readonly PageRow[]): Promise<void> {
  if (pages.length === 0) return;
  const database = shard(kernel);
  const bound = (query: string, rows: readonly PageRow[]): D1PreparedStatement[] =>
    parameters(rows.map(swapRow)).map((batch) => database.prepare(query).bind(kernel.user, kernel.process, batch));
  const whole = pages.filter((page) => page.text !== null);
  const marked = pages.filter((page) => page.text === null);
  await inTime(database.batch([...bound(UPSERT, whole), ...bound(UPDATE, marked)]));
}

/** D1 failed or did not answer, as opposed to what failed here. */
export class SwapFailure extends Error {}

/** What D1 answers; what it throws becomes a `SwapFailure`. */
async function orFail<Value>(query: Promise<Value>): Promise<Value> {
  try {
    return await inTime(query);
  } catch (error) {
    throw new SwapFailure("D1 does not answer", { cause: error });
  }
}

/** A query that hangs counts as failed. A write that arrives all the same changes nothing that was not meant. */
async function inTime<Value>(query: Promise<Value>): Promise<Value> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error("D1 did not answer in time")), D1_WAIT_MS);
  try {
    return await Promise.race([query, promise]);
  } finally {
    clearTimeout(timer);
  }
}

const bodyRow = z.object({ handle: z.string(), version: z.number(), body: z.string() });

/**
 * Reads bodies with one query. A row of another version than the page table's is left out: the caller sees the page as
 * missing rather than with a wrong body. Only a page that was marked since may have an older row: a mark is no word.
 */
export async function readSwap(kernel: Kernel, pages: readonly PageRow[]): Promise<Map<number, string>> {
  const wanted = new Map(pages.map((page) => [composePageHandle(page.number) as string, page]));
  const asked = shard(kernel)
    .prepare(
      `SELECT handle, version, body FROM pages
       WHERE owner = ?1 AND process = ?2 AND deleted = 0 AND handle IN (SELECT value FROM json_each(?3))`,
    )
    .bind(kernel.user, kernel.process, JSON.stringify([...wanted.keys()]))
    .all();
  const { results } = await inTime(asked);
  const bodies = new Map<number, string>();
  for (const row of z.array(bodyRow).parse(results)) {
    const page = wanted.get(row.handle);
    if (page === undefined) continue;
    if (row.version === page.version || (page.dirty === 1 && row.version < page.version))
      bodies.set(page.number, row.body);
  }
  return bodies;
}

const swapRowSchema = z.object({ handle: z.string(), version: z.number(), deleted: z.number(), body: z.string() });
export type SwapRow = z.infer<typeof swapRowSchema>;

/** What D1 holds of these pages, tombstones too. For a check. */
export async function readSwapRows(kernel: Kernel, numbers: readonly number[]): Promise<Map<number, SwapRow>> {
  const wanted = new Map(numbers.map((number) => [composePageHandle(number) as string, number]));
  if (wanted.size === 0) return new Map();
  const asked = shard(kernel)
    .prepare(
      `SELECT handle, version, deleted, body FROM pages
       WHERE owner = ?1 AND process = ?2 AND handle IN (SELECT value FROM json_each(?3))`,
    )
    .bind(kernel.user, kernel.process, JSON.stringify([...wanted.keys()]))
    .all();
  const { results } = await orFail(asked);
  return new Map(
    z
      .array(swapRowSchema)
      .parse(results)
      .map((row) => [wanted.get(row.handle) ?? -1, row]),
  );
}

/** Rows of D1 after a handle, in the order of handles. For a check. */
export async function listSwap(kernel: Kernel, after: string, limit: number): Promise<Omit<SwapRow, "body">[]> {
  const asked = shard(kernel)
    .prepare(
      `SELECT handle, version, deleted FROM pages WHERE owner = ?1 AND process = ?2 AND handle > ?3 ORDER BY handle LIMIT ?4`,
    )
    .bind(kernel.user, kernel.process, after, limit)
    .all();
  const { results } = await orFail(asked);
  return z.array(swapRowSchema.omit({ body: true })).parse(results);
}

/** Turns rows that no page stands behind into tombstones. */
export async function buryInSwap(kernel: Kernel, rows: readonly Pick<SwapRow, "handle" | "version">[]): Promise<void> {
  const asked = shard(kernel)
    .prepare(
      `UPDATE pages SET deleted = 1, version = version + 1, body = '', kind = 'note', role = NULL, speaker = NULL, source = NULL,
       at = NULL, at_text = NULL, tags = '[]', thread = NULL, pinned = 0, superseded_by = NULL, provenance = '[]'
       WHERE owner = ?1 AND process = ?2 AND deleted = 0
       AND (handle, version) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?3))`,
    )
    .bind(kernel.user, kernel.process, JSON.stringify(rows.map((row) => [row.handle, row.version])))
    .run();
  await orFail(asked);
}
