/**
 * What the search index keeps of one page: its terms, and small cues about how it is said.
 *
 * Use `indexEntry(page)` when a page is written, store the result beside the page, and hand it to `SearchIndex.add` then and at
 * every later boot: the body is not needed again.
 * What must hold: an entry is plain JSON and holds no sentence of the body, but its terms in order are close to one: it is as
 * private as the page and is deleted with it.
 */
import { analyze, foldText } from "#shared/text/words.ts";

export type PageRole = "user" | "assistant" | "tool" | "system";

export interface EntryCues {
  /** Ends with a question mark. */
  question: boolean;
  /** Speaks of a time: "last week", "ago", "on Friday", "昨天". */
  time: boolean;
  /** Opens by reacting to someone: "Wow", "Thanks". Such pages carry little of their own. */
  reaction: boolean;
  /** Capitalised words that do not open a sentence, 0 to 3. */
  names: number;
  /** Share of words that address the listener, times 5: 5 × you / (words + 3). */
  address: number;
}

export interface IndexEntry {
  page: number;
  order: number;
  session: string;
  speaker: string | null;
  role: PageRole | null;
  kind: string;
  /** UTC milliseconds. */
  at: number | null;
  /** Analysed, in order. */
  terms: string[];
  cues: EntryCues;
}

export interface IndexablePage {
  page: number;
  /** Place in the session; the page number when absent. */
  order?: number;
  session: string;
  speaker: string | null;
  role: PageRole | null;
  kind: string;
  at: number | null;
  text: string;
}

const TIME =
  /\b(?:yesterday|today|tonight|tomorrow|last|next|ago|weeks?|weekends?|months?|years?|since|recently|soon|(?:sun|mon|tues|wednes|thurs|fri|satur)days?|january|february|march|april|june|july|august|september|october|november|december|(?:19|20)\d\d|\d{1,2}(?:st|nd|rd|th)|birthday|anniversary|o'clock)\b|(?<=[a-z] )May\b|[昨今明前后後][天日年晚]|去年|上[周月个個]|下[周月个個]|星期|礼拜|周末|[一二三四五六七八九十\d][月日号號年](?!份额)|以前|最近|生日/i;
const REACTION =
  /^\W*(?:wow|thanks?|that's|that is|that sounds|great|awesome|amazing|cool|congrats|congratulations|oh|yeah|yes|yep|sounds|glad|sure|absolutely|definitely|totally|nice|sorry|hey|hi|hello|bye|take care|谢谢|哇|太好了|好的|是的|你好)/i;
const INNER_NAME = /(?<=[\p{Ll}\p{N},;] )\p{Lu}\p{Ll}+/gu;
const ADDRESS = /\b(?:you|your|you're|you've|yours)\b|[你您]/gi;

function readCues(text: string, length: number): EntryCues {
  const plain = text.replace(/[’‘]/g, "'");
  return {
    question: /[?？]["'”)\]\s]*$/m.test(plain),
    time: TIME.test(plain),
    reaction: REACTION.test(foldText(plain.slice(0, 40))),
    names: Math.min(3, [...plain.matchAll(INNER_NAME)].length),
    address: Math.round((500 * [...plain.matchAll(ADDRESS)].length) / (length + 3)) / 100,
  };
}

/** The entry of a page. Its cost is linear in the text. */
export function indexEntry(page: IndexablePage): IndexEntry {
  const terms = analyze(page.text);
  return {
    page: page.page,
    order: page.order ?? page.page,
    session: page.session,
    speaker: page.speaker,
    role: page.role,
    kind: page.kind,
    at: page.at,
    terms,
    cues: readCues(page.text, terms.length),
  };
}
