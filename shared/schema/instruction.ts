/**
 * Body of `POST /v1/instructions`.
 *
 * The byte limit of `input` is checked by the route, because it has a code of its own (payload_too_large).
 */
import { JSON_DEPTH, REPLY_SCHEMA_CHARACTERS } from "#shared/limits.ts";
import { z } from "zod";
import { PRIORITIES } from "#shared/priority.ts";
import { processIdSchema, threadIdSchema } from "#shared/schema/ids.ts";
import { depthOf } from "#shared/schema/json-value.ts";
import { storableText } from "#shared/schema/text.ts";

/** A JSON schema the answer must meet. */
export const replySchema = z
  .record(z.string(), z.unknown())
  .refine((value) => depthOf(value) <= JSON_DEPTH, `is nested deeper than ${JSON_DEPTH} levels`)
  .refine(
    (value) => JSON.stringify(value).length <= REPLY_SCHEMA_CHARACTERS,
    `is longer than ${REPLY_SCHEMA_CHARACTERS} characters`,
  );

export const modelNameSchema = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[\x21-\x7e]+$/, "is not a model name");

export const instructionBodySchema = z
  .strictObject({
    input: storableText
      .refine((text) => text.trim() !== "", "is empty")
      .meta({ description: "What to do: natural language, or a command such as /remember; at most 64 KiB" }),
    process: processIdSchema.optional().meta({ description: "Process that runs it; init when absent" }),
    thread: threadIdSchema.optional().meta({ description: "Conversation it belongs to; main when absent" }),
    model: modelNameSchema.optional().meta({ description: "Model to use; the server's default when absent" }),
    fallback: z.boolean().optional().meta({
      description:
        "Whether another model that the deployment allows may stand in for one that cannot answer; when absent, only if `model` is absent",
    }),
    stream: z.boolean().optional().meta({ description: "Answer as a stream of events; true when absent" }),
    priority: z.enum(PRIORITIES).optional().meta({
      description: "How much it hurries when models are busy; interactive when absent",
    }),
    reply: z
      .union([z.literal("text"), replySchema])
      .optional()
      .meta({ description: 'Shape of the answer: "text", or a JSON schema' }),
  })
  .meta({ id: "InstructionBody" });

export type InstructionBody = z.infer<typeof instructionBodySchema>;
