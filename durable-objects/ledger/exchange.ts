/**
 * Exchange: a process reports what it used, and asks for more to use.
 *
 * What must hold: for every limit, the ceilings of all processes together (and what was used beyond them before there was a limit)
 * never exceed it by what is handed out here. A report is absolute sums with versions, an exchange has a number: either may come
 * twice, late or never. A process that lost an answer names a lower ceiling in its next exchange, and the rest is free again; one
 * that died keeps what it had set aside until its day ends, as far as it does not come back.
 */
import { failure } from "#shared/errors.ts";
import type { Exchange, Exchanged, Refusal, UsageRow } from "#shared/ledger-api.ts";
import { BUDGET_CHUNK_CALLS, BUDGET_CHUNK_SHARE } from "#shared/limits.ts";
import { failed, success, type Result } from "#shared/result.ts";
import { UNITS, type Unit } from "#shared/schema/quota.ts";
import { limitsOf, resetOf, takenOf, type Limit, type Quotas } from "#kernel/ledger/ledger-quotas.ts";

/** Takes an exchange. Call it in a transaction. */
export function takeExchange(sql: SqlStorage, exchange: Exchange, quotas: Quotas): Result<Exchanged> {
  for (const row of exchange.rows) takeRow(sql, exchange, row);
  for (const day of new Set(exchange.rows.map((row) => row.day))) sumDay(sql, exchange, day);
  if (!isNews(sql, exchange)) return failed(failure("conflict", "A later exchange was here before."));
  if (exchange.complete) closeEarlierDays(sql, exchange);
  setCeiling(sql, exchange, exchange.hold);
  const limits = limitsOf(quotas, exchange.caller.process);
  const room = roomOf(sql, limits, exchange.day);
  const want = exchange.want;
  const refusal = want === null ? null : refusalOf(exchange, room);
  const chunk = { microdollars: 0, tokens: 0 };
  if (want !== null && refusal === null)
    for (const unit of UNITS) chunk[unit] = chunkOf(want[unit], leastLeft(room, unit));
  const ceiling = {
    microdollars: exchange.hold.microdollars + chunk.microdollars,
    tokens: exchange.hold.tokens + chunk.tokens,
  };
  if (refusal === null && want !== null) setCeiling(sql, exchange, ceiling);
  const perUnit = (value: (unit: Unit, left: number) => number): Exchanged["ceiling"] => {
    const of = (unit: Unit): number | null => {
      const left = leastLeft(room, unit);
      return left === null ? null : value(unit, left);
    };
    return { microdollars: of("microdollars"), tokens: of("tokens") };
  };
  return success({
    ceiling: perUnit((unit) => ceiling[unit]),
    left: perUnit((unit, left) => Math.max(0, left - chunk[unit])),
    giveBack: room.some(({ left }) => left < 0),
    refusal,
  });
}

/** Stores a row unless a newer one is there. */
function takeRow(sql: SqlStorage, { caller, born }: Exchange, row: UsageRow): void {
  sql.exec(
    `INSERT INTO usage VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (day, process, born, model, purpose) DO UPDATE SET version = excluded.version, calls = excluded.calls,
       input_tokens = excluded.input_tokens, cached_tokens = excluded.cached_tokens, output_tokens = excluded.output_tokens,
       microdollars = excluded.microdollars, neurons = excluded.neurons, ms = excluded.ms
     WHERE excluded.version > version`,
    row.day,
    caller.process,
    born,
    row.model,
    row.purpose,
    row.version,
    row.calls,
    row.inputTokens,
    row.cachedTokens,
    row.outputTokens,
    row.microdollars,
    row.neurons,
    row.ms,
  );
}

function sumDay(sql: SqlStorage, { caller, born }: Exchange, day: number): void {
  sql.exec(
    `INSERT INTO days (day, process, born, used_microdollars, used_tokens)
     SELECT ?1, ?2, ?3, SUM(microdollars), SUM(input_tokens + output_tokens) FROM usage WHERE day = ?1 AND process = ?2 AND born = ?3
     ON CONFLICT (day, process, born) DO UPDATE SET used_microdollars = excluded.used_microdollars, used_tokens = excluded.used_tokens`,
    day,
    caller.process,
    born,
  );
}

