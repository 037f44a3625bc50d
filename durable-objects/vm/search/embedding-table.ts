/**
 * Embedding table: all SQL of the object's `embeddings` table, a vector of whole numbers a page.
 *
 * A cache of what a model made of a page's words, and as private as they are: triggers of the schema delete a page's row when its
 * entry changes or goes.
 */
import type { Kernel } from "#kernel/kernel.ts";

export interface UnembeddedPage {
  readonly number: number;
  readonly version: number;
  readonly text: string;
}

/** Living pages with their bodies at hand that this model has not embedded, oldest first. */
export function unembedded(kernel: Kernel, model: string, limit: number): UnembeddedPage[] {
  return kernel.sql
    .exec<{ number: number; version: number; text: string }>(
      `SELECT number, version, text FROM pages LEFT JOIN embeddings ON page = number AND model = ?
       WHERE page IS NULL AND deleted = 0 AND entry IS NOT NULL AND text IS NOT NULL ORDER BY number LIMIT ?`,
      model,
      limit,
    )
    .toArray();
}

/** Stores the vector of a page that is still as it was read; answers whether it is. Call it inside a transaction. */
export function storeVector(kernel: Kernel, page: UnembeddedPage, model: string, vector: Int8Array): boolean {
  const same = kernel.sql
    .exec("SELECT 1 FROM pages WHERE number = ? AND version = ? AND deleted = 0", page.number, page.version)
    .toArray();
  if (same.length === 0) return false;
  kernel.sql.exec("INSERT OR REPLACE INTO embeddings VALUES (?, ?, ?)", page.number, model, vector.slice().buffer);
  return true;
}

/** Vectors of a model, of some pages or of all, some at a time. */
export function* storedVectors(
  sql: SqlStorage,
  model: string,
  pages: readonly number[] | null,
): Generator<{ page: number; vector: Int8Array }> {
  const chosen = pages === null ? "" : "AND page IN (SELECT value FROM json_each(?2))";
  const rows = sql.exec<{ page: number; vector: ArrayBuffer }>(
    `SELECT page, vector FROM embeddings WHERE model = ?1 ${chosen} ORDER BY page`,
    ...(pages === null ? [model] : [model, JSON.stringify(pages)]),
  );
  for (const { page, vector } of rows) yield { page, vector: new Int8Array(vector) };
}
