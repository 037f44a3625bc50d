/**
 * Quotas: how much a user, or one of their processes, may use in a day and in a month (UTC): the bodies of `/v1/quotas`, and the
 * variable `DEFAULT_QUOTA`.
 *
 * `{"day": {"microdollars": 500000}, "month": {"tokens": 20000000}}`: what is absent or null is not limited; 0 allows nothing.
 * One dollar is 1,000,000 microdollars. Tokens are those of prompts and answers together, cached ones included.
 */
import { z } from "zod";
import { QUOTA_MOST } from "#shared/limits.ts";
import { processIdSchema, userIdSchema } from "#shared/schema/ids.ts";

const amountSchema = z.int().min(0).max(QUOTA_MOST).nullable().default(null);

const allowanceSchema = z
  .strictObject({ microdollars: amountSchema, tokens: amountSchema })
  .default({ microdollars: null, tokens: null });

export const quotaSchema = z
  .strictObject({
    day: allowanceSchema.meta({ description: "From 00:00 UTC" }),
    month: allowanceSchema.meta({ description: "From the first, 00:00 UTC" }),
  })
  .meta({ id: "Quota" });

/** What may be used in a day and in a month; null is no limit. */
export type Quota = z.output<typeof quotaSchema>;

export const PERIODS = ["day", "month"] as const;
export type Period = (typeof PERIODS)[number];

export const UNITS = ["microdollars", "tokens"] as const;
export type Unit = (typeof UNITS)[number];

export const quotaBodySchema = z
  .strictObject({
    quota: quotaSchema.nullable().meta({ description: "The whole quota; null removes it, and the default counts" }),
  })
  .meta({ id: "QuotaBody" });

/** One limit of a quota, and how far it is used. */
export const quotaStateSchema = z
  .object({
    process: z.string().nullable().meta({ description: "null for the user's own" }),
    period: z.enum(PERIODS),
    unit: z.enum(UNITS),
    size: z.number(),
    used: z.number().meta({ description: "By calls that ended" }),
    held: z.number().meta({ description: "Set aside by processes for their next calls" }),
    left: z.number(),
    resetsAt: z.string(),
  })
  .meta({ id: "QuotaState" });

export type QuotaState = z.output<typeof quotaStateSchema>;

export const quotaViewSchema = z
  .object({
    user: z.string(),
    quota: quotaSchema.nullable().meta({ description: "The user's own" }),
    default: quotaSchema.nullable().meta({ description: "What counts for a user without one" }),
    processes: z.array(z.object({ process: z.string(), quota: quotaSchema })).readonly(),
    state: z.array(quotaStateSchema).readonly(),
  })
  .meta({ id: "QuotaView" });

export type QuotaView = z.output<typeof quotaViewSchema>;

export const quotaQuery = z.object({
  user: userIdSchema.optional().meta({ description: "Another user; scope admin" }),
});

export const quotaPutQuery = quotaQuery.extend({
  process: processIdSchema.optional().meta({ description: "One process of the user, besides the user's own quota" }),
});
