/**
 * Lists: every list of the API is `{items, cursor?}` and takes `limit` and `cursor`.
 *
 * A cursor is opaque; only the side that made it reads it.
 */
import { z } from "zod";
import { LIST_ITEMS, LIST_ITEMS_MOST } from "#shared/limits.ts";

/** A whole number in a query string, from 1 to `most`. */
export function countQuery(most: number, usual: number): z.ZodType<number, string | undefined> {
  return countGiven(most).default(usual);
}

/** A count without a usual one: it stays undefined when it is not given. */
export function countGiven(most: number): z.ZodType<number, string> {
  return z
    .string()
    .regex(/^[0-9]{1,6}$/, "is not a whole number")
    .transform(Number)
    .pipe(z.int().min(1).max(most));
}

export const listQuery = z.object({
  limit: countQuery(LIST_ITEMS_MOST, LIST_ITEMS).meta({ description: `Items to answer, at most ${LIST_ITEMS_MOST}` }),
  cursor: z.string().min(1).max(512).optional().meta({ description: "Where the last page of the list ended" }),
});

/** The reply of a list of `item`. */
export function listOf<Item extends z.ZodType>(
  item: Item,
): z.ZodObject<{ items: z.ZodReadonly<z.ZodArray<Item>>; cursor: z.ZodOptional<z.ZodString> }> {
  return z.object({ items: z.array(item).readonly(), cursor: z.string().optional() });
}
