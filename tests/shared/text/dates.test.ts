/** Written dates, relative expressions in English and Chinese, and what must be refused. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findChineseDates } from "#shared/text/chinese-dates.ts";
import { findDates } from "#shared/text/date-expressions.ts";
import { writeDate } from "#shared/text/date-wording.ts";
import { formatDate, parseWrittenDate } from "#shared/text/dates.ts";

const iso = (text: string): string | null => {
  const date = parseWrittenDate(text);
  return date === null ? null : new Date(date.at).toISOString().slice(0, 19);
};

describe("parseWrittenDate", () => {
  it.each([
    ["2031-05-08", "2031-05-08T00:00:00"],
    ["2031-05-08T13:56", "2031-05-08T13:56:00"],
    ["2031-05-08 13:56:20.5", "2031-05-08T13:56:20"],
    ["2031-05-08T13:56Z", "2031-05-08T13:56:00"],
    ["2031-05-08T13:56+08:00", "2031-05-08T05:56:00"],
    ["1:56 pm on 8 May, 2031", "2031-05-08T13:56:00"],
    ["12 am on 1 January, 2031", "2031-01-01T00:00:00"],
    ["May 8, 2031", "2031-05-08T00:00:00"],
    ["May 8th, 2031, 1:56 PM", "2031-05-08T13:56:00"],
    ["8th of May 2031 at 13:56", "2031-05-08T13:56:00"],
    ["Thu, 08 May 2031 13:56:20 GMT", "2031-05-08T13:56:20"],
    ["Sept. 3, 2031", "2031-09-03T00:00:00"],
    ["2031年5月8日 下午1:56", "2031-05-08T13:56:00"],
    ["2031年5月8日晚上8点半", "2031-05-08T20:30:00"],
    ["2031年5月8日", "2031-05-08T00:00:00"],
    ["2031/5/8", "2031-05-08T00:00:00"],
    ["25/5/2031", "2031-05-25T00:00:00"],
    ["5/25/2031", "2031-05-25T00:00:00"],
    ["5/5/2031", "2031-05-05T00:00:00"],
  ])("reads %s", (text, expected) => {
    expect(iso(text)).toBe(expected);
  });

  it.each([
    "8/5/2031",
    "2031-02-30",
    "31 June 2031",
    "13 pm on 8 May 2031",
    "2031年13月",
    "hello",
    "we met on 8 May 2031",
    "",
  ])("refuses %s", (text) => {
    expect(parseWrittenDate(text)).toBeNull();
  });

  it("says how precise the text is and whether it had a zone", () => {
    expect(parseWrittenDate("May 2031")).toMatchObject({ precision: "month", zoned: false });
    expect(parseWrittenDate("2031")).toMatchObject({ precision: "year" });
    expect(parseWrittenDate("2031-05-08T13:56Z")).toMatchObject({ precision: "minute", zoned: true });
    expect(parseWrittenDate(" 2031-05-08 ")).toMatchObject({ precision: "day", text: "2031-05-08" });
  });

  it("reads back what formatDate writes, in both languages", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 60_000 }), (day) => {
        const at = day * 86_400_000;
        expect(parseWrittenDate(formatDate(at))?.at).toBe(at);
        expect(parseWrittenDate(formatDate(at, "day", "zh"))?.at).toBe(at);
      }),
    );
  });

  it("never throws", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        parseWrittenDate(text);
      }),
    );
  });
});

describe("relative expressions", () => {
  // A Monday.
  const anchor = Date.UTC(2031, 4, 5, 13, 56);
  const english = (text: string): string[] => findDates(text, anchor).map((date) => writeDate(date));
  const chinese = (text: string): string[] => findChineseDates(text, anchor).map((date) => writeDate(date, "zh"));

  it.each([
    ["I saw it yesterday", "4 May 2031"],
    ["we met last week", "The week before 5 May 2031"],
    ["two weekends ago we sailed", "Two weekends before 5 May 2031"],
    ["next month I start", "June 2031"],
    ["last Friday was fun", "The Friday before 5 May 2031"],
    ["it was last year", "2030"],
    ["three years ago", "2028"],
    ["a few days ago", "A few days before 5 May 2031"],
    ["on the 15th", "15 April 2031"],
    ["we left on 3 March", "3 March 2031"],
    ["last summer", "The summer of 2030"],
    ["since 2016", "2016"],
    ["in June", "June 2030"],
    ["I will go in June", "June 2031"],
  ])("%s", (text, expected) => {
    expect(english(text)).toEqual([expected]);
  });

  it.each([
    ["昨天去了", "2031年5月4日"],
    ["上周五", "2031年5月2日"],
    ["去年", "2030年"],
    ["三天前", "2031年5月2日"],
    ["下个月", "2031年6月"],
    ["2029年5月", "2029年5月"],
    ["两年前", "2029年"],
    ["上周", "2031年5月5日之前一周"],
  ])("%s", (text, expected) => {
    expect(chinese(text)).toEqual([expected]);
  });

  it("leaves verbs alone and resolves nothing relative without an anchor", () => {
    expect(english("we may march on")).toEqual([]);
    expect(findDates("I saw it yesterday, last week and in June", null)).toEqual([]);
    expect(findChineseDates("昨天和去年", null)).toEqual([]);
    expect(findDates("on 3 March 2029", null).map((date) => writeDate(date))).toEqual(["3 March 2029"]);
  });

  it("never throws and never overlaps", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 80 }), fc.integer(), (text, at) => {
        const found = [...findDates(text, at)];
        for (const [index, date] of found.entries())
          expect(date.start).toBeGreaterThanOrEqual(found[index - 1]?.end ?? 0);
        findChineseDates(text, at);
      }),
    );
  });
});
