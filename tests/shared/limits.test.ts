/**
 * Limits: each is a positive number with its unit, and those that lean on one another fit together. Their edges are held by
 * the tests of what they bound.
 */
import { describe, expect, it } from "vitest";
import * as limits from "#shared/limits.ts";
// oxlint-disable-next-line import/default -- the file as text
import source from "#shared/limits.ts?raw";

const values: Readonly<Record<string, number>> = { ...limits };

describe("limits", () => {
  it("are positive whole numbers, one per line, each with its unit and what it protects", () => {
    for (const [name, value] of Object.entries(values)) {
      expect({ name, ok: Number.isSafeInteger(value) && value > 0 }).toEqual({ name, ok: true });
      expect(source).toMatch(new RegExp(`^export const ${name} = [\\d_]+; // \\S.{12,}$`, "m"));
    }
  });

  it("fit together", () => {
    const ordered: [keyof typeof limits, keyof typeof limits][] = [
      ["BODY_LOWEST_TOKENS", "BODY_LOW_TOKENS"],
      ["BODY_LOW_TOKENS", "BODY_HIGHEST_TOKENS"],
      ["BODY_HIGHEST_TOKENS", "WINDOW_TOKENS"],
      ["EXCERPT_TOKENS", "TAIL_TOKENS"],
      ["SUMMARY_TOKENS", "SUMMARY_TOKENS_MOST"],
      ["FLUSH_RETRY_MS", "FLUSH_RETRY_MOST_MS"],
      ["LIST_ITEMS", "LIST_ITEMS_MOST"],
      ["SEARCH_RESULTS", "SEARCH_RESULTS_MOST"],
      ["PAGE_BYTES", "IMPORT_LINE_BYTES"],
      ["PAGE_BYTES", "INSTRUCTION_BYTES"],
      ["PAGE_BYTES", "FLUSH_BATCH_BYTES"],
      ["INSTRUCTION_BYTES", "BODY_BYTES"],
      ["IMPORT_LINE_BYTES", "IMPORT_BATCH_BYTES"],
      ["DOCUMENT_CHUNK_BYTES", "DOCUMENT_BATCH_BYTES"],
      ["DOCUMENT_BATCH_PAGES", "DOCUMENT_BATCH_PAGES_MOST"],
      ["DOCUMENT_PDF_BYTES", "DOCUMENT_PART_BYTES"],
      ["DOCUMENT_PART_BYTES", "DOCUMENT_BYTES"],
      ["SLICE_TOKENS", "SLICE_TOKENS_MOST"],
      ["SLICE_TOKENS_MOST", "SLICE_TOKENS_WHOLE"],
      ["THREAD_QUEUE", "RUNS_LIVE"],
      ["INFERENCE_SILENCE_MS", "LEASE_MS"],
      ["HEARTBEAT_MS", "LEASE_MS"],
      ["POOL_WAIT_MS", "RUN_MS"],
      ["REQUESTS_PER_SECOND", "REQUEST_BURST"],
      ["SSE_KEEP_ALIVE_MS", "REPLY_WAIT_MS"],
    ];
    for (const [less, more] of ordered)
      expect({ less, more, ok: (values[less] ?? 0) < (values[more] ?? 0) }).toEqual({ less, more, ok: true });
  });

  it("keep every row of the object below the 2 MB that only production enforces", () => {
    const worstBytesPerCharacter = 6; // a character that JSON writes as \uXXXX
    expect(limits.OUTPUT_CHARACTERS * worstBytesPerCharacter).toBeLessThan(2_000_000);
    expect(limits.INSTRUCTION_BYTES * worstBytesPerCharacter).toBeLessThan(2_000_000);
    expect(limits.PAGE_BYTES * worstBytesPerCharacter).toBeLessThan(limits.FLUSH_BATCH_BYTES);
  });
});
