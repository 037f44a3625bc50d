/**
 * Reading and writing calendar dates, without a clock and without a locale database.
 *
 * Use: `parseWrittenDate('1:56 pm on 8 May, 2023')` for the date of a page or of an import row, `formatDate(at, …)` for the way
 * an answer writes it, and the small calendar helpers below for arithmetic.
 *
 * What must hold: a naive time is wall time kept as if it were UTC and is never shifted; a time with a zone becomes the UTC
 * instant; a text that can be read as two different days ("8/5/2023") is refused instead of guessed; the whole text must be a
 * date, so a sentence that merely contains one is null (`date-expressions.ts` finds dates inside sentences).
 */

export type DatePrecision = "minute" | "second" | "day" | "month" | "year";

export interface WrittenDate {
  /** Milliseconds: the UTC instant when `zoned`, otherwise the wall clock read as if it were UTC. */
  readonly at: number;
  readonly zoned: boolean;
  readonly precision: DatePrecision;
  /** The text as it was written, trimmed. */
  readonly text: string;
}

export type DateLanguage = "en" | "zh";

export const dayMilliseconds = 86_400_000;

export const monthNames = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
] as const;

export const monthPattern =
  "(?:jan(?:uary|\\.)?|feb(?:ruary|\\.)?|mar(?:ch|\\.)?|apr(?:il|\\.)?|may|june?\\.?|july?\\.?|aug(?:ust|\\.)?|sept?(?:ember|\\.)?|oct(?:ober|\\.)?|nov(?:ember|\\.)?|dec(?:ember|\\.)?)";

export const weekdayNames = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"] as const;

/** The month (0 to 11) that an English name or its abbreviation stands for, or -1. */
export function monthIndex(name: string): number {
  const key = name.slice(0, 3).toLowerCase();
  return key.length < 3 ? -1 : monthNames.findIndex((month) => month.slice(0, 3).toLowerCase() === key);
}

/** Midnight of a calendar day in milliseconds, or null when there is no such day (30 February). */
export function calendarDay(year: number, month: number, day: number): number | null {
  const at = Date.UTC(year, month, day);
  const read = new Date(at);
  return read.getUTCFullYear() === year && read.getUTCMonth() === month && read.getUTCDate() === day ? at : null;
}

export function startOfDay(at: number): number {
  return Math.floor(at / dayMilliseconds) * dayMilliseconds;
}

export function startOfMonth(at: number, monthsLater = 0): number {
  const date = new Date(at);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + monthsLater, 1);
}

export function startOfYear(at: number, yearsLater = 0): number {
  return Date.UTC(new Date(at).getUTCFullYear() + yearsLater, 0, 1);
}

/** `7 May 2023`, `May 2023`, `2023`; in Chinese `2023年5月7日`, `2023年5月`, `2023年`. Minutes and seconds are left out. */
export function formatDate(at: number, precision: DatePrecision = "day", language: DateLanguage = "en"): string {
  const date = new Date(at);
  const year = String(date.getUTCFullYear());
  const month = date.getUTCMonth();
  if (language === "zh") {
    if (precision === "year") return `${year}年`;
    const written = `${year}年${String(month + 1)}月`;
    return precision === "month" ? written : `${written}${String(date.getUTCDate())}日`;
  }
  if (precision === "year") return year;
  const written = `${monthNames[month] ?? ""} ${year}`;
  return precision === "month" ? written : `${String(date.getUTCDate())} ${written}`;
}

interface TimeOfDay {
  readonly milliseconds: number;
  readonly precision: "minute" | "second";
}

