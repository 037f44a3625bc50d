/** Catalogue: lists that are kept, refreshed by one of many, and completed by settings; nothing of it throws. */
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { MODEL_LIST_MS, MODEL_LIST_RETRY_MS } from "#shared/limits.ts";
import { unknownCard, type ModelCard } from "#shared/models.ts";
import type { Driver, ModelList } from "#kernel/infer/drivers/driver.ts";
import { openCatalogue, type Catalogue, type CatalogueEnv } from "#kernel/infer/models/catalogue.ts";
import type { ModelDatabase } from "#kernel/infer/models/model-lists.ts";
import { SEED } from "#kernel/infer/models/seed.ts";

const START = 1_800_000_000_000;
const FIRST_SEED = SEED[0]?.id ?? "";

let now = START;

beforeEach(async () => {
  now = START;
  await env.DB.prepare("DELETE FROM model_lists").run();
});

function listed(id: string, facts: Partial<ModelCard> = {}): ModelCard {
  return { ...unknownCard(id), source: "discovered", ...facts };
}

/** The database as one more isolate sees it: a catalogue's memory goes with it. */
function isolate(): ModelDatabase {
  return { prepare: (query) => env.DB.prepare(query), batch: (statements) => env.DB.batch(statements) };
}

const DEAD: ModelDatabase = {
  prepare: () => {
    throw new Error("D1_ERROR: down");
  },
  batch: () => Promise.reject(new Error("D1_ERROR: down")),
};

/** A driver whose lists a test changes; null is a provider that does not answer. */
function providers(
  lists: Record<string, readonly ModelCard[] | null>,
): Pick<Driver, "models" | "lists"> & { asked: number } {
  const driver = {
    asked: 0,
    models: () => Promise.reject(new Error("lists are asked for")),
    lists: (): Promise<ModelList[]> => {
      driver.asked += 1;
      const answers = Object.entries(lists).flatMap(([provider, cards]) => (cards === null ? [] : { provider, cards }));
      return answers.length === 0 ? Promise.reject(new Error("nobody answers")) : Promise.resolve(answers);
    },
  };
  return driver;
}

interface Opened extends Catalogue {
  /** Ends when the work in the background has. */
  rest(): Promise<void>;
}

function open(
  driver: Pick<Driver, "models" | "lists">,
  database: ModelDatabase = isolate(),
  settings: Omit<CatalogueEnv, "DB"> = {},
): Opened {
  const work: Promise<unknown>[] = [];
  const catalogue = openCatalogue(
    { ...settings, DB: database },
    driver,
    (one) => void work.push(one),
    () => now,
  );
  return {
    ...catalogue,
    rest: async () => {
      while (work.length > 0) await work.shift();
    },
  };
}

const ids = (cards: readonly ModelCard[]): string[] => cards.map(({ id }) => id);

describe("before a provider answered", () => {
  it("the seed is what is known, and says so", async () => {
    const catalogue = open(providers({ "workers-ai": [] }));
    expect(ids(catalogue.cards())).toEqual(ids(SEED));
    expect(catalogue.card(FIRST_SEED)).toMatchObject({ source: "seed", tools: true });
    expect(catalogue.card("@cf/nobody/knows")).toBeNull();
    await catalogue.rest();
  });

  it("a look fetches the list behind it, and what is discovered takes the seed's place", async () => {
    const catalogue = open(providers({ "workers-ai": [listed("@cf/a")] }));
    catalogue.card("@cf/a");
    await catalogue.rest();
    expect(ids(catalogue.cards())).toEqual(["@cf/a"]);
    expect(catalogue.card("@cf/a")).toMatchObject({ source: "discovered" });
  });

  it("the seed stays while only another provider has answered", async () => {
    const catalogue = open(providers({ "workers-ai": null, ollama: [listed("ollama/x")] }));
    expect(ids(await catalogue.load())).toEqual(["ollama/x", ...ids(SEED)]);
  });

  it("a list waits for the providers, once", async () => {
    const driver = providers({ "workers-ai": [listed("@cf/a")] });
    const catalogue = open(driver);
    expect(ids(await catalogue.load())).toEqual(["@cf/a"]);
    await catalogue.load();
    expect(driver.asked).toBe(1);
  });

  it("providers that do not answer are asked again after a while, not at once", async () => {
    const lists: Record<string, readonly ModelCard[] | null> = { "workers-ai": null };
    const driver = providers(lists);
    const catalogue = open(driver);
    expect(ids(await catalogue.load())).toEqual(ids(SEED));
    await catalogue.load();
    expect(driver.asked).toBe(1);
    lists["workers-ai"] = [listed("@cf/a")];
    now += MODEL_LIST_RETRY_MS;
    expect(ids(await catalogue.load())).toEqual(["@cf/a"]);
  });
});

