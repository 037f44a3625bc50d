/**
 * API keys and sessions: scopes, the form of a key, and the bodies and replies of `/v1/keys` and `/v1/session`.
 *
 * A key is `lam_` and 43 letters and digits (over 250 random bits). Its first `KEY_PREFIX_CHARACTERS` characters find the
 * row; the rest is stored only as SHA-256 of the whole key.
 */
import { z } from "zod";
import { userIdSchema } from "#shared/schema/ids.ts";
import { shortText } from "#shared/schema/text.ts";

export const SCOPES = ["run", "memory", "libraries", "tools", "webhooks", "admin"] as const;

export type Scope = (typeof SCOPES)[number];

/** Characters of a key that are stored readable, to find and to show it. */
export const KEY_PREFIX_CHARACTERS = 12;

const API_KEY = /^lam_[A-Za-z0-9_-]{16,200}$/;

/** True when a text has the form of an API key. */
export function isApiKey(text: string): boolean {
  return API_KEY.test(text);
}

export const keyBodySchema = z
  .strictObject({
    user: userIdSchema.meta({ description: "Whose key it is; an unknown user is created" }),
    scopes: z
      .array(z.enum(SCOPES))
      .min(1)
      .max(SCOPES.length)
      .transform((scopes) => SCOPES.filter((scope) => scopes.includes(scope))),
    expiresAt: z.iso
      .datetime({ offset: true })
      .optional()
      .meta({ description: "When it stops working; never when absent" }),
    name: shortText(100).optional(),
  })
  .meta({ id: "KeyBody" });

export const keySchema = z
  .object({
    id: z.string(),
    prefix: z.string(),
    user: z.string(),
    scopes: z.array(z.enum(SCOPES)).readonly(),
    name: z.string().nullable(),
    createdAt: z.string(),
    expiresAt: z.string().nullable(),
    revokedAt: z.string().nullable(),
    lastUsedAt: z.string().nullable().meta({ description: "To the hour" }),
  })
  .meta({ id: "Key" });

export type KeyView = z.infer<typeof keySchema>;

export const keyCreatedSchema = keySchema
  .extend({ key: z.string().optional().meta({ description: "The key itself, shown only in the first reply" }) })
  .meta({ id: "KeyCreated" });

export const keyPath = z.object({ id: z.string().regex(/^key_[A-Za-z0-9]{1,64}$/) });

export const sessionBodySchema = z
  .strictObject({ token: z.string().regex(/^[A-Za-z0-9_-]{16,200}$/, "is not a token") })
  .meta({ id: "SessionBody" });

export const sessionSchema = z
  .object({
    user: z.string(),
    scopes: z.array(z.enum(SCOPES)).readonly(),
    csrf: z
      .string()
      .nullable()
      .meta({ description: "Send it as x-csrf-token on every request but GET; null with a key" }),
    expiresAt: z.string().nullable(),
  })
  .meta({ id: "Session" });
