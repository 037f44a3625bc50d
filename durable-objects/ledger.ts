/**
 * Ledger: the account of one user: what each of their processes used, and what they may use. One object per user, named by the
 * user's id. A shell: every method is one call inward.
 *
 * A call whose caller is not this user is `not_found` and leaves nothing behind. Processes report a few seconds after the fact
 * (`proc/ledger-exchange.ts`), and ask here for more to use only while some quota limits the user.
 */
import { DurableObject } from "cloudflare:workers";
import { z } from "zod";
import { dayOf } from "#shared/days.ts";
import { failure } from "#shared/errors.ts";
import { parseUserId, type UserId } from "#shared/ids.ts";
import {
  exchangeSchema,
  usageQuestionSchema,
  type Exchange,
  type Exchanged,
  type LedgerApi,
  type LedgerCaller,
  type UsageQuestion,
} from "#shared/ledger-api.ts";
import { failed, success, type Result } from "#shared/result.ts";
import { processIdSchema } from "#shared/schema/ids.ts";
import { quotaSchema, type Quota, type QuotaView } from "#shared/schema/quota.ts";
import type { UsageReport } from "#shared/schema/usage.ts";
import { takeExchange } from "#kernel/ledger/exchange.ts";
import { readLedgerMeta, upgradeLedger, writeLedgerMeta } from "#kernel/ledger/ledger-schema.ts";
import { readQuotas, stateOf, storeQuota, viewQuotas, type Quotas } from "#kernel/ledger/ledger-quotas.ts";
import { dropOldUsage, reportUsage } from "#kernel/ledger/usage-report.ts";

const NO_LEDGER = failure("not_found", "There is no such user.");
const MALFORMED = failure("invalid_request", "The exchange is malformed.");

const putSchema = z.tuple([processIdSchema.nullable(), quotaSchema.nullable()]);

export class Ledger extends DurableObject<Cloudflare.Env> implements LedgerApi {
  /** Cache: whose ledger this is, once its tables are there. */
  #user: UserId | null = null;
  /** Cache: the day on which old rows were dropped last. */
  #swept = 0;

  async exchange(exchange: Exchange): Promise<Result<Exchanged>> {
    const parsed = exchangeSchema.safeParse(exchange);
    if (!parsed.success || Math.abs(parsed.data.day - dayOf(Date.now())) > 1) return failed(MALFORMED);
    return this.#as(parsed.data.caller.user, (sql, quotas) => {
      this.#sweep(sql, parsed.data.day);
      return takeExchange(sql, parsed.data, quotas);
    });
  }

  async usage(caller: LedgerCaller, question: UsageQuestion): Promise<Result<UsageReport>> {
    const parsed = usageQuestionSchema.safeParse(question);
    if (!parsed.success) return failed(failure("invalid_request", "The question is malformed."));
    return this.#as(caller.user, (sql, quotas) =>
      success({ ...reportUsage(sql, parsed.data), quota: stateOf(sql, quotas, Date.now()) }),
    );
  }

  async quotas(caller: LedgerCaller): Promise<Result<QuotaView>> {
    return this.#as(caller.user, (sql, quotas, user) => success(viewQuotas(sql, user, quotas, Date.now())));
  }

  async putQuota(caller: LedgerCaller, process: string | null, quota: Quota | null): Promise<Result<QuotaView>> {
    const parsed = putSchema.safeParse([process, quota]);
    if (!parsed.success) return failed(failure("invalid_request", "The quota is malformed."));
    const stored = this.#as(caller.user, (sql) => storeQuota(sql, ...parsed.data));
    return stored.ok ? this.quotas(caller) : stored;
  }

  #as<Value>(user: string, work: (sql: SqlStorage, quotas: Quotas, user: UserId) => Result<Value>): Result<Value> {
    const own = this.#user ?? this.#boot(user);
    if (own === null || own !== user) return failed(NO_LEDGER);
    const { storage } = this.ctx;
    return storage.transactionSync(() => {
      const quotas = readQuotas(storage.sql, this.env.DEFAULT_QUOTA);
      return quotas.ok ? work(storage.sql, quotas.value, own) : quotas;
    });
  }

  /** Makes the tables at the first call of the ledger's own user. */
  #boot(user: string): UserId | null {
    const { storage } = this.ctx;
    const born = storage.sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'meta'").toArray().length > 0;
    const name = parseUserId(this.ctx.id.name ?? (born ? (readLedgerMeta(storage.sql, "user") ?? "") : ""));
    if (name === null || name !== user) return null;
    upgradeLedger(storage);
    if (!born) writeLedgerMeta(storage.sql, "user", name);
    this.#user = name;
    return name;
  }

  #sweep(sql: SqlStorage, today: number): void {
    if (today <= this.#swept) return;
    dropOldUsage(sql, today);
    this.#swept = today;
  }
}
