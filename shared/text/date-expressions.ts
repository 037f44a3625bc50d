/**
 * Dates inside English sentences: "yesterday", "last Friday", "two weeks ago", "in June", "the 15th", "May 8, 2022".
 *
 * Use: `findDates(sentence, anchor)` with the date of the page the sentence is from; each hit says where it stands, which days it
 * covers (`from` inclusive, `to` exclusive) and how to write it (`writeDate`). Chinese is in `chinese-dates.ts`, same shape.
 *
 * What must hold: a relative expression is only resolved against the anchor it is given and is dropped without one; nothing reads a
 * clock; a vague expression stays vague ("last week" is "The week before 8 May 2023", never a made-up day); hits do not overlap.
 */
import {
  calendarDay,
  dayMilliseconds,
  formatDate,
  monthIndex,
  monthNames,
  monthPattern,
  startOfDay,
  startOfMonth,
  startOfYear,
  weekdayNames,
  type DateLanguage,
} from '#shared/text/dates.ts';

export type VagueUnit = 'day' | 'week' | 'weekend' | 'month' | 'year' | 'season' | 'weekday';

export type DateWording =
  | { readonly kind: 'plain'; readonly precision: 'day' | 'month' | 'year' }
  /** "The week before 8 May 2023", "Two weekends before …": `count` units from the day `anchor`. */
  | {
      readonly kind: 'around';
      readonly unit: VagueUnit;
      readonly relation: 'before' | 'of' | 'after';
      readonly count: number | 'few';
      readonly anchor: number;
      readonly weekday?: number;
    }
  /** "The summer of 2022". */
  | { readonly kind: 'season'; readonly season: number; readonly year: number };

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

export type FoundDate = Omit<DateExpression, 'start' | 'end' | 'text'>;

const countWords = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven', 'twelve'] as const;
const chineseCounts = ['零', '一', '两', '三', '四', '五', '六', '七', '八', '九', '十', '十一', '十二'] as const;
const seasons = ['winter', 'spring', 'summer', 'fall'] as const;
const chineseSeasons = ['冬天', '春天', '夏天', '秋天'] as const;
const chineseWeekdays = ['日', '一', '二', '三', '四', '五', '六'] as const;

/** The number that English words stand for: "two", "a couple of", "12"; "few" and "several" stay vague. */
export function readCount(words: string): number | 'few' | null {
  const text = words.trim().toLowerCase();
  if (/^\d{1,4}$/.test(text)) return Number(text);
  if (/few|several|some/.test(text)) return 'few';
  if (/couple/.test(text)) return 2;
  if (/^(?:an?|one)$/.test(text)) return 1;
  const index = countWords.findIndex((word) => word === text);
  return index === -1 ? null : index;
}