const isoPattern =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?\s?(z|utc|gmt|[+-]\d{2}(?::?\d{2})?)?$/i;
const weekdayPattern = "(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\\.?,?\\s+)?";
const dayFirst = new RegExp(
  `^${weekdayPattern}(?:the\\s+)?(\\d{1,2})(?:st|nd|rd|th)?[\\s-]+(?:of\\s+)?(${monthPattern})[\\s,-]+(\\d{4})$`,
  "i",
);
const monthFirst = new RegExp(
  `^${weekdayPattern}(${monthPattern})\\s+(?:the\\s+)?(\\d{1,2})(?:st|nd|rd|th)?,?\\s+(\\d{4})$`,
  "i",
);
const monthOnly = new RegExp(`^(${monthPattern})(?:\\s+of)?[\\s,]+(\\d{4})$`, "i");
const chineseDay =
  /^(\d{4})\s*年\s*(\d{1,2})\s*月\s*(\d{1,2})\s*[日号號]?(?:\s*[(（]?(?:星期|周|週|礼拜)[一二三四五六日天][)）]?)?$/;
const timeAtEdge =
  /(?:^|[\s,]+|(?:,\s*)?\bat\s+)(\d{1,2})(?::(\d{2})(?::(\d{2}))?)?\s*([ap])\.?m\.?(?=$|[\s,])|(?:^|[\s,]+|\bat\s+)(\d{1,2}):(\d{2})(?::(\d{2}))?(?=$|[\s,])/i;
const chineseTime =
  /(凌晨|清晨|早上|上午|中午|下午|傍晚|晚上)?\s*(\d{1,2})(?:[:：](\d{2})(?:[:：](\d{2}))?|[点點时時](?:(\d{1,2})分?|(半))?(?:(\d{1,2})秒)?)$/;

function timeOfDay(hour: number, minute: number, second: number | null): TimeOfDay | null {
  if (hour > 23 || minute > 59 || (second ?? 0) > 59) return null;
  return {
    milliseconds: ((hour * 60 + minute) * 60 + (second ?? 0)) * 1000,
    precision: second === null ? "minute" : "second",
  };
}

function optionalNumber(text: string | undefined): number | null {
  return text === undefined ? null : Number(text);
}

function zoneOffset(zone: string): number | null {
  const read = /^([+-])(\d{2}):?(\d{2})?$/.exec(zone);
  if (read === null) return 0;
  const hours = Number(read[2]);
  const minutes = Number(read[3] ?? "0");
  if (hours > 14 || minutes > 59) return null;
  return (read[1] === "-" ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}

function parseIso(text: string): WrittenDate | null {
  const read = isoPattern.exec(text);
  if (read === null) return null;
  const day = calendarDay(Number(read[1]), Number(read[2]) - 1, Number(read[3]));
  if (day === null) return null;
  const zone = read[8];
  if (read[4] === undefined) return zone === undefined ? { at: day, zoned: false, precision: "day", text } : null;
  const time = timeOfDay(Number(read[4]), Number(read[5]), optionalNumber(read[6]));
  if (time === null) return null;
  const fraction = read[7] === undefined ? 0 : Math.floor(Number(`0.${read[7]}`) * 1000);
  const offset = zone === undefined ? 0 : zoneOffset(zone);
  if (offset === null) return null;
  return {
    at: day + time.milliseconds + fraction - offset,
    zoned: zone !== undefined,
    precision: time.precision,
    text,
  };
}

/** `8/5/2023` is two days in two countries: only a reading that is unique (25/5, 5/25, 5/5) is taken. */
function parseSlashed(text: string): number | null {
  const yearFirst = /^(\d{4})[/.](\d{1,2})[/.](\d{1,2})$/.exec(text);
  if (yearFirst !== null) return calendarDay(Number(yearFirst[1]), Number(yearFirst[2]) - 1, Number(yearFirst[3]));
  const read = /^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})$/.exec(text);
  if (read === null) return null;
  const [first, second, year] = [Number(read[1]), Number(read[2]), Number(read[3])];
  const dayThenMonth = calendarDay(year, second - 1, first);
  const monthThenDay = calendarDay(year, first - 1, second);
  if (dayThenMonth === null) return monthThenDay;
  return monthThenDay === null || monthThenDay === dayThenMonth ? dayThenMonth : null;
}

