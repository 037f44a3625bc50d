/**
 * Usage report: sums of what a user's processes reported, by day, model, process or purpose.
 */
import { dayText } from "#shared/days.ts";
import type { UsageQuestion } from "#shared/ledger-api.ts";
import { USAGE_DAYS } from "#shared/limits.ts";
import type { LedgerGroup, UsageCounts, UsageItem, UsageReport } from "#shared/schema/usage.ts";

/** What names an item; days as text, so that every key sorts as it reads. */
const KEYS: Readonly<Record<LedgerGroup, string>> = {
  day: "strftime('%Y-%m-%d', day * 86400, 'unixepoch')",
  model: "model",
  process: "process",
  purpose: "purpose",
};

const SUMS = `COALESCE(SUM(calls), 0) AS calls, COALESCE(SUM(input_tokens), 0) AS input_tokens,
  COALESCE(SUM(cached_tokens), 0) AS cached_tokens, COALESCE(SUM(output_tokens), 0) AS output_tokens,
  COALESCE(SUM(microdollars), 0) AS microdollars, COALESCE(SUM(neurons), 0) AS neurons, COALESCE(SUM(ms), 0) AS ms`;

type SumRow = {
  calls: number;
  input_tokens: number;
  cached_tokens: number;
  output_tokens: number;
  microdollars: number;
  neurons: number;
  ms: number;
};

export function reportUsage(sql: SqlStorage, question: UsageQuestion): Omit<UsageReport, "quota"> {
  const { from, to, group, process, limit, after } = question;
  const key = KEYS[group];
  const range = [from, to, process] as const;
  const where = "day >= ?1 AND day <= ?2 AND (?3 IS NULL OR process = ?3)";
  const rows = sql
    .exec<SumRow & { key: string }>(
      `SELECT ${key} AS key, ${SUMS} FROM usage WHERE ${where} AND (?4 IS NULL OR ${key} > ?4) GROUP BY 1 ORDER BY 1 LIMIT ?5`,
      ...range,
      after,
      limit + 1,
    )
    .toArray();
  const items: UsageItem[] = rows.slice(0, limit).map((row) => ({ key: row.key, ...countsOf(row) }));
  const total = countsOf(sql.exec<SumRow>(`SELECT ${SUMS} FROM usage WHERE ${where}`, ...range).one());
  const report = { from: dayText(from), to: dayText(to), items, total };
  const last = items.at(-1);
  return rows.length > limit && last !== undefined ? { ...report, cursor: last.key } : report;
}

function countsOf(row: SumRow): UsageCounts {
  return {
    calls: row.calls,
    inputTokens: row.input_tokens,
    cachedTokens: row.cached_tokens,
    outputTokens: row.output_tokens,
    microdollars: row.microdollars,
    neurons: row.neurons,
    ms: row.ms,
  };
}

/** Drops what is older than anybody may ask for. */
export function dropOldUsage(sql: SqlStorage, today: number): void {
  sql.exec("DELETE FROM usage WHERE day < ?", today - USAGE_DAYS);
  sql.exec("DELETE FROM days WHERE day < ?", today - USAGE_DAYS);
}
