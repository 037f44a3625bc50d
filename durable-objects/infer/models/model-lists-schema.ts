/**
 * Schema of the catalogue's table in the control database, for drizzle-kit; `model-lists.ts` holds every query of it.
 */
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** One provider's last list of models. The row `*` stands for all of them: when they were last asked, and by whom last claimed. */
export const modelLists = sqliteTable("model_lists", {
  provider: text().primaryKey(),
  /** Cards as JSON, in the provider's order. */
  cards: text().notNull(),
  /** When the provider last answered, in milliseconds since 1970. */
  listedAt: integer("listed_at").notNull(),
  /** When somebody last set out to ask: others leave it to them for a while. */
  claimedAt: integer("claimed_at").notNull().default(0),
});
