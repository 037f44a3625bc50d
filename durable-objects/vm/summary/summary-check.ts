/**
 * Summary check: what of a model's summary may take the place of the extractive one, and what is added to it first.
 *
 * A model's text is refused when it is empty, when it is not about what was evicted, or when most of it names identifiers that
 * nobody said. Sentences with invented identifiers are dropped; every identifier, date, number and name that the extractive
 * summary had is still in the result, and hints lead only to pages that were evicted. Pure.
 */
import { SUMMARY_TOKENS_MOST } from "#shared/limits.ts";
import { estimateTokens } from "#shared/tokens.ts";
import { summariseExtractively } from "#kernel/vm/summary/extractive-summary.ts";
import { groundedShare, inventionsIn } from "#kernel/vm/summary/grounding.ts";
import { keyItems } from "#kernel/vm/summary/key-items.ts";
import * as format from "#kernel/vm/summary/summary-format.ts";
import { splitSentences } from "#kernel/vm/summary/summary-sentences.ts";

export interface ModelSummary {
  /** What the model wrote. */
  readonly written: string;
  /** The extractive summary of the same pages. */
  readonly extractive: string;
  /** The evicted texts themselves. */
  readonly sources: readonly string[];
  /** Handles of the evicted pages. */
  readonly handles: ReadonlySet<string>;
}

export type Checked =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly why: "empty" | "nonsense" | "invents" };

/** Least share of a summary's words that the evicted text must have, and most sentences that may name what nobody said. */
const GROUNDED = 0.5;
const INVENTED = 0.5;
/** A summary may be this much longer than the extractive one before it is shortened. */
const GROWTH = 1.5;

function modelSentences(written: string): { readonly said: string[]; readonly hints: readonly format.SummaryHint[] } {
  const parts = format.parseSummary(written.toWellFormed());
  const said = [...parts.said, ...parts.details]
    .map((line) => (line.label === "" ? line.text : `${line.text} [${line.label}]`))
    .filter((line) => !/^\W*(?:summary|details|摘要|总结)\W*$/iu.test(line))
    .flatMap((line) => splitSentences(line.replace(/^[\s*•–-]+|\*\*/gu, "")));
  return { said, hints: parts.hints };
}

/** The items of the extractive summary that `text` does not have, by the line that has them. */
function missing(extractive: format.SummaryParts, text: string): format.SummaryLine[] {
  const found = new Set<string>();
  return [...extractive.said, ...extractive.details].flatMap((line) => {
    const items = keyItems(line.text).filter((item) => !text.includes(item.text) && !found.has(item.text));
    for (const item of items) found.add(item.text);
    return items.length === 0 ? [] : [{ label: line.label, text: items.map((item) => item.text).join("; ") }];
  });
}

function within(hints: readonly format.SummaryHint[], handles: ReadonlySet<string>): format.SummaryHint[] {
  return hints.filter(({ from, to }) => handles.has(from) && handles.has(to));
}

/** Parts as text, the model's sentences shortened until it all fits. */
function assemble(
  said: readonly string[],
  extractive: format.SummaryParts,
  hints: readonly format.SummaryHint[],
): string {
  const most = Math.min(SUMMARY_TOKENS_MOST, Math.ceil(GROWTH * estimateTokens(format.writeSummary(extractive))) + 60);
  const chosenHints = hints.length > 0 ? hints : extractive.hints;
  const parts = (text: readonly string[]): format.SummaryParts => ({
    said: text.map((line) => ({ label: "", text: line })),
    details: missing(extractive, [...text, ...chosenHints.map(format.writeHint)].join("\n")),
    hints: chosenHints,
  });
  for (let budget = most, text = said; ; budget = Math.floor(budget * 0.7)) {
    const summary = format.writeSummary(parts(text));
    if (estimateTokens(summary) <= most || budget < 20) return summary;
    const shorter = summariseExtractively({
      previous: "",
      messages: [{ role: "user", content: said.join("\n"), handle: null, at: null }],
      budgetTokens: budget,
    });
    text = format.parseSummary(shorter.text).said.flatMap((line) => splitSentences(line.text));
  }
}

export function checkSummary({ written, extractive, sources, handles }: ModelSummary): Checked {
  const { said, hints } = modelSentences(written);
  const grounded = groundedShare(said.join("\n"), [extractive, ...sources]);
  if (grounded === null) return { ok: false, why: "empty" };
  if (grounded < GROUNDED) return { ok: false, why: "nonsense" };
  const invents = inventionsIn([extractive, ...sources, ...handles]);
  const honest = said.filter((sentence) => !invents(sentence));
  if (honest.length === 0 || honest.length < said.length * (1 - INVENTED)) return { ok: false, why: "invents" };
  return { ok: true, text: assemble(honest, format.parseSummary(extractive), within(hints, handles)) };
}
