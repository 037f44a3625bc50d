/**
 * Dates inside English sentences: "yesterday", "last Friday", "two weeks ago", "in June", "the 15th", "May 8, 2022".
 *
 * Use: `findDates(sentence, anchor)` with the date of the page the sentence is from; each hit says where it stands, which days it
 * covers (`from` inclusive, `to` exclusive) and how to write it (`writeDate` in `date-wording.ts`). Chinese is in `chinese-dates.ts`, same shape.
 *
 * What must hold: a relative expression is only resolved against the anchor it is given and is dropped without one; nothing reads a
 * clock; a vague expression stays vague ("last week" is "The week before 8 May 2023", never a made-up day); hits do not overlap.
 */
import {
  aroundWeek,
  nearestMonth,
  nearestSeason,
  nearestWeekday,
  plainDay,
  plainMonth,
  plainYear,
  readCount,
  seasons,
  shifted,
  type DateExpression,
  type FoundDate,
} from "#shared/text/date-wording.ts";
import {
  calendarDay,
  dayMilliseconds,
  monthIndex,
  monthPattern,
  startOfMonth,
  startOfYear,
  weekdayNames,
} from "#shared/text/dates.ts";

interface Pattern {
  readonly expression: RegExp;
  readonly resolve: (match: RegExpExecArray, anchor: number | null, future: boolean) => FoundDate | null;
}

const count =
  "(\\d{1,3}|an?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|a couple(?: of)?|a few|few|several|some)";
const weekdayPattern = "(sun|mon|tues|wednes|thurs|fri|satur)days?";

function weekdayIndex(name: string): number {
  return weekdayNames.findIndex((weekday) => weekday.slice(0, 3).toLowerCase() === name.slice(0, 3).toLowerCase());
}

function writtenDay(
  year: string | undefined,
  month: string | undefined,
  day: string | undefined,
  anchor: number | null,
  future: boolean,
): FoundDate | null {
  const index = monthIndex(month ?? "");
  const number = Number(day);
  if (year === undefined && anchor === null) return null;
  const from = calendarDay(
    year === undefined ? new Date(nearestMonth(anchor ?? 0, index, future)).getUTCFullYear() : Number(year),
    index,
    number,
  );
  return from === null ? null : plainDay(from, year === undefined);
}

function relativeUnit(word: string, unit: string, anchor: number): FoundDate {
  const step = /last|past|previous/.test(word) ? -1 : /next|coming|following/.test(word) ? 1 : 0;
  if (unit === "year") return plainYear(startOfYear(anchor, step));
  if (unit === "month") return plainMonth(startOfMonth(anchor, step));
  return aroundWeek(anchor, unit === "weekend" ? "weekend" : "week", step);
}

