/**
 * Sleep: what consolidation does to search: evidence recall without derived facts, with them, and with them folded into the
 * turns they were made from, which is what a prompt gets.
 *
 *     npm run bench -- sleep
 */
import { beamCases, dataFolder, locomoCases, type MemoryCase } from "#bench/search-data.ts";
import { row, writeReport, type Row } from "#bench/report.ts";
import { indexEntry, SearchIndex } from "#kernel/vm/search/search-index.ts";
import { factSentences } from "#kernel/vm/sleep/fact-sentences.ts";

type Way = "no facts" | "facts beside turns" | "facts folded into turns" | "facts not evidence";

const LIMITS = [5, 10, 20];

function measure(
  one: MemoryCase,
  way: Way,
): { readonly facts: number; readonly recall: readonly (readonly number[])[] } {
  const index = new SearchIndex();
  for (const page of one.pages) index.add(indexEntry(page));
  const sourceOf = new Map<number, number>();
  for (const page of way === "no facts" ? [] : one.pages) {
    if (page.kind !== "turn") continue;
    for (const { text } of factSentences(page.text)) {
      const number = one.pages.length + sourceOf.size;
      sourceOf.set(number, page.page);
      index.add(indexEntry({ ...page, page: number, kind: "fact", session: `/${number}`, text }));
    }
  }
  const recall = one.questions.map(({ text, evidence }) => {
    const filter = (page: number): boolean => way !== "facts not evidence" || !sourceOf.has(page);
    const hits = index.search({ text, limit: 60, filter }).map((hit) => hit.page);
    const pages = way === "facts folded into turns" ? hits.map((page) => sourceOf.get(page) ?? page) : hits;
    const ranked = [...new Set(pages)];
    return LIMITS.map((limit) => {
      const top = new Set(ranked.slice(0, limit));
      return evidence.length === 0 ? 1 : evidence.filter((page) => top.has(page)).length / evidence.length;
    });
  });
  return { facts: sourceOf.size, recall };
}

export function run(): void {
  const sets = { LoCoMo: locomoCases(dataFolder()), "BEAM 100K": beamCases(dataFolder()) };
  const rows: Row[] = [];
  for (const [set, cases] of Object.entries(sets)) {
    if (cases.length === 0) console.log(`${set}: no data in ${dataFolder()}; skipped`);
    for (const way of ["no facts", "facts beside turns", "facts folded into turns", "facts not evidence"] as const) {
      const measured = cases.map((one) => measure(one, way));
      const all = measured.flatMap((one) => one.recall);
      for (const [at, limit] of LIMITS.entries()) {
        const value = all.reduce((sum, recall) => sum + (recall[at] ?? 0), 0) / Math.max(1, all.length);
        if (all.length > 0) rows.push(row(`${set}, ${way}: R@${limit}`, 100 * value, "%"));
      }
      if (way === "facts beside turns" && all.length > 0) {
        rows.push(
          row(
            `${set}: facts`,
            measured.reduce((sum, one) => sum + one.facts, 0),
            "pages",
          ),
        );
      }
    }
  }
  if (rows.length > 0) writeReport("sleep", rows);
}
