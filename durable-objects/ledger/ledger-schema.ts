/**
 * Ledger schema: the tables of a user's ledger, made at its first call.
 *
 * Steps are append-only, as in `proc/schema.ts`; every table is described in `docs/storage.md`.
 */
const STEPS: readonly (readonly string[])[] = [
  [
    `CREATE TABLE usage (
       day INTEGER NOT NULL, process TEXT NOT NULL, born TEXT NOT NULL, model TEXT NOT NULL, purpose TEXT NOT NULL,
       version INTEGER NOT NULL, calls INTEGER NOT NULL, input_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL,
       output_tokens INTEGER NOT NULL, microdollars INTEGER NOT NULL, neurons INTEGER NOT NULL, ms INTEGER NOT NULL,
       PRIMARY KEY (day, process, born, model, purpose)
     ) WITHOUT ROWID`,
    `CREATE TABLE days (
       day INTEGER NOT NULL, process TEXT NOT NULL, born TEXT NOT NULL,
       used_microdollars INTEGER NOT NULL DEFAULT 0, used_tokens INTEGER NOT NULL DEFAULT 0,
       ceiling_microdollars INTEGER NOT NULL DEFAULT 0, ceiling_tokens INTEGER NOT NULL DEFAULT 0,
       PRIMARY KEY (day, process, born)
     ) WITHOUT ROWID`,
    `CREATE TABLE exchanges (process TEXT NOT NULL, born TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (process, born)) WITHOUT ROWID`,
    `CREATE TABLE quotas (process TEXT PRIMARY KEY, quota TEXT NOT NULL) WITHOUT ROWID`,
  ],
];

/** Brings the tables to the newest version. */
export function upgradeLedger(storage: DurableObjectStorage): void {
  const { sql } = storage;
  storage.transactionSync(() => {
    sql.exec("CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID");
    const version = Number(readLedgerMeta(sql, "schema") ?? "0");
    for (const step of STEPS.slice(version)) for (const statement of step) sql.exec(statement);
    if (version < STEPS.length) writeLedgerMeta(sql, "schema", String(STEPS.length));
  });
}

export function readLedgerMeta(sql: SqlStorage, key: string): string | null {
  const row = sql.exec<{ value: string }>("SELECT value FROM meta WHERE key = ?", key).toArray()[0];
  return row?.value ?? null;
}

export function writeLedgerMeta(sql: SqlStorage, key: string, value: string): void {
  sql.exec("INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", key, value);
}