/** Earlier patterns win over later ones that overlap them, so the specific ones come first. */
const patterns: readonly Pattern[] = [
  {
    expression: /\b(\d{4})-(\d{2})-(\d{2})\b/g,
    resolve: (m) => {
      const from = calendarDay(Number(m[1]), Number(m[2]) - 1, Number(m[3]));
      return from === null ? null : plainDay(from, false);
    },
  },
  {
    expression: new RegExp(`\\b(\\d{1,2})(?:st|nd|rd|th)?(?: of)? (${monthPattern})\\b(?:,? (\\d{4})\\b)?`, "gi"),
    resolve: (m, anchor, future) => writtenDay(m[3], m[2], m[1], anchor, future),
  },
  {
    expression: new RegExp(`\\b(${monthPattern}) (?:the )?(\\d{1,2})(?:st|nd|rd|th)?\\b(?:,? (\\d{4})\\b)?`, "gi"),
    resolve: (m, anchor, future) => writtenDay(m[3], m[1], m[2], anchor, future),
  },
  {
    expression: new RegExp(`\\b(${monthPattern})(?: of|,)? (\\d{4})\\b`, "gi"),
    resolve: (m) => plainMonth(Date.UTC(Number(m[2]), monthIndex(m[1] ?? ""), 1), false),
  },
  {
    expression: /\b(?:the )?day before yesterday\b/gi,
    resolve: (_m, anchor) => (anchor === null ? null : plainDay(anchor - 2 * dayMilliseconds)),
  },
  {
    expression: /\b(?:the )?day after tomorrow\b/gi,
    resolve: (_m, anchor) => (anchor === null ? null : plainDay(anchor + 2 * dayMilliseconds)),
  },
  {
    expression: /\b(?:yesterday|last night|the other night|yest)\b/gi,
    resolve: (_m, anchor) => (anchor === null ? null : plainDay(anchor - dayMilliseconds)),
  },
  {
    expression: /\b(?:tomorrow|tmrw)\b/gi,
    resolve: (_m, anchor) => (anchor === null ? null : plainDay(anchor + dayMilliseconds)),
  },
  {
    expression: /\b(?:today|tonight|this (?:morning|afternoon|evening)|earlier today|right now)\b/gi,
    resolve: (_m, anchor) => (anchor === null ? null : plainDay(anchor)),
  },
  {
    expression: /\b(?:the other day|recent days)\b/gi,
    resolve: (_m, anchor) => (anchor === null ? null : shifted(anchor, "few", "day", -1)),
  },
  {
    expression: new RegExp(`\\b${count} (day|week|weekend|month|year|decade)s? (?:ago|back|earlier|prior)\\b`, "gi"),
    resolve: (m, anchor) => {
      const amount = readCount(m[1] ?? "");
      return anchor === null || amount === null ? null : shifted(anchor, amount, (m[2] ?? "").toLowerCase(), -1);
    },
  },
  {
    expression: new RegExp(`\\bin ${count} (day|week|month|year)s?(?:['’]? time)?\\b`, "gi"),
    resolve: (m, anchor, future) => {
      const amount = readCount(m[1] ?? "");
      return anchor === null || amount === null || !future
        ? null
        : shifted(anchor, amount, (m[2] ?? "").toLowerCase(), 1);
    },
  },
  {
    expression: new RegExp(
      `\\b(?:(last|past|previous|next|this coming|coming|this past|this)|on|every|each|since|until|by) ${weekdayPattern}\\b`,
      "gi",
    ),
    resolve: (m, anchor, future) => {
      const word = (m[1] ?? "").toLowerCase();
      if (anchor === null || /every|each/i.test(m[0])) return null;
      const after = /next|coming/.test(word) || word === "this" || (word === "" && future);
      return nearestWeekday(anchor, weekdayIndex(m[2] ?? ""), after ? "after" : "before");
    },
  },
  {
    expression: new RegExp(`\\b(?:(last|next|this past|this|past|previous) )(${monthPattern})(?![a-z])`, "gi"),
    resolve: (m, anchor) => {
      if (anchor === null) return null;
      const word = (m[1] ?? "").toLowerCase();
      return plainMonth(nearestMonth(anchor, monthIndex(m[2] ?? ""), word === "next" || word === "this"));
    },
  },
  {
    expression:
      /\b(last|past|previous|next|this coming|coming|this past|this) (?:\w+ )?(spring|summer|fall|autumn|winter)\b/gi,
    resolve: (m, anchor, future) => {
      const name = (m[2] ?? "").toLowerCase();
      const season = seasons.findIndex((known) => known === (name === "autumn" ? "fall" : name));
      return anchor === null ? null : nearestSeason(anchor, season, (m[1] ?? "").toLowerCase(), future);
    },
  },
  {
    expression: /\b(?:in|of|during) (?:the )?(spring|summer|fall|autumn|winter) (?:of )?(\d{4})\b/gi,
    resolve: (m) => {
      const name = (m[1] ?? "").toLowerCase();
      const season = seasons.findIndex((known) => known === (name === "autumn" ? "fall" : name));
      const from = Date.UTC(Number(m[2]), season * 3 - 1, 1);
      return {
        from,
        to: startOfMonth(from, 3),
        wording: { kind: "season", season, year: Number(m[2]) },
        relative: false,
      };
    },
  },
  {
    expression:
      /\b(last|past|previous|next|this coming|coming|this past|this|following) (week|weekend|month|year)(?!s)\b/gi,
    resolve: (m, anchor) =>
      anchor === null ? null : relativeUnit((m[1] ?? "").toLowerCase(), (m[2] ?? "").toLowerCase(), anchor),
  },
  {
    expression: /\b(?:over|on|during) the weekend\b/gi,
    resolve: (_m, anchor, future) => (anchor === null ? null : aroundWeek(anchor, "weekend", future ? 0 : -1)),
  },
  {
    expression: /\b(?:over|in|during) the (?:last|past) (?:few|couple of|several) (day|week|month|year)s\b/gi,
    resolve: (m, anchor) => (anchor === null ? null : shifted(anchor, "few", (m[1] ?? "").toLowerCase(), -1)),
  },
  {
    expression: /\bon the (\d{1,2})(?:st|nd|rd|th)\b/gi,
    resolve: (m, anchor, future) => {
      if (anchor === null) return null;
      const date = new Date(anchor);
      const step = future ? (Number(m[1]) < date.getUTCDate() ? 1 : 0) : Number(m[1]) > date.getUTCDate() ? -1 : 0;
      const month = new Date(startOfMonth(anchor, step));
      const from = calendarDay(month.getUTCFullYear(), month.getUTCMonth(), Number(m[1]));
      return from === null ? null : plainDay(from);
    },
  },
  {
    expression: new RegExp(
      `\\b(?:in|since|during|by|until|of|late|early|mid|before|after|for|around|for|from) (${monthPattern})(?![a-z])`,
      "gi",
    ),
    resolve: (m, anchor, future) =>
      anchor === null ? null : plainMonth(nearestMonth(anchor, monthIndex(m[1] ?? ""), future)),
  },
  {
    expression: /\b(?:in|since|during|back in|around|until|by|of|year|from) ((?:19|20)\d{2})\b/gi,
    resolve: (m) => plainYear(Date.UTC(Number(m[1]), 0, 1), false),
  },
];

