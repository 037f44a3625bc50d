/**
 * Text fields of HTTP bodies: what every string from a client must be before anything stores it.
 *
 * `clientText(n)` reads a string of at most `n` UTF-8 bytes that is well-formed Unicode and holds no NUL: a lone surrogate
 * would come back from storage as another string, and SQLite's functions stop at a NUL.
 */
import { z } from "zod";
import { utf8Bytes } from "#shared/tokens.ts";

/** True when a text can be stored and read back unchanged. */
export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes("\u0000");
}

/** A string that can be stored, of any length; the caller bounds it. */
export const storableText = z.string().refine(isStorable, "holds characters that are not valid Unicode text");

/** A storable string with at least one visible character and at most `most` UTF-8 bytes. */
export function clientText(most: number): z.ZodString {
  return z
    .string()
    .min(1)
    .refine((text) => text.trim() !== "", "is empty")
    .refine((text) => utf8Bytes(text) <= most, `is longer than ${most} bytes`)
    .refine(isStorable, "holds characters that are not valid Unicode text");
}

/** A storable string of at most `most` characters; may be empty. */
export function shortText(most: number): z.ZodString {
  return z.string().max(most).refine(isStorable, "holds characters that are not valid Unicode text");
}
