/**
 * Latent table: all SQL of the object's `latent_terms` table, the stored latent space of its pages.
 *
 * A cache of the pages' words, and as private as they are: triggers of the schema empty it when a page's entry changes or goes, so no
 * word of a forgotten page stays in it. It is then learned anew from what is left (`latent.ts`).
 */
import type { Kernel } from "#kernel/kernel.ts";
import { readTerms, writeTerms, type TermVectors } from "#kernel/vm/search/latent-terms.ts";

type Stored = { terms: string; vectors: ArrayBuffer };

/** The stored space, or null when there is none that this version can read. */
export function storedSpace(sql: SqlStorage): TermVectors | null {
  const rows = sql.exec<Stored>("SELECT terms, vectors FROM latent_terms ORDER BY part").toArray();
  return rows.length === 0 ? null : readTerms(rows);
}

/** Pages that the stored space was learned for; 0 when there is none. */
export function storedPages(sql: SqlStorage): number {
  return sql.exec<{ pages: number | null }>("SELECT MAX(pages) AS pages FROM latent_terms").one().pages ?? 0;
}

/** Replaces the stored space. Call it inside a transaction. */
export function storeSpace(kernel: Kernel, terms: TermVectors, pages: number): void {
  kernel.sql.exec("DELETE FROM latent_terms");
  for (const [part, row] of writeTerms(terms).entries())
    kernel.sql.exec("INSERT INTO latent_terms VALUES (?, ?, ?, ?)", part, pages, row.terms, row.vectors);
}
