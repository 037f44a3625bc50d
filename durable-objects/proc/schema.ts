/**
 * Schema: the tables of a process's own SQLite, as numbered upgrade steps.
 *
 * `upgradeSchema` runs the steps a stored process has not seen, in order, in one transaction. Steps are append-only: a
 * released step is never edited. Every table is described in `docs/storage.md`.
 */
const STEPS: readonly (readonly string[])[] = [
  [
    `CREATE TABLE threads (
       id TEXT PRIMARY KEY, body_start INTEGER NOT NULL DEFAULT 0, ephemeral INTEGER NOT NULL DEFAULT 0,
       created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
     ) WITHOUT ROWID`,
    `CREATE TABLE messages (
       id INTEGER PRIMARY KEY AUTOINCREMENT, thread TEXT NOT NULL, run TEXT, role TEXT NOT NULL, content TEXT NOT NULL,
       tool_calls TEXT, tool_call_id TEXT, page INTEGER, tokens INTEGER NOT NULL, created_at INTEGER NOT NULL
     )`,
    `CREATE INDEX messages_thread ON messages (thread, id)`,
    `CREATE TABLE runs (
       id TEXT PRIMARY KEY, thread TEXT NOT NULL, state TEXT NOT NULL, instruction TEXT NOT NULL, model TEXT NOT NULL,
       conversation TEXT, reply TEXT, idempotency_key TEXT, body_hash TEXT NOT NULL, boot_id TEXT, recoveries INTEGER NOT NULL DEFAULT 0,
       ephemeral INTEGER NOT NULL DEFAULT 0, created_at INTEGER NOT NULL, started_at INTEGER, finished_at INTEGER,
       tail TEXT NOT NULL DEFAULT '[]', output TEXT NOT NULL DEFAULT '', citations TEXT NOT NULL DEFAULT '[]', abstained INTEGER NOT NULL DEFAULT 0, error TEXT,
       input_tokens INTEGER NOT NULL DEFAULT 0, cached_tokens INTEGER NOT NULL DEFAULT 0, output_tokens INTEGER NOT NULL DEFAULT 0
     ) WITHOUT ROWID`,
    `CREATE UNIQUE INDEX runs_key ON runs (idempotency_key) WHERE idempotency_key IS NOT NULL`,
    `CREATE INDEX runs_live ON runs (state, thread) WHERE state IN ('queued', 'running', 'waiting')`,
    `CREATE TABLE steps (
       run TEXT NOT NULL, name TEXT NOT NULL, arguments TEXT, result TEXT, state TEXT NOT NULL,
       started_at INTEGER NOT NULL, ended_at INTEGER, PRIMARY KEY (run, name)
     ) WITHOUT ROWID`,
    `CREATE TABLE events (run TEXT NOT NULL, id INTEGER NOT NULL, part TEXT NOT NULL, PRIMARY KEY (run, id)) WITHOUT ROWID`,
    `CREATE TABLE trace (
       run TEXT NOT NULL, id INTEGER NOT NULL, at INTEGER NOT NULL, event TEXT NOT NULL, data TEXT NOT NULL, PRIMARY KEY (run, id)
     ) WITHOUT ROWID`,
    `CREATE TABLE pages (
       number INTEGER PRIMARY KEY, kind TEXT NOT NULL, role TEXT, speaker TEXT, text TEXT, tokens INTEGER NOT NULL,
       version INTEGER NOT NULL, source TEXT, at INTEGER, at_text TEXT, zoned INTEGER NOT NULL DEFAULT 0, tags TEXT NOT NULL DEFAULT '[]',
       thread TEXT, session TEXT NOT NULL, run TEXT, evidence INTEGER NOT NULL DEFAULT 1, deleted INTEGER NOT NULL DEFAULT 0,
       dirty INTEGER NOT NULL DEFAULT 1, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
       referenced_at INTEGER NOT NULL, entry TEXT
     )`,
    `CREATE INDEX pages_dirty ON pages (number) WHERE dirty = 1`,
    `CREATE INDEX pages_thread ON pages (thread, number)`,
    `CREATE INDEX pages_run ON pages (run) WHERE run IS NOT NULL`,
    `CREATE TABLE run_pages (run TEXT NOT NULL, page INTEGER NOT NULL, how TEXT NOT NULL, PRIMARY KEY (run, page, how)) WITHOUT ROWID`,
    `CREATE INDEX run_pages_page ON run_pages (page)`,
    `CREATE TABLE replies (key TEXT PRIMARY KEY, hash TEXT NOT NULL, reply TEXT NOT NULL, created_at INTEGER NOT NULL) WITHOUT ROWID`,
    `CREATE TABLE timers (name TEXT PRIMARY KEY, due INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, working INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID`,
    `CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID`,
  ],
  [
    `ALTER TABLE pages ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0`,
    `ALTER TABLE pages ADD COLUMN superseded_by INTEGER`,
    `ALTER TABLE pages ADD COLUMN provenance TEXT NOT NULL DEFAULT '[]'`,
    `CREATE INDEX pages_pinned ON pages (number) WHERE pinned = 1`,
    `CREATE INDEX pages_superseded ON pages (superseded_by) WHERE superseded_by IS NOT NULL`,
  ],
  [
    `CREATE TABLE page_references (seq INTEGER PRIMARY KEY, run TEXT NOT NULL UNIQUE, thread TEXT NOT NULL, at INTEGER NOT NULL, pages TEXT NOT NULL)`,
  ],
  [
    `CREATE TABLE blocks (
       label TEXT PRIMARY KEY, description TEXT NOT NULL, value TEXT NOT NULL, most INTEGER NOT NULL, read_only INTEGER NOT NULL,
       version INTEGER NOT NULL, owner TEXT, owner_label TEXT, out_of_reach INTEGER NOT NULL DEFAULT 0,
       created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
     ) WITHOUT ROWID`,
    `CREATE TABLE pin_changes (version INTEGER PRIMARY KEY, block TEXT, page INTEGER)`,
  ],
  [
    `CREATE TABLE summary_jobs (page INTEGER PRIMARY KEY, created_at INTEGER NOT NULL, due INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0)`,
    `CREATE TABLE breakers (name TEXT PRIMARY KEY, failures INTEGER NOT NULL, open_until INTEGER NOT NULL) WITHOUT ROWID`,
  ],
  [
    `CREATE TABLE statements (key INTEGER NOT NULL, page INTEGER NOT NULL, PRIMARY KEY (key, page)) WITHOUT ROWID`,
    `CREATE INDEX statements_page ON statements (page)`,
  ],
  [
    `CREATE TABLE documents (
       id TEXT PRIMARY KEY, name TEXT NOT NULL, title TEXT, media_type TEXT NOT NULL, state TEXT NOT NULL, size INTEGER,
       bytes INTEGER NOT NULL DEFAULT 0, position INTEGER NOT NULL DEFAULT 0, batch TEXT, carry TEXT,
       check_from INTEGER NOT NULL DEFAULT 0, check_sum INTEGER NOT NULL DEFAULT 0,
       pages INTEGER NOT NULL DEFAULT 0, tokens INTEGER NOT NULL DEFAULT 0, headings INTEGER NOT NULL DEFAULT 0,
       first_page INTEGER, last_page INTEGER, at INTEGER, at_text TEXT, zoned INTEGER NOT NULL DEFAULT 0, tags TEXT NOT NULL DEFAULT '[]',
       created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
     ) WITHOUT ROWID`,
  ],
  [
    `CREATE TABLE claims (page INTEGER NOT NULL, key INTEGER NOT NULL, told INTEGER NOT NULL, claim TEXT NOT NULL, whole INTEGER NOT NULL, by INTEGER)`,
    `CREATE INDEX claims_key ON claims (key, told, page)`,
    `CREATE INDEX claims_page ON claims (page)`,
  ],
  [
    `ALTER TABLE messages ADD COLUMN evicted INTEGER NOT NULL DEFAULT 0`,
    `ALTER TABLE messages ADD COLUMN referenced INTEGER NOT NULL DEFAULT 0`,
    `ALTER TABLE messages ADD COLUMN faults REAL NOT NULL DEFAULT 0`,
    `UPDATE messages SET evicted = -1 WHERE id <= (SELECT body_start FROM threads WHERE threads.id = messages.thread)`,
    `CREATE INDEX messages_page ON messages (page) WHERE page IS NOT NULL`,
    `CREATE INDEX messages_evicted ON messages (evicted) WHERE evicted <> 0`,
    `CREATE INDEX messages_faults ON messages (thread) WHERE faults > 0`,
    `CREATE TABLE evictions (
       page INTEGER PRIMARY KEY, thread TEXT NOT NULL, parent INTEGER NOT NULL DEFAULT 0, messages INTEGER NOT NULL, tokens INTEGER NOT NULL,
       first_at INTEGER NOT NULL, last_at INTEGER NOT NULL, inferences INTEGER NOT NULL, forgotten INTEGER NOT NULL DEFAULT 0, hints TEXT NOT NULL
     )`,
    `CREATE INDEX evictions_thread ON evictions (thread, parent)`,
    `CREATE TABLE bodies (
       thread TEXT PRIMARY KEY, pinned TEXT NOT NULL, pinned_version INTEGER NOT NULL, stub TEXT NOT NULL, passed TEXT NOT NULL
     ) WITHOUT ROWID`,
  ],
  [
    `CREATE TABLE index_segments (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, data BLOB NOT NULL)`,
    ...segmentTrigger("insert", "AFTER INSERT ON pages WHEN NEW.entry IS NOT NULL", "NEW"),
    ...segmentTrigger(
      "update",
      `AFTER UPDATE OF entry, evidence, deleted ON pages
       WHEN OLD.entry IS NOT NEW.entry OR OLD.evidence <> NEW.evidence OR OLD.deleted <> NEW.deleted`,
      "OLD",
    ),
    ...segmentTrigger("delete", "AFTER DELETE ON pages WHEN OLD.entry IS NOT NULL", "OLD"),
  ],
  [`CREATE INDEX pages_made ON pages (number) WHERE provenance <> '[]'`],
  [
    `CREATE TABLE latent_terms (part INTEGER PRIMARY KEY, pages INTEGER NOT NULL, terms TEXT NOT NULL, vectors BLOB NOT NULL)`,
    `CREATE TRIGGER latent_update AFTER UPDATE OF entry ON pages WHEN OLD.entry IS NOT NULL AND OLD.entry IS NOT NEW.entry
     BEGIN DELETE FROM latent_terms; END`,
    `CREATE TRIGGER latent_delete AFTER DELETE ON pages WHEN OLD.entry IS NOT NULL BEGIN DELETE FROM latent_terms; END`,
  ],
  [`CREATE INDEX pages_standing ON pages (number) WHERE kind = 'instruction'`],
  [
    `CREATE TABLE audit (
       id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, rule TEXT NOT NULL, model TEXT, key TEXT NOT NULL UNIQUE,
       page INTEGER NOT NULL, source INTEGER NOT NULL, before INTEGER, after INTEGER, state TEXT NOT NULL DEFAULT 'done'
     )`,
    `CREATE INDEX audit_page ON audit (page)`,
    `CREATE INDEX audit_source ON audit (source)`,
    `CREATE INDEX audit_before ON audit (before) WHERE before IS NOT NULL`,
    `CREATE TABLE sleep_again (page INTEGER PRIMARY KEY)`,
    `CREATE INDEX pages_said ON pages (thread, number) WHERE deleted = 0 AND NOT (kind = 'fact' AND provenance <> '[]')`,
  ],
  [
    `CREATE TABLE embeddings (page INTEGER PRIMARY KEY, model TEXT NOT NULL, vector BLOB NOT NULL)`,
    `CREATE TRIGGER embeddings_update AFTER UPDATE OF entry ON pages WHEN OLD.entry IS NOT NEW.entry
     BEGIN DELETE FROM embeddings WHERE page = OLD.number; END`,
    `CREATE TRIGGER embeddings_delete AFTER DELETE ON pages BEGIN DELETE FROM embeddings WHERE page = OLD.number; END`,
  ],
  [`ALTER TABLE runs ADD COLUMN asked TEXT`, `ALTER TABLE runs ADD COLUMN fallback INTEGER NOT NULL DEFAULT 1`],
  [
    `ALTER TABLE runs ADD COLUMN microdollars INTEGER NOT NULL DEFAULT 0`,
    `ALTER TABLE runs ADD COLUMN neurons INTEGER NOT NULL DEFAULT 0`,
    `ALTER TABLE runs ADD COLUMN models TEXT NOT NULL DEFAULT '[]'`,
    `CREATE TABLE usage (
       day INTEGER NOT NULL, model TEXT NOT NULL, purpose TEXT NOT NULL, version INTEGER NOT NULL, reported INTEGER NOT NULL,
       calls INTEGER NOT NULL, input_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL,
       microdollars INTEGER NOT NULL, neurons INTEGER NOT NULL, ms INTEGER NOT NULL, PRIMARY KEY (day, model, purpose)
     ) WITHOUT ROWID`,
    `CREATE TABLE reservations (
       id INTEGER PRIMARY KEY AUTOINCREMENT, day INTEGER NOT NULL, boot_id TEXT NOT NULL, microdollars INTEGER NOT NULL, tokens INTEGER NOT NULL
     )`,
  ],
  [`ALTER TABLE runs ADD COLUMN priority TEXT NOT NULL DEFAULT 'interactive'`],
];

