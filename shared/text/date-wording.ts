/**
 * What a found date is, how an answer writes it, and the calendar arithmetic behind "two weeks ago" and "last Friday".
 *
 * Use: `writeDate(date, language)`; the resolvers (`plainDay`, `aroundWeek`, `nearestWeekday`, `shifted`, …) are shared by the English and
 * the Chinese finder.
 *
 * What must hold: a vague expression stays vague ("The week before 8 May 2023"); everything counts from the anchor it is given.
 */
import {
  dayMilliseconds,
  formatDate,
  startOfDay,
  startOfMonth,
  startOfYear,
  weekdayNames,
  type DateLanguage,
} from "#shared/text/dates.ts";

export type VagueUnit = "day" | "week" | "weekend" | "month" | "year" | "season" | "weekday";

export type DateWording =
  | { readonly kind: "plain"; readonly precision: "day" | "month" | "year" }
  /** "The week before 8 May 2023", "Two weekends before …": `count` units from the day `anchor`. */
  | {
      readonly kind: "around";
      readonly unit: VagueUnit;
      readonly relation: "before" | "of" | "after";
      readonly count: number | "few";
      readonly anchor: number;
      readonly weekday?: number;
    }
  /** "The summer of 2022". */
  | { readonly kind: "season"; readonly season: number; readonly year: number };

export interface DateExpression {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly from: number;
  readonly to: number;
  readonly wording: DateWording;
  /** Resolved against the anchor rather than written out. */
  readonly relative: boolean;
}

export type FoundDate = Omit<DateExpression, "start" | "end" | "text">;

