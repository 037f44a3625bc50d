/**
 * Gateway: the AI Gateway that the calls of Workers AI go through, when the variable `AI_GATEWAY` names one.
 *
 * JSON: `{"id": "lamina", "cacheTtl": 0, "skipCache": true, "metadata": {"app": "lamina"}}`. Its own retries are left out on purpose: a
 * call is retried by the kernel, which knows what was said already. What cannot be read is logged, and no gateway is used.
 */
import { z } from "zod";
import { readVariable } from "#shared/variable.ts";

const gatewaySchema = z.strictObject({
  id: z.string().min(1).max(64),
  /** Seconds an answer is kept for the same request. */
  cacheTtl: z.int().min(0).optional(),
  skipCache: z.boolean().optional(),
  cacheKey: z.string().optional(),
  metadata: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])).optional(),
  collectLog: z.boolean().optional(),
  requestTimeoutMs: z.int().min(1).optional(),
});

export type Gateway = z.infer<typeof gatewaySchema>;

export function readGateway(env: { readonly AI_GATEWAY?: string }): Gateway | null {
  return readVariable(env.AI_GATEWAY, gatewaySchema, "gateway-unreadable");
}