function capitalised(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

function writeAroundChinese(wording: Extract<DateWording, { kind: 'around' }>): string {
  const anchor = formatDate(wording.anchor, wording.unit === 'year' ? 'year' : 'day', 'zh');
  const side = wording.relation === 'before' ? '之前' : wording.relation === 'after' ? '之后' : '所在';
  if (wording.unit === 'weekday') return `${anchor}${side}的星期${chineseWeekdays[wording.weekday ?? 0] ?? ''}`;
  const unit = { day: '天', week: '周', weekend: '个周末', month: '个月', year: '年', season: '季', weekday: '' }[wording.unit];
  if (wording.relation === 'of') return `${anchor}${side}的${wording.unit === 'weekend' ? '周末' : '一周'}`;
  const count = wording.count === 'few' ? '几' : (chineseCounts[wording.count] ?? String(wording.count));
  return `${anchor}${side}${count}${unit}`;
}

/** The words of an answer: `7 May 2023`, `The week before 8 May 2023`, `The Friday before …`, `2022`. */
export function writeDate(date: Pick<DateExpression, 'from' | 'wording'>, language: DateLanguage = 'en'): string {
  const { wording } = date;
  if (wording.kind === 'plain') return formatDate(date.from, wording.precision, language);
  if (wording.kind === 'season') {
    if (language === 'zh') return `${String(wording.year)}年${chineseSeasons[wording.season] ?? ''}`;
    return `The ${seasons[wording.season] ?? ''} of ${String(wording.year)}`;
  }
  if (language === 'zh') return writeAroundChinese(wording);
  const anchor = formatDate(wording.anchor, wording.unit === 'year' ? 'year' : 'day');
  if (wording.unit === 'weekday') return `The ${weekdayNames[wording.weekday ?? 0] ?? ''} ${wording.relation} ${anchor}`;
  if (wording.count === 'few') return `A few ${wording.unit}s ${wording.relation} ${anchor}`;
  if (wording.count === 1) return `The ${wording.unit} ${wording.relation} ${anchor}`;
  return `${capitalised(countWords[wording.count] ?? String(wording.count))} ${wording.unit}s ${wording.relation} ${anchor}`;
}

export function plainDay(at: number, relative = true): FoundDate {
  const from = startOfDay(at);
  return { from, to: from + dayMilliseconds, wording: { kind: 'plain', precision: 'day' }, relative };
}

export function plainMonth(from: number, relative = true): FoundDate {
  return { from, to: startOfMonth(from, 1), wording: { kind: 'plain', precision: 'month' }, relative };
}

export function plainYear(from: number, relative = true): FoundDate {
  return { from, to: startOfYear(from, 1), wording: { kind: 'plain', precision: 'year' }, relative };
}

/** `count` weeks, weekends or days away from the anchor; negative is before. Weeks are the seven days that end at the anchor. */
export function aroundWeek(anchor: number, unit: 'week' | 'weekend', count: number): FoundDate {
  const day = startOfDay(anchor);
  const relation = count < 0 ? 'before' : count > 0 ? 'after' : 'of';
  const weekday = new Date(day).getUTCDay();
  const monday = day - ((weekday + 6) % 7) * dayMilliseconds;
  const wording: DateWording = { kind: 'around', unit, relation, count: Math.abs(count) || 1, anchor: day };
  const from = monday + count * 7 * dayMilliseconds + (unit === 'weekend' ? 5 : 0) * dayMilliseconds;
  return { from, to: from + (unit === 'weekend' ? 2 : 7) * dayMilliseconds, wording, relative: true };
}

/** The nearest such weekday strictly before or after the anchor's day. */
export function nearestWeekday(anchor: number, weekday: number, relation: 'before' | 'after'): FoundDate {
  const day = startOfDay(anchor);
  const today = new Date(day).getUTCDay();
  const distance = relation === 'before' ? -((today - weekday + 6) % 7) - 1 : ((weekday - today + 6) % 7) + 1;
  const from = day + distance * dayMilliseconds;
  return { from, to: from + dayMilliseconds, wording: { kind: 'around', unit: 'weekday', relation, count: 1, anchor: day, weekday }, relative: true };
}

/** `count` units before (-1) or after (+1) the anchor. Years give a year and months a month: the words are no more exact. */
export function shifted(anchor: number, count: number | 'few', unit: string, direction: -1 | 1): FoundDate {
  const day = startOfDay(anchor);
  const relation = direction === -1 ? 'before' : 'after';
  const amount = count === 'few' ? 3 : count;
  if (count === 'few' || (unit === 'decade' && amount > 0)) {
    const span = { day: 10, week: 42, weekend: 42, month: 180, year: 1825, decade: 7300 }[unit] ?? 10;
    const known: VagueUnit = unit === 'week' || unit === 'weekend' || unit === 'month' || unit === 'year' ? unit : 'day';
    const wording: DateWording = { kind: 'around', unit: known, relation, count: 'few', anchor: day };
    const edge = day + direction * span * dayMilliseconds;
    if (unit !== 'decade') return { from: Math.min(edge, day), to: Math.max(edge, day), wording, relative: true };
    return plainYear(startOfYear(day, direction * amount * 10));
  }
  if (unit === 'year') return plainYear(startOfYear(day, direction * amount));
  if (unit === 'month') return plainMonth(startOfMonth(day, direction * amount));
  if (unit === 'week' || unit === 'weekend') return aroundWeek(day, unit, direction * amount);
  return plainDay(day + direction * amount * dayMilliseconds);
}

/** A month without a year is the one nearest to the anchor that agrees with the sentence's tense. */
function nearestMonth(anchor: number, month: number, future: boolean): number {
  const current = startOfMonth(anchor);
  const year = new Date(anchor).getUTCFullYear();
  const sameYear = Date.UTC(year, month, 1);
  if (future) return sameYear >= current ? sameYear : Date.UTC(year + 1, month, 1);
  return sameYear <= current ? sameYear : Date.UTC(year - 1, month, 1);
}

function nearestSeason(anchor: number, season: number, relation: string, future: boolean): FoundDate {
  const now = new Date(anchor);
  const year = now.getUTCFullYear();
  // Winter is named after the year it ends in; its December belongs to the year before.
  const current = Math.floor(((now.getUTCMonth() + 1) % 12) / 3);
  const chosen = /last|past|previous/.test(relation)
    ? season < current ? year : year - 1
    : /next|coming/.test(relation) || (future && season < current) ? (season > current ? year : year + 1) : season > current && !future && relation === '' ? year - 1 : year;
  const from = Date.UTC(chosen, season * 3 - 1, 1);
  return { from, to: startOfMonth(from, 3), wording: { kind: 'season', season, year: chosen }, relative: true };
}

interface Pattern {
  readonly expression: RegExp;
  readonly resolve: (match: RegExpExecArray, anchor: number | null, future: boolean) => FoundDate | null;
}

const count = '(\\d{1,3}|an?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|a couple(?: of)?|a few|few|several|some)';
const weekdayPattern = '(sun|mon|tues|wednes|thurs|fri|satur)days?';

function weekdayIndex(name: string): number {
  return weekdayNames.findIndex((weekday) => weekday.slice(0, 3).toLowerCase() === name.slice(0, 3).toLowerCase());
}

function writtenDay(year: string | undefined, month: string | undefined, day: string | undefined, anchor: number | null, future: boolean): FoundDate | null {
  const index = monthIndex(month ?? '');
  const number = Number(day);
  if (year === undefined && anchor === null) return null;
  const from = calendarDay(year === undefined ? new Date(nearestMonth(anchor ?? 0, index, future)).getUTCFullYear() : Number(year), index, number);
  return from === null ? null : plainDay(from, year === undefined);
}

function relativeUnit(word: string, unit: string, anchor: number): FoundDate {
  const step = /last|past|previous/.test(word) ? -1 : /next|coming|following/.test(word) ? 1 : 0;
  if (unit === 'year') return plainYear(startOfYear(anchor, step));
  if (unit === 'month') return plainMonth(startOfMonth(anchor, step));
  return aroundWeek(anchor, unit === 'weekend' ? 'weekend' : 'week', step);
}

/** Earlier patterns win over later ones that overlap them, so the specific ones come first. */
const patterns: readonly Pattern[] = [
  { expression: /\b(\d{4})-(\d{2})-(\d{2})\b/g, resolve: (m) => {
    const from = calendarDay(Number(m[1]), Number(m[2]) - 1, Number(m[3]));
    return from === null ? null : plainDay(from, false);
  } },
  { expression: new RegExp(`\\b(\\d{1,2})(?:st|nd|rd|th)?(?: of)? (${monthPattern})\\b(?:,? (\\d{4})\\b)?`, 'gi'), resolve: (m, anchor, future) => writtenDay(m[3], m[2], m[1], anchor, future) },
  { expression: new RegExp(`\\b(${monthPattern}) (?:the )?(\\d{1,2})(?:st|nd|rd|th)?\\b(?:,? (\\d{4})\\b)?`, 'gi'), resolve: (m, anchor, future) => writtenDay(m[3], m[1], m[2], anchor, future) },
  { expression: new RegExp(`\\b(${monthPattern})(?: of|,)? (\\d{4})\\b`, 'gi'), resolve: (m) => plainMonth(Date.UTC(Number(m[2]), monthIndex(m[1] ?? ''), 1), false) },
  { expression: /\b(?:the )?day before yesterday\b/gi, resolve: (_m, anchor) => (anchor === null ? null : plainDay(anchor - 2 * dayMilliseconds)) },
  { expression: /\b(?:the )?day after tomorrow\b/gi, resolve: (_m, anchor) => (anchor === null ? null : plainDay(anchor + 2 * dayMilliseconds)) },
  { expression: /\b(?:yesterday|last night|the other night|yest)\b/gi, resolve: (_m, anchor) => (anchor === null ? null : plainDay(anchor - dayMilliseconds)) },
  { expression: /\b(?:tomorrow|tmrw)\b/gi, resolve: (_m, anchor) => (anchor === null ? null : plainDay(anchor + dayMilliseconds)) },
  { expression: /\b(?:today|tonight|this (?:morning|afternoon|evening)|earlier today|right now)\b/gi, resolve: (_m, anchor) => (anchor === null ? null : plainDay(anchor)) },
  { expression: /\b(?:the other day|recent days)\b/gi, resolve: (_m, anchor) => (anchor === null ? null : shifted(anchor, 'few', 'day', -1)) },
  { expression: new RegExp(`\\b${count} (day|week|weekend|month|year|decade)s? (?:ago|back|earlier|prior)\\b`, 'gi'), resolve: (m, anchor) => {
    const amount = readCount(m[1] ?? '');
    return anchor === null || amount === null ? null : shifted(anchor, amount, (m[2] ?? '').toLowerCase(), -1);
  } },
  { expression: new RegExp(`\\bin ${count} (day|week|month|year)s?(?:['’]? time)?\\b`, 'gi'), resolve: (m, anchor, future) => {
    const amount = readCount(m[1] ?? '');
    return anchor === null || amount === null || !future ? null : shifted(anchor, amount, (m[2] ?? '').toLowerCase(), 1);
  } },
  { expression: new RegExp(`\\b(?:(last|past|previous|next|this coming|coming|this past|this)|on|every|each|since|until|by) ${weekdayPattern}\\b`, 'gi'), resolve: (m, anchor, future) => {
    const word = (m[1] ?? '').toLowerCase();
    if (anchor === null || /every|each/i.test(m[0])) return null;
    const after = /next|coming/.test(word) || word === 'this' || (word === '' && future);
    return nearestWeekday(anchor, weekdayIndex(m[2] ?? ''), after ? 'after' : 'before');
  } },
  { expression: new RegExp(`\\b(?:(last|next|this past|this|past|previous) )(${monthPattern})(?![a-z])`, 'gi'), resolve: (m, anchor) => {
    if (anchor === null) return null;
    const word = (m[1] ?? '').toLowerCase();
    return plainMonth(nearestMonth(anchor, monthIndex(m[2] ?? ''), word === 'next' || word === 'this'));
  } },
  { expression: /\b(last|past|previous|next|this coming|coming|this past|this) (?:\w+ )?(spring|summer|fall|autumn|winter)\b/gi, resolve: (m, anchor, future) => {
    const name = (m[2] ?? '').toLowerCase();
    const season = seasons.findIndex((known) => known === (name === 'autumn' ? 'fall' : name));
    return anchor === null ? null : nearestSeason(anchor, season, (m[1] ?? '').toLowerCase(), future);
  } },
  { expression: /\b(?:in|of|during) (?:the )?(spring|summer|fall|autumn|winter) (?:of )?(\d{4})\b/gi, resolve: (m) => {
    const name = (m[1] ?? '').toLowerCase();
    const season = seasons.findIndex((known) => known === (name === 'autumn' ? 'fall' : name));
    const from = Date.UTC(Number(m[2]), season * 3 - 1, 1);
    return { from, to: startOfMonth(from, 3), wording: { kind: 'season', season, year: Number(m[2]) }, relative: false };
  } },
  { expression: /\b(last|past|previous|next|this coming|coming|this past|this|following) (week|weekend|month|year)(?!s)\b/gi, resolve: (m, anchor) => (anchor === null ? null : relativeUnit((m[1] ?? '').toLowerCase(), (m[2] ?? '').toLowerCase(), anchor)) },
  { expression: /\b(?:over|on|during) the weekend\b/gi, resolve: (_m, anchor, future) => (anchor === null ? null : aroundWeek(anchor, 'weekend', future ? 0 : -1)) },
  { expression: /\b(?:over|in|during) the (?:last|past) (?:few|couple of|several) (day|week|month|year)s\b/gi, resolve: (m, anchor) => (anchor === null ? null : shifted(anchor, 'few', (m[1] ?? '').toLowerCase(), -1)) },
  { expression: /\bon the (\d{1,2})(?:st|nd|rd|th)\b/gi, resolve: (m, anchor, future) => {
    if (anchor === null) return null;
    const date = new Date(anchor);
    const step = future ? (Number(m[1]) < date.getUTCDate() ? 1 : 0) : Number(m[1]) > date.getUTCDate() ? -1 : 0;
    const month = new Date(startOfMonth(anchor, step));
    const from = calendarDay(month.getUTCFullYear(), month.getUTCMonth(), Number(m[1]));
    return from === null ? null : plainDay(from);
  } },
  { expression: new RegExp(`\\b(?:in|since|during|by|until|of|late|early|mid|before|after|for|around|for|from) (${monthPattern})(?![a-z])`, 'gi'), resolve: (m, anchor, future) => (anchor === null ? null : plainMonth(nearestMonth(anchor, monthIndex(m[1] ?? ''), future))) },
  { expression: /\b(?:in|since|during|back in|around|until|by|of|year|from) ((?:19|20)\d{2})\b/gi, resolve: (m) => plainYear(Date.UTC(Number(m[1]), 0, 1), false) },
];

const futureTense = /\b(?:will|won't|going to|gonna|plan(?:s|ned|ning)?|hop(?:e|es|ing)|looking forward|can't wait|upcoming|excited for|want to|about to|soon|next|scheduled|thinking)\b|\bI'll|we'll|\b(?:am|are|is|'m|'re|'s) \w+ing\b/i;
const worthLooking = new RegExp(
  `\\d|yesterday|\\bago\\b|\\bback\\b|last|next|past|previous|coming|this |today|tonight|tomorrow|night|weekend|earlier|prior|other day|days?\\b|(?:sun|mon|tues|wednes|thurs|fri|satur)day|\\b${monthPattern}\\b|in (?:a|one|two|three|four|five|six)|following|recent|right now|yest|tmrw`,
  'i',
);

/** Every date that the sentence writes, in order of place. `anchor` is the date of the page, null when it has none. */
export function findDates(sentence: string, anchor: number | null): DateExpression[] {
  if (!worthLooking.test(sentence)) return [];
  const future = futureTense.test(sentence);
  const found: DateExpression[] = [];
  for (const pattern of patterns) {
    for (const match of sentence.matchAll(pattern.expression)) {
      const start = match.index;
      const end = start + match[0].length;
      if (found.some((other) => start < other.end && other.start < end)) continue;
      const resolved = pattern.resolve(match, anchor, future);
      if (resolved !== null && Number.isFinite(resolved.from)) found.push({ ...resolved, start, end, text: match[0] });
    }
  }
  return found.sort((left, right) => left.start - right.start);
}

/** The English names, for readers that look for a month in a question. */
export const dateWords: ReadonlySet<string> = new Set([...monthNames, ...weekdayNames].map((name) => name.toLowerCase()));
