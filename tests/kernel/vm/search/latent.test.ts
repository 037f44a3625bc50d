/** The latent space of a process: learned when idle, stored, folded, and gone with a forgotten page. All sentences are invented. */
import { describe, expect, it } from "vitest";
import type { Kernel } from "#kernel/kernel.ts";
import { transact } from "#kernel/proc/transact.ts";
import { latentSettled, latentSoon, needsRebuild, ringLatent } from "#kernel/vm/search/latent.ts";
import { storedPages, storedSpace } from "#kernel/vm/search/latent-table.ts";
import { PageIndex } from "#kernel/vm/search/page-index.ts";
import { buryPage, insertPage, readPages, updatePage } from "#kernel/vm/page-table.ts";
import type { ResidentPage } from "#kernel/vm/page.ts";
import { LATENT_GROWTH_PERCENT, LATENT_PAGES, LATENT_PLACED_AT_ONCE } from "#shared/limits.ts";
import { everythingStored, inKernel, installSeam } from "#tests/kernel/kernel-seam.ts";
import { pageDraft } from "#tests/kernel/page-draft.ts";
import { callerOf } from "#tests/kernel/process-client.ts";

installSeam();

/** Writes `count` pages about eight boats, whose crews use the same words for each other. */
function write(kernel: Kernel, count: number): void {
  const names = ["keelson", "halyard", "spinnaker", "gunwale"];
  for (let page = 0; page < count; page += 1) {
    const boat = page % 8;
    const words = [0, 1].map((index) => `${names[(page + index) % 4] ?? ""}b${boat}`);
    insertPage(kernel, pageDraft(`${words.join(" ")} boat${boat}`));
  }
}

async function learn(kernel: Kernel): Promise<void> {
  ringLatent(kernel);
  await latentSettled(kernel);
}

function timers(kernel: Kernel): string[] {
  return kernel.sql
    .exec<{ name: string }>("SELECT name FROM timers")
    .toArray()
    .map(({ name }) => name);
}

describe("learning", () => {
  it("waits for LATENT_PAGES pages, then for LATENT_GROWTH_PERCENT more", async () => {
    await inKernel(callerOf("latent-edge"), async (kernel) => {
      write(kernel, LATENT_PAGES - 1);
      expect(needsRebuild(kernel)).toBe(false);
      latentSoon(kernel);
      expect(timers(kernel)).not.toContain("latent");
      write(kernel, 1);
      latentSoon(kernel);
      expect(timers(kernel)).toContain("latent");
      await learn(kernel);
      expect(storedPages(kernel.sql)).toBe(LATENT_PAGES);
      expect(timers(kernel)).not.toContain("latent");
      const more = Math.ceil((LATENT_PAGES * LATENT_GROWTH_PERCENT) / 100);
      write(kernel, more - 1);
      expect(needsRebuild(kernel)).toBe(false);
      write(kernel, 1);
      expect(needsRebuild(kernel)).toBe(true);
    });
  });

  it("ranks in a cold object as in the one that learned it", async () => {
    await inKernel(callerOf("latent-cold"), async (kernel) => {
      write(kernel, 64);
      const before = kernel.index.search({ text: "gunwaleb3", limit: 20 });
      await learn(kernel);
      const warm = kernel.index.search({ text: "gunwaleb3", limit: 20 });
      expect(warm).not.toEqual(before);
      const cold = new PageIndex(kernel.sql);
      expect(cold.hasLatent).toBe(true);
      expect(cold.search({ text: "gunwaleb3", limit: 20 })).toEqual(warm);
    });
  });

  it("places the pages of a large cold process in idle time, in the space it has", async () => {
    await inKernel(callerOf("latent-large"), async (kernel) => {
      write(kernel, LATENT_PLACED_AT_ONCE + 1);
      await learn(kernel);
      const warm = kernel.index.search({ text: "gunwaleb3", limit: 20 });
      const stored = kernel.sql.exec("SELECT * FROM latent_terms").toArray();
      kernel.index.invalidate();
      expect(kernel.index.search({ text: "gunwaleb3", limit: 20 })).not.toEqual(warm);
      expect(kernel.index.hasLatent).toBe(false);
      await learn(kernel);
      expect(kernel.index.search({ text: "gunwaleb3", limit: 20 })).toEqual(warm);
      expect(kernel.sql.exec("SELECT * FROM latent_terms").toArray()).toEqual(stored);
    });
  });

  it("does not begin while a run is live, and asks to be woken later", async () => {
    await inKernel(callerOf("latent-busy"), (kernel) => {
      write(kernel, 64);
      kernel.flushing = Promise.resolve();
      ringLatent(kernel);
      expect(kernel.working.has("latent")).toBe(false);
      expect(timers(kernel)).toContain("latent");
      kernel.flushing = null;
    });
  });
});

describe("forgetting", () => {
  it("leaves no word of a forgotten page in the space, in storage or in use", async () => {
    const caller = callerOf("latent-forget");
    await inKernel(caller, async (kernel) => {
      write(kernel, 64);
      const secret = [1, 2].map(() => insertPage(kernel, pageDraft("quagga keelsonb1 boat1")));
      await learn(kernel);
      expect(storedSpace(kernel.sql)?.terms).toContain("quagga");
      transact(kernel, () => secret.forEach(({ number }) => buryPage(kernel, number)));
      expect(storedSpace(kernel.sql)).toBeNull();
      expect(kernel.index.hasLatent).toBe(false);
      expect(needsRebuild(kernel)).toBe(true);
    });
    expect(await everythingStored(caller)).not.toContain("quagga");
    await inKernel(caller, async (kernel) => {
      await learn(kernel);
      expect(storedSpace(kernel.sql)?.terms).not.toContain("quagga");
    });
  });

  it("drops what it was learning when a page goes meanwhile", async () => {
    await inKernel(callerOf("latent-race"), async (kernel) => {
      write(kernel, 64);
      const page = insertPage(kernel, pageDraft("quagga quagga"));
      ringLatent(kernel);
      transact(kernel, () => buryPage(kernel, page.number));
      await latentSettled(kernel);
      expect(storedPages(kernel.sql)).toBe(0);
      expect(timers(kernel)).toContain("latent");
    });
  });

  it("drops the space when a page says something else, not when it is written again", async () => {
    await inKernel(callerOf("latent-edit"), async (kernel) => {
      write(kernel, 64);
      await learn(kernel);
      const page = readPages(kernel, [5]).find((row): row is ResidentPage => row.text !== null);
      if (page === undefined) throw new Error("the page is not there");
      transact(kernel, () => updatePage(kernel, page, { source: "a log book" }));
      expect(kernel.index.hasLatent).toBe(true);
      expect(storedPages(kernel.sql)).toBeGreaterThan(0);
      transact(kernel, () => updatePage(kernel, page, { text: "something else" }));
      expect(kernel.index.hasLatent).toBe(false);
      expect(storedPages(kernel.sql)).toBe(0);
    });
  });
});
