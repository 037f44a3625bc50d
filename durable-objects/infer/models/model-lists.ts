/**
 * Model lists: the catalogue's table in the control database, and the only file that queries it.
 *
 * `readLists` answers what providers last listed and when; `claimListing` says whether this is who asks them now, which one of any
 * number of isolates is; `saveLists` keeps their answers. Every function rejects when D1 does not answer. A card that cannot be
 * read, because another version wrote it, is left out.
 */
import { z } from "zod";
import { MODEL_LIST_MS, MODEL_LIST_RETRY_MS } from "#shared/limits.ts";
import type { ModelCard } from "#shared/models.ts";
import { modelCardSchema } from "#shared/schema/model-card.ts";

/** The part of a D1 database that this file uses. */
export type ModelDatabase = Pick<D1Database, "prepare" | "batch">;

/** Cards by provider. */
export type ModelLists = ReadonlyMap<string, readonly ModelCard[]>;

export interface StoredLists {
  readonly lists: ModelLists;
  /** When providers were last asked with success, in milliseconds since 1970; 0 for never. */
  readonly listedAt: number;
}

/** The row that stands for all providers. */
const ALL = "*";

const rowSchema = z.object({ provider: z.string(), cards: z.string(), listed_at: z.number() });

export async function readLists(database: ModelDatabase): Promise<StoredLists> {
  const { results } = await database.prepare("SELECT provider, cards, listed_at FROM model_lists").all();
  const rows = z.array(rowSchema).parse(results);
  const lists = new Map<string, ModelCard[]>();
  for (const row of rows) if (row.provider !== ALL) lists.set(row.provider, readCards(row.cards));
  return { lists, listedAt: rows.find((row) => row.provider === ALL)?.listed_at ?? 0 };
}

function readCards(json: string): ModelCard[] {
  const list = z.array(z.unknown()).safeParse(JSON.parse(json));
  return (list.data ?? []).flatMap((item) => modelCardSchema.safeParse(item).data ?? []);
}

/** True for one caller at a time, and only when the lists are old. A claim that led to nothing passes. */
export async function claimListing(database: ModelDatabase, now: number): Promise<boolean> {
  const claimed = await database
    .prepare(
      `INSERT INTO model_lists (provider, cards, listed_at, claimed_at) VALUES (?1, '[]', 0, ?2)
       ON CONFLICT (provider) DO UPDATE SET claimed_at = ?2 WHERE claimed_at <= ?3 AND listed_at <= ?4 RETURNING provider`,
    )
    .bind(ALL, now, now - MODEL_LIST_RETRY_MS, now - MODEL_LIST_MS)
    .all();
  return claimed.results.length > 0;
}

/** Keeps the answers of the providers that gave one, and forgets providers that are not among `known`. */
export async function saveLists(
  database: ModelDatabase,
  answers: ModelLists,
  known: readonly string[],
  now: number,
): Promise<void> {
  const keep = database.prepare(
    `INSERT INTO model_lists (provider, cards, listed_at) VALUES (?1, ?2, ?3)
     ON CONFLICT (provider) DO UPDATE SET cards = excluded.cards, listed_at = excluded.listed_at`,
  );
  const forget = database.prepare(
    "DELETE FROM model_lists WHERE provider <> ?1 AND provider NOT IN (SELECT value FROM json_each(?2))",
  );
  await database.batch([
    ...[...answers].map(([provider, cards]) => keep.bind(provider, JSON.stringify(cards), now)),
    forget.bind(ALL, JSON.stringify(known)),
    keep.bind(ALL, "[]", now),
  ]);
}
