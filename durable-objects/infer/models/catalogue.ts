/**
 * Catalogue: which models there are and what each is known to do. The one reader of providers' lists, for the kernel and the edge.
 *
 *     const models = openCatalogue(env, driver, background);
 *     models.card("@cf/…")      // at once: what this isolate knows, the seed until it knows more
 *     await models.load()       // what D1 knows, or the providers when nobody ever asked them
 *
 * What providers list is kept in D1 and is asked for again, in the background, when it is older than MODEL_LIST_MS; of any number of
 * isolates one asks. A provider that does not answer keeps the models it had, one that answers without a model loses it. The
 * deployment's settings complete and correct every card (`settings.ts`). Without D1 the isolate asks providers itself. Nothing here
 * throws or rejects: who asks gets what is known.
 */
import { MODEL_CARDS, MODEL_LIST_MS, MODEL_LIST_RETRY_MS, MODEL_LIST_WAIT_MS, MODEL_READY_MS } from "#shared/limits.ts";
import { errorName, logEvent } from "#shared/log.ts";
import { unknownCard, providerOf, WORKERS_AI, type ModelCard } from "#shared/models.ts";
import { withFacts } from "#shared/schema/model-card.ts";
import { listsOf, type ModelSource } from "#kernel/infer/models/lists-of.ts";
import {
  claimListing,
  readLists,
  saveLists,
  type ModelDatabase,
  type ModelLists,
} from "#kernel/infer/models/model-lists.ts";
import { SEED } from "#kernel/infer/models/seed.ts";
import { modelSettings, type ModelSettings, type ModelSettingsEnv } from "#kernel/infer/models/settings.ts";

export interface Catalogue {
  /** What is known of a model now; null for one that is on no list. */
  card(id: string): ModelCard | null;
  /** Every model there is, as far as it is known now. */
  cards(): readonly ModelCard[];
  /** The same, after looking into D1 when that was long ago. Takes time only when nothing was known. */
  load(): Promise<readonly ModelCard[]>;
  /** Settles once this isolate has looked into D1, or has waited long enough for it: before a model is chosen or priced. */
  ready(): Promise<void>;
}

export interface CatalogueEnv extends ModelSettingsEnv {
  readonly DB: ModelDatabase;
}

/** What an isolate knows: shared by its processes, whose instances come and go. */
interface Memory {
  lists: ModelLists;
  /** When providers last answered, in milliseconds since 1970; 0 for never. */
  listedAt: number;
  /** When D1 is to be read next; 0 while it never was. */
  dueAt: number;
  /** When somebody last began to read it unasked. */
  lookedAt: number;
}

/** By the database whose copy it is. */
const memories = new WeakMap<ModelDatabase, Memory>();

const NOTHING: ModelLists = new Map();
/** Milliseconds between two looks at what another isolate is fetching. */
const POLL_MS = 200;

export function openCatalogue(
  env: CatalogueEnv,
  driver: ModelSource,
  background: (work: Promise<unknown>) => void,
  now: () => number = Date.now,
): Catalogue {
  const memory = memories.get(env.DB) ?? { lists: NOTHING, listedAt: 0, dueAt: 0, lookedAt: 0 };
  memories.set(env.DB, memory);
  const source: Source = { env, driver, background, now, memory };
  let composed: Composed | null = null;
  const known = (): ReadonlyMap<string, ModelCard> => {
    const settings = modelSettings(env);
    if (composed?.lists !== memory.lists || composed.settings !== settings) {
      composed = { lists: memory.lists, settings, cards: compose(memory.lists, settings) };
    }
    return composed.cards;
  };
  /** What is read unasked is read once an isolate, however many processes look. */
  const look = (): void => {
    if (now() < memory.dueAt || now() < memory.lookedAt + MODEL_LIST_RETRY_MS) return;
    memory.lookedAt = now();
    background(read(source));
  };
  return {
    card(id) {
      look();
      return known().get(id) ?? null;
    },
    cards() {
      look();
      return [...known().values()];
    },
    async load() {
      if (now() >= memory.dueAt) await read(source);
      return [...known().values()];
    },
    async ready() {
      if (memory.dueAt !== 0) return;
      const looked = read(source);
      background(looked);
      await soon(looked, MODEL_READY_MS).catch(() => undefined);
    },
  };
}

