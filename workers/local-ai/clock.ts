/**
 * Times of the day and repeated days in a sentence: "at 3pm", "at half past nine", "every Tuesday at 18:00", 下午三点.
 *
 * Use: `findClock(text)`, `findRepeated(text)`; both give the words as written, null when there are none.
 *
 * What must hold: verbatim; a number without "at", a colon or am/pm is no time.
 */
const clocks = [
  /\b(?:between|from) \d{1,2}(?:[:.]\d{2})?(?: ?[ap]m)? (?:and|to|until) \d{1,2}(?:[:.]\d{2})?(?:\s?[ap]m)?\b/i,
  /\b(?:[Aa]t|from|around|by) (?:about |around )?(?:\d{1,2}(?:[:.]\d{2})?(?:\s?(?:[Aa][Mm]|[Pp][Mm]|a\.m\.|p\.m\.|o['’]clock))?(?! ?(?:euros|dollars|percent|%|km|kg|years)| \p{Lu})|noon|midnight|(?:half past|quarter (?:to|past)) \w+|(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)(?: (?:am|pm|o['’]clock|thirty|fifteen))?)(?:(?: ?- ?| to | until )\d{1,2}(?:[:.]\d{2})?\s?(?:am|pm)?)?(?! \p{L}+ (?:street|road|avenue)\b)(?=[\s,.;!?)]|$)/u,
  /\b\d{1,2}(?::\d{2})?\s?(?:am|pm|a\.m\.|p\.m\.|o['’]clock)(?![\p{L}\p{N}])|\b\d{1,2}:\d{2}\b/iu,
];
const repeated =
  /\b(?:every|each) (?:other |second |single )?(?:day|morning|afternoon|evening|night|week|weekday|weekend|month|year|(?:mon|tues|wednes|thurs|fri|satur|sun)day)s?(?: (?:morning|afternoon|evening|night)s?)?\b|\bon (?:(?:mon|tues|wednes|thurs|fri|satur|sun)days)(?: and (?:(?:mon|tues|wednes|thurs|fri|satur|sun)days))*\b|\b(?:daily|weekly|monthly)\b/i;
const chineseClock =
  /(?:凌晨|清晨|早上|上午|中午|下午|傍晚|晚上|今晚|明晚|夜里)?(?:\d{1,2}|[一二两三四五六七八九十]{1,3})(?:点(?:半|一刻|三刻|整|\d{1,2}分?|[一二三四五六七八九十]{1,3}分?)?|[:：]\d{2})(?:(?:到|至|-|~)(?:上午|中午|下午|晚上)?(?:\d{1,2}|[一二两三四五六七八九十]{1,3})(?:点半?|[:：]\d{2}))?/;
const chineseRepeated = /每(?:天|日|个?(?:周|星期|礼拜)[一二三四五六日天末]?|个?月|年)/;

export function findClock(text: string): string | null {
  if (/\p{Script=Han}/u.test(text)) return chineseClock.exec(text)?.[0] ?? null;
  for (const pattern of clocks) {
    const match = pattern.exec(text);
    if (match !== null) return match[0];
  }
  return null;
}

export function findRepeated(text: string): string | null {
  return (repeated.exec(text) ?? chineseRepeated.exec(text))?.[0] ?? null;
}
