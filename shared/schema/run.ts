/** Replies of `/v1/instructions` and `/v1/runs…`: the views of `shared/abi.ts`, as schemas for the OpenAPI document. */
import { z } from "zod";
import { REFERENCE_KINDS } from "#shared/references.ts";
import { usageCountsSchema } from "#shared/schema/usage.ts";
import { FAILURE_CODES } from "#shared/errors.ts";
import { modelNameSchema } from "#shared/schema/instruction.ts";

export const RUN_STATES = ["queued", "running", "waiting", "done", "failed", "cancelled", "interrupted"] as const;

export const runStateSchema = z.enum(RUN_STATES);

export const citationSchema = z
  .object({
    handle: z.string(),
    quote: z.string().meta({ description: "Verbatim words of the page" }),
    source: z.string().nullable(),
    at: z.string().nullable(),
  })
  .meta({ id: "Citation" });

export const usageSchema = z
  .object({
    model: z.string(),
    inputTokens: z.number(),
    cachedTokens: z.number(),
    outputTokens: z.number(),
    microdollars: z.number().meta({ description: "Millionths of a US dollar; 0 where no price is known" }),
    neurons: z.number().meta({ description: "Cloudflare's unit of work, for models of Workers AI" }),
    ms: z.number().meta({ description: "Wall time in milliseconds" }),
    models: z
      .array(usageCountsSchema.extend({ model: z.string() }))
      .readonly()
      .optional()
      .meta({ description: "Each model by itself, when the run used several" }),
  })
  .meta({ id: "Usage" });

export const syscallSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    arguments: z.unknown(),
    ok: z.boolean(),
    result: z.unknown(),
  })
  .meta({ id: "Syscall" });

export const runSchema = z
  .object({
    run: z.string(),
    thread: z.string(),
    process: z.string(),
    status: runStateSchema,
    input: z.string(),
    output: z.string(),
    citations: z.array(citationSchema).readonly(),
    syscalls: z.array(syscallSchema).readonly(),
    usage: usageSchema,
    abstained: z.boolean().meta({ description: "True when nothing known supports an answer" }),
    error: z
      .object({
        code: z.enum(FAILURE_CODES),
        detail: z.string(),
        retryAfter: z.number().optional().meta({ description: "Seconds after which another try can succeed" }),
      })
      .nullable(),
    createdAt: z.string(),
    startedAt: z.string().nullable(),
    finishedAt: z.string().nullable(),
  })
  .meta({ id: "Run" });

/** A run that was admitted but has not ended. */
export const runAcceptedSchema = z.object({ run: z.string(), status: runStateSchema }).meta({ id: "RunAccepted" });

export const pageReferenceSchema = z
  .object({
    how: z.enum(REFERENCE_KINDS),
    step: z.number().meta({ description: "How many inferences the run had begun" }),
    page: z.string().nullable(),
    message: z.number().nullable().meta({ description: "The message, when it is no page" }),
    tokens: z.number(),
    why: z.string().nullable(),
  })
  .meta({ id: "PageReference" });

export const runReferencesSchema = z
  .object({ run: z.string(), thread: z.string(), at: z.string(), references: z.array(pageReferenceSchema).readonly() })
  .meta({ id: "RunReferences" });

export const traceSchema = z
  .object({
    items: z
      .array(z.object({ id: z.number(), at: z.string(), event: z.string(), data: z.record(z.string(), z.unknown()) }))
      .readonly(),
    pages: z
      .array(pageReferenceSchema)
      .readonly()
      .meta({ description: "What was mapped, read, cited and evicted, in order, without a word of it" }),
  })
  .meta({ id: "Trace" });

/** What a run is to go on with. */
export const resumeBodySchema = z
  .strictObject({
    model: modelNameSchema.optional().meta({ description: "Model to go on with; the run's own when absent" }),
  })
  .meta({ id: "ResumeBody" });

/** Where a replay of a run's stream starts: after the event with this id. */
export const afterQuery = z.object({
  after: z
    .string()
    .max(20)
    .optional()
    .meta({ description: "Id of the last event received; Last-Event-ID does the same" }),
});
