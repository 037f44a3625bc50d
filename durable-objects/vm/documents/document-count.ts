/**
 * Document count: keeps how many pages and tokens a document has in step with its pages.
 */
import { parseDocumentId } from "#shared/ids.ts";
import type { Kernel } from "#kernel/kernel.ts";
import type { PageRow } from "#kernel/vm/page.ts";

/** Notes that a page came back by an import (1) or was forgotten (-1). Pages of no document change nothing. */
export function countDocumentPage(
  kernel: Kernel,
  page: Pick<PageRow, "number" | "session" | "tokens">,
  change: 1 | -1,
): void {
  if (parseDocumentId(page.session) === null) return;
  kernel.sql.exec(
    `UPDATE documents SET pages = pages + ?1, tokens = tokens + ?1 * ?2,
     first_page = MIN(COALESCE(first_page, ?3), ?3), last_page = MAX(COALESCE(last_page, ?3), ?3) WHERE id = ?4`,
    change,
    page.tokens,
    page.number,
    page.session,
  );
}
