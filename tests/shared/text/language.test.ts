/** Language: what a script tells of a text. */
import { assert, property, string } from "fast-check";
import { expect, test } from "vitest";
import { languageOf } from "#shared/text/language.ts";

test.each([
  ["你昨天去哪儿了?", "zh"],
  ["用 TypeScript 写一个函数", "zh"],
  ["昨日はどこへ行きましたか", "ja"],
  ["어제 어디에 갔어요?", "ko"],
  ["Где ты был вчера?", "ru"],
  ["Де ти був учора? Ти її бачив?", "uk"],
  ["أين كنت أمس؟", "ar"],
  ["دیروز چه کار کردی؟", "fa"],
  ["Πού ήσουν χθες;", "el"],
  ["คุณไปไหนมาเมื่อวาน", "th"],
  ["Where were you yesterday?", null],
  ["What does 東京 mean in English, and how is it written?", null],
  ["12:30 !!", null],
  ["", null],
])("%s → %s", (text, language) => {
  expect(languageOf(text)).toBe(language);
});

test("any text has an answer", () => {
  assert(
    property(string({ unit: "binary" }), (text) => {
      const language = languageOf(text);
      expect(language === null || /^[a-z]{2}$/.test(language)).toBe(true);
    }),
  );
});
