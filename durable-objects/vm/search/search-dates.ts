/**
 * The date a question asks about: "in June 2023", "on 3 May", "last May", "yesterday", "去年五月", "2023年5月".
 *
 * Use `readDateHint(text, now)` once per query and `dateMatch(hint, at, day)` once per page: the share of the asked parts that the
 * page's own date has, 0 to 1.
 * What must hold: pure and total; times are UTC milliseconds and days are UTC days; without `now` a relative expression keeps
 * only what it says by itself ("last May" is May, "yesterday" is nothing).
 */

const DAY = 86_400_000;

/** Half-open, UTC milliseconds. */
export interface DateSpan {
  from: number;
  to: number;
}

export interface DateHint {
  /** 0 to 11. */
  months: readonly number[];
  years: readonly number[];
  days: readonly number[];
  spans: readonly DateSpan[];
}

interface Draft {
  months: Set<number>;
  years: Set<number>;
  days: Set<number>;
  spans: DateSpan[];
}

const MONTHS = [
  "january",
  "february",
  "march",
  "april",
  "may",
  "june",
  "july",
  "august",
  "september",
  "october",
  "november",
  "december",
];
const WEEKDAYS = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
const CHINESE_DIGITS = "零一二三四五六七八九十";
const CHINESE_WEEKDAYS = "日一二三四五六";
const NUMBER_WORDS: Readonly<Record<string, number>> = {
  a: 1,
  an: 1,
  one: 1,
  two: 2,
  three: 3,
  four: 4,
  five: 5,
  six: 6,
  seven: 7,
  eight: 8,
  nine: 9,
  ten: 10,
};

/** "may" and "march" are verbs too, so they must be capitalised, and "may" not open the text ("May I ask"). */
const ENGLISH_MONTH =
  /\b([Jj]anuary|[Ff]ebruary|March|[Aa]pril|(?<=\S\s{1,3})May|[Jj]une|[Jj]uly|[Aa]ugust|[Ss]eptember|[Oo]ctober|[Nn]ovember|[Dd]ecember|(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)(?=\b))/g;
const CHINESE_MONTH =
  /(\d{1,2}|十[一二]?|[一二三四五六七八九])月(?:(?:份)?(\d{1,2}|[一二三四五六七八九十]{1,3})[日号號])?/g;

function startOfDay(time: number): number {
  return Math.floor(time / DAY) * DAY;
}

function dayCount(time: number, days: number): DateSpan {
  return { from: startOfDay(time), to: startOfDay(time) + days * DAY };
}

function monthOf(time: number, offset: number): DateSpan {
  const date = new Date(time);
  const year = date.getUTCFullYear();
  const month = date.getUTCMonth();
  return { from: Date.UTC(year, month + offset, 1), to: Date.UTC(year, month + offset + 1, 1) };
}

function weekOf(time: number, offset: number): DateSpan {
  const mondayBased = (new Date(time).getUTCDay() + 6) % 7;
  return dayCount(time - mondayBased * DAY + offset * 7 * DAY, 7);
}

function chineseNumber(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  const ten = text.indexOf("十");
  if (ten < 0) return CHINESE_DIGITS.indexOf(text);
  const tens = ten === 0 ? 1 : CHINESE_DIGITS.indexOf(text.slice(0, ten));
  const ones = ten === text.length - 1 ? 0 : CHINESE_DIGITS.indexOf(text.slice(ten + 1));
  return tens * 10 + ones;
}

/** The year of the latest such month before the current one: "last May", said in May, is a year ago. */
function yearOfLast(month: number, now: number): number {
  const date = new Date(now);
  return month < date.getUTCMonth() ? date.getUTCFullYear() : date.getUTCFullYear() - 1;
}

function readAbsolute(text: string, draft: Draft, now: number | undefined): void {
  for (const match of text.matchAll(ENGLISH_MONTH)) {
    const month = MONTHS.findIndex((name) => name.startsWith((match[1] ?? "").toLowerCase().slice(0, 3)));
    draft.months.add(month);
    if (now !== undefined && /\blast\s+$/i.test(text.slice(Math.max(0, match.index - 8), match.index)))
      draft.years.add(yearOfLast(month, now));
  }
  if (draft.months.size > 0) {
    for (const [, day] of text.matchAll(/\b(\d{1,2})(?:st|nd|rd|th)?\b/g))
      if (Number(day) >= 1 && Number(day) <= 31) draft.days.add(Number(day));
  }
  for (const [, month, day] of text.matchAll(CHINESE_MONTH)) {
    const number = chineseNumber(month ?? "");
    if (number >= 1 && number <= 12) draft.months.add(number - 1);
    if (day !== undefined && chineseNumber(day) >= 1) draft.days.add(chineseNumber(day));
  }
  for (const [, year] of text.matchAll(/(?<!\d)((?:19|20)\d\d)(?!\d)/g)) draft.years.add(Number(year));
  for (const [, year, month, day] of text.matchAll(/(?<!\d)(\d{4})-(\d{2})-(\d{2})(?!\d)/g)) {
    draft.years.add(Number(year));
    draft.months.add(Number(month) - 1);
    draft.days.add(Number(day));
  }
}

