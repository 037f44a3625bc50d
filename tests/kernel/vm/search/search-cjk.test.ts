/** Search in scripts without spaces, on our own labelled pages: a floor that a change to tokenising or weights must not fall below. */
import { describe, expect, it } from "vitest";
import { indexEntry, SearchIndex } from "#kernel/vm/search/search-index.ts";
import { CJK_MEMORIES, NOW } from "#tests/fixtures/cjk-memory.ts";

/** Places of the answering pages in the results, -1 for none. */
function ranks(memory: (typeof CJK_MEMORIES)[number]): number[] {
  const index = new SearchIndex();
  for (const [page, [day, speaker, text]] of memory.pages.entries()) {
    const role = speaker === null ? "user" : null;
    index.add(indexEntry({ page, session: day, speaker, role, kind: "turn", at: Date.parse(day), text }));
  }
  return memory.questions.map(({ text, evidence }) =>
    index.search({ text, limit: 10, now: NOW }).findIndex((hit) => hit.page === evidence),
  );
}

describe("the labelled check", () => {
  it("has enough pages and questions of every sort", () => {
    expect(CJK_MEMORIES.flatMap((memory) => memory.pages).length).toBeGreaterThanOrEqual(60);
    const questions = CJK_MEMORIES.flatMap((memory) => memory.questions);
    expect(questions.length).toBeGreaterThanOrEqual(40);
    for (const sort of ["word", "date", "identifier", "typo", "person"])
      expect(questions.some(({ asks }) => asks === sort)).toBe(true);
  });

  it.each(CJK_MEMORIES)("$language: nearly every question finds its page first, all among three", (memory) => {
    const places = ranks(memory);
    expect(places.filter((place) => place === 0).length / places.length).toBeGreaterThanOrEqual(0.9);
    expect(places.every((place) => place >= 0 && place < 3)).toBe(true);
  });
});
