/**
 * Dates inside Chinese sentences: 昨天, 上周, 去年, 三天前, 下个月, 5月8日, 2023年5月.
 *
 * Use: `findChineseDates(sentence, anchor)`; the result has the shape of `findDates` and is written with `writeDate(date, 'zh')`.
 *
 * What must hold: as in `date-expressions.ts`: relative words need an anchor, vague words stay vague, hits do not overlap.
 */
import { calendarDay, dayMilliseconds, startOfMonth, startOfYear } from "#shared/text/dates.ts";
import {
  aroundWeek,
  nearestWeekday,
  plainDay,
  plainMonth,
  plainYear,
  shifted,
  type DateExpression,
  type FoundDate,
} from "#shared/text/date-wording.ts";

const digits = "零一二三四五六七八九";

/** 三 → 3, 十二 → 12, 两 → 2, 几 → few; Arabic digits as they are. */
export function readChineseCount(text: string): number | "few" | null {
  if (/^\d+$/.test(text)) return Number(text);
  if (/几|幾|数|若干/.test(text)) return "few";
  const plain = text
    .replace(/[两兩]/g, "二")
    .replace(/〇/g, "零")
    .replace(/半/g, "");
  if (plain === "") return null;
  const ten = plain.indexOf("十");
  if (ten === -1) return plain.length === 1 && digits.includes(plain) ? digits.indexOf(plain) : null;
  const tens = ten === 0 ? 1 : digits.indexOf(plain.slice(0, ten));
  const units = ten === plain.length - 1 ? 0 : digits.indexOf(plain.slice(ten + 1));
  return tens < 0 || units < 0 ? null : tens * 10 + units;
}

const number = "(\\d{1,4}|[一二三四五六七八九十两兩几幾]{1,3})";
const dayWords: Readonly<Record<string, number>> = {
  大前天: -3,
  前天: -2,
  昨天: -1,
  昨日: -1,
  昨晚: -1,
  今天: 0,
  今日: 0,
  今晚: 0,
  今早: 0,
  明天: 1,
  明日: 1,
  明晚: 1,
  后天: 2,
  後天: 2,
  大后天: 3,
};
const yearWords: Readonly<Record<string, number>> = { 前年: -2, 去年: -1, 今年: 0, 明年: 1, 后年: 2, 後年: 2 };
const units: Readonly<Record<string, string>> = {
  天: "day",
  日: "day",
  周: "week",
  週: "week",
  星期: "week",
  礼拜: "week",
  禮拜: "week",
  月: "month",
  年: "year",
};

interface Pattern {
  readonly expression: RegExp;
  readonly resolve: (
    match: RegExpExecArray,
    anchor: number | null,
    past: boolean,
    sentence: string,
  ) => FoundDate | null;
}

function step(word: string | undefined): number {
  const text = word ?? "";
  const size = text.length > 1 && /^(?:上上|下下)/.test(text) ? 2 : 1;
  return text.startsWith("上") ? -size : text.startsWith("下") ? size : 0;
}

/** Said as done: 了, 过, or another word that looks back. Without one a bare 周五 is the coming one. */
const toldAsPast = /[了过過]|曾|刚|上[周週个個次]|昨|前天|去年|以来|当时/;

/** Only what is still to come has its next date: a birthday is told by the day alone. */
const planned = /打算|计划|准备|将|要|想|会(?!议)|预约|出发|起飞|开始|截止|到期|会议|开会|演唱会|考试|婚礼/;

function weekday(anchor: number, word: string | undefined, name: string, past: boolean): FoundDate {
  const index = name === "天" || name === "日" ? 0 : "一二三四五六".indexOf(name) + 1;
  const weeks = step(word);
  if (weeks === 0)
    return nearestWeekday(anchor, index, (word === undefined || word === "") && past ? "before" : "after");
  const from = aroundWeek(anchor, "week", weeks).from + ((index + 6) % 7) * dayMilliseconds;
  return plainDay(from);
}

function monthAndDay(anchor: number, month: number, day: number | null, coming: boolean): FoundDate | null {
  const year = new Date(anchor).getUTCFullYear();
  const from = calendarDay(year, month - 1, day ?? 1);
  if (from === null) return null;
  const passed = (day === null ? startOfMonth(from, 1) : from + dayMilliseconds) <= anchor;
  const next = coming && passed ? calendarDay(year + 1, month - 1, day ?? 1) : null;
  if (next !== null) return day === null ? plainMonth(next) : plainDay(next);
  const past = from > anchor + 183 * dayMilliseconds && !coming ? calendarDay(year - 1, month - 1, day ?? 1) : from;
  return past === null ? null : day === null ? plainMonth(past) : plainDay(past);
}