function readEnglishRelative(text: string, draft: Draft, now: number): void {
  const lower = text.toLowerCase();
  const year = new Date(now).getUTCFullYear();
  if (/\bday before yesterday\b/.test(lower)) draft.spans.push(dayCount(now - 2 * DAY, 1));
  else if (/\byesterday\b|\blast night\b/.test(lower)) draft.spans.push(dayCount(now - DAY, 1));
  if (/\btoday\b|\bthis (?:morning|afternoon|evening)\b|\btonight\b/.test(lower)) draft.spans.push(dayCount(now, 1));
  for (const [, which, unit] of lower.matchAll(
    /\b(last|previous|this)\s+(week|month|year|summer|winter|spring|autumn|fall)\b/g,
  )) {
    const back = which === "this" ? 0 : -1;
    if (unit === "week") draft.spans.push(weekOf(now, back));
    else if (unit === "month") draft.spans.push(monthOf(now, back));
    else if (unit === "year") draft.years.add(year + back);
  }
  const weekday = new RegExp(`\\blast\\s+(${WEEKDAYS.join("|")})\\b`).exec(lower);
  if (weekday !== null) {
    const back = (new Date(now).getUTCDay() - WEEKDAYS.indexOf(weekday[1] ?? "") + 6) % 7;
    draft.spans.push(dayCount(now - (back + 1) * DAY, 1));
  }
  for (const [, count, unit] of lower.matchAll(
    /\b(\d{1,3}|an?|one|two|three|four|five|six|seven|eight|nine|ten)\s+(day|week|month|year)s?\s+ago\b/g,
  )) {
    const number = NUMBER_WORDS[count ?? ""] ?? Number(count);
    if (unit === "day") draft.spans.push(dayCount(now - number * DAY, 1));
    else if (unit === "week") draft.spans.push(weekOf(now, -number));
    else if (unit === "month") draft.spans.push(monthOf(now, -number));
    else draft.years.add(year - number);
  }
}

const CHINESE_RELATIVE_DAYS: readonly (readonly [RegExp, number])[] = [
  [/大前天/, -3],
  [/(?<!大)前天/, -2],
  [/昨[天日晚]/, -1],
  [/今[天日早晚]/, 0],
];
const CHINESE_RELATIVE_YEARS: readonly (readonly [RegExp, number])[] = [
  [/前年/, -2],
  [/去年/, -1],
  [/今年/, 0],
];

function readChineseRelative(text: string, draft: Draft, now: number): void {
  for (const [pattern, days] of CHINESE_RELATIVE_DAYS)
    if (pattern.test(text)) draft.spans.push(dayCount(now + days * DAY, 1));
  const year = new Date(now).getUTCFullYear();
  for (const [pattern, years] of CHINESE_RELATIVE_YEARS) if (pattern.test(text)) draft.years.add(year + years);
  const weekday = /上(?:个)?(?:周|星期|礼拜)([一二三四五六日天])?/.exec(text);
  if (weekday !== null) {
    const week = weekOf(now, -1);
    const index =
      weekday[1] === undefined ? -1 : (CHINESE_WEEKDAYS.indexOf(weekday[1] === "天" ? "日" : weekday[1]) + 6) % 7;
    draft.spans.push(index < 0 ? week : dayCount(week.from + index * DAY, 1));
  }
  if (/[这這本](?:个)?(?:周|星期|礼拜)/.test(text)) draft.spans.push(weekOf(now, 0));
  if (/上(?:个|個)?月/.test(text)) draft.spans.push(monthOf(now, -1));
  if (/[这這本](?:个|個)?月/.test(text)) draft.spans.push(monthOf(now, 0));
  for (const [, count, unit] of text.matchAll(/(\d{1,3}|[一二三四五六七八九十]{1,3})(天|年|个月|周)前/g)) {
    const number = chineseNumber(count ?? "");
    if (unit === "天") draft.spans.push(dayCount(now - number * DAY, 1));
    else if (unit === "周") draft.spans.push(weekOf(now, -number));
    else if (unit === "个月") draft.spans.push(monthOf(now, -number));
    else draft.years.add(year - number);
  }
}

/** What the text asks about time, or null when it names no date. */
export function readDateHint(text: string, now?: number): DateHint | null {
  const draft: Draft = { months: new Set(), years: new Set(), days: new Set(), spans: [] };
  readAbsolute(text, draft, now);
  if (now !== undefined && Number.isFinite(now)) {
    readEnglishRelative(text, draft, now);
    readChineseRelative(text, draft, now);
  }
  const hint = { months: [...draft.months], years: [...draft.years], days: [...draft.days], spans: draft.spans };
  return hint.months.length + hint.years.length + hint.days.length + hint.spans.length === 0 ? null : hint;
}

/** A UTC day as one number, for comparing many pages with a hint; 0 for a time that no calendar has. */
export function packDay(at: number): number {
  const date = new Date(at);
  const year = date.getUTCFullYear();
  return Number.isNaN(year) ? 0 : year * 512 + date.getUTCMonth() * 32 + date.getUTCDate();
}

/**
 * The share of the asked parts (each month, year, day number and span) that hold for a page of this time and day
 * (`packDay(at)`).
 */
export function dateMatch(hint: DateHint, at: number, day = packDay(at)): number {
  let matched = 0;
  if (day !== 0) {
    if (hint.months.includes((day >> 5) & 15)) matched += 1;
    if (hint.years.includes(day >> 9)) matched += 1;
    if (hint.days.includes(day & 31)) matched += 1;
  }
  for (const span of hint.spans) if (at >= span.from && at < span.to) matched += 1;
  return matched / (hint.months.length + hint.years.length + hint.days.length + hint.spans.length);
}
