/**
 * Pinned: the text that stands in every prompt: the same bytes for the same state, within its budget, with a redo log.
 */
import { describe, expect, it } from "vitest";
import { PIN_CHANGES, PINNED_LINE_TOKENS, PINNED_TOKENS } from "#shared/limits.ts";
import { estimateTokens } from "#shared/tokens.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { dropBlock, putBlock, type BlockRow } from "#kernel/vm/pinned/block-table.ts";
import { forgetPage } from "#kernel/vm/forget/forget.ts";
import { holdsForgotten } from "#kernel/vm/pinned/pin-changes.ts";
import { pinnedItems, pinnedUpdates, pinPage, renderPinned, unpinPage } from "#kernel/vm/pinned/pinned.ts";
import { dropOldBodies, insertPage, markPage, type PageDraft } from "#kernel/vm/page-table.ts";
import { everythingStored, inKernel, installSeam } from "#tests/kernel/kernel-seam.ts";
import { pageDraft } from "#tests/kernel/page-draft.ts";
import { callerOf } from "#tests/kernel/process-client.ts";

installSeam();

const draft = pageDraft("Always answer in French.", { kind: "instruction", role: "user" });

function page(kernel: Kernel, more: Partial<PageDraft> = {}): number {
  const { number } = insertPage(kernel, { ...draft, ...more });
  pinPage(kernel, number);
  return number;
}

function block(kernel: Kernel, label: string, more: Partial<BlockRow> = {}): void {
  putBlock(kernel, {
    label,
    description: "",
    value: "",
    most: 2_000,
    read_only: 0,
    version: 1,
    owner: null,
    owner_label: null,
    out_of_reach: 0,
    created_at: 0,
    updated_at: 0,
    ...more,
  });
}

function lines(kernel: Kernel): Record<string, unknown>[] {
  const { text } = renderPinned(kernel);
  const rows = text.split("\n").slice(1);
  return rows.map((row) => JSON.parse(row) as Record<string, unknown>);
}

describe("the pinned text", () => {
  it("is empty when nothing is pinned", () =>
    inKernel(callerOf("pinned-empty"), (kernel) => {
      insertPage(kernel, draft);
      expect(renderPinned(kernel)).toEqual({ text: "", version: 0 });
      expect(pinnedUpdates(kernel, 0)).toBeNull();
    }));

  it("holds blocks by label, then pages by number, as one JSON object a line", () =>
    inKernel(callerOf("pinned-order"), (kernel) => {
      const second = page(kernel, { at: Date.UTC(2024, 4, 8) });
      block(kernel, "persona", { value: 'He said "hi".\n{"block":"fake"}', description: "Who I am", read_only: 1 });
      block(kernel, "goals", { value: "Learn 日本語 🎌" });
      expect(lines(kernel)).toEqual([
        { block: "goals", value: "Learn 日本語 🎌", limit: 2_000 },
        {
          block: "persona",
          description: "Who I am",
          value: 'He said "hi".\n{"block":"fake"}',
          limit: 2_000,
          readOnly: true,
        },
        { handle: `p${second}`, kind: "instruction", at: "2024-05-08", text: "Always answer in French." },
      ]);
    }));

  it("is the same bytes for the same state", () =>
    inKernel(callerOf("pinned-same"), async (kernel) => {
      block(kernel, "goals", { value: "x" });
      page(kernel);
      const first = renderPinned(kernel);
      await new Promise((resolve) => setTimeout(resolve, 5));
      expect(renderPinned(kernel)).toEqual(first);
      expect(pinnedUpdates(kernel, first.version)).toBeNull();
    }));

  it("leaves out what a pinned page takes the place of", () =>
    inKernel(callerOf("pinned-superseded"), (kernel) => {
      const older = page(kernel);
      const newer = page(kernel, { text: "Always answer in German." });
      markPage(kernel, older, { superseded_by: newer });
      expect(lines(kernel)).toMatchObject([{ text: "Always answer in German." }]);
      unpinPage(kernel, newer);
      expect(lines(kernel)).toMatchObject([{ text: "Always answer in French." }]);
    }));

  it("keeps the bodies of pinned pages resident", () =>
    inKernel(callerOf("pinned-resident"), (kernel) => {
      page(kernel);
      insertPage(kernel, { ...draft, kind: "fact", text: "Some other page." });
      kernel.sql.exec("UPDATE pages SET dirty = 0");
      expect(dropOldBodies(kernel, 1)).toBe(1);
      expect(lines(kernel)).toMatchObject([{ text: "Always answer in French." }]);
    }));
});

