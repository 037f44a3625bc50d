/**
 * Index segments: a cold object answers as a warm one, and nothing of a changed or forgotten page stays in a segment. All text
 * is made up.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Caller } from "#shared/abi.ts";
import { composePageHandle } from "#shared/ids.ts";
import { SEGMENT_BYTES, SEGMENT_CHARACTERS } from "#shared/limits.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { transact } from "#kernel/proc/transact.ts";
import { ByteReader, ByteWriter } from "#kernel/vm/search/byte-codec.ts";
import { encodeSegment, loadSegment } from "#kernel/vm/search/index-segment.ts";
import { PageIndex } from "#kernel/vm/search/page-index.ts";
import { buryPage, insertPage, readPages, updatePage } from "#kernel/vm/page-table.ts";
import { indexEntry, SearchIndex, type SearchHit } from "#kernel/vm/search/search-index.ts";
import { everythingStored, inKernel, installSeam } from "#tests/kernel/kernel-seam.ts";
import { pageDraft } from "#tests/kernel/page-draft.ts";
import { callerOf, objectOf } from "#tests/kernel/process-client.ts";

installSeam();

const LONE = { session: "1", speaker: null, role: null, kind: "note", at: null };

/** About 15 KB of words, most of them of this page only. */
function longText(page: number, word: string): string {
  return `${word} ${Array.from({ length: 1_500 }, (_, index) => `w${page}x${index % 900}`).join(" ")} shared`;
}

/** As many long pages as fill `segments` segments, and one that fills none. Page n holds the word `only<n>`. */
function fill(kernel: Kernel, segments: number): number {
  const first = insertPage(kernel, pageDraft(longText(1, "only1"), { evidence: 0 })).number;
  expect(first).toBe(1);
  const characters = kernel.sql.exec<{ size: number }>("SELECT LENGTH(entry) AS size FROM pages").one().size;
  const pages = Math.ceil(SEGMENT_CHARACTERS / characters) * segments + 1;
  for (let page = 2; page <= pages; page += 1) insertPage(kernel, pageDraft(longText(page, `only${page}`)));
  return pages;
}

function segments(kernel: Kernel): { first: number; last: number; bytes: number }[] {
  return kernel.sql
    .exec<{ first: number; last: number; bytes: number }>(
      "SELECT first, last, LENGTH(data) AS bytes FROM index_segments ORDER BY first",
    )
    .toArray();
}

const ASKED = ["only3", "shared", "only3 shared", "w2x5 w3x7"];

function answers(index: PageIndex): SearchHit[][] {
  return ASKED.map((text) => index.search({ text, limit: 20 }));
}

/** A cold object finds what the warm one finds. */
function expectColdAsWarm(kernel: Kernel): void {
  const cold = new PageIndex(kernel.sql);
  expect(cold.size).toBe(kernel.index.size);
  expect(answers(cold)).toEqual(answers(kernel.index));
  for (const page of [1, 2]) expect(cold.isEvidence(page)).toBe(kernel.index.isEvidence(page));
}

function finds(index: PageIndex, text: string): number[] {
  return index.search({ text, limit: 5 }).map((hit) => hit.page);
}

async function within(caller: Caller, work: (kernel: Kernel) => Promise<void> | void): Promise<void> {
  await inKernel(caller, work);
}

/** Filling a segment takes seconds on a busy machine. */
const PATIENCE = { timeout: 90_000 };

