/**
 * Support: whether a sentence's cited pages carry it, and the verbatim words that do.
 *
 * A lexical check, on purpose lenient to paraphrase: of the sentence's content words (without those of the instruction,
 * dates, numbers) a share must stand in the cited pages. It catches citations of pages that have nothing to do with the
 * sentence, not false conclusions from the right page.
 */
import { analyze, isStopWord, tokenize } from "#shared/text/words.ts";
import type { ResidentPage } from "#kernel/vm/page.ts";

const ENOUGH = 0.3;

const CALENDAR = new Set(
  analyze(
    "january february march april may june july august september october november december monday tuesday wednesday thursday friday saturday sunday week weekend month year day before after yes no twice once times since ago likely",
  ),
);

/** Chinese dates, counts and confirmations, which tokenising would tear into pairs that no page has. */
const CHINESE_CALENDAR = /[年月日号周年天时点分前后之上下个星期第几两一二三四五六七八九十百是的在了不约每次]/gu;

function contentTerms(text: string): Set<string> {
  const words = tokenize(text.replaceAll(CHINESE_CALENDAR, " ")).filter(
    (word) => !isStopWord(word) && !/^\d+(st|nd|rd|th)?$/.test(word),
  );
  return new Set(words.flatMap((word) => analyze(word)).filter((term) => !CALENDAR.has(term)));
}

/** True when the pages carry the sentence, or when it says nothing but dates, numbers and the instruction's own words. */
export function isSupported(sentence: string, instruction: string, pages: readonly ResidentPage[]): boolean {
  const asked = contentTerms(instruction);
  const claimed = [...contentTerms(sentence)].filter((term) => !asked.has(term));
  if (claimed.length === 0) return true;
  const texts = pages.map((page) => `${page.text} ${page.speaker ?? ""} ${page.source ?? ""}`);
  const known = new Set(texts.flatMap((text) => analyze(text)));
  // A Chinese character left alone is in no pair of the page; it is carried when the page holds it.
  const holds = (term: string): boolean => /^\p{Script=Han}$/u.test(term) && texts.some((text) => text.includes(term));
  const carried = claimed.filter((term) => known.has(term) || holds(term)).length;
  return carried / claimed.length >= ENOUGH;
}

/** The sentence of a page that shares the most words with what was said: verbatim. */
export function bestQuote(said: string, page: ResidentPage): string {
  const wanted = contentTerms(said);
  let best = "";
  let bestShared = -1;
  for (const match of page.text.matchAll(/[^.!?。！？\n]+[.!?。！？]*["'”’」]*/gu)) {
    const quote = match[0].trim();
    const shared = [...contentTerms(quote)].filter((term) => wanted.has(term)).length;
    if (quote !== "" && shared > bestShared) [best, bestShared] = [quote, shared];
  }
  return best === "" ? page.text : best;
}