describe("before a model is chosen", () => {
  it("the isolate looks once, and waits for it", async () => {
    const driver = providers({ "workers-ai": [listed("@cf/a")] });
    const catalogue = open(driver);
    await catalogue.ready();
    expect(catalogue.card("@cf/a")).toMatchObject({ source: "discovered" });
    await catalogue.ready();
    await catalogue.rest();
    expect(driver.asked).toBe(1);
  });

  it("but not for long, nor again", async () => {
    const hanging: Pick<Driver, "models"> = { models: () => new Promise(() => undefined) };
    const database = { ...DEAD };
    const work: Promise<unknown>[] = [];
    const catalogue = openCatalogue(
      { DB: database },
      hanging,
      (one) => void work.push(one),
      () => now,
    );
    await catalogue.ready();
    expect(ids(catalogue.cards())).toEqual(ids(SEED));
    await catalogue.ready();
    expect(work).toHaveLength(1);
  });
});

describe("the kept list", () => {
  it("is read by another isolate without asking a provider", async () => {
    const price = { input: 0.1, cached: 0.01, output: 0.4 };
    const card = listed("@cf/a", { contextWindow: 8_192, price, languages: ["en"], endsAt: "2027-01-01" });
    await open(providers({ "workers-ai": [card] })).load();
    const other = providers({ "workers-ai": null });
    expect(await open(other).load()).toEqual([card]);
    expect(other.asked).toBe(0);
  });

  it("is answered at once when it is old, and refreshed behind the answer", async () => {
    const lists = { "workers-ai": [listed("@cf/a")] };
    const driver = providers(lists);
    const catalogue = open(driver);
    await catalogue.load();
    lists["workers-ai"] = [listed("@cf/b")];
    now += MODEL_LIST_MS;
    expect(ids(await catalogue.load())).toEqual(["@cf/a"]);
    await catalogue.rest();
    expect(ids(catalogue.cards())).toEqual(["@cf/b"]);
    expect(ids(await open(providers({})).load())).toEqual(["@cf/b"]);
  });

  it("keeps the models of a provider that does not answer, and drops what one that answers no longer lists", async () => {
    const lists: Record<string, readonly ModelCard[] | null> = {
      "workers-ai": [listed("@cf/a"), listed("@cf/b")],
      ollama: [listed("ollama/x")],
    };
    const settings = { PROVIDERS: '{"ollama": {"baseUrl": "http://127.0.0.1:11434/v1"}}' };
    const catalogue = open(providers(lists), isolate(), settings);
    await catalogue.load();
    for (const [change, expected] of [
      [{ ollama: null, "workers-ai": [listed("@cf/b")] }, ["@cf/b", "ollama/x"]],
      [{ ollama: [], "workers-ai": null }, ["@cf/b"]],
      [{ ollama: null, "workers-ai": null }, ["@cf/b"]],
    ] as const) {
      Object.assign(lists, change);
      now += MODEL_LIST_MS;
      await catalogue.load();
      await catalogue.rest();
      expect(ids(catalogue.cards())).toEqual(expected);
      now += MODEL_LIST_RETRY_MS;
    }
    expect(ids(await open(providers({}), isolate(), settings).load())).toEqual(["@cf/b"]);
  });

  it("forgets a provider that the deployment has taken out", async () => {
    const lists: Record<string, readonly ModelCard[]> = {
      "workers-ai": [listed("@cf/a")],
      ollama: [listed("ollama/x")],
    };
    await open(providers(lists)).load();
    delete lists["ollama"];
    now += MODEL_LIST_MS;
    const catalogue = open(providers(lists));
    expect(ids(await catalogue.load())).toEqual(["@cf/a", "ollama/x"]);
    await catalogue.rest();
    expect(ids(catalogue.cards())).toEqual(["@cf/a"]);
    expect(ids(await open(providers({})).load())).toEqual(["@cf/a"]);
  });

  it("takes the providers of a driver with one list as it says them", async () => {
    const cards = [listed("@cf/a"), listed("ollama/x"), listed("@cf/b")];
    const catalogue = open({ models: () => Promise.resolve(cards) });
    expect(ids(await catalogue.load())).toEqual(["@cf/a", "@cf/b", "ollama/x"]);
  });

  it("leaves out a card that it cannot read, and survives a row that is none", async () => {
    const rows = [
      ["workers-ai", JSON.stringify([listed("@cf/a"), { id: "@cf/b" }, 7])],
      ["*", "[]"],
    ];
    for (const [provider, cards] of rows) {
      await env.DB.prepare("INSERT INTO model_lists (provider, cards, listed_at) VALUES (?1, ?2, ?3)")
        .bind(provider, cards, now)
        .run();
    }
    expect(ids(await open(providers({})).load())).toEqual(["@cf/a"]);
    await env.DB.prepare("UPDATE model_lists SET cards = '{' WHERE provider = 'workers-ai'").run();
    expect(ids(await open(providers({ "workers-ai": [listed("@cf/c")] })).load())).toEqual(["@cf/c"]);
  });
});

