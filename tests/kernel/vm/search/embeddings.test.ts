/**
 * Embeddings with a made-up model: what they add to a search, and that no failure of a model costs more than that. The model knows
 * two meanings; all sentences are invented.
 */
import { describe, expect, it } from "vitest";
import type { Kernel } from "#kernel/kernel.ts";
import { openEmbedder } from "#kernel/infer/drivers/embedder.ts";
import { transact } from "#kernel/proc/transact.ts";
import { embedSoon, embeddingsSettled, rankPages, ringEmbeddings } from "#kernel/vm/search/embeddings.ts";
import { unembedded } from "#kernel/vm/search/embedding-table.ts";
import { buryPage, insertPage, readPages, updatePage } from "#kernel/vm/page-table.ts";
import type { ResidentPage } from "#kernel/vm/page.ts";
import { Sketches } from "#kernel/vm/search/sketches.ts";
import { EMBED_BATCH_PAGES, EMBED_CANDIDATES, EMBED_CHARACTERS, EMBED_WAIT_MS, RERANK_PAGES } from "#shared/limits.ts";
import { everythingStored, inKernel, installSeam, useEnv } from "#tests/kernel/kernel-seam.ts";
import { pageDraft } from "#tests/kernel/page-draft.ts";
import { callerOf } from "#tests/kernel/process-client.ts";

installSeam();

const MODEL = "@test/embedder";
const RERANKER = "@test/reranker";
const MEANINGS = [/ship|vessel|harbour|quay/, /bread|loaf|dough|bakery/];

/** Sixteen numbers a meaning: 1 where the text has it, -1 where not, and a little of the text itself. */
function vectorOf(text: string): number[] {
  return MEANINGS.flatMap((meaning) =>
    Array.from({ length: 16 }, (_, index) => (meaning.test(text) ? 1 : -1) + ((text.length * 7 + index) % 5) / 50),
  );
}

interface Fake {
  embedded: string[][];
  answer: (model: string, inputs: { text?: string[]; contexts?: { text: string }[] }) => unknown;
}

function working(fake: Fake): Fake["answer"] {
  return (model, { text = [], contexts = [] }) => {
    if (model === RERANKER) {
      const response = contexts.map((context, id) => ({ id, score: context.text.includes("best") ? 2 : 1 / (id + 1) }));
      return { response };
    }
    fake.embedded.push(text);
    return { data: text.map(vectorOf) };
  };
}

/** A process whose deployment names models. */
async function withModel(
  user: string,
  work: (kernel: Kernel, fake: Fake) => Promise<void>,
  reranker = "",
): Promise<void> {
  const fake: Fake = { embedded: [], answer: () => null };
  fake.answer = working(fake);
  useEnv((real) => ({
    ...real,
    EMBEDDING_MODEL: MODEL,
    RERANK_MODEL: reranker,
    AI: { run: async (model, inputs) => fake.answer(model, inputs as never), models: async () => [] },
  }));
  try {
    await inKernel(callerOf(user), (kernel) => work(kernel, fake));
  } finally {
    useEnv(null);
  }
}

function write(kernel: Kernel, texts: readonly string[]): number[] {
  return texts.map((text) => insertPage(kernel, pageDraft(text)).number);
}

async function embed(kernel: Kernel): Promise<void> {
  ringEmbeddings(kernel);
  await embeddingsSettled(kernel);
}

async function found(kernel: Kernel, text: string, limit = 10): Promise<number[]> {
  return (await rankPages(kernel, { text, limit })).map((hit) => hit.page);
}

const TEXTS = ["The vessel leaves at noon.", "A loaf costs three crowns.", "My aunt paints gates."];

describe("with a model", () => {
  it("finds a page by its meaning, beside those found by words", async () => {
    await withModel("embed-meaning", async (kernel) => {
      const [vessel = 0, , aunt = 0] = write(kernel, TEXTS);
      expect(await found(kernel, "ship")).not.toContain(vessel);
      await embed(kernel);
      expect((await found(kernel, "ship"))[0]).toBe(vessel);
      expect((await found(kernel, "the ship of my aunt")).slice(0, 2)).toEqual(expect.arrayContaining([vessel, aunt]));
      const scores = (await rankPages(kernel, { text: "ship aunt", limit: 10 })).map((hit) => hit.score);
      expect(scores).toEqual(scores.toSorted((one, other) => other - one));
    });
  });

  it("keeps to the query's filters", async () => {
    await withModel("embed-filter", async (kernel) => {
      const [vessel = 0] = write(kernel, TEXTS);
      await embed(kernel);
      const hits = await rankPages(kernel, { text: "ship", limit: 10, filter: (page) => page !== vessel });
      expect(hits.map((hit) => hit.page)).not.toContain(vessel);
      expect(await rankPages(kernel, { text: "ship", limit: 10, kinds: ["turn"] })).toEqual([]);
    });
  });

  it("embeds in batches, each page once, and only what a model reads of it", async () => {
    await withModel("embed-batch", async (kernel, fake) => {
      write(
        kernel,
        Array.from({ length: EMBED_BATCH_PAGES + 1 }, (_, page) => `ship ${page} ${"x".repeat(EMBED_CHARACTERS)}`),
      );
      await embed(kernel);
      await embed(kernel);
      expect(fake.embedded.map((texts) => texts.length)).toEqual([EMBED_BATCH_PAGES, 1]);
      expect(Math.max(...fake.embedded.flat().map((text) => text.length))).toBe(EMBED_CHARACTERS);
      expect(unembedded(kernel, MODEL, 10)).toEqual([]);
    });
  });

  it("reorders the best by the reranker, RERANK_PAGES at the most", async () => {
    await withModel(
      "embed-rerank",
      async (kernel) => {
        const pages = write(
          kernel,
          Array.from({ length: RERANK_PAGES + 10 }, (_, page) =>
            page === 20 ? "best quay crane" : `quay crane ${page}`,
          ),
        );
        await embed(kernel);
        const order = await found(kernel, "quay crane", 100);
        expect(order[0]).toBe(pages[20]);
        expect(order.length).toBe(RERANK_PAGES);
      },
      RERANKER,
    );
  });
});

