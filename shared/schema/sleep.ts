/** Bodies and replies of `/v1/processes/{p}/sleep…` and `/audit`. */
import { z } from "zod";
import { SLEEP_MODEL_TOKENS_MOST } from "#shared/limits.ts";

export const sleepSchema = z
  .object({
    enabled: z.boolean(),
    modelTokensPerDay: z
      .number()
      .meta({ description: "Tokens a day that a language model may take for it; 0 leaves it to the rules" }),
    modelTokensToday: z.number(),
    left: z.number().meta({ description: "Pages it has not looked at yet" }),
    changes: z.number().meta({ description: "Changes it ever made" }),
  })
  .meta({ id: "Sleep" });

export const sleepChangeSchema = z
  .strictObject({
    enabled: z.boolean().optional(),
    modelTokensPerDay: z.int().min(0).max(SLEEP_MODEL_TOKENS_MOST).optional(),
  })
  .refine((change) => Object.keys(change).length > 0, "changes nothing")
  .meta({ id: "SleepChange" });

export const sleepReportSchema = z
  .object({
    pages: z.number().meta({ description: "Pages it looked at" }),
    facts: z.number(),
    duplicates: z.number(),
    stale: z.number(),
    left: z.number(),
    interrupted: z.boolean().meta({ description: "An instruction came in, so it ended early" }),
  })
  .meta({ id: "SleepReport" });

export const undoBodySchema = z
  .strictObject({
    entry: z.int().min(1).optional().meta({ description: "One entry of the audit; all of it when absent" }),
  })
  .meta({ id: "SleepUndo" });

export const undoneSchema = z
  .object({ undone: z.array(z.number()).readonly().meta({ description: "Entries of the audit that were undone" }) })
  .meta({ id: "SleepUndone" });

const mark = z.object({ exists: z.boolean(), supersededBy: z.string().nullable() });

export const auditSchema = z
  .object({
    id: z.number(),
    at: z.string(),
    rule: z.enum(["fact", "duplicate", "stale"]),
    model: z.string().nullable().meta({ description: "The model that said so; null for a rule" }),
    page: z.string().meta({ description: "The page that was made or marked" }),
    sources: z.array(z.string()).readonly().meta({ description: "The pages it rests on" }),
    before: mark,
    after: mark,
    text: z.string().nullable().meta({ description: "What the page says now, when its body is at hand" }),
    state: z.enum(["done", "undone", "kept"]),
  })
  .meta({ id: "AuditEntry" });