describe("many isolates at once", () => {
  it("ask a provider once for the first list, and all of them get it", async () => {
    const driver = providers({ "workers-ai": [listed("@cf/a")] });
    const answers = await Promise.all(Array.from({ length: 12 }, () => open(driver).load()));
    expect(answers.map(ids)).toEqual(Array.from({ length: 12 }, () => ["@cf/a"]));
    expect(driver.asked).toBe(1);
  });

  it("ask a provider once when the list is old", async () => {
    const driver = providers({ "workers-ai": [listed("@cf/a")] });
    const catalogues = Array.from({ length: 12 }, () => open(driver));
    for (const catalogue of catalogues) await catalogue.load();
    now += MODEL_LIST_MS;
    await Promise.all(catalogues.map((catalogue) => catalogue.load()));
    for (const catalogue of catalogues) await catalogue.rest();
    expect(driver.asked).toBe(2);
  });

  it("and many processes of one isolate look into D1 once", async () => {
    let reads = 0;
    const database: ModelDatabase = {
      prepare: (query) => {
        if (query.startsWith("SELECT")) reads += 1;
        return env.DB.prepare(query);
      },
      batch: (statements) => env.DB.batch(statements),
    };
    const driver = providers({ "workers-ai": [listed("@cf/a")] });
    const catalogues = Array.from({ length: 20 }, () => open(driver, database));
    for (const catalogue of catalogues) catalogue.card("@cf/a");
    for (const catalogue of catalogues) await catalogue.rest();
    expect(reads).toBe(1);
    expect(catalogues.map((catalogue) => ids(catalogue.cards()))).toEqual(catalogues.map(() => ["@cf/a"]));
  });

  it("a claim whose holder died passes", async () => {
    await env.DB.prepare("INSERT INTO model_lists (provider, cards, listed_at, claimed_at) VALUES ('*', '[]', 0, ?1)")
      .bind(now - MODEL_LIST_RETRY_MS)
      .run();
    expect(ids(await open(providers({ "workers-ai": [listed("@cf/a")] })).load())).toEqual(["@cf/a"]);
  });
});

