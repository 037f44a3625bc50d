/**
 * Swap schema: the memory shard's one table, for drizzle-kit and for `swap.ts`.
 *
 * A page is known by (owner, process, handle); the version only ever grows; a forgotten page stays as a row without a body,
 * so that a late write of an older version cannot bring it back.
 */
import { integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

export const pages = sqliteTable(
  "pages",
  {
    owner: text("owner").notNull(),
    process: text("process").notNull(),
    handle: text("handle").notNull(),
    version: integer("version").notNull(),
    deleted: integer("deleted").notNull(),
    kind: text("kind").notNull(),
    role: text("role"),
    speaker: text("speaker"),
    body: text("body").notNull(),
    source: text("source"),
    at: integer("at"),
    atText: text("at_text"),
    zoned: integer("zoned").notNull(),
    tags: text("tags").notNull(),
    thread: text("thread"),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
    pinned: integer("pinned").notNull().default(0),
    supersededBy: integer("superseded_by"),
    provenance: text("provenance").notNull().default("[]"),
  },
  (table) => [primaryKey({ columns: [table.owner, table.process, table.handle] })],
);
