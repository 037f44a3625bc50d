/**
 * Corrections without a subject: "No, it's Tuesday", "Sorry, I meant Hanna", 不对，是周二.
 *
 * Use: `correctedPages(pages)`: the page that corrects takes the place of the one said before it, with the new value in the old words.
 *
 * What must hold: only the user's own page corrects, and only what the user said within the few pages before it; the handle is that
 * of the correcting page, whose text holds the new value; a correction that fits no earlier value changes nothing.
 */
import type { EvidencePage } from "#workers/local-ai/evidence.ts";
import { personOf, userPerson } from "#workers/local-ai/sentences.ts";

const correction =
  /^\W*(?:(?:no|nope|wait|sorry|oops|correction|actually|rather|i mean|my mistake)\b[,.:!\s—-]*)+(?:(?:it|that|this|he|she|they)(?:['’]s| is| was|['’]re| are)|i meant|i mean|make (?:it|that)|not \S+(?: \S+)?(?:,| but)(?: it['’]?s)?)?\s*(\S.{0,60}?)[.!\s]*$/i;
const chineseCorrection =
  /^(?:不对|不是|错了|说错了|更正|应该)[，,。！!：: ]*(?:应该)?(?:是|叫|在)(?!不)([^，。！？\s]{1,20})[。！!\s]*$/;
/** Said right after: a turn and its answer are two pages. */
const reach = 6;

const shapes: readonly RegExp[] = [
  /\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b|(?:周|星期|礼拜)[一二三四五六日天]/giu,
  /\b\d{1,2}(?::\d{2})?\s?(?:am|pm)\b|\b\d{1,2}:\d{2}\b|(?:上午|下午|晚上|早上)?[\d一二三四五六七八九十]{1,3}点半?/giu,
  /\b\d{1,2}(?:st|nd|rd|th)?(?: of)? (?:january|february|march|april|may|june|july|august|september|october|november|december)\b|\d{1,2}月\d{1,2}[日号]/giu,
  /\b(?:today|tomorrow|yesterday|tonight)\b|今天|明天|昨天|后天/giu,
  /\d[\d.,:/-]*/gu,
  /(?<=\S )\p{Lu}[\p{L}'’-]+(?: \p{Lu}[\p{L}'’-]+)*/gu,
];

function pageNumber(page: EvidencePage): number {
  return Number.parseInt(page.handle.slice(1), 36);
}

/** The old text with its last value of the same shape replaced; null when there is none. */
function replaceValue(old: string, value: string): string | null {
  for (const shape of shapes) {
    const padded = `x ${value}`;
    const found = [...padded.matchAll(shape)][0];
    const last = [...old.matchAll(shape)].at(-1);
    if (found === undefined || found.index > 2) continue;
    if (last !== undefined) return old.slice(0, last.index) + value + old.slice(last.index + last[0].length);
  }
  const named = /^(.*(?:叫|名字是|是|在|住在))[^，。！？]{1,12}([，。！？].*)?$/su.exec(old);
  if (/\p{Script=Han}/u.test(value)) return named === null ? null : `${named[1] ?? ""}${value}${named[2] ?? ""}`;
  const copula = /^(.*\b(?:is|are|was|were|called|named|in|to)\s)[^,;.!]{1,40}([,;.!].*)?$/is.exec(old);
  return copula === null ? null : `${copula[1] ?? ""}${value}${copula[2] ?? ""}`;
}

export function correctedPages(pages: readonly EvidencePage[]): readonly EvidencePage[] {
  const replaced = new Map<string, EvidencePage | null>();
  for (const page of pages) {
    if (personOf(page) !== userPerson || page.text.length > 100) continue;
    const value = (correction.exec(page.text) ?? chineseCorrection.exec(page.text))?.[1]?.trim();
    if (value === undefined || /\b(?:is|are|was|were|am|['’]s)\b/i.test(value)) continue;
    const before = pages
      .filter((other) => pageNumber(other) < pageNumber(page) && pageNumber(page) - pageNumber(other) <= reach)
      .filter((other) => personOf(other) === userPerson)
      .sort((left, right) => pageNumber(right) - pageNumber(left))[0];
    const text = before === undefined ? null : replaceValue(before.text, value);
    if (before === undefined || text === null) continue;
    replaced.set(page.handle, { ...page, text, rank: Math.min(page.rank, before.rank) });
    replaced.set(before.handle, null);
  }
  if (replaced.size === 0) return pages;
  return pages.flatMap((page) => {
    const other = replaced.get(page.handle);
    return other === undefined ? [page] : other === null ? [] : [other];
  });
}
