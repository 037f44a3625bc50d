/**
 * Tables of the control database (D1 binding `DB`): who exists and what opens the door.
 *
 * Secrets are stored as SHA-256 (hex) only. Times are milliseconds since 1970, UTC. Change a table here, then generate a
 * migration (drizzle.control.config.ts); `workers/directory.ts` holds every query.
 */
import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

export const users = sqliteTable("users", {
  id: text().primaryKey(),
  /** Number of the memory shard (`MEM_<shard>`) that holds the user's page bodies; never changes by itself. */
  shard: integer().notNull(),
  createdAt: integer("created_at").notNull(),
});

export const apiKeys = sqliteTable(
  "api_keys",
  {
    id: text().primaryKey(),
    prefix: text().notNull(),
    sha256: text().notNull().unique(),
    user: text()
      .notNull()
      .references(() => users.id),
    /** Names of scopes, separated by spaces. */
    scopes: text().notNull(),
    name: text(),
    createdAt: integer("created_at").notNull(),
    expiresAt: integer("expires_at"),
    revokedAt: integer("revoked_at"),
    /** To the hour: a write per request would cost more than the request. */
    lastUsedAt: integer("last_used_at"),
  },
  (table) => [index("api_keys_prefix").on(table.prefix)],
);

export const sessions = sqliteTable("sessions", {
  sha256: text().primaryKey(),
  user: text()
    .notNull()
    .references(() => users.id),
  scopes: text().notNull(),
  expiresAt: integer("expires_at").notNull(),
  /** Id of the API key that opened the session, if one did: the session ends with the key. */
  key: text(),
});

/** One-time links that open a browser session. */
export const loginLinks = sqliteTable("login_links", {
  sha256: text().primaryKey(),
  user: text()
    .notNull()
    .references(() => users.id),
  expiresAt: integer("expires_at").notNull(),
  usedAt: integer("used_at"),
});

/** Processes besides `init`, which every user has. */
export const processes = sqliteTable(
  "processes",
  {
    user: text()
      .notNull()
      .references(() => users.id),
    process: text().notNull(),
    createdAt: integer("created_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.user, table.process] })],
);

/** Replies of control requests by `Idempotency-Key`, without secrets. */
export const idempotency = sqliteTable(
  "idempotency",
  {
    user: text().notNull(),
    key: text().notNull(),
    bodySha256: text("body_sha256").notNull(),
    reply: text().notNull(),
    createdAt: integer("created_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.user, table.key] })],
);
