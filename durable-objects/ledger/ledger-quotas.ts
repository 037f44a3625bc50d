/**
 * Ledger quotas: which limits a user and their processes have, and how far each is taken.
 *
 * A user without a quota of their own has the deployment's default (variable `DEFAULT_QUOTA`). A variable that cannot be read
 * stops every call of a model, because a limit was meant. What is taken of a limit is, per process and day, the higher of what was
 * reported as used and the ceiling that was handed out.
 */
import { dayOf, dayStart, monthAround } from "#shared/days.ts";
import { failure } from "#shared/errors.ts";
import { QUOTA_PROCESSES } from "#shared/limits.ts";
import { failed, success, type Result } from "#shared/result.ts";
import {
  PERIODS,
  quotaSchema,
  UNITS,
  type Period,
  type Quota,
  type QuotaState,
  type QuotaView,
  type Unit,
} from "#shared/schema/quota.ts";

/** The row of the user's own quota; no process has this name. */
const USER = "";

/** One limit: of the user (`process` null) or of one process, in one period, of one unit. */
export interface Limit {
  readonly process: string | null;
  readonly period: Period;
  readonly unit: Unit;
  readonly size: number;
}

export interface Taken {
  /** By calls that ended. */
  readonly used: number;
  /** Used, or set aside: never below `used`. */
  readonly taken: number;
}

export interface Quotas {
  readonly own: Quota | null;
  readonly byDefault: Quota | null;
  readonly processes: ReadonlyMap<string, Quota>;
}

/** Reads what is stored and the default. */
export function readQuotas(sql: SqlStorage, defaultQuota: string | undefined): Result<Quotas> {
  const byDefault = readDefault(defaultQuota);
  if (!byDefault.ok) return byDefault;
  const rows = sql
    .exec<{ process: string; quota: string }>("SELECT process, quota FROM quotas ORDER BY process")
    .toArray();
  const quotas = new Map(rows.map(({ process, quota }) => [process, quotaSchema.parse(JSON.parse(quota))]));
  const own = quotas.get(USER) ?? null;
  quotas.delete(USER);
  return success({ own, byDefault: byDefault.value, processes: quotas });
}

function readDefault(text: string | undefined): Result<Quota | null> {
  if (text === undefined || text.trim() === "") return success(null);
  try {
    const parsed = quotaSchema.nullable().safeParse(JSON.parse(text));
    if (parsed.success) return success(parsed.data);
  } catch {
    // Answered below.
  }
  return failed(failure("internal", "The variable DEFAULT_QUOTA of this server is no quota."));
}

/** Sets the quota of the user (`process` null) or of one process; null removes it. */
export function storeQuota(sql: SqlStorage, process: string | null, quota: Quota | null): Result<null> {
  const name = process ?? USER;
  if (quota === null) {
    sql.exec("DELETE FROM quotas WHERE process = ?", name);
    return success(null);
  }
  const others = sql.exec<{ n: number }>("SELECT COUNT(*) AS n FROM quotas WHERE process NOT IN ('', ?)", name).one().n;
  if (process !== null && others >= QUOTA_PROCESSES)
    return failed(failure("conflict", `At most ${QUOTA_PROCESSES} processes of a user can have quotas.`));
  sql.exec(
    "INSERT INTO quotas VALUES (?, ?) ON CONFLICT (process) DO UPDATE SET quota = excluded.quota",
    name,
    JSON.stringify(quota),
  );
  return success(null);
}

/** Every limit there is; those that bind one process when it is named. */
export function limitsOf(quotas: Quotas, process: string | null): Limit[] {
  const limits = limitsIn(null, quotas.own ?? quotas.byDefault);
  for (const [name, quota] of quotas.processes) {
    if (process === null || name === process) limits.push(...limitsIn(name, quota));
  }
  return limits;
}

function limitsIn(process: string | null, quota: Quota | null): Limit[] {
  const limits: Limit[] = [];
  for (const period of PERIODS) {
    for (const unit of UNITS) {
      const size = quota?.[period][unit] ?? null;
      if (size !== null) limits.push({ process, period, unit, size });
    }
  }
  return limits;
}

const SUMS = {
  microdollars: `COALESCE(SUM(used_microdollars), 0) AS used, COALESCE(SUM(MAX(used_microdollars, ceiling_microdollars)), 0) AS taken`,
  tokens: `COALESCE(SUM(used_tokens), 0) AS used, COALESCE(SUM(MAX(used_tokens, ceiling_tokens)), 0) AS taken`,
} as const;

/** How far a limit is taken on a day. */
export function takenOf(sql: SqlStorage, { process, period, unit }: Limit, day: number): Taken {
  const { first, next } = period === "day" ? { first: day, next: day + 1 } : monthAround(day);
  return sql
    .exec<{ used: number; taken: number }>(
      `SELECT ${SUMS[unit]} FROM days WHERE day >= ? AND day < ? AND (?3 IS NULL OR process = ?3)`,
      first,
      next,
      process,
    )
    .one();
}

/** When the period of a limit ends, in milliseconds since 1970. */
export function resetOf({ period }: Limit, day: number): number {
  return dayStart(period === "day" ? day + 1 : monthAround(day).next);
}

export function stateOf(sql: SqlStorage, quotas: Quotas, now: number): QuotaState[] {
  const day = dayOf(now);
  return limitsOf(quotas, null).map((limit) => {
    const { used, taken } = takenOf(sql, limit, day);
    const resetsAt = new Date(resetOf(limit, day)).toISOString();
    return { ...limit, used, held: taken - used, left: Math.max(0, limit.size - taken), resetsAt };
  });
}

export function viewQuotas(sql: SqlStorage, user: string, quotas: Quotas, now: number): QuotaView {
  return {
    user,
    quota: quotas.own,
    default: quotas.byDefault,
    processes: [...quotas.processes].map(([process, quota]) => ({ process, quota })),
    state: stateOf(sql, quotas, now),
  };
}
