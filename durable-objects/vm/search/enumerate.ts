/**
 * Enumerate: answers "in what order", "summarise how it went" by a walk along time, not by the best few pages.
 *
 * Use `readEnumeration(question)`; when it is not null, `enumerate(index, question, …)` gives many topic-related pages, and
 * `fitLines(pages, tokens)` takes as many of the best as fit, one short line each, in the order of time.
 * What must hold: pure but for the index it is given; a question that asks for one thing is never enumerated ("in order to", "my
 * last order", "what was the summary of the meeting about" stay searches).
 */
import { composePageHandle } from "#shared/ids.ts";
import { ENUMERATED_PAGES, ENUMERATED_WORDS_TOKENS } from "#shared/limits.ts";
import { analyze } from "#shared/text/words.ts";
import { estimateTokens } from "#shared/tokens.ts";
import type { SearchHit, SearchQuery } from "#kernel/vm/search/search-index.ts";

export interface Enumeration {
  readonly asks: "order" | "summary";
  /** "The order in which I brought up …": only what the asker said. */
  readonly by: "user" | null;
}

const ORDER =
  /\b(?:(?:in|the|what|which|chronological|right|same) order (?:in which|that|of (?:events|things|topics|mention)|did|i|we|they|he|she|how|my|our)|(?:list|walk|tell|give|show|name|put|arrange|sort|recount|outline)\b[^.?!]*\bin (?:\w+ )?order\b(?! to\b)|in chronological order|chronolog(?:y|ically)|time ?line|sequence of (?:events|steps|topics)|what (?:happened|came|did \w+ \w+) first[^.?!]*(?:then|next|after|last)|step by step (?:history|account))/i;
const SUMMARY =
  /\b(?:summari[sz]e (?!this\b|the following\b|it in\b)|(?:give|provide|write|want|need|have|make|offer|get) (?:\w+ ){0,3}?(?:summary|overview|recap|rundown|round-?up)\b|(?:an? )?(?:\w+ )?(?:summary|overview|recap) of (?:how|what|my|our|all|everything|the)\b|recap (?:how|what|my|our|the)\b|sum up (?:how|what|my|our|the)\b|how (?:has|have|did) [^.?!]*\b(?:develop|evolv|progress|chang|unfold)\w*[^.?!]*\b(?:over (?:time|the|our)|so far|throughout|across)|walk me through (?:how|everything|my|our|the history))/i;
const BY_ASKER =
  /\bi(?:'ve|'d| have| had)? (?:first |ever |also )?(?:brought|bring|mention|rais|talk|ask|told|tell|said|say|discuss|shar|describ|introduc|spoke)/i;
const CHINESE_ORDER =
  /按(?:照)?(?:时间|先后|发生|顺序)|先后(?:顺序|次序)?|(?:什么|哪种|怎样的)?(?:顺序|次序)|时间线|時間線|順序|依次/;
const CHINESE_SUMMARY = /总结|總結|概括|归纳|梳理|回顾(?:一下)?|回顧|来龙去脉|综述|小结/;
const CHINESE_BY_ASKER = /我(?:都|先后|依次|曾|曾经|是)*(?:提到|提过|提起|说过|说到|讲过|问过|谈到|聊到|提及)/;
/** Words that ask for the walk, not for its topic. */
const FRAME =
  /\b(?:can|could|would|will) you\b|\b(?:please|list|walk|me|through|tell|give|provide|show|summari[sz]e|sum up|recap|summary|overview|rundown|comprehensive|complete|clear|quick|brief|short|detailed|full|the order|order|in which|brought up|bring up|different|various|aspects?|ways?|throughout|across|our|conversations?|chats?|discussions?|sessions?|in order|chronological(?:ly)?|timeline|over time|so far|have (?:developed|evolved|progressed|changed)|has (?:developed|evolved|progressed|changed)|developed|progressed|evolved|including|key|mention only and only \w+ items|items?)\b|按照?|先后|顺序|次序|时间线|依次|总结|概括|归纳|梳理|回顾|一下|请|帮我/gi;

