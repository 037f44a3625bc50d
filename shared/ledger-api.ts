/**
 * Ledger API: what processes and the edge say to the ledger of a user.
 *
 * A process tells what it used as absolute sums with a version, so that a report may come twice, late or out of order. It may use
 * up to its ceiling of the day, which only an exchange raises: whatever is below a ceiling counts as used, so the ceilings of all
 * processes together never exceed a quota (docs/decisions/0012-accounting.md).
 */
import { z } from "zod";
import { callerSchema } from "#shared/abi.ts";
import type { UserId } from "#shared/ids.ts";
import { LEDGER_DAYS, LEDGER_ROWS, LIST_ITEMS_MOST, QUOTA_MOST } from "#shared/limits.ts";
import type { Result } from "#shared/result.ts";
import { PERIODS, UNITS, type Quota, type QuotaView } from "#shared/schema/quota.ts";
import { LEDGER_GROUPS, type UsageReport } from "#shared/schema/usage.ts";

const amount = z.int().min(0).max(QUOTA_MOST);
const sum = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const day = z.int().min(0).max(10_000_000);

export const amountSchema = z.strictObject({ microdollars: amount, tokens: amount });

/** Money and tokens, whole numbers from 0. */
export type Amount = Readonly<z.output<typeof amountSchema>>;

export const NOTHING: Amount = { microdollars: 0, tokens: 0 };

export const usageRowSchema = z.strictObject({
  /** Days since 1970, UTC. */
  day,
  model: z.string().min(1).max(200),
  /** `run`, or the name of the background work. */
  purpose: z.string().min(1).max(64),
  /** Counts up with every change of the row; the highest one wins. */
  version: z.int().min(1),
  calls: sum,
  inputTokens: sum,
  cachedTokens: sum,
  outputTokens: sum,
  microdollars: sum,
  neurons: sum,
  ms: sum,
});

/** What a process used on one day of one model for one purpose. */
export type UsageRow = Readonly<z.output<typeof usageRowSchema>>;

export const exchangeSchema = z.strictObject({
  caller: callerSchema,
  /** Tells this process from an earlier one of its name. */
  born: z.string().regex(/^[0-9]{1,16}$/),
  /** Number of this exchange; one that is not above the last is stale and moves no ceiling. */
  seq: z.int().min(1),
  day,
  rows: z.array(usageRowSchema).max(LEDGER_ROWS),
  /** False while the process has more rows to tell. */
  complete: z.boolean(),
  /** What calls of earlier days that have not ended may still use. */
  unsettled: z.array(z.strictObject({ day, ...amountSchema.shape })).max(LEDGER_DAYS),
  /** The ceiling of today as the process knows it: what it used, set aside and keeps. */
  hold: z.strictObject({ microdollars: sum, tokens: sum }),
  /** How much more it needs for one call; null when it only reports. */
  want: amountSchema.nullable(),
});

export type Exchange = z.output<typeof exchangeSchema>;

export const refusalSchema = z.object({
  process: z.string().nullable(),
  period: z.enum(PERIODS),
  unit: z.enum(UNITS),
  size: z.number(),
  /** Used, or set aside by some process. */
  taken: z.number(),
  /** Milliseconds since 1970 when the period ends. */
  resetsAt: z.number(),
  /** True when calls that end, or idle processes, may give enough back before that. */
  mayPass: z.boolean(),
});

/** The limit that stands in the way of a call. */
export type Refusal = Readonly<z.output<typeof refusalSchema>>;

const perUnit = z.object({ microdollars: z.number().nullable(), tokens: z.number().nullable() });

export const exchangedSchema = z.object({
  /** The ceiling of today by unit; null for a unit that nothing limits. */
  ceiling: perUnit,
  /** What nobody has set aside, by unit; null for one that nothing limits. Never below 0. */
  left: perUnit,
  /** True when more is set aside than there is (a quota was lowered): what is not in use is to be given back. */
  giveBack: z.boolean(),
  refusal: refusalSchema.nullable(),
});

export type Exchanged = Readonly<z.output<typeof exchangedSchema>>;

export const usageQuestionSchema = z.strictObject({
  /** First and last day, days since 1970. */
  from: z.int(),
  to: z.int(),
  group: z.enum(LEDGER_GROUPS),
  process: z.string().nullable(),
  limit: z.int().min(1).max(LIST_ITEMS_MOST),
  /** The last key that was seen, or null. */
  after: z.string().nullable(),
});

export type UsageQuestion = Readonly<z.output<typeof usageQuestionSchema>>;

/** Whose ledger is asked: always from the verified key or session, or named by an admin's. */
export interface LedgerCaller {
  readonly user: UserId;
}

export interface LedgerApi {
  exchange(exchange: Exchange): Promise<Result<Exchanged>>;
  usage(caller: LedgerCaller, question: UsageQuestion): Promise<Result<UsageReport>>;
  quotas(caller: LedgerCaller): Promise<Result<QuotaView>>;
  /** Sets the quota of the user, or of one process; null removes it. */
  putQuota(caller: LedgerCaller, process: string | null, quota: Quota | null): Promise<Result<QuotaView>>;
}
