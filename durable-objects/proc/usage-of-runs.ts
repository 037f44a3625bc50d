/**
 * Usage of runs: what each run of a span of days used, newest first, and all of them together.
 *
 * A run belongs to the day on which it was admitted; its calls belong to the day on which each began, so the sums of runs and of
 * days differ around midnight. Background work belongs to no run.
 */
import { dayStart } from "#shared/days.ts";
import { makeUlid } from "#shared/ids.ts";
import type { RunUsagePage, RunUsageQuestion } from "#shared/abi.ts";
import type { UsageCounts, UsageItem } from "#shared/schema/usage.ts";
import type { Kernel } from "#kernel/kernel.ts";

const COLUMNS = `(SELECT COALESCE(SUM(value ->> '$.calls'), 0) FROM json_each(models)) AS calls, input_tokens AS inputTokens,
  cached_tokens AS cachedTokens, output_tokens AS outputTokens, microdollars, neurons,
  (SELECT COALESCE(SUM(value ->> '$.ms'), 0) FROM json_each(models)) AS ms`;

const SUMS = ["calls", "inputTokens", "cachedTokens", "outputTokens", "microdollars", "neurons", "ms"]
  .map((name) => `COALESCE(SUM(${name}), 0) AS ${name}`)
  .join(", ");

type Row = { -readonly [Key in keyof UsageCounts]: number };

const NO_BYTES = new Uint8Array(10);

export function usageOfRuns(kernel: Kernel, { from, to, limit, before }: RunUsageQuestion): RunUsagePage {
  // Ids sort by the time of admission, and are the key of the table.
  const first = `run_${kernel.process}_${makeUlid(dayStart(from), NO_BYTES)}`;
  const end = `run_${kernel.process}_${makeUlid(dayStart(to + 1), NO_BYTES)}`;
  const rows = kernel.sql
    .exec<Row & { key: string }>(
      `SELECT id AS key, ${COLUMNS} FROM runs WHERE id >= ?1 AND id < ?2 AND (?3 IS NULL OR id < ?3) ORDER BY id DESC LIMIT ?4`,
      first,
      end,
      before,
      limit + 1,
    )
    .toArray();
  const items: UsageItem[] = rows.slice(0, limit);
  const total = kernel.sql
    .exec<Row>(`SELECT ${SUMS} FROM (SELECT ${COLUMNS} FROM runs WHERE id >= ? AND id < ?)`, first, end)
    .one();
  const last = items.at(-1);
  return rows.length > limit && last !== undefined ? { items, total, cursor: last.key } : { items, total };
}