describe("a model that fails", () => {
  it("leaves the search as it is by words, when asked and while embedding", async () => {
    await withModel("embed-broken", async (kernel, fake) => {
      write(kernel, TEXTS);
      const byWords = kernel.index.search({ text: "aunt", limit: 10 });
      const answers: Fake["answer"][] = [
        () => Promise.reject(new Error("3040: no capacity")),
        () => ({ data: "nonsense" }),
        () => ({ data: [] }),
        () => null,
      ];
      for (const answer of answers) {
        fake.answer = answer;
        await embed(kernel);
        expect(await rankPages(kernel, { text: "aunt", limit: 10 })).toEqual(byWords);
      }
      expect(unembedded(kernel, MODEL, 10).length).toBe(TEXTS.length);
    });
  });

  it("is waited for EMBED_WAIT_MS and no longer", async () => {
    await withModel("embed-slow", async (kernel, fake) => {
      write(kernel, TEXTS);
      fake.answer = () => new Promise(() => undefined);
      const before = Date.now();
      const hits = await rankPages(kernel, { text: "aunt", limit: 10 });
      expect(Date.now() - before).toBeLessThan(EMBED_WAIT_MS + 2_000);
      expect(hits).toEqual(kernel.index.search({ text: "aunt", limit: 10 }));
    });
  });
});

describe("forgetting", () => {
  it("deletes the vector of a page that is forgotten or says something else", async () => {
    const caller = callerOf("embed-forget");
    await withModel("embed-forget", async (kernel) => {
      const [vessel = 0, loaf = 0] = write(kernel, TEXTS);
      await embed(kernel);
      transact(kernel, () => buryPage(kernel, vessel));
      const page = readPages(kernel, [loaf]).find((row): row is ResidentPage => row.text !== null);
      if (page === undefined) throw new Error("the page is not there");
      transact(kernel, () => updatePage(kernel, page, { text: "The quay is wet." }));
      expect(kernel.sql.exec("SELECT page FROM embeddings").toArray().length).toBe(1);
      expect(await found(kernel, "ship")).toEqual([]);
      expect(await found(kernel, "bakery")).toEqual([]);
      await embed(kernel);
      expect(await found(kernel, "ship")).toContain(loaf);
      expect(await found(kernel, "ship")).not.toContain(vessel);
    });
    expect(await everythingStored(caller)).not.toContain("vessel");
  });
});

describe("without a model", () => {
  it("is off, and asks nobody", async () => {
    await inKernel(callerOf("embed-off"), async (kernel) => {
      expect(kernel.embedder).toBeNull();
      write(kernel, TEXTS);
      embedSoon(kernel);
      expect(kernel.sql.exec("SELECT 1 FROM timers WHERE name = 'embed'").toArray()).toEqual([]);
      expect(await rankPages(kernel, { text: "aunt", limit: 5 })).toEqual(
        kernel.index.search({ text: "aunt", limit: 5 }),
      );
    });
    const AI = { run: async () => null, models: async () => [] };
    expect(openEmbedder({ AI, EMBEDDING_MODEL: "" })).toBeNull();
  });
});

describe("sketches", () => {
  it("answer the nearest by differing bits, EMBED_CANDIDATES of them, and none that is deleted", () => {
    const sketches = new Sketches();
    const vector = (ones: number): Int8Array => Int8Array.from({ length: 256 }, (_, index) => (index < ones ? 9 : -9));
    for (let page = 0; page <= 250; page += 1) sketches.put(page, vector(page));
    expect(sketches.nearest(vector(100), 3)).toEqual([100, 99, 101]);
    expect(sketches.nearest(vector(0), EMBED_CANDIDATES).length).toBe(EMBED_CANDIDATES);
    for (const page of [100, 250, 0]) sketches.delete(page);
    expect(sketches.nearest(vector(100), 2)).toEqual([99, 101]);
    expect(sketches.nearest(vector(250), 1)).toEqual([249]);
    expect(sketches.size).toBe(248);
    expect(sketches.nearest(new Int8Array(64), 5)).toEqual([]);
  });
});