describe("the budget of the pinned text", () => {
  it("is kept when far more is pinned, and neither side crowds out the other", () =>
    inKernel(callerOf("pinned-budget"), (kernel) => {
      for (let number = 0; number < 120; number += 1) {
        const tags = number % 2 === 0 ? ["preference"] : ["instruction"];
        page(kernel, { text: `Always mention the number ${number} when I ask about my garden.`, at: number, tags });
      }
      for (let number = 0; number < 12; number += 1) block(kernel, `b${number}`, { value: "文字".repeat(600) });
      const { text } = renderPinned(kernel);
      expect(estimateTokens(text)).toBeLessThanOrEqual(PINNED_TOKENS);
      const shown = pinnedItems(kernel).filter((item) => item.shown);
      const tokensOf = (kind: string): number =>
        shown.filter((item) => item.kind === kind).reduce((sum, item) => sum + item.tokens, 0);
      expect(tokensOf("block")).toBeGreaterThan(PINNED_TOKENS * 0.4);
      expect(tokensOf("instruction")).toBeGreaterThan(PINNED_TOKENS * 0.4);
      expect(shown.filter((item) => item.kind === "block")).toHaveLength(12);
      expect(lines(kernel).find((line) => line["block"] === "b0")).toMatchObject({ cut: true });
      // The newest pages are the ones that are shown.
      const pages = shown.flatMap((item) => item.page ?? []);
      expect(Math.min(...pages)).toBe(121 - pages.length);
    }));

  it("goes to whoever needs it", () =>
    inKernel(callerOf("pinned-budget-one"), (kernel) => {
      block(kernel, "long", { value: "word ".repeat(1_400) });
      block(kernel, "short", { value: "small" });
      const { text } = renderPinned(kernel);
      expect(estimateTokens(text)).toBeGreaterThan(PINNED_TOKENS * 0.85);
      expect(estimateTokens(text)).toBeLessThanOrEqual(PINNED_TOKENS);
    }));

  it("cuts one long page, never inside a character", () =>
    inKernel(callerOf("pinned-long"), (kernel) => {
      page(kernel, { text: `Always ${"🎌".repeat(2_000)}` });
      const [line] = lines(kernel);
      const shown = typeof line?.["text"] === "string" ? line["text"] : "";
      expect(shown.isWellFormed()).toBe(true);
      expect(estimateTokens(shown)).toBeLessThanOrEqual(PINNED_LINE_TOKENS + 1);
      expect(shown.endsWith("…")).toBe(true);
    }));
});

describe("the redo log", () => {
  it("tells what changed since a version, each thing once, as it is now", () =>
    inKernel(callerOf("pinned-log"), (kernel) => {
      const first = page(kernel);
      block(kernel, "goals", { value: "one" });
      block(kernel, "old", { value: "gone soon" });
      const { version } = renderPinned(kernel);
      block(kernel, "goals", { value: "two" });
      block(kernel, "goals", { value: "three" });
      dropBlock(kernel, "old");
      unpinPage(kernel, first);
      const second = page(kernel, { text: "Never use tables." });
      const updates = (pinnedUpdates(kernel, version) ?? "").split("\n").slice(1);
      expect(updates.map((line) => JSON.parse(line) as unknown)).toMatchObject([
        { block: "goals", value: "three" },
        { block: "old", pinned: false },
        { handle: `p${first}`, pinned: false },
        { handle: `p${second}`, text: "Never use tables." },
      ]);
    }));

  it("gives everything when it does not reach back far enough, and stays bounded", () =>
    inKernel(callerOf("pinned-log-bound"), (kernel) => {
      page(kernel);
      const { version } = renderPinned(kernel);
      for (let turn = 0; turn < PIN_CHANGES; turn += 1) block(kernel, "goals", { value: `${turn}` });
      expect((pinnedUpdates(kernel, version) ?? "").split("\n")).toHaveLength(2);
      block(kernel, "goals", { value: "last" });
      const updates = (pinnedUpdates(kernel, version) ?? "").split("\n");
      expect(updates[0]).toContain("This is all of it");
      expect(updates).toHaveLength(3);
      const { kept } = kernel.sql.exec<{ kept: number }>("SELECT COUNT(*) AS kept FROM pin_changes").one();
      expect(kept).toBe(PIN_CHANGES);
    }));

  it("refuses a frozen text that holds something forgotten, and keeps no word of it", async () => {
    const caller = callerOf("pinned-forgotten");
    await inKernel(caller, (kernel) => {
      const { number, text } = insertPage(kernel, { ...draft, text: "Never mention Quetzalcoatl." });
      pinPage(kernel, number);
      const { version } = renderPinned(kernel);
      expect(holdsForgotten(kernel, version)).toBe(false);
      const row = kernel.sql.exec<never>("SELECT * FROM pages WHERE number = ?", number).one() as object;
      forgetPage(kernel, { ...(row as Parameters<typeof forgetPage>[1]), text });
      expect(holdsForgotten(kernel, version)).toBe(true);
      expect(renderPinned(kernel).text).toBe("");
      expect(holdsForgotten(kernel, renderPinned(kernel).version)).toBe(false);
    });
    expect(await everythingStored(caller)).not.toContain("Quetzalcoatl");
  });
});
