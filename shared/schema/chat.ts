/**
 * The OpenAI-compatible bodies (chat completions): what is read of them. Unknown fields are accepted and ignored, because
 * OpenAI clients send many.
 */
import { z } from "zod";
import { TRANSCRIPT_MESSAGES } from "#shared/limits.ts";
import { replySchema } from "#shared/schema/instruction.ts";
import { publicCardSchema } from "#shared/schema/model-card.ts";
import { storableText } from "#shared/schema/text.ts";

const textPart = z.object({ type: z.literal("text"), text: storableText });

const content = z
  .union([storableText, z.array(textPart)])
  .nullish()
  .transform((value) => (Array.isArray(value) ? value.map((part) => part.text).join("\n") : (value ?? "")));

export const chatBodySchema = z
  .object({
    model: z.string().max(200).default("lamina").meta({ description: '"lamina", or "lamina/<model>"' }),
    messages: z
      .array(z.object({ role: z.enum(["system", "developer", "user", "assistant", "tool", "function"]), content }))
      .min(1)
      .max(TRANSCRIPT_MESSAGES),
    stream: z.boolean().nullish(),
    stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
    metadata: z.object({ thread: z.string().optional() }).nullish(),
    response_format: z
      .discriminatedUnion("type", [
        z.object({ type: z.literal("json_schema"), json_schema: z.object({ schema: replySchema }) }),
        z.object({ type: z.literal("json_object") }),
        z.object({ type: z.literal("text") }),
      ])
      .nullish(),
  })
  .meta({ id: "ChatBody" });

export type ChatBody = z.infer<typeof chatBodySchema>;

export const chatCompletionSchema = z.record(z.string(), z.unknown()).meta({ id: "ChatCompletion" });

export const modelListSchema = z
  .object({
    object: z.literal("list"),
    data: z.array(
      z.object({
        id: z.string(),
        object: z.literal("model"),
        created: z.number(),
        owned_by: z.string(),
        lamina: publicCardSchema,
      }),
    ),
  })
  .meta({ id: "ModelList" });