const countWords = [
  "zero",
  "one",
  "two",
  "three",
  "four",
  "five",
  "six",
  "seven",
  "eight",
  "nine",
  "ten",
  "eleven",
  "twelve",
] as const;
const chineseCounts = ["零", "一", "两", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二"] as const;
export const seasons = ["winter", "spring", "summer", "fall"] as const;
const chineseSeasons = ["冬天", "春天", "夏天", "秋天"] as const;
const chineseWeekdays = ["日", "一", "二", "三", "四", "五", "六"] as const;

/** The number that English words stand for: "two", "a couple of", "12"; "few" and "several" stay vague. */
export function readCount(words: string): number | "few" | null {
  const text = words.trim().toLowerCase();
  if (/^\d{1,4}$/.test(text)) return Number(text);
  if (/few|several|some/.test(text)) return "few";
  if (/couple/.test(text)) return 2;
  if (/^(?:an?|one)$/.test(text)) return 1;
  const index = countWords.findIndex((word) => word === text);
  return index === -1 ? null : index;
}

function capitalised(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

function writeAroundChinese(wording: Extract<DateWording, { kind: "around" }>): string {
  const anchor = formatDate(wording.anchor, wording.unit === "year" ? "year" : "day", "zh");
  const side = wording.relation === "before" ? "之前" : wording.relation === "after" ? "之后" : "所在";
  if (wording.unit === "weekday") return `${anchor}${side}的星期${chineseWeekdays[wording.weekday ?? 0] ?? ""}`;
  const unit = { day: "天", week: "周", weekend: "个周末", month: "个月", year: "年", season: "季", weekday: "" }[
    wording.unit
  ];
  if (wording.relation === "of") return `${anchor}${side}的${wording.unit === "weekend" ? "周末" : "一周"}`;
  const count = wording.count === "few" ? "几" : (chineseCounts[wording.count] ?? String(wording.count));
  return `${anchor}${side}${count}${unit}`;
}

/** The words of an answer: `7 May 2023`, `The week before 8 May 2023`, `The Friday before …`, `2022`. */
export function writeDate(date: Pick<DateExpression, "from" | "wording">, language: DateLanguage = "en"): string {
  const { wording } = date;
  if (wording.kind === "plain") return formatDate(date.from, wording.precision, language);
  if (wording.kind === "season") {
    if (language === "zh") return `${String(wording.year)}年${chineseSeasons[wording.season] ?? ""}`;
    return `The ${seasons[wording.season] ?? ""} of ${String(wording.year)}`;
  }
  if (language === "zh") return writeAroundChinese(wording);
  const anchor = formatDate(wording.anchor, wording.unit === "year" ? "year" : "day");
  if (wording.unit === "weekday")
    return `The ${weekdayNames[wording.weekday ?? 0] ?? ""} ${wording.relation} ${anchor}`;
  if (wording.count === "few") return `A few ${wording.unit}s ${wording.relation} ${anchor}`;
  if (wording.count === 1) return `The ${wording.unit} ${wording.relation} ${anchor}`;
  return `${capitalised(countWords[wording.count] ?? String(wording.count))} ${wording.unit}s ${wording.relation} ${anchor}`;
}

export function plainDay(at: number, relative = true): FoundDate {
  const from = startOfDay(at);
  return { from, to: from + dayMilliseconds, wording: { kind: "plain", precision: "day" }, relative };
}

export function plainMonth(from: number, relative = true): FoundDate {
  return { from, to: startOfMonth(from, 1), wording: { kind: "plain", precision: "month" }, relative };
}

export function plainYear(from: number, relative = true): FoundDate {
  return { from, to: startOfYear(from, 1), wording: { kind: "plain", precision: "year" }, relative };
}

/** `count` weeks, weekends or days away from the anchor; negative is before. Weeks are the seven days that end at the anchor. */
export function aroundWeek(anchor: number, unit: "week" | "weekend", count: number): FoundDate {
  const day = startOfDay(anchor);
  const relation = count < 0 ? "before" : count > 0 ? "after" : "of";
  const weekday = new Date(day).getUTCDay();
  const monday = day - ((weekday + 6) % 7) * dayMilliseconds;
  const wording: DateWording = { kind: "around", unit, relation, count: Math.abs(count) || 1, anchor: day };
  const from = monday + count * 7 * dayMilliseconds + (unit === "weekend" ? 5 : 0) * dayMilliseconds;
  return { from, to: from + (unit === "weekend" ? 2 : 7) * dayMilliseconds, wording, relative: true };
}

/** The nearest such weekday strictly before or after the anchor's day. */
export function nearestWeekday(anchor: number, weekday: number, relation: "before" | "after"): FoundDate {
  const day = startOfDay(anchor);
  const today = new Date(day).getUTCDay();
  const distance = relation === "before" ? -((today - weekday + 6) % 7) - 1 : ((weekday - today + 6) % 7) + 1;
  const from = day + distance * dayMilliseconds;
  return {
    from,
    to: from + dayMilliseconds,
    wording: { kind: "around", unit: "weekday", relation, count: 1, anchor: day, weekday },
    relative: true,
  };
}

/** `count` units before (-1) or after (+1) the anchor. Years give a year and months a month: the words are no more exact. */
export function shifted(anchor: number, count: number | "few", unit: string, direction: -1 | 1): FoundDate {
  const day = startOfDay(anchor);
  const relation = direction === -1 ? "before" : "after";
  const amount = count === "few" ? 3 : count;
  if (count === "few" || (unit === "decade" && amount > 0)) {
    const span = { day: 10, week: 42, weekend: 42, month: 180, year: 1825, decade: 7300 }[unit] ?? 10;
    const known: VagueUnit =
      unit === "week" || unit === "weekend" || unit === "month" || unit === "year" ? unit : "day";
    const wording: DateWording = { kind: "around", unit: known, relation, count: "few", anchor: day };
    const edge = day + direction * span * dayMilliseconds;
    if (unit !== "decade") return { from: Math.min(edge, day), to: Math.max(edge, day), wording, relative: true };
    return plainYear(startOfYear(day, direction * amount * 10));
  }
  if (unit === "year") return plainYear(startOfYear(day, direction * amount));
  if (unit === "month") return plainMonth(startOfMonth(day, direction * amount));
  if (unit === "week" || unit === "weekend") return aroundWeek(day, unit, direction * amount);
  return plainDay(day + direction * amount * dayMilliseconds);
}

/** A month without a year is the one nearest to the anchor that agrees with the sentence's tense. */
export function nearestMonth(anchor: number, month: number, future: boolean): number {
  const current = startOfMonth(anchor);
  const year = new Date(anchor).getUTCFullYear();
  const sameYear = Date.UTC(year, month, 1);
  if (future) return sameYear >= current ? sameYear : Date.UTC(year + 1, month, 1);
  return sameYear <= current ? sameYear : Date.UTC(year - 1, month, 1);
}

export function nearestSeason(anchor: number, season: number, relation: string, future: boolean): FoundDate {
  const now = new Date(anchor);
  const year = now.getUTCFullYear();
  // Winter is named after the year it ends in; its December belongs to the year before.
  const current = Math.floor(((now.getUTCMonth() + 1) % 12) / 3);
  const chosen = /last|past|previous/.test(relation)
    ? season < current
      ? year
      : year - 1
    : /next|coming/.test(relation) || (future && season < current)
      ? season > current
        ? year
        : year + 1
      : season > current && !future && relation === ""
        ? year - 1
        : year;
  const from = Date.UTC(chosen, season * 3 - 1, 1);
  return { from, to: startOfMonth(from, 3), wording: { kind: "season", season, year: chosen }, relative: true };
}
