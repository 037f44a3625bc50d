/**
 * Grounding: whether what a model wrote about a text is in that text. Pure.
 */
import { analyze, isStopWord } from "#shared/text/words.ts";
import { keyItems, type KeyItem } from "#kernel/vm/summary/key-items.ts";

function content(text: string): string[] {
  return analyze(text).filter((term) => !isStopWord(term));
}

/** Share of the words of `written` that the sources have; null when it has no words. */
export function groundedShare(written: string, sources: readonly string[]): number | null {
  const terms = content(written);
  const known = new Set(sources.flatMap(content));
  return terms.length === 0 ? null : terms.filter((term) => known.has(term)).length / terms.length;
}

/** Identifiers and longer numbers: what a model makes up to the reader's harm. Dates may be written in another way. */
function isChecked(item: KeyItem): boolean {
  return item.kind === "identifier" || (item.kind === "number" && /\d{3,}/.test(item.text));
}

function bare(item: string): string {
  return item.replaceAll(/[^\p{L}\p{N}]/gu, "").toLowerCase();
}

/** Tells whether a sentence names an identifier or a longer number that no source has. */
export function inventionsIn(sources: readonly string[]): (sentence: string) => boolean {
  const spoken = bare(sources.join("\n"));
  return (sentence) => keyItems(sentence).some((item) => isChecked(item) && !spoken.includes(bare(item.text)));
}
