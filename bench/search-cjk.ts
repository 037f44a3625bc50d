/**
 * The search figure in scripts without spaces: our own Chinese, Japanese and Korean pages and questions.
 *
 * Use `cjkRows()`, and `cjkIndex(memory)` for one of them. The same check is a test with a floor (`tests/kernel/vm/search/search-cjk.test.ts`).
 */
import { row, type Row } from "#bench/report.ts";
import { indexEntry, SearchIndex } from "#kernel/vm/search/search-index.ts";
import { CJK_MEMORIES, NOW, type CjkMemory } from "#tests/fixtures/cjk-memory.ts";

export function cjkIndex(memory: CjkMemory): SearchIndex {
  const index = new SearchIndex();
  for (const [page, [day, speaker, text]] of memory.pages.entries()) {
    const role = speaker === null ? "user" : null;
    index.add(indexEntry({ page, session: day, speaker, role, kind: "turn", at: Date.parse(day), text }));
  }
  return index;
}

/** Share of the questions whose page is among the first `limit`. */
export function cjkRecall(memory: CjkMemory, limit: number): number {
  const index = cjkIndex(memory);
  const found = memory.questions.filter(({ text, evidence }) =>
    index.search({ text, limit, now: NOW }).some((hit) => hit.page === evidence),
  );
  return (100 * found.length) / memory.questions.length;
}

export function cjkRows(): Row[] {
  return CJK_MEMORIES.flatMap((memory) =>
    [1, 3].map((limit) => {
      const target = limit === 3 ? { aim: 95 } : {};
      return row(
        `${memory.language}, ${memory.questions.length} questions R@${limit}`,
        cjkRecall(memory, limit),
        "%",
        target,
      );
    }),
  );
}