/** Notes the exchange's number. Answers false when it, or a later one, was here before. */
function isNews(sql: SqlStorage, { caller, born, seq }: Exchange): boolean {
  return (
    sql
      .exec(
        `INSERT INTO exchanges VALUES (?, ?, ?) ON CONFLICT (process, born) DO UPDATE SET seq = excluded.seq
         WHERE excluded.seq > seq RETURNING 1`,
        caller.process,
        born,
        seq,
      )
      .toArray().length > 0
  );
}

/** What was set aside on an earlier day and not used is free again, but for calls of that day that still go on. */
function closeEarlierDays(sql: SqlStorage, { caller, born, day, unsettled }: Exchange): void {
  sql.exec(
    `UPDATE days SET ceiling_microdollars = 0, ceiling_tokens = 0
     WHERE day < ? AND process = ? AND born = ? AND (ceiling_microdollars <> 0 OR ceiling_tokens <> 0)`,
    day,
    caller.process,
    born,
  );
  for (const open of unsettled) {
    if (open.day >= day) continue;
    sql.exec(
      `INSERT INTO days (day, process, born, ceiling_microdollars, ceiling_tokens) VALUES (?, ?, ?, ?4, ?5)
       ON CONFLICT (day, process, born) DO UPDATE SET ceiling_microdollars = used_microdollars + ?4, ceiling_tokens = used_tokens + ?5`,
      open.day,
      caller.process,
      born,
      open.microdollars,
      open.tokens,
    );
  }
}

function setCeiling(sql: SqlStorage, { caller, born, day }: Exchange, ceiling: Exchange["hold"]): void {
  sql.exec(
    `INSERT INTO days (day, process, born, ceiling_microdollars, ceiling_tokens) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (day, process, born)
     DO UPDATE SET ceiling_microdollars = excluded.ceiling_microdollars, ceiling_tokens = excluded.ceiling_tokens`,
    day,
    caller.process,
    born,
    ceiling.microdollars,
    ceiling.tokens,
  );
}

interface Room {
  readonly limit: Limit;
  readonly used: number;
  readonly taken: number;
  /** Below 0 when the quota was lowered after it was handed out. */
  readonly left: number;
}

function roomOf(sql: SqlStorage, limits: readonly Limit[], day: number): Room[] {
  return limits.map((limit) => {
    const { used, taken } = takenOf(sql, limit, day);
    return { limit, used, taken, left: limit.size - taken };
  });
}

/** What the tightest limit of a unit leaves; null when nothing limits it. */
function leastLeft(room: readonly Room[], unit: Unit): number | null {
  let least: number | null = null;
  for (const { limit, left } of room) {
    if (limit.unit === unit) least = least === null ? left : Math.min(least, left);
  }
  return least;
}

/** Enough for some calls, as long as that is a small part of what is left. */
function chunkOf(want: number, left: number | null): number {
  if (left === null) return want;
  return Math.max(want, Math.min(want * BUDGET_CHUNK_CALLS, Math.floor(left / BUDGET_CHUNK_SHARE)));
}

/** The limit that lets the wanted call not pass: of several, the one that is in the way for the longest. */
function refusalOf({ want, day }: Exchange, room: readonly Room[]): Refusal | null {
  let refusal: Refusal | null = null;
  for (const { limit, used, taken, left } of room) {
    const wanted = want?.[limit.unit] ?? 0;
    if (wanted === 0 || wanted <= left) continue;
    const { process, period, unit, size } = limit;
    const mayPass = used + wanted <= size;
    const found = { process, period, unit, size, taken, resetsAt: resetOf(limit, day), mayPass };
    if (refusal === null || waitOf(found) > waitOf(refusal)) refusal = found;
  }
  return refusal;
}

function waitOf({ mayPass, resetsAt }: Refusal): number {
  return mayPass ? 0 : resetsAt;
}
