/**
 * What the user told, and when: a list of quotes for "summarize what I told you", a date for "when did I tell you that?".
 *
 * Use: `quoteEverything(evidence, language)`, `toldWhen(text, evidence, language)`; null when nothing was told, or not asked.
 *
 * What must hold: only the user's own words, verbatim, each with its page; a thing said twice is quoted once, as it was said last.
 */
import { analyze } from "#shared/text/words.ts";
import { formatDate } from "#shared/text/dates.ts";
import type { Evidence, EvidencePage } from "#workers/local-ai/evidence.ts";
import { readIntent } from "#workers/local-ai/intent.ts";
import type { Language } from "#workers/local-ai/phrases.ts";
import { readQuestion } from "#workers/local-ai/question.ts";
import { personOf, splitSentences, userPerson } from "#workers/local-ai/sentences.ts";
import { select } from "#workers/local-ai/select.ts";

export interface Quote {
  readonly text: string;
  readonly page: EvidencePage;
}

const mostQuotes = 20;
const longestQuote = 240;
const samePart = 0.8;

function pageNumber(page: EvidencePage): number {
  return Number.parseInt(page.handle.slice(1), 36);
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  const known = new Set(other);
  const shared = one.filter((stem) => known.has(stem)).length;
  return shared >= Math.max(new Set(one).size, known.size) * samePart;
}

/** Later quotes stand for earlier ones that say the same. */
export function withoutRepeats(quotes: readonly Quote[]): Quote[] {
  const kept: { quote: Quote; stems: string[] }[] = [];
  for (const quote of quotes.toReversed()) {
    const stems = analyze(quote.text);
    if (!kept.some((other) => isSame(stems, other.stems))) kept.push({ quote, stems });
  }
  return kept.map(({ quote }) => quote).toReversed();
}

function quotesOf(page: EvidencePage): Quote[] {
  const intent = readIntent(page.text);
  const text = intent.kind === "remember" ? intent.text : page.text;
  if (intent.kind !== "statement" && intent.kind !== "remember" && !/[.!。！]/u.test(page.text)) return [];
  const told = splitSentences(text)
    .filter((part) => !part.caption && !/[?？]\s*$/.test(part.text))
    .map((part) => part.text)
    .filter((part) => /^(?:statement|remember|generate)$/.test(readIntent(part).kind) && analyze(part).length > 1);
  const joined = told.join(/\p{Script=Han}/u.test(text) ? "" : " ");
  if (joined !== "" && joined.length <= longestQuote) return [{ text: joined, page }];
  return told.slice(0, 2).map((part) => ({ text: part, page }));
}

/** Everything that is mapped of the user's words, oldest first. */
export function everythingTold(evidence: Evidence): Quote[] {
  const own = evidence.pages
    .filter((page) => personOf(page) === userPerson && page.kind !== "instruction")
    .sort((left, right) => pageNumber(left) - pageNumber(right));
  return withoutRepeats(own.flatMap(quotesOf)).slice(-mostQuotes);
}

const asksWhenTold =
  /^\W*(?:and |so )?when (?:did i|have i) (?:first |last )?(?:tell|told|say|said|mention|mentioned|write|wrote|note|noted)(?: (?:it|that|this))?(?: to)?(?: you)?(?: (?:that|about|of))?\b\s*(.*?)[?.!]*$/i;
const chineseAsksWhenTold =
  /^我?(?:是)?什么时候(?:跟你|告诉|对你|和你)?(?:你|说|讲|提到|提)(?:过|的)?[，,]?(?:关于)?(.*?)(?:的)?[?？。]*$/;

function quotedBefore(evidence: Evidence): EvidencePage | undefined {
  const answer = evidence.thread.findLast((entry) => entry.role === "assistant")?.text ?? "";
  const handle = /\[(p[0-9a-z]+)\]/.exec(answer)?.[1];
  return evidence.pages.find((page) => page.handle === handle);
}

/** The page in which the user said it, by its own date. */
export function toldWhen(
  text: string,
  evidence: Evidence,
  language: Language,
): { text: string; handle: string } | null {
  const match = (language === "zh" ? chineseAsksWhenTold : asksWhenTold).exec(text);
  if (match === null) return null;
  const rest = (match[1] ?? "").replace(/^(?:that|this|it|about)\s*/i, "");
  const question = readQuestion(rest, new Set([userPerson]), evidence.today);
  const best =
    rest === "" || /^(?:这个|这件事|那件事|这些)$/.test(rest)
      ? quotedBefore(evidence)
      : select({ ...question, type: "what" }, evidence.pages).sentences.find(
          ({ sentence, paged }) => sentence.person === userPerson && !sentence.asks && paged >= 0.6,
        )?.sentence.page;
  if (best === undefined || best.at === null) return null;
  return { text: formatDate(best.at, "day", language), handle: best.handle };
}