describe("without D1", () => {
  it("providers are asked directly, and what was known stays known", async () => {
    const lists: Record<string, readonly ModelCard[] | null> = { "workers-ai": [listed("@cf/a")] };
    const driver = providers(lists);
    const database = { ...DEAD };
    expect(ids(await open(driver, database).load())).toEqual(["@cf/a"]);
    await open(driver, database).load();
    expect(driver.asked).toBe(1);
    lists["workers-ai"] = null;
    now += MODEL_LIST_MS;
    const later = open(driver, database);
    await later.load();
    await later.rest();
    expect(ids(later.cards())).toEqual(["@cf/a"]);
  });

  it("and without providers the seed is left", async () => {
    expect(ids(await open(providers({}), { ...DEAD }).load())).toEqual(ids(SEED));
  });
});

describe("settings", () => {
  const PROVIDERS = JSON.stringify({
    ollama: { baseUrl: "http://127.0.0.1:11434/v1", models: { "llama3.2": { contextWindow: 8_192, tools: true } } },
  });

  it("complete and correct what is discovered, later variables first", async () => {
    const MODELS = JSON.stringify({
      "@cf/a": { contextWindow: 65_536, latency: "fast", price: { input: 1, output: 2 } },
      "ollama/llama3.2": { tools: false },
    });
    const MODEL_PRICES = '{"@cf/a": {"write": 1, "window": 32768}}';
    const driver = providers({ "workers-ai": [listed("@cf/a", { tools: true, contextWindow: 1_000_000 })] });
    const catalogue = open(driver, isolate(), { PROVIDERS, MODELS, MODEL_PRICES });
    await catalogue.load();
    const price = { input: 1, cached: 1, output: 2 };
    expect(catalogue.card("@cf/a")).toEqual(
      listed("@cf/a", { tools: true, contextWindow: 32_768, latency: "fast", price }),
    );
    expect(catalogue.card("ollama/llama3.2")).toMatchObject({ provider: "ollama", contextWindow: 8_192, tools: false });
  });

  it("name models that a provider does not list", async () => {
    const driver = providers({ "workers-ai": [listed("@cf/a")], ollama: [listed("ollama/other")] });
    const catalogue = open(driver, isolate(), { PROVIDERS });
    expect(ids(await catalogue.load())).toEqual(["@cf/a", "ollama/other", "ollama/llama3.2"]);
    expect(catalogue.card("ollama/llama3.2")).toMatchObject({ source: "configured", family: "llama" });
  });

  it("do not bring back a model that its provider no longer lists", async () => {
    const MODELS = '{"@cf/gone": {"tools": true}, "vllm/unheard": {"tools": true}}';
    const catalogue = open(providers({ "workers-ai": [listed("@cf/a")] }), isolate(), { MODELS });
    expect(catalogue.card("@cf/gone")).toMatchObject({ tools: true, source: "configured" });
    await catalogue.load();
    expect(catalogue.card("@cf/gone")).toBeNull();
    expect(catalogue.card("vllm/unheard")).toMatchObject({ provider: "vllm", tools: true });
  });

  it("that cannot be read count as absent, the rest still counts", async () => {
    const driver = providers({ "workers-ai": [listed("@cf/a")] });
    const MODELS = '{"@cf/a": {"contextWindow": "large"}, "vllm/b": {"tools": true}}';
    const catalogue = open(driver, isolate(), { PROVIDERS: "{", MODELS });
    expect(await catalogue.load()).toEqual([listed("@cf/a"), { ...unknownCard("vllm/b"), tools: true }]);
  });
});