function parseDay(text: string): number | null {
  const plain = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (plain !== null) return calendarDay(Number(plain[1]), Number(plain[2]) - 1, Number(plain[3]));
  const first = dayFirst.exec(text);
  if (first !== null) return calendarDay(Number(first[3]), monthIndex(first[2] ?? ""), Number(first[1]));
  const second = monthFirst.exec(text);
  if (second !== null) return calendarDay(Number(second[3]), monthIndex(second[1] ?? ""), Number(second[2]));
  const chinese = chineseDay.exec(text);
  if (chinese !== null) return calendarDay(Number(chinese[1]), Number(chinese[2]) - 1, Number(chinese[3]));
  return parseSlashed(text);
}

function parseMonthOrYear(text: string): WrittenDate | null {
  const named = monthOnly.exec(text);
  const numbered = /^(\d{4})(?:-|\s*年\s*)(\d{1,2})(?:\s*月)?$/.exec(text);
  const year = Number(named?.[2] ?? numbered?.[1] ?? /^([12]\d{3})\s*年?$/.exec(text)?.[1] ?? Number.NaN);
  if (Number.isNaN(year)) return null;
  const month = named !== null ? monthIndex(named[1] ?? "") : numbered !== null ? Number(numbered[2]) - 1 : null;
  const at = calendarDay(year, month ?? 0, 1);
  return at === null ? null : { at, zoned: false, precision: month === null ? "year" : "month", text };
}

function readTime(text: string): { time: TimeOfDay; rest: string } | null {
  const chinese = /年/.test(text) ? chineseTime.exec(text) : null;
  if (chinese !== null) {
    const half = chinese[6] === undefined ? 0 : 30;
    const hour = Number(chinese[2]);
    const afternoon =
      /下午|傍晚|晚上|中午/.test(chinese[1] ?? "") && hour < 12 && !(chinese[1] === "中午" && hour >= 10);
    const time = timeOfDay(
      afternoon ? hour + 12 : hour,
      Number(chinese[3] ?? chinese[5] ?? half),
      optionalNumber(chinese[4] ?? chinese[7]),
    );
    return time === null ? null : { time, rest: text.slice(0, chinese.index).trim() };
  }
  const read = timeAtEdge.exec(text);
  if (read === null) return null;
  const hour = Number(read[1] ?? read[5]);
  const half = read[4]?.toLowerCase();
  if (half !== undefined && (hour < 1 || hour > 12)) return null;
  const time = timeOfDay(
    half === undefined ? hour : (hour % 12) + (half === "p" ? 12 : 0),
    Number(read[2] ?? read[6] ?? 0),
    optionalNumber(read[3] ?? read[7]),
  );
  const around = `${text.slice(0, read.index)} ${text.slice(read.index + read[0].length)}`;
  return time === null ? null : { time, rest: around };
}

/** The date and time that the whole text writes, or null when it is none, is impossible, or could mean two days. */
export function parseWrittenDate(written: string): WrittenDate | null {
  const text = written.trim();
  // Longer texts cannot be one date, and a bound keeps the patterns linear.
  if (text.length < 4 || text.length > 64) return null;
  const iso = parseIso(text);
  if (iso !== null) return iso;
  const zone = /\s(utc|gmt|z|[+-]\d{2}:?\d{2})$/i.exec(text);
  const bare = zone === null ? text : text.slice(0, zone.index);
  const timed = readTime(bare);
  const dateText = (timed?.rest ?? bare)
    .replace(/^[\s,]+|[\s,]+$/g, "")
    .replace(/^(?:on|at)\s+|\s+(?:on|at)$/gi, "")
    .replace(/\s+/g, " ")
    .replace(/,$/, "");
  const day = parseDay(dateText);
  if (day === null) return timed === null && zone === null ? parseMonthOrYear(text) : null;
  if (timed === null) return zone === null ? { at: day, zoned: false, precision: "day", text } : null;
  const offset = zone === null ? 0 : zoneOffset(zone[1] ?? "");
  if (offset === null) return null;
  return { at: day + timed.time.milliseconds - offset, zoned: zone !== null, precision: timed.time.precision, text };
}