interface Composed {
  readonly lists: ModelLists;
  readonly settings: ModelSettings;
  readonly cards: ReadonlyMap<string, ModelCard>;
}

function compose(lists: ModelLists, settings: ModelSettings): Map<string, ModelCard> {
  const cards = new Map<string, ModelCard>();
  const add = (card: ModelCard): void => {
    cards.set(card.id, withFacts(card, settings.facts.get(card.id)));
  };
  for (const card of [...lists.values()].flat()) add(card);
  if (!lists.has(WORKERS_AI)) for (const card of SEED) add(card);
  for (const [id, provider] of settings.served) if (!cards.has(id)) add(unknownCard(id, provider));
  // Facts of a model make no model, but until its provider has answered they are all there is to know.
  for (const id of settings.facts.keys()) if (!cards.has(id) && !lists.has(providerOf(id))) add(unknownCard(id));
  return cards;
}

interface Source {
  readonly env: CatalogueEnv;
  readonly driver: ModelSource;
  readonly background: (work: Promise<unknown>) => void;
  readonly now: () => number;
  readonly memory: Memory;
}

/** Brings D1's copy into memory, and sees to it that it is a fresh one. Waits for providers only when nothing is known. */
async function read(source: Source): Promise<void> {
  const { background, now, memory } = source;
  const stored = await recall(source);
  memory.dueAt = now() + (stored ? MODEL_LIST_MS : MODEL_LIST_RETRY_MS);
  if (now() - memory.listedAt < MODEL_LIST_MS) return;
  const refreshed = refresh(source, stored);
  if (memory.listedAt === 0) await refreshed;
  else background(refreshed);
}

/** Takes over what D1 holds; false when it does not answer. */
async function recall({ env, memory }: Source): Promise<boolean> {
  try {
    const stored = await soon(readLists(env.DB));
    if (stored.listedAt > memory.listedAt) {
      memory.lists = stored.lists;
      memory.listedAt = stored.listedAt;
    }
    return true;
  } catch (error) {
    logEvent("models-unread", { error: errorName(error) });
    return false;
  }
}

/** Asks the providers, unless somebody else does. */
async function refresh(source: Source, shared: boolean): Promise<void> {
  const { env, driver, now, memory } = source;
  try {
    if (shared && !(await soon(claimListing(env.DB, now())))) return await awaitOthers(source);
    const listed = await soon(listsOf(driver));
    const answers = new Map(listed.map(({ provider, cards }) => [provider, cards.slice(0, MODEL_CARDS)]));
    const { providers } = modelSettings(env);
    const known = [WORKERS_AI, ...providers, ...answers.keys()];
    memory.lists = new Map([...memory.lists, ...answers].filter(([provider]) => known.includes(provider)));
    memory.listedAt = now();
    memory.dueAt = now() + MODEL_LIST_MS;
    if (shared) await soon(saveLists(env.DB, answers, known, now()));
  } catch (error) {
    // Whoever looks again after a while tries again; until then what was known stays.
    memory.dueAt = now() + MODEL_LIST_RETRY_MS;
    logEvent("models-unlisted", { error: errorName(error) });
  }
}

/** Waits for the first list of all, which another isolate is fetching; a later one need not be waited for. */
async function awaitOthers(source: Source): Promise<void> {
  const { memory, now } = source;
  for (const began = now(); memory.listedAt === 0 && now() - began < MODEL_LIST_WAIT_MS;) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    if (!(await recall(source))) break;
  }
  // What they fetch is in D1 soon.
  memory.dueAt = now() + MODEL_LIST_RETRY_MS;
}

/** Rejects when the work takes too long for whoever waits; the work itself goes on. */
async function soon<Value>(work: Promise<Value>, limit = MODEL_LIST_WAIT_MS): Promise<Value> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error("too slow")), limit);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
