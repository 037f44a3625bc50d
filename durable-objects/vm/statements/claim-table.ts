/**
 * Claim table: what pages say that can change, and which later page says it anew.
 *
 * `noteClaims` when a page is written or changed and `dropClaims` when it is forgotten; both answer which pages are superseded
 * by which from now on, for the page table to write. A page is superseded when most of it is claims and each of them has a later
 * page that takes its place; when that page is forgotten or changed, the older one holds again.
 *
 * What must hold: only what people say of themselves and others counts (turns, facts, notes that are evidence), in the order of the
 * dates they were said at; restored pages keep the links they were exported with. Claims are as private as their page.
 */
import { CLAIM_CHARACTERS, CLAIMS_COMPARED } from "#shared/limits.ts";
import { replaces, type Claim } from "#shared/text/claim.ts";
import { readClaims } from "#shared/text/claims.ts";
import { withoutRequest } from "#shared/text/statements.ts";
import type { Kernel } from "#kernel/kernel.ts";
import type { PageRow, ResidentPage } from "#kernel/vm/page.ts";
import { hashKey } from "#kernel/vm/statements/statement-table.ts";

/** A page and the page that supersedes it, or null when it holds again. */
export type Succession = Pick<PageRow, "number" | "superseded_by">;

const TOLD: ReadonlySet<string> = new Set(["turn", "fact", "note"]);

type ClaimRow = { id: number; page: number; claim: string; by: number | null };

function claimsOf(page: ResidentPage): { readonly claims: readonly Claim[]; readonly whole: boolean } {
  const told = page.evidence === 1 && TOLD.has(page.kind) && (page.role === null || page.role === "user");
  if (!told || page.text.length > CLAIM_CHARACTERS) return { claims: [], whole: false };
  return readClaims(withoutRequest(page.text), (page.speaker ?? "user").toLowerCase());
}

/** For a page that has none noted. `restored` pages keep the successor they have. */
export function noteClaims(kernel: Kernel, page: ResidentPage, restored: boolean): Succession[] {
  const keys = new Set<number>();
  const { claims, whole } = claimsOf(page);
  for (const claim of claims) {
    const key = hashKey(`${claim.subject}: ${claim.attribute}`);
    kernel.sql.exec(
      "INSERT INTO claims (page, key, told, claim, whole, by) VALUES (?, ?, ?, ?, ?, ?)",
      page.number,
      key,
      page.at ?? page.created_at,
      JSON.stringify(claim),
      whole ? 1 : 0,
      restored ? page.superseded_by : null,
    );
    keys.add(key);
  }
  return restored || keys.size === 0 ? [] : relink(kernel, [...keys]);
}

export function dropClaims(kernel: Kernel, page: number): Succession[] {
  const keys = removeRows(kernel, page);
  const changed = relink(kernel, keys);
  const seen = new Set(changed.map(({ number }) => number));
  const orphans = kernel.sql
    .exec<{ number: number }>("SELECT number FROM pages WHERE superseded_by = ? AND deleted = 0", page)
    .toArray()
    .filter(({ number }) => !seen.has(number));
  return [...changed, ...orphans.map(({ number }) => ({ number, superseded_by: null }))];
}

function removeRows(kernel: Kernel, page: number): number[] {
  const rows = kernel.sql.exec<{ key: number }>("DELETE FROM claims WHERE page = ? RETURNING key", page).toArray();
  return rows.map((row) => row.key);
}

/** Looks for the successors of the newest claims of these keys anew. */
function relink(kernel: Kernel, keys: readonly number[]): Succession[] {
  const touched = new Set<number>();
  for (const key of keys) {
    const rows = kernel.sql
      .exec<ClaimRow>(
        "SELECT rowid AS id, page, claim, by FROM claims WHERE key = ? ORDER BY told DESC, page DESC LIMIT ?",
        key,
        CLAIMS_COMPARED,
      )
      .toArray()
      .reverse();
    const claims = rows.map((row) => JSON.parse(row.claim) as Claim);
    for (const [index, row] of rows.entries()) {
      const by = successor(rows, claims, index);
      touched.add(row.page);
      if (by !== row.by) kernel.sql.exec("UPDATE claims SET by = ? WHERE rowid = ?", by, row.id);
    }
  }
  return touched.size === 0 ? [] : successions(kernel, [...touched]);
}

/** The first later page whose claim takes the place of this one. */
function successor(rows: readonly ClaimRow[], claims: readonly Claim[], index: number): number | null {
  const [row, older] = [rows[index], claims[index]];
  if (row === undefined || older === undefined) return null;
  for (let later = index + 1; later < rows.length; later += 1) {
    const [other, newer] = [rows[later], claims[later]];
    if (other === undefined || newer === undefined || other.page === row.page) continue;
    if (replaces(newer, older)) return other.page;
  }
  return null;
}

function successions(kernel: Kernel, pages: readonly number[]): Succession[] {
  return kernel.sql
    .exec<{ number: number; superseded_by: number | null }>(
      `SELECT page AS number, CASE WHEN MIN(whole) = 1 AND COUNT(by) = COUNT(*) THEN MAX(by) END AS superseded_by
       FROM claims WHERE page IN (SELECT value FROM json_each(?)) GROUP BY page`,
      JSON.stringify(pages),
    )
    .toArray();
}
