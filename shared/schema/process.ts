/** Replies of `/v1/processes…`: processes, threads, messages, the next prompt's frames and counters. */
import { z } from "zod";
import { MAIN_THREAD } from "#shared/ids.ts";
import { threadIdSchema } from "#shared/schema/ids.ts";

export const processSchema = z
  .object({
    process: z.string(),
    state: z.enum(["running", "idle"]),
    threads: z.number(),
    pages: z.number(),
    liveRuns: z.number(),
    createdAt: z.string(),
  })
  .meta({ id: "Process" });

export const threadSchema = z
  .object({ thread: z.string(), messages: z.number(), createdAt: z.string(), updatedAt: z.string() })
  .meta({ id: "Thread" });

export const messageSchema = z
  .object({
    id: z.number(),
    role: z.enum(["user", "assistant", "tool", "system"]),
    content: z.string(),
    run: z.string().nullable(),
    page: z.string().nullable(),
    toolCalls: z
      .array(z.object({ id: z.string(), name: z.string(), arguments: z.unknown() }))
      .readonly()
      .optional(),
    createdAt: z.string(),
  })
  .meta({ id: "Message" });

export const threadDeletedSchema = z.object({ deleted: z.string() }).meta({ id: "ThreadDeleted" });

export const contextQuery = z.object({ thread: threadIdSchema.default(MAIN_THREAD) });

export const contextSchema = z
  .object({
    thread: z.string(),
    frames: z
      .array(
        z.object({
          region: z.enum(["prefix", "body", "tail"]),
          kind: z.string(),
          handle: z.string().nullable(),
          tokens: z.number(),
          pinned: z.boolean(),
          resident: z.boolean(),
          why: z.string(),
        }),
      )
      .readonly(),
    tokens: z.number(),
    budget: z.number(),
    low: z.number(),
    high: z.number(),
  })
  .meta({ id: "Context" });

export const vmstatSchema = z.record(z.string(), z.number()).readonly().meta({ id: "VmStat" });