const patterns: readonly Pattern[] = [
  {
    expression: /(\d{4})\s*年\s*(\d{1,2})\s*月\s*(\d{1,2})\s*[日号號]/g,
    resolve: (m) => {
      const from = calendarDay(Number(m[1]), Number(m[2]) - 1, Number(m[3]));
      return from === null ? null : plainDay(from, false);
    },
  },
  {
    expression: /(\d{4})\s*年\s*(\d{1,2})\s*月(?:份)?/g,
    resolve: (m) => {
      const from = calendarDay(Number(m[1]), Number(m[2]) - 1, 1);
      return from === null ? null : plainMonth(from, false);
    },
  },
  { expression: /((?:19|20)\d{2})\s*年/g, resolve: (m) => plainYear(Date.UTC(Number(m[1]), 0, 1), false) },
  {
    expression:
      /(前年|去年|今年|明年|后年|後年)(?:的)?\s*(\d{1,2}|[一二三四五六七八九十]{1,2})月(?:份)?(?:(\d{1,2})[日号號])?/g,
    resolve: (m, anchor) => {
      const month = readChineseCount(m[2] ?? "");
      if (anchor === null || typeof month !== "number") return null;
      const year = new Date(anchor).getUTCFullYear() + (yearWords[m[1] ?? ""] ?? 0);
      const from = calendarDay(year, month - 1, Number(m[3] ?? 1));
      return from === null ? null : m[3] === undefined ? plainMonth(from) : plainDay(from);
    },
  },
  {
    expression: /大前天|大后天|前天|昨天|昨日|昨晚|今天|今日|今晚|今早|明天|明日|明晚|后天|後天/g,
    resolve: (m, anchor) => (anchor === null ? null : plainDay(anchor + (dayWords[m[0]] ?? 0) * dayMilliseconds)),
  },
  {
    expression: /前年|去年|今年|明年|后年|後年/g,
    resolve: (m, anchor) => (anchor === null ? null : plainYear(startOfYear(anchor, yearWords[m[0]] ?? 0))),
  },
  {
    expression: new RegExp(`${number}\\s*(?:个|個)?(天|日|周|週|星期|礼拜|禮拜|月|年)(?:以|之)?(前|后|後)`, "g"),
    resolve: (m, anchor) => {
      const amount = readChineseCount(m[1] ?? "");
      if (anchor === null || amount === null) return null;
      return shifted(anchor, amount, units[m[2] ?? ""] ?? "day", m[3] === "前" ? -1 : 1);
    },
  },
  {
    expression: /(上上|下下|上|下|这|這|本)?(?:个|個)?(?:周末|週末)/g,
    resolve: (m, anchor) =>
      anchor === null ? null : aroundWeek(anchor, "weekend", m[1] === undefined ? -1 : step(m[1])),
  },
  {
    expression: /(上上|下下|上|下|这|這|本)?(?:个|個)?(?:周|週|星期|礼拜|禮拜)([一二三四五六日天])(?![天年月个])/g,
    resolve: (m, anchor, past) => (anchor === null ? null : weekday(anchor, m[1], m[2] ?? "", past)),
  },
  {
    expression: /(上上|下下|上|下|这|這|本)(?:个|個)?(?:周|週|星期|礼拜|禮拜)/g,
    resolve: (m, anchor) => (anchor === null ? null : aroundWeek(anchor, "week", step(m[1]))),
  },
  {
    expression: /(上上|下下|上|下|这|這|本)(?:个|個)?月/g,
    resolve: (m, anchor) => (anchor === null ? null : plainMonth(startOfMonth(anchor, step(m[1])))),
  },
  {
    expression: /(\d{1,2}|[一二三四五六七八九十]{1,2})月(?:份|(\d{1,2}|[一二三四五六七八九十]{1,3})[日号號])?/g,
    resolve: (m, anchor, past, sentence) => {
      const month = readChineseCount(m[1] ?? "");
      const day = m[2] === undefined ? null : readChineseCount(m[2]);
      return anchor === null || typeof month !== "number" || day === "few"
        ? null
        : monthAndDay(anchor, month, day, !past && planned.test(sentence));
    },
  },
];

/** Every date that the sentence writes, in order of place. */
export function findChineseDates(sentence: string, anchor: number | null): DateExpression[] {
  if (!/[年月日天周週前后後晚早末]|星期|礼拜|禮拜/.test(sentence)) return [];
  const past = toldAsPast.test(sentence);
  const found: DateExpression[] = [];
  for (const pattern of patterns) {
    for (const match of sentence.matchAll(pattern.expression)) {
      const start = match.index;
      const end = start + match[0].length;
      if (found.some((other) => start < other.end && other.start < end)) continue;
      const resolved = pattern.resolve(match, anchor, past, sentence);
      if (resolved !== null && Number.isFinite(resolved.from)) found.push({ ...resolved, start, end, text: match[0] });
    }
  }
  return found.sort((left, right) => left.start - right.start);
}