/** Deletes the index segment of a page when what it holds of the page changes. Part of a released step: never edited. */
function segmentTrigger(name: string, when: string, row: "OLD" | "NEW"): string[] {
  return [
    `CREATE TRIGGER segment_${name} ${when} BEGIN
       DELETE FROM index_segments WHERE last >= ${row}.number
         AND first = (SELECT MAX(first) FROM index_segments WHERE first <= ${row}.number);
     END`,
  ];
}

/** Whether the object was ever booted as a process. */
export function isBooted(sql: SqlStorage): boolean {
  return sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'meta'").toArray().length > 0;
}

/** Brings the object's tables to the newest version. */
export function upgradeSchema(storage: DurableObjectStorage): void {
  const { sql } = storage;
  storage.transactionSync(() => {
    sql.exec("CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID");
    const version = Number(readMeta(sql, "schema") ?? "0");
    for (const step of STEPS.slice(version)) for (const statement of step) sql.exec(statement);
    if (version < STEPS.length) writeMeta(sql, "schema", String(STEPS.length));
  });
}

export function readMeta(sql: SqlStorage, key: string): string | null {
  const row = sql.exec<{ value: string }>("SELECT value FROM meta WHERE key = ?", key).toArray()[0];
  return row?.value ?? null;
}

export function writeMeta(sql: SqlStorage, key: string, value: string): void {
  sql.exec("INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", key, value);
}
