/**
 * Run links: which runs wrote, showed and quoted a page, through an export and an import.
 *
 * The runs themselves are not exported; their ids stay on pages and messages, so that forgetting a page still finds the turn that
 * said it in other words, and what its runs answered and were shown.
 *
 * What must hold: an imported link never names a run of this process.
 */
import { z } from "zod";
import { RUNS_PER_PAGE } from "#shared/limits.ts";
import type { Kernel } from "#kernel/kernel.ts";

const run = z.string().regex(/^run_[A-Za-z0-9_-]{1,100}$/);

/** What a page's row of an export may say of runs. */
export const linkFields = {
  run: run.optional(),
  uses: z
    .array(z.tuple([run, z.enum(["created", "returned", "cited", "forgotten"])]))
    .max(RUNS_PER_PAGE)
    .optional(),
};

export const messageRun = run.optional();

export interface RunLinks {
  readonly run?: string | undefined;
  readonly uses?: readonly (readonly [run: string, how: string])[] | undefined;
}

/** The links of these pages, by number, for their rows; the newest when there are too many. */
export function exportLinks(kernel: Kernel, pages: readonly number[]): Map<number, RunLinks> {
  const asked = JSON.stringify(pages);
  const links = new Map<number, { run?: string; uses?: [string, string][] }>();
  const of = (page: number): { run?: string; uses?: [string, string][] } => {
    const known = links.get(page) ?? {};
    links.set(page, known);
    return known;
  };
  const wrote = kernel.sql.exec<{ number: number; run: string }>(
    "SELECT number, run FROM pages WHERE run IS NOT NULL AND number IN (SELECT value FROM json_each(?))",
    asked,
  );
  for (const row of wrote) of(row.number).run = row.run;
  const used = kernel.sql.exec<{ page: number; run: string; how: string }>(
    "SELECT page, run, how FROM run_pages WHERE how <> 'mapped' AND page IN (SELECT value FROM json_each(?)) ORDER BY run DESC, how",
    asked,
  );
  for (const row of used) {
    const uses = (of(row.page).uses ??= []);
    if (uses.length < RUNS_PER_PAGE) uses.push([row.run, row.how]);
  }
  return links;
}

/** The run of an imported row, unless it is one of this process's own. */
export function foreignRun(kernel: Kernel, id: string | undefined): string | null {
  if (id === undefined) return null;
  return kernel.sql.exec("SELECT 1 FROM runs WHERE id = ?", id).toArray().length > 0 ? null : id;
}

/** Notes the links of an imported page. */
export function takeLinks(kernel: Kernel, page: number, links: RunLinks): void {
  for (const [id, how] of links.uses ?? []) {
    const known = foreignRun(kernel, id);
    if (known !== null) kernel.sql.exec("INSERT OR IGNORE INTO run_pages VALUES (?, ?, ?)", known, page, how);
  }
}