export function readEnumeration(question: string): Enumeration | null {
  const order = ORDER.test(question) || CHINESE_ORDER.test(question);
  if (!order && !SUMMARY.test(question) && !CHINESE_SUMMARY.test(question)) return null;
  return {
    asks: order ? "order" : "summary",
    by: BY_ASKER.test(question) || CHINESE_BY_ASKER.test(question) ? "user" : null,
  };
}

/** What the question is about, without the words that ask for a walk; the whole question when nothing is left. */
export function topicOf(question: string): string {
  const topic = question.replace(FRAME, " ").trim();
  return /[\p{L}\p{N}]{2}/u.test(topic) ? topic : question;
}

interface Searchable {
  search(query: SearchQuery): SearchHit[];
}

/** Pages on the question's topic, the nearest first; null when the question asks for no walk. */
export function enumerate(
  index: Searchable,
  question: string,
  options: Pick<SearchQuery, "now" | "filter">,
): number[] | null {
  const asked = readEnumeration(question);
  if (asked === null) return null;
  const hits = index.search({
    text: topicOf(question),
    limit: ENUMERATED_PAGES,
    ranking: "topic",
    ...(asked.by === null ? {} : { role: asked.by }),
    ...options,
  });
  return hits.map((hit) => hit.page);
}

export interface Line {
  readonly number: number;
  readonly at: number | null;
  readonly tokens: number;
}

/** The best lines that fit together into the budget, in the order of time (of arrival where there is none). */
export function fitLines<Kind extends Line>(lines: readonly Kind[], tokens: number): Kind[] {
  let left = tokens;
  const kept = lines.filter((line) => {
    if (line.tokens > left) return false;
    left -= line.tokens;
    return true;
  });
  return kept.sort((one, other) => (one.at ?? 0) - (other.at ?? 0) || one.number - other.number);
}

export interface WalkPage {
  readonly number: number;
  readonly at: number | null;
  readonly role: string | null;
  readonly speaker: string | null;
  readonly text: string;
}

const SENTENCE = /[^\n.!?。！？]+[.!?。！？]*["'”’)\]]*/gu;

/** The page as one short line of JSON: handle, day, who said it, and the beginning of the sentence that has most of the question's words. */
export function walkLine(page: WalkPage, question: string): string {
  const line = {
    handle: composePageHandle(page.number),
    ...(page.at === null ? {} : { at: new Date(page.at).toISOString().slice(0, 10) }),
    ...(page.speaker === null ? (page.role === null ? {} : { role: page.role }) : { speaker: page.speaker }),
    text: shortened(page.text, new Set(analyze(topicOf(question)))),
  };
  return JSON.stringify(line);
}

function shortened(text: string, wanted: ReadonlySet<string>): string {
  let best = text.trim();
  let most = -1;
  const sentences = text.match(SENTENCE) ?? [];
  for (const [place, sentence] of sentences.entries()) {
    const shared = new Set(analyze(sentence).filter((term) => wanted.has(term))).size;
    // What is said first says best what a page is about, unless a later sentence shares two words more.
    const value = shared - Math.min(1.5, place * 0.05);
    if (value > most && /[\p{L}\p{N}]/u.test(sentence)) [best, most] = [sentence.trim(), value];
  }
  return head(best, ENUMERATED_WORDS_TOKENS);
}

/** As many whole words from the beginning as fit; of a script without spaces, characters. */
function head(text: string, tokens: number): string {
  if (estimateTokens(text) <= tokens) return text;
  const pieces = text.match(/\s*[^\s\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]+|\s*./gu) ?? [text];
  let shown = "";
  for (const piece of pieces) {
    if (estimateTokens(`${shown}${piece}…`) > tokens) break;
    shown += piece;
  }
  return `${shown}…`;
}