describe("index segments", PATIENCE, () => {
  it("are written when enough pages were added, none too long, and a cold object answers from them", async () => {
    await within(callerOf("segments-cold"), (kernel) => {
      const pages = fill(kernel, 2);
      const held = segments(kernel);
      expect(held).toHaveLength(2);
      expect(held[1]?.first).toBe((held[0]?.last ?? 0) + 1);
      expect(held[1]?.last).toBeLessThan(pages);
      for (const { bytes } of held) expect(bytes).toBeLessThanOrEqual(SEGMENT_BYTES);
      expectColdAsWarm(kernel);
      expect(segments(kernel)).toEqual(held);
      // The entries of pages in a segment are not read.
      const other = indexEntry({ ...LONE, page: 3, text: "a heron stands in the reeds" });
      const data = encodeSegment([{ entry: other, evidence: true }]);
      kernel.sql.exec("UPDATE index_segments SET data = ? WHERE first = 0", data);
      expect(finds(new PageIndex(kernel.sql), "heron")).toEqual([3]);
    });
  });

  it("hold no word of a page that was forgotten, and are written again without it", async () => {
    const caller = callerOf("segments-forget");
    const words = /only3\b|w3x/;
    await within(caller, (kernel) => void fill(kernel, 1));
    expect(/index_segments: .*only3/.test(await everythingStored(caller))).toBe(true);
    expect(await objectOf(caller).forgetPage(caller, composePageHandle(3))).toMatchObject({ ok: true });
    expect(words.test(await everythingStored(caller))).toBe(false);
    await within(caller, (kernel) => {
      expect(segments(kernel)).toEqual([]);
      expectColdAsWarm(kernel);
      expect(segments(kernel)).toHaveLength(1);
      expect(finds(kernel.index, "only3 only4")).toEqual([4]);
      expectColdAsWarm(kernel);
    });
    expect(words.test(await everythingStored(caller))).toBe(false);
  });

  it("follow every change of a page, whoever writes it", async () => {
    await within(callerOf("segments-change"), (kernel) => {
      const pages = fill(kernel, 1);
      const page = readPages(kernel, [2])[0];
      if (page === undefined || page.text === null) throw new Error("page 2 is not there");
      updatePage(kernel, { ...page, text: page.text }, { text: "a heron stands in the reeds", evidence: 0 });
      expect(segments(kernel)).toEqual([]);
      expectColdAsWarm(kernel);
      expect(finds(new PageIndex(kernel.sql), "heron only2")).toEqual([2]);
      expect(segments(kernel)).toHaveLength(1);
      kernel.sql.exec("UPDATE pages SET evidence = 0 WHERE number = 4");
      expect(segments(kernel)).toEqual([]);
      expect(new PageIndex(kernel.sql).isEvidence(4)).toBe(false);
      // What a page's row says besides does not touch them.
      expect(segments(kernel)).toHaveLength(1);
      kernel.sql.exec("UPDATE pages SET dirty = 0, tags = '[]', version = version + 1, text = NULL");
      expect(segments(kernel)).toHaveLength(1);
      kernel.sql.exec("DELETE FROM pages WHERE number = ?", pages);
      expect(segments(kernel)).toHaveLength(1);
      buryPage(kernel, 5);
      expect(segments(kernel)).toEqual([]);
    });
  });

  it("go with a transaction that is taken back", async () => {
    await within(callerOf("segments-rollback"), (kernel) => {
      fill(kernel, 1);
      const before = [segments(kernel), answers(kernel.index)];
      expect(() =>
        transact(kernel, () => {
          buryPage(kernel, 3);
          insertPage(kernel, pageDraft("a heron stands in the reeds"));
          expect(finds(kernel.index, "heron")).toHaveLength(1);
          throw new Error("taken back");
        }),
      ).toThrow("taken back");
      expect([segments(kernel), answers(kernel.index)]).toEqual(before);
      expect(finds(kernel.index, "heron")).toEqual([]);
      expectColdAsWarm(kernel);
    });
  });

  it("are built anew from the entries when one is of another format, cut short, too long or empty", async () => {
    await within(callerOf("segments-damaged"), (kernel) => {
      fill(kernel, 1);
      const stored = (): Uint8Array =>
        new Uint8Array(kernel.sql.exec<{ data: ArrayBuffer }>("SELECT data FROM index_segments").one().data);
      const data = stored();
      for (const damaged of [
        Uint8Array.from(data, (byte, index) => (index === 0 ? byte + 1 : byte)),
        data.slice(0, data.length - 100),
        Uint8Array.from([...data, 0]),
        new Uint8Array(0),
      ]) {
        kernel.sql.exec("UPDATE index_segments SET data = ?", damaged);
        expectColdAsWarm(kernel);
        expect(stored()).toEqual(data);
      }
    });
  });

  it("are halved when many different words make one too long for a row", async () => {
    await within(callerOf("segments-chinese"), (kernel) => {
      // Every page other characters, so that no pair is held twice.
      for (let page = 0; segments(kernel).length === 0; page += 1) {
        const text = Array.from({ length: 4_900 }, (_, index) =>
          String.fromCharCode(0x4e00 + ((index * (page * 2 + 1) * 131 + index * index) % 20_000)),
        ).join("");
        insertPage(kernel, pageDraft(text));
      }
      const held = segments(kernel);
      expect(held.length).toBeGreaterThan(1);
      held.forEach(({ first, bytes }, index) => {
        expect(bytes).toBeLessThanOrEqual(SEGMENT_BYTES);
        if (index > 0) expect(first).toBe((held[index - 1]?.last ?? 0) + 1);
      });
      const cold = new PageIndex(kernel.sql);
      expect(cold.size).toBe(kernel.index.size);
    });
  });
});

describe("bytes of a segment", () => {
  it("give back every number and text", () => {
    const number = fc.oneof(fc.nat(300), fc.nat(), fc.maxSafeNat());
    const value = fc.oneof(number, fc.string({ unit: "binary" }), fc.constant("\ud800"));
    fc.assert(
      fc.property(fc.array(value), fc.double({ noNaN: true }), (values, float) => {
        const writer = new ByteWriter();
        for (const one of values) {
          if (typeof one === "number") writer.number(one);
          else writer.text(one);
        }
        writer.float(float);
        const reader = new ByteReader(writer.bytes());
        for (const one of values) expect(typeof one === "number" ? reader.number() : reader.text()).toBe(one);
        expect(reader.float()).toBe(float);
        expect(reader.done).toBe(true);
        expect(() => reader.number()).toThrow(RangeError);
      }),
    );
  });

  it("take any text, name and date", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            text: fc.string({ unit: "binary" }),
            session: fc.string({ unit: "binary" }),
            speaker: fc.option(fc.string({ unit: "binary" }), { nil: null }),
            at: fc.option(fc.double({ noNaN: true, min: -8e15, max: 8e15 }), { nil: null }),
          }),
          { maxLength: 8 },
        ),
        (rows) => {
          const entries = rows.map((row, page) =>
            indexEntry({ page: page * 1e12, role: "tool", kind: "turn", ...row }),
          );
          const [built, loaded] = [new SearchIndex(), new SearchIndex()];
          for (const entry of entries) built.add(entry);
          loadSegment(encodeSegment(entries.map((entry) => ({ entry, evidence: true }))), loaded);
          const text = rows.map((row) => row.text.slice(0, 20)).join(" ");
          expect(loaded.measure(text)).toEqual(built.measure(text));
          expect(loaded.search({ text, limit: 9 })).toEqual(built.search({ text, limit: 9 }));
        },
      ),
    );
  });
});