const futureTense =
  /\b(?:will|won't|going to|gonna|plan(?:s|ned|ning)?|hop(?:e|es|ing)|looking forward|can't wait|upcoming|excited for|want to|about to|soon|next|scheduled|thinking)\b|\bI'll|we'll|\b(?:am|are|is|'m|'re|'s) \w+ing\b/i;
/** "The meeting is on Friday", "the train leaves on 3 December": the present tense of an appointment, where nothing is told as past. */
const appointment =
  /\b(?:is|are|leaves?|starts?|begins?|arrives?|comes?|opens?|closes?|departs?|lands?|meets?|ends?|happens?|have|has|due|must|need|wants?|expects?|takes place|appointment|deadline)\b|['’]s (?:on|at|in)\b/i;
const toldAsPast =
  /\b(?:was|were|did|had|went|came|met|took|made|got|bought|saw|ate|ran|left|felt|lost|won|gave|told|said|been|just|ago|since|last|yesterday|favou?rite|birthday|\p{L}{2,}ed)\b/iu;
const worthLooking = new RegExp(
  `\\d|yesterday|\\bago\\b|\\bback\\b|last|next|past|previous|coming|this |today|tonight|tomorrow|night|weekend|earlier|prior|other day|days?\\b|(?:sun|mon|tues|wednes|thurs|fri|satur)day|\\b${monthPattern}\\b|in (?:a|one|two|three|four|five|six)|following|recent|right now|yest|tmrw`,
  "i",
);

/** Every date that the sentence writes, in order of place. `anchor` is the date of the page, null when it has none. */
export function findDates(sentence: string, anchor: number | null): DateExpression[] {
  if (!worthLooking.test(sentence)) return [];
  const future = futureTense.test(sentence) || (appointment.test(sentence) && !toldAsPast.test(sentence));
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
