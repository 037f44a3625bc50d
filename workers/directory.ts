/**
 * Directory: every query of the control database, and the only file that holds one, but for the list of models
 * (`infer/models/model-lists.ts`).
 *
 * Functions take the D1 binding and plain values and answer plain rows. Callers decide what a row means (expired, revoked);
 * what must be decided atomically (a link is used once, a key is made once) is one statement or one batch here.
 */
import { and, asc, desc, eq, gt, isNull, lt, ne, or, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { parseProcessId, parseUserId, type ProcessId, type UserId } from "#shared/ids.ts";
import { IDEMPOTENCY_MS } from "#shared/limits.ts";
import { SCOPES, type Scope } from "#shared/schema/keys.ts";
import { apiKeys, idempotency, loginLinks, processes, sessions, users } from "#workers/directory-schema.ts";

/** Milliseconds between two writes of a key's last use. */
const LAST_USED_STEP_MS = 3_600_000;

/** New users get this shard; more shards come with more `MEM_<n>` bindings. */
const FIRST_SHARD = 0;

export interface KeyRow {
  readonly id: string;
  readonly prefix: string;
  readonly sha256: string;
  readonly user: string;
  readonly shard: number;
  readonly scopes: readonly Scope[];
  readonly name: string | null;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
  readonly lastUsedAt: number | null;
}

export interface SessionRow {
  readonly user: string;
  readonly shard: number;
  readonly scopes: readonly Scope[];
  readonly expiresAt: number;
}

const keyColumns = {
  id: apiKeys.id,
  prefix: apiKeys.prefix,
  sha256: apiKeys.sha256,
  user: apiKeys.user,
  shard: users.shard,
  scopes: apiKeys.scopes,
  name: apiKeys.name,
  createdAt: apiKeys.createdAt,
  expiresAt: apiKeys.expiresAt,
  revokedAt: apiKeys.revokedAt,
  lastUsedAt: apiKeys.lastUsedAt,
};

function readScopes(text: string): Scope[] {
  const names = new Set(text.split(" "));
  return SCOPES.filter((scope) => names.has(scope));
}

/** Keys that start with `prefix`: one, unless two keys share it by chance. */
export async function findKeys(database: D1Database, prefix: string): Promise<KeyRow[]> {
  const rows = await drizzle(database)
    .select(keyColumns)
    .from(apiKeys)
    .innerJoin(users, eq(users.id, apiKeys.user))
    .where(eq(apiKeys.prefix, prefix));
  return rows.map((row) => ({ ...row, scopes: readScopes(row.scopes) }));
}

/** Keys by id, newest first, those after `cursor`. */
export async function listKeys(database: D1Database, limit: number, cursor?: KeyCursor): Promise<KeyRow[]> {
  const after =
    cursor === undefined
      ? undefined
      : or(
          lt(apiKeys.createdAt, cursor.createdAt),
          and(eq(apiKeys.createdAt, cursor.createdAt), gt(apiKeys.id, cursor.id)),
        );
  const rows = await drizzle(database)
    .select(keyColumns)
    .from(apiKeys)
    .innerJoin(users, eq(users.id, apiKeys.user))
    .where(after)
    .orderBy(desc(apiKeys.createdAt), asc(apiKeys.id))
    .limit(limit);
  return rows.map((row) => ({ ...row, scopes: readScopes(row.scopes) }));
}

export interface KeyCursor {
  readonly createdAt: number;
  readonly id: string;
}

/** Notes that a key was used, at most once an hour. */
export async function touchKey(database: D1Database, id: string, now: number): Promise<void> {
  const hour = now - (now % LAST_USED_STEP_MS);
  await drizzle(database)
    .update(apiKeys)
    .set({ lastUsedAt: hour })
    .where(and(eq(apiKeys.id, id), or(isNull(apiKeys.lastUsedAt), lt(apiKeys.lastUsedAt, hour))));
}

/** Revokes a key; false when there is none by that id that still works. */
export async function revokeKey(database: D1Database, id: string, now: number): Promise<boolean> {
  const db = drizzle(database);
  const [rows] = await db.batch([
    db
      .update(apiKeys)
      .set({ revokedAt: now })
      .where(and(eq(apiKeys.id, id), isNull(apiKeys.revokedAt)))
      .returning({ id: apiKeys.id }),
    db.delete(sessions).where(eq(sessions.key, id)),
  ]);
  return rows.length > 0;
}

export interface NewKey {
  readonly id: string;
  readonly prefix: string;
  readonly sha256: string;
  readonly user: UserId;
  readonly scopes: readonly Scope[];
  readonly name: string | null;
  readonly createdAt: number;
  readonly expiresAt: number | null;
}

export interface IdempotentReply {
  readonly bodySha256: string;
  readonly reply: string;
}

/** The stored reply of a request, or null. */
export async function findReply(
  database: D1Database,
  user: UserId,
  key: string,
  now: number,
): Promise<IdempotentReply | null> {
  const row = await drizzle(database)
    .select({ bodySha256: idempotency.bodySha256, reply: idempotency.reply })
    .from(idempotency)
    .where(and(eq(idempotency.user, user), eq(idempotency.key, key), gt(idempotency.createdAt, now - IDEMPOTENCY_MS)))
    .get();
  return row ?? null;
}

/**
 * Creates a key, its user when unknown, and the reply to repeat for the same idempotency key: all or nothing. When another
 * request with that idempotency key was first, nothing is written and the answer is false.
 */
export async function createKey(
  database: D1Database,
  key: NewKey,
  once: { readonly user: UserId; readonly key: string } & IdempotentReply,
): Promise<boolean> {
  const db = drizzle(database);
  await db.delete(idempotency).where(lt(idempotency.createdAt, key.createdAt - IDEMPOTENCY_MS + 1));
  const [, , inserted] = await db.batch([
    db
      .insert(idempotency)
      .values({ ...once, createdAt: key.createdAt })
      .onConflictDoNothing(),
    db.insert(users).values({ id: key.user, shard: FIRST_SHARD, createdAt: key.createdAt }).onConflictDoNothing(),
    // Inserts only when the first statement stored this very reply, so of two requests at once only one makes a key. The
    // columns are the table's, in its order.
    db
      .insert(apiKeys)
      .select(
        sql`SELECT ${key.id}, ${key.prefix}, ${key.sha256}, ${key.user}, ${key.scopes.join(" ")}, ${key.name},
            ${key.createdAt}, ${key.expiresAt}, NULL, NULL
            WHERE EXISTS (SELECT 1 FROM idempotency WHERE user = ${once.user} AND key = ${once.key} AND reply = ${once.reply})`,
      )
      .returning({ id: apiKeys.id }),
  ]);
  return inserted.length > 0;
}

/** Creates a user when unknown. */
export async function ensureUser(database: D1Database, user: UserId, now: number): Promise<void> {
  await drizzle(database).insert(users).values({ id: user, shard: FIRST_SHARD, createdAt: now }).onConflictDoNothing();
}

/** Makes `key` the key stored under its id, replacing an older one; a revoked key stays revoked until it is replaced. */
export async function ensureKey(database: D1Database, key: NewKey): Promise<void> {
  const { scopes, ...columns } = key;
  const db = drizzle(database);
  await db.batch([
    // A replaced key takes the sessions that were opened with it along.
    db
      .delete(sessions)
      .where(
        and(
          eq(sessions.key, key.id),
          sql`NOT EXISTS (SELECT 1 FROM api_keys WHERE id = ${key.id} AND sha256 = ${key.sha256})`,
        ),
      ),
    db
      .insert(apiKeys)
      .values({ ...columns, scopes: scopes.join(" ") })
      .onConflictDoUpdate({
        target: apiKeys.id,
        set: { prefix: key.prefix, sha256: key.sha256, createdAt: key.createdAt, revokedAt: null, lastUsedAt: null },
        setWhere: ne(apiKeys.sha256, key.sha256),
      }),
  ]);
}

/** Stores a one-time link; one that is known stays as it is, used or not. */
export async function ensureLoginLink(
  database: D1Database,
  link: { readonly sha256: string; readonly user: UserId; readonly expiresAt: number },
): Promise<void> {
  await drizzle(database).insert(loginLinks).values(link).onConflictDoNothing();
}

/** Uses up a one-time link and answers whose it was; null when unknown, used or expired. */
export async function useLoginLink(database: D1Database, sha256: string, now: number): Promise<UserId | null> {
  const row = await drizzle(database)
    .update(loginLinks)
    .set({ usedAt: now })
    .where(and(eq(loginLinks.sha256, sha256), isNull(loginLinks.usedAt), gt(loginLinks.expiresAt, now)))
    .returning({ user: loginLinks.user })
    .get();
  return row === undefined ? null : parseUserId(row.user);
}

/** Stores a session and drops expired ones. */
export async function createSession(
  database: D1Database,
  session: {
    readonly sha256: string;
    readonly user: UserId;
    readonly scopes: readonly Scope[];
    readonly expiresAt: number;
    readonly key: string | null;
  },
  now: number,
): Promise<void> {
  const db = drizzle(database);
  await db.batch([
    db.delete(sessions).where(lt(sessions.expiresAt, now)),
    db.insert(sessions).values({ ...session, scopes: session.scopes.join(" ") }),
  ]);
}

export async function findSession(database: D1Database, sha256: string): Promise<SessionRow | null> {
  const row = await drizzle(database)
    .select({ user: sessions.user, shard: users.shard, scopes: sessions.scopes, expiresAt: sessions.expiresAt })
    .from(sessions)
    .innerJoin(users, eq(users.id, sessions.user))
    .where(eq(sessions.sha256, sha256))
    .get();
  return row === undefined ? null : { ...row, scopes: readScopes(row.scopes) };
}

export async function deleteSession(database: D1Database, sha256: string): Promise<void> {
  await drizzle(database).delete(sessions).where(eq(sessions.sha256, sha256));
}

/** True when there is such a user. */
export async function hasUser(database: D1Database, user: UserId): Promise<boolean> {
  return (await drizzle(database).select({ id: users.id }).from(users).where(eq(users.id, user)).get()) !== undefined;
}

/** Users by name, those after `after`. */
export async function listUsers(database: D1Database, limit: number, after: string): Promise<UserId[]> {
  const rows = await drizzle(database)
    .select({ id: users.id })
    .from(users)
    .where(gt(users.id, after))
    .orderBy(asc(users.id))
    .limit(limit);
  return rows.map((row) => parseUserId(row.id)).filter((user) => user !== null);
}

/** Processes of a user besides `init`, by name, those after `after`. */
export async function listProcesses(
  database: D1Database,
  user: UserId,
  limit: number,
  after: string,
): Promise<ProcessId[]> {
  const rows = await drizzle(database)
    .select({ process: processes.process })
    .from(processes)
    .where(and(eq(processes.user, user), gt(processes.process, after)))
    .orderBy(asc(processes.process))
    .limit(limit);
  return rows.map((row) => parseProcessId(row.process)).filter((process) => process !== null);
}

/** True when the user has this process (`init` is not in the table). */
export async function hasProcess(database: D1Database, user: UserId, process: ProcessId): Promise<boolean> {
  const row = await drizzle(database)
    .select({ process: processes.process })
    .from(processes)
    .where(and(eq(processes.user, user), eq(processes.process, process)))
    .get();
  return row !== undefined;
}
