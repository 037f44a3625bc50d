/** Problem details (RFC 9457): the one shape of every error reply. */
import { z } from "zod";
import { FAILURE_CODES } from "#shared/errors.ts";

export const problemSchema = z
  .object({
    type: z.string().meta({ description: "Address of what this code means" }),
    title: z.string(),
    status: z.int(),
    code: z.enum(FAILURE_CODES).meta({ description: "Stable; branch on this" }),
    detail: z.string(),
    requestId: z.string().meta({ description: "Also in x-request-id; name it when you ask for help" }),
  })
  .meta({ id: "Problem" });

export type Problem = z.infer<typeof problemSchema>;
