/**
 * Usage: what was used, as `/v1/usage` answers it. Days are UTC; microdollars are millionths of a US dollar.
 */
import { z } from "zod";
import { listQuery } from "#shared/schema/list.ts";
import { processIdSchema } from "#shared/schema/ids.ts";
import { quotaStateSchema } from "#shared/schema/quota.ts";

export const usageCountsSchema = z
  .object({
    calls: z.number(),
    inputTokens: z.number().meta({ description: "Cached ones included" }),
    cachedTokens: z.number(),
    outputTokens: z.number(),
    microdollars: z.number(),
    neurons: z.number(),
    ms: z.number().meta({ description: "Milliseconds that models worked" }),
  })
  .meta({ id: "UsageCounts" });

/** Sums of calls of models: whole numbers. */
export type UsageCounts = Readonly<z.output<typeof usageCountsSchema>>;

export const LEDGER_GROUPS = ["day", "model", "process", "purpose"] as const;
export type LedgerGroup = (typeof LEDGER_GROUPS)[number];

export const USAGE_GROUPS = [...LEDGER_GROUPS, "run"] as const;

const dayText = z.iso.date();

export const usageQuery = listQuery.extend({
  from: dayText.optional().meta({ description: "First day, as 2026-01-31; the first of this month when absent" }),
  to: dayText.optional().meta({ description: "Last day; today when absent" }),
  group: z.enum(USAGE_GROUPS).default("day").meta({ description: "One item for each; runs are those of one process" }),
  process: processIdSchema.optional(),
  user: z
    .string()
    .regex(/^(\*|[A-Za-z0-9._-]{1,64})$/, "is not a user name or *")
    .optional()
    .meta({ description: "Another user, or * for all, one item a user; scope admin" }),
});

export const usageItemSchema = usageCountsSchema
  .extend({ key: z.string().meta({ description: "The day, model, process, purpose, run or user" }) })
  .meta({ id: "UsageItem" });

export type UsageItem = Readonly<z.output<typeof usageItemSchema>>;

export const usageReportSchema = z
  .object({
    from: z.string(),
    to: z.string(),
    items: z.array(usageItemSchema).readonly(),
    cursor: z.string().optional(),
    total: usageCountsSchema.meta({ description: "Of the whole range; of the shown users with user=*" }),
    quota: z.array(quotaStateSchema).readonly().meta({ description: "Every limit of the user, as of now" }),
  })
  .meta({ id: "UsageReport" });

export type UsageReport = z.output<typeof usageReportSchema>;
